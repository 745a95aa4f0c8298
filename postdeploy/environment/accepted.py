"""What is accepted for a while: each with an owner, a reason and a last day."""

from __future__ import annotations

from datetime import date
from typing import Annotated

from pydantic import Field

from postdeploy.environment.forms import Count, Day, Model, Name, Text, form


class Accepted(Model):
    """Something accepted for a while, with somebody's name and reason on it; once expired it is itself a finding."""

    owner: Text
    """Who accepted it."""
    reason: Text
    """Why, with a ticket."""
    expires: Day
    """Last day it holds, YYYY-MM-DD."""

    def is_expired(self, today: date) -> bool:
        """Whether its last day is over."""
        return today > self.expires


class Tolerance(Accepted):
    """A failure accepted for a while: the check is reported as degraded until it expires."""

    check: Annotated[str, form("check")]
    """Check id it applies to."""
    subject: Text
    """Subject it applies to: a component, an image, a host, an account, or the environment's name."""


class Suppression(Accepted):
    """Warning events that diagnosis leaves out."""

    event: Text
    """Reason of the event, such as FailedScheduling."""
    message: Text
    """Regular expression found in the event's message."""
    component: Name | None = None
    """Component whose events are meant; none: everyone's."""


class RestartBudget(Accepted):
    """Restarts accepted for a while; without one there may be none once a pod has been ready."""

    component: Name
    """Component whose containers are meant."""
    container: Name | None = None
    """One container of it, such as istio-proxy; none: each of them."""
    allowed: Annotated[Count, Field(ge=1)]
    """Restarts that such a container may make in each pod since the rollout began."""


class LogSuppression(Accepted):
    """Log records accepted for a while, up to a ceiling; each use is shown in the report."""

    template: Text | None = None
    """What they say: a message, or the template the report shows; what varies is masked on both sides."""
    exception: Text | None = None
    """Type of their exception, such as ConnectionResetError."""
    logger: Text | None = None
    """Their logger; none: any."""
    component: Name | None = None
    """Component that writes them; none: any."""
    container: Name | None = None
    """Container that writes them; none: any."""
    most: Annotated[int, Field(strict=True, ge=1)] | None = None
    """The most of them in a component's window."""
    most_per_minute: Annotated[float, Field(strict=True, gt=0)] | None = None
    """The most of them a minute."""


class ConsoleSuppression(Accepted):
    """Messages of the browser's console accepted for a while; each use is shown in the report."""

    message: Text
    """Regular expression found in the message."""
    brand: Name | None = None
    """Brand whose pages write them; none: any."""

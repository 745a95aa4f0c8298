"""What a single event says when it is judged on its own."""

from __future__ import annotations

import re

from postdeploy.cluster.objects import Event
from postdeploy.cluster.ruling import Ruling, failed, passed

START_UP_FAILURES = 3
"""A probe's default failureThreshold: below it a failed readiness probe is what a start looks like."""
BAD_NEWS = re.compile(r"failed (liveness|startup) probe|back-off pulling image", re.IGNORECASE)
"""Events of type Normal that report a failure all the same."""
START_UP = re.compile(r"^(readiness|startup) probe (failed|errored)", re.IGNORECASE)
HARMLESS = frozenset({"FailedToUpdateEndpointSlices", "FailedToUpdateEndpoint", "RecreatingFailedPod"})


def event(seen: Event) -> Ruling:
    """A warning is a failure of what it is about, unless it is noise of a rollout."""
    text = f"{seen.reason}" + (f" {seen.times} times" if seen.times > 1 else "") + f": {seen.text.strip()}"
    about = f"about {seen.about.kind} {seen.about.name}" if seen.about.name else ""
    if seen.type != "Warning":
        bad = BAD_NEWS.search(seen.text) is not None
        return failed(f"{text} ({about}; type Normal)") if bad else passed(f"nothing to report: {seen.reason}")
    if seen.reason in HARMLESS:
        return passed(f"noise of a rollout: {text}")
    if seen.reason == "Unhealthy" and START_UP.match(seen.text) and seen.times < START_UP_FAILURES:
        return passed(f"noise of a start: {text}")
    return failed(f"{text} ({about})", "A warning is about one moment: look at the object's state now.")

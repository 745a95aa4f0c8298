"""Waivers: checks that somebody allowed not to be run, for a reason and until a day."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Annotated

from pydantic import ValidationError

from postdeploy.environment.forms import Day, Model, Name, Text, form
from postdeploy.environment.wording import explain, spelled
from postdeploy.environment.yaml import Document, YamlProblem, read


class BadWaivers(Exception):
    """A file of waivers cannot be used; the message has one line for each error."""


class Waiver(Model):
    """A check that need not be run until a day: reported as degraded, with the approver's name."""

    check: Annotated[str, form("check")]
    """Check id it applies to."""
    subject: Text | None = None
    """Subject it applies to: a component, an image, a host, an account; left out: every subject of the check."""
    approver: Text
    """Who allowed it; not whoever asked for it."""
    reason: Text
    """Why it need not be run."""
    ticket: Text | None = None
    """Where the approval is on record."""
    expires: Day
    """Last day it holds, YYYY-MM-DD."""

    @property
    def owner(self) -> str:
        """Who answers for it, as with whatever else is accepted for a while."""
        return self.approver

    def is_expired(self, today: date) -> bool:
        """Whether its last day is over."""
        return today > self.expires


class FiledWaiver(Waiver):
    """A waiver in a file of its own, which may be about several environments."""

    environment: Name | None = None
    """The environment it applies to; left out: every one that has the check."""


class WaiverFile(Model):
    """A whole file of waivers."""

    waivers: tuple[FiledWaiver, ...]
    """Every waiver."""


def read_waivers(path: Path, environment: str) -> tuple[Waiver, ...]:
    """Those of the file (YAML or JSON) that are about an environment. Raises BadWaivers."""
    try:
        document = read(path)
        wrong = [f"{path}: {spelled(where)}: {text}" for where, text in document.problems]
        if wrong:
            raise BadWaivers("\n".join(wrong))
        found = WaiverFile.model_validate(document.data).waivers
    except YamlProblem as problem:
        raise BadWaivers(str(problem)) from problem
    except ValidationError as error:
        raise BadWaivers("\n".join(_lines(document, error))) from error
    meant = (each for each in found if each.environment in (None, environment))
    return tuple(Waiver.model_validate(each.model_dump(exclude={"environment"})) for each in meant)


def _lines(document: Document, error: ValidationError) -> Iterator[str]:
    described = WaiverFile.model_json_schema()
    for each in error.errors(include_url=False):
        origin = document.origins.get(each["loc"])
        finding = explain(each, described, origin.typed if origin else None)
        yield f"{document.path}: {spelled(finding.where)}: {finding.text}"

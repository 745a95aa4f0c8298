"""What of a plan need not be run, and who accepted that."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date
from typing import TYPE_CHECKING

import msgspec

from postdeploy.environment import Waiver
from postdeploy.environment.wording import hint

if TYPE_CHECKING:
    from postdeploy.evidence.plan import Planned


class WaivesNothing(Exception):
    """A waiver names a check or a subject that is not in the plan: whoever approved it meant something else."""


class Waived(msgspec.Struct, frozen=True, omit_defaults=True):
    """Why a planned check need not be run, as plan.json and results.json keep it."""

    approver: str
    reason: str
    expires: date
    """Last day it holds."""
    ticket: str | None = None

    @property
    def words(self) -> str:
        """The waiver in one line."""
        ticket = f" ({self.ticket})" if self.ticket else ""
        return f"waived until {self.expires} by {self.approver}: {self.reason}{ticket}"


def waive(plan: Iterable[Planned], waivers: Iterable[Waiver], today: date) -> tuple[Planned, ...]:
    """The plan with each waiver that still holds on what it is about. Raises WaivesNothing, also for an expired one."""
    entries = tuple(plan)
    held: dict[tuple[str, str], Waived] = {}
    for each in waivers:
        meant = _meant(each, entries)
        if not each.is_expired(today):
            granted = Waived(each.approver, each.reason, each.expires, each.ticket)
            held |= {planned.key: granted for planned in meant if planned.applicable}
    return tuple(
        msgspec.structs.replace(planned, waiver=held[planned.key]) if planned.key in held else planned
        for planned in entries
    )


def said(plan: Iterable[Planned]) -> Iterator[str]:
    """A line for each waiver that holds, with what is not run because of it."""
    grouped: dict[Waived, list[str]] = {}
    for each in plan:
        if each.waiver is not None:
            grouped.setdefault(each.waiver, []).append(f"{each.id}[{each.subject}]")
    for waiver, names in grouped.items():
        more = f" and {len(names) - 1} more" if len(names) > 1 else ""
        yield f"not run: {names[0]}{more}: {waiver.words}"


def _meant(waiver: Waiver, plan: tuple[Planned, ...]) -> list[Planned]:
    of_check = [each for each in plan if each.id == waiver.check]
    if not of_check:
        near = hint(waiver.check, {each.id for each in plan})
        raise WaivesNothing(f"A waiver by {waiver.approver} names {waiver.check}, which is no check{near or '.'}")
    if waiver.subject is None:
        return of_check
    meant = [each for each in of_check if each.subject == waiver.subject]
    if not meant:
        subjects = [each.subject for each in of_check]
        near = hint(waiver.subject, subjects) or f"; it has {', '.join(subjects)}"
        raise WaivesNothing(
            f"A waiver by {waiver.approver} names {waiver.check}[{waiver.subject}], which is not planned here{near}"
        )
    return meant

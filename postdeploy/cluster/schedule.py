"""When a CronJob was due: its schedule read as the controller reads it, in its own time zone.

The controller fires in every minute whose local clock fits the schedule. A time that the clocks skip in spring is
therefore not due on that day, and one that comes twice in autumn is due twice; cron daemons do otherwise.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from cronsim import CronSim, CronSimError

MACROS = {
    "@yearly": "0 0 1 1 *",
    "@annually": "0 0 1 1 *",
    "@monthly": "0 0 1 * *",
    "@weekly": "0 0 * * 0",
    "@daily": "0 0 * * *",
    "@midnight": "0 0 * * *",
    "@hourly": "0 * * * *",
}
SHIFT = timedelta(hours=3)
"""More than any change of clocks moves a local time."""
SEARCHED = timedelta(days=5 * 366)
"""The controller, too, gives up on a schedule that is not due within five years."""


class Unreadable(ValueError):
    """A schedule or a time zone that cannot be read here."""


def due(schedule: str, zone: str, before: datetime, count: int = 2) -> list[datetime]:
    """The last moments (UTC) up to this one at which a schedule was due, latest first; fewer in five years: fewer."""
    where = _zone(zone)
    now = _local(before, where)
    found: list[datetime] = []
    for slot in _parsed(schedule, now + SHIFT):
        if slot < now - SEARCHED or (len(found) == count and slot < _local(found[-1], where) - SHIFT):
            break
        found = sorted({*found, *(each for each in _moments(slot, where) if each <= before)}, reverse=True)[:count]
    return found


def same(one: str, other: str) -> bool:
    """Whether two schedules are due at the same times, however they are written."""
    return _fields(one) == _fields(other)


def _fields(schedule: str) -> tuple[object, ...]:
    sim = _parsed(schedule, datetime.now(UTC))
    weekdays = {0 if each == 7 else each for each in sim.weekdays}
    return sim.minutes, sim.hours, sim.days, sim.months, weekdays, sim.day_and


def _zone(name: str) -> ZoneInfo:
    """The zone of that name; UTC, which is the controller's own, where none is named."""
    try:
        return ZoneInfo(name or "UTC")
    except (KeyError, OSError, ValueError) as error:
        raise Unreadable(f"no time zone {name!r} is known here (spec.timeZone)") from error


def _local(moment: datetime, where: ZoneInfo) -> datetime:
    return moment.astimezone(where).replace(tzinfo=None)


def _moments(slot: datetime, where: ZoneInfo) -> Iterator[datetime]:
    """The moments that a local time names: none in the hour that is skipped, two in the one that is repeated."""
    for fold in (0, 1):
        moment = slot.replace(tzinfo=where, fold=fold).astimezone(UTC)
        if _local(moment, where) == slot:
            yield moment


def _parsed(schedule: str, start: datetime) -> CronSim:
    """The times of a schedule backwards from a local time, which has no zone and so knows no change of clocks."""
    text = MACROS.get(schedule.strip(), schedule).replace("?", "*")
    if len(text.split()) != 5:
        raise Unreadable(f"the schedule {schedule!r} has not the five fields of cron (spec.schedule)")
    try:
        sim = CronSim(text, start, reverse=True)
    except CronSimError as error:
        raise Unreadable(f"the schedule {schedule!r} cannot be read: {error} (spec.schedule)") from error
    # The controller calls a field a star where one of its parts is `*`: unlike in Debian's cron, `*/2` is none.
    days, weekdays = text.split()[2], text.split()[4]
    sim.day_and = any(part in ("*", "*/1") for field in (days, weekdays) for part in field.split(","))
    return sim

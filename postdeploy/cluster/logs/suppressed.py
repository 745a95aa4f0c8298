"""What somebody accepted for a while: up to a number, in the open, and not a day longer."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from postdeploy.cluster.logs.groups import Group
from postdeploy.cluster.logs.seen import Known, Logs
from postdeploy.cluster.logs.templates import template
from postdeploy.environment import LogSuppression


@dataclass(slots=True)
class Sorted:
    """The findings of a component, told apart."""

    open: list[Group] = field(default_factory=list)
    """What nobody has accepted, or more of it than was accepted."""
    notes: list[str] = field(default_factory=list)
    """Every use of a suppression, and why one was of no use."""


def sort(
    groups: Iterable[Group], suppressions: Iterable[LogSuppression], component: str, logs: Logs, long: int
) -> Sorted:
    """Take out what is accepted, as far as it is accepted; a finding falls under the first that fits it.

    One that fitted nothing for so long, in green runs, is mentioned.
    """
    left, result = list(groups), Sorted()
    for each in suppressions:
        if each.component not in (None, component):
            continue
        mine = [group for group in left if fits(each, group)]
        count = sum(group.count for group in mine)
        if not mine:
            if len(logs.earlier) >= max(long, 1) and not _used_before(each, component, logs):
                result.notes.append(
                    f"{_name(each)}: not used in this and the last {len(logs.earlier)} green runs, {_by(each)}"
                )
            continue
        refused = _refused(each, count, logs)
        result.notes.append(f"{_name(each)}: {count} records {refused or 'accepted'}, {_by(each)}")
        if not refused:
            left = [group for group in left if group not in mine]
    result.open = left
    return result


def fits(suppression: LogSuppression, group: Group) -> bool:
    """Whether a finding is what a suppression speaks of."""
    finding = group.finding
    if suppression.container is not None and group.containers != {suppression.container}:
        return False
    return _fits(suppression, finding.template, finding.exception, finding.logger)


def _fits(suppression: LogSuppression, said: str, exception: str, logger: str) -> bool:
    if suppression.logger not in (None, logger):
        return False
    if suppression.exception is not None and suppression.exception not in (exception, exception.rpartition(".")[2]):
        return False
    return suppression.template is None or said in (suppression.template, template(suppression.template))


def _refused(suppression: LogSuppression, count: int, logs: Logs) -> str:
    """Why it does not hold here, empty where it does."""
    if suppression.is_expired(logs.taken.date()):
        return f"NOT accepted any more: expired on {suppression.expires}"
    if suppression.most is not None and count > suppression.most:
        return f"NOT accepted: more than {suppression.most}"
    rate = count / logs.minutes
    if suppression.most_per_minute is not None and rate > suppression.most_per_minute:
        return f"NOT accepted: {rate:.1f} a minute, more than {suppression.most_per_minute:g}"
    return ""


def _used_before(suppression: LogSuppression, component: str, logs: Logs) -> bool:
    found: Iterable[Known] = (each for run in logs.earlier for each in run.known if each.component == component)
    return any(_fits(suppression, each.template, each.exception, each.logger) for each in found)


def _name(suppression: LogSuppression) -> str:
    what = suppression.exception or suppression.template or ""
    return f"suppression {what[:60]!r}"


def _by(suppression: LogSuppression) -> str:
    return f"by {suppression.owner} until {suppression.expires} ({suppression.reason})"

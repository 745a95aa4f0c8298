"""What a run has to answer: the catalogue expanded over one environment, before anything is looked at."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable
from datetime import date

import msgspec

from postdeploy.environment import Environment
from postdeploy.evidence.catalogue import TIERS, Check
from postdeploy.evidence.waivers import Waived, said, waive

WIDTH = 118


class Planned(msgspec.Struct, frozen=True, omit_defaults=True):
    """One check of one subject that this run has to give a verdict on."""

    id: str
    subject: str
    """Component, host, account and so on; the environment itself where a check is not parametrised."""
    title: str
    tier: str
    owner: str
    controls: tuple[str, ...]
    applicable: bool
    """False where the environment declares nothing of the kind the check is about."""
    waiver: Waived | None = None
    """Why it need not be run; left out of the file where it has to be."""

    @property
    def key(self) -> tuple[str, str]:
        """What a result is matched by."""
        return self.id, self.subject


def expand(checks: Iterable[Check], environment: Environment) -> tuple[Planned, ...]:
    """Every check once for each subject, in the order of the tiers; never empty for a check."""
    ordered = sorted(checks, key=lambda each: (TIERS.index(each.tier), each.id))
    return tuple(planned for check in ordered for planned in _of(check, environment))


def planned(checks: Iterable[Check], environment: Environment, today: date) -> tuple[Planned, ...]:
    """The catalogue over an environment, with its waivers as they stand today. Raises WaivesNothing."""
    return waive(expand(checks, environment), environment.waivers, today)


def touches(plan: Iterable[Planned], environment: Environment) -> str:
    """What a run would look at and act on, as a table for people."""
    entries = tuple(plan)
    heading = (
        f"{environment.name} ({environment.regulator}, {environment.legal_entity}): "
        f"{len(entries)} checks planned, {sum(not each.applicable for each in entries)} of them not applicable here."
    )
    return "\n".join([heading, *_reach(environment), *said(entries), *_tables(entries)])


def _of(check: Check, environment: Environment) -> list[Planned]:
    subjects = environment.subjects(check.over)
    return [
        Planned(check.id, subject, check.title, check.tier, check.owner, check.controls, bool(subjects))
        for subject in subjects or (environment.name,)
    ]


def _reach(environment: Environment) -> list[str]:
    rows = {
        "cluster": environment.cluster.context,
        "namespaces": ", ".join(environment.namespaces),
        "hosts": ", ".join(environment.hosts),
        "endpoints": f"{len(environment.expected)} declared, each asked once; and what nobody should answer",
        "accounts": ", ".join(f"{account.login} ({role})" for role, account in environment.api.accounts)
        + f" at {environment.api.host}",
        "money": _money(environment),
    }
    if environment.registry:
        rows["registry"] = f"{', '.join(environment.registry.hosts)} (which digests the tags are)"
    if environment.logs.loki:
        rows["logs"] = f"{environment.logs.loki.host} (what the cluster has no more of the logs)"
    elif environment.logs.cloud_logging:
        rows["logs"] = f"Cloud Logging of {environment.logs.cloud_logging.project} (what the cluster has no more)"
    return [
        line
        for name, value in rows.items()
        for line in textwrap.wrap(value, WIDTH, initial_indent=f"  {name:<12}", subsequent_indent=" " * 14)
    ]


def _money(environment: Environment) -> str:
    """What may be moved, and undone again, by which means and up to which ceilings."""
    spending = environment.business.spending
    moved = [
        f"{each.amount} {each.currency} by {each.method} ({each.mode or spending.mode})"
        for each in environment.deposits.values()
    ]
    ceilings = [
        f"{limits.call} {currency} a call, {limits.run} a run, {limits.day} a day"
        for currency, limits in spending.ceilings.items()
    ]
    undone = "each asked for twice under one key, then undone"
    return f"{', '.join(moved) or 'nothing'}; {undone}; at most {'; '.join(ceilings) or 'nothing'}"


def _tables(entries: tuple[Planned, ...]) -> list[str]:
    checks: dict[str, list[Planned]] = {}
    for each in entries:
        checks.setdefault(each.id, []).append(each)
    width = max(map(len, checks), default=0)
    lines = []
    for tier in TIERS:
        rows = [each for each in checks.values() if each[0].tier == tier]
        if rows:
            lines += ["", f"{tier}: {sum(map(len, rows))} checks"]
            lines += [line for row in rows for line in _check(row, width)]
    return lines


def _check(rows: list[Planned], width: int) -> list[str]:
    """A check in one line, what it is asked of in the lines below."""
    first = rows[0]
    subjects = ", ".join(each.subject for each in rows) if first.applicable else "not applicable here"
    indent = " " * (width + 4)
    wrapped = textwrap.wrap(
        subjects, WIDTH, initial_indent=indent, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False
    )
    return [f"  {first.id:<{width}}  {first.title}", *wrapped]

"""How things stand, from the ledger: environments by tier, history, flakes by week, controls by quarter. One look."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import msgspec

from postdeploy.environment import PRODUCTION
from postdeploy.evidence.ledger.store import Store
from postdeploy.evidence.ledger.view import BODY, NAME

HISTORY, WEEKS, QUARTERS = 40, 26, 4
"""Runs of an environment, weeks and quarters that are shown."""
RUNS = """select run_id, environment, release, verdict, scope, started, finished, bundle, counts, planned, executed,
       passed, degraded, flaky, failed, unverified, residue, tiers, controls, deployment_id
  from ledger_verification where rehearsal = :rehearsal and replay_of = '' order by finished, seq"""
Tally = Mapping[str, int]
Row = Mapping[str, Any]


@dataclass
class Standing:
    """One environment."""

    name: str
    deployment: Row | None = None
    """Its newest deployment, as the audit has it."""
    runs: list[Row] = field(default_factory=list)
    """Its newest runs, oldest first."""

    @property
    def last(self) -> Row | None:
        """The newest run that verifies a release."""
        return next((each for each in reversed(self.runs) if each["counts"]), None)

    def of_release(self, release: str) -> Row | None:
        """The newest run over that release that counts."""
        return next((each for each in reversed(self.runs) if each["counts"] and each["release"] == release), None)

    def tiers(self, release: str) -> Mapping[str, Tally]:
        """Verdicts by tier of that run."""
        run = self.of_release(release)
        return msgspec.json.decode(run["tiers"], type=dict[str, dict[str, int]]) if run is not None else {}


@dataclass(frozen=True)
class Week:
    """The runs of one week."""

    begins: str
    runs: int
    executed: int
    flaky: int

    @property
    def share(self) -> float:
        """Of the checks that were executed, how many passed only after a failed look."""
        return self.flaky / self.executed if self.executed else 0.0


Coverage = Mapping[str, Mapping[str, tuple[int, int, int]]]
"""Control to environment to how many verdicts were good, bad, and of neither kind."""


@dataclass(frozen=True)
class Overview:
    """Everything the page shows."""

    release: str
    rehearsal: bool
    now: datetime
    standings: Sequence[Standing]
    weeks: Sequence[Week]
    quarters: Mapping[str, Coverage]
    runs: int

    @property
    def digests(self) -> Counter[str]:
        """Which bits the environments run, of those that run the release."""
        found = (each.deployment for each in self.standings)
        return Counter(each["digest"] for each in found if each and each["release"] == self.release and each["digest"])


def overview(store: Store, now: datetime, release: str | None = None, *, rehearsal: bool | None = None) -> Overview:
    """How things stand; rehearsals only where nothing else is in the ledger. Raises LedgerUnusable."""
    from sqlalchemy import text

    with store.reading() as connection:
        if rehearsal is None:
            real = connection.execute(text("select 1 from ledger_verification where rehearsal = 0 limit 1")).first()
            rehearsal = real is None
        kind = {"rehearsal": int(rehearsal)}
        runs = [dict(each) for each in connection.execute(text(RUNS), kind).mappings()]
        newest = f"select * from ({BODY}) as {NAME} where rehearsal = :rehearsal order by deployed_at"
        deployments = [dict(each) for each in connection.execute(text(newest), kind).mappings()]
    standings = _standings(runs, deployments)
    chosen = release or max((each for each in deployments), key=lambda each: each["deployed_at"], default={}).get(
        "release"
    )
    return Overview(chosen or "", rehearsal, now, standings, _weeks(runs, now), _quarters(runs), len(runs))


def _standings(runs: Iterable[Row], deployments: Iterable[Row]) -> list[Standing]:
    found: dict[str, Standing] = {}
    for row in deployments:
        found.setdefault(row["environment"], Standing(row["environment"])).deployment = row
    for row in runs:
        found.setdefault(row["environment"], Standing(row["environment"])).runs.append(row)
    for each in found.values():
        del each.runs[:-HISTORY]
    order = {name: place for place, name in enumerate(PRODUCTION)}
    known = [each for each in found.values() if each.name != "all"]
    return sorted(known, key=lambda each: (order.get(each.name, len(order)), each.name))


def _weeks(runs: Iterable[Row], now: datetime) -> list[Week]:
    first = (now - timedelta(days=now.weekday(), weeks=WEEKS - 1)).date()
    names = [(first + timedelta(weeks=number)).isoformat() for number in range(WEEKS)]
    counted: dict[str, Counter[str]] = defaultdict(Counter)
    for row in runs:
        moment = row["finished"][:10]
        begins = next((each for each in reversed(names) if each <= moment), None) if moment >= names[0] else None
        if begins is not None and row["environment"] != "all":
            counted[begins].update(runs=1, executed=row["executed"], flaky=row["flaky"])
    return [Week(each, counted[each]["runs"], counted[each]["executed"], counted[each]["flaky"]) for each in names]


def _quarters(runs: Iterable[Row]) -> dict[str, Coverage]:
    """Of each quarter the last run of each deployment: what was verified twice is evidence once."""
    newest: dict[tuple[str, str, str], Row] = {}
    for row in runs:
        if row["counts"]:
            month = int(row["finished"][5:7])
            quarter = f"{row['finished'][:4]} Q{(month + 2) // 3}"
            newest[quarter, row["environment"], row["deployment_id"] or row["run_id"]] = row
    found: dict[str, dict[str, dict[str, tuple[int, int, int]]]] = {}
    kept = sorted({quarter for quarter, _, _ in newest}, reverse=True)[:QUARTERS]
    decoder = msgspec.json.Decoder(dict[str, dict[str, int]])
    for (quarter, environment, _), row in newest.items():
        if quarter not in kept:
            continue
        for control, tally in decoder.decode(row["controls"]).items():
            cells = found.setdefault(quarter, {}).setdefault(control, {})
            good, bad, blind = cells.get(environment, (0, 0, 0))
            good += sum(tally.get(each, 0) for each in ("passed", "degraded", "flaky"))
            bad += tally.get("failed", 0) + tally.get("residue", 0)
            cells[environment] = (good, bad, blind + tally.get("unverified", 0))
    return {quarter: found[quarter] for quarter in kept if quarter in found}

"""The auditor's query: every deployment of a period with what verified it, unverified ones first, gaps said."""

from __future__ import annotations

import csv
import hashlib
import io
import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from postdeploy.evidence.ledger.chain import stamp
from postdeploy.evidence.ledger.store import Store
from postdeploy.evidence.ledger.view import BODY, COLUMNS, NAME

NOT_VERIFIED = "NOT VERIFIED"
QUERY = f"""select * from ({BODY}) as {NAME}
 where environment = :environment and deployed_at >= :first and deployed_at < :until and rehearsal = :rehearsal
 order by case verdict when '{NOT_VERIFIED}' then 0 else 1 end, deployed_at, deployment_id"""
"""The one query over the view's own text, which an owner of the database could have replaced there."""
GAPS = """select distinct gap, iid, environment, deployed_at from ledger_deployment
 where gap <> '' and rehearsal = :rehearsal and deployed_at >= :first and deployed_at < :until order by iid"""
Row = Mapping[str, Any]


class BadPeriod(Exception):
    """A date that is none; the message says what to write."""


@dataclass(frozen=True)
class Asked:
    """Which deployments are asked for."""

    environment: str
    first: str
    """Moments as the ledger writes them: from this one on."""
    until: str
    """Up to, and without, this one."""
    rehearsal: bool = False


@dataclass(frozen=True)
class Answer:
    """The population of a period."""

    asked: Asked
    rows: tuple[Row, ...]
    gaps: tuple[str, ...]

    @property
    def population_sha256(self) -> str:
        """One hash for the set of deployments, so that two people know that they looked at the same one."""
        return population_hash(each["deployment_id"] for each in self.rows)

    @property
    def tally(self) -> Counter[str]:
        """How many deployments came to which verdict."""
        return Counter(each["verdict"] for each in self.rows)


def period(first: str | None, last: str | None) -> tuple[str, str]:
    """The bounds of a period; a day means all of it, UTC. Raises BadPeriod."""
    begins = _moment(first, "--from") if first else datetime(1970, 1, 1, tzinfo=UTC)
    ends = _moment(last, "--to") if last else datetime(9999, 12, 31, tzinfo=UTC)
    if last and len(last) == len("2026-12-31"):
        ends += timedelta(days=1)
    if ends <= begins:
        raise BadPeriod(f"--to {last} is not after --from {first}.")
    return stamp(begins), stamp(ends)


def _moment(text: str, option: str) -> datetime:
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise BadPeriod(f"{option} {text!r} is no date: write 2026-10-01, or 2026-10-01T08:00:00Z.") from None
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def audit(store: Store, asked: Asked) -> Answer:
    """The deployments of an environment in a period. Raises LedgerUnusable."""
    from sqlalchemy import text

    with store.reading() as connection:
        names = {**asdict(asked), "rehearsal": int(asked.rehearsal)}
        rows = tuple(dict(each) for each in connection.execute(text(QUERY), names).mappings())
        gaps = tuple(_gap(dict(each)) for each in connection.execute(text(GAPS), names).mappings())
    return Answer(asked, rows, gaps)


def _gap(row: Row) -> str:
    """What is missing in GitLab's numbering of a project's deployments, over all of its environments."""
    where = f"{row['environment']}, {row['deployed_at'][:10]}"
    return f"GAP before {row['iid']} ({where}): GitLab has no deployment {row['gap']} any more"


def population_hash(deployments: Iterable[str]) -> str:
    """sha256 over the sorted ids, a line each: `sort | sha256sum` gives the same."""
    return hashlib.sha256("".join(f"{each}\n" for each in sorted(deployments)).encode()).hexdigest()


def sample(answer: Answer, count: int, seed: str) -> tuple[Row, ...]:
    """A sample that anybody can draw again: those whose sha256 of `SEED:DEPLOYMENT_ID` comes first."""

    def rank(row: Row) -> str:
        return hashlib.sha256(f"{seed}:{row['deployment_id']}".encode()).hexdigest()

    return tuple(sorted(answer.rows, key=rank)[:count])


SHOWN: Mapping[str, Callable[[Row], str]] = {
    "deployed (UTC)": lambda row: _short(row["deployed_at"]),
    "release": lambda row: row["release"],
    "deployed by": lambda row: row["deployed_by"] or "?",
    "approved by": lambda row: row["approved_by"] or "?",
    "ticket": lambda row: row["ticket"] or "?",
    "verdict": lambda row: row["verdict"],
    "verified (UTC)": lambda row: _short(row["verified_at"] or ""),
    "deployment": lambda row: row["deployment_id"],
    "run": lambda row: row["run_id"] or "",
}


def to_text(answer: Answer, rows: Sequence[Row] | None = None) -> str:
    """A table for people, then what it is a table of."""
    chosen = answer.rows if rows is None else rows
    lines = [tuple(SHOWN), *(tuple(str(show(row)) for show in SHOWN.values()) for row in chosen)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(SHOWN))]
    padded = ("  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)) for line in lines)
    return "\n".join([*(each.rstrip() for each in padded), "", *summary(answer)])


def summary(answer: Answer) -> Iterator[str]:
    """How many there are and of which kind, what is missing, and the hash of the population."""
    tally = ", ".join(f"{count} {verdict}" for verdict, count in sorted(answer.tally.items()))
    yield f"{len(answer.rows)} deployments of {answer.asked.environment}: {tally or 'none'}"
    corrected = sum(bool(each["corrected"]) for each in answer.rows)
    if corrected:
        yield f"{corrected} with a correction (--json shows what was said before, and why)"
    yield from answer.gaps
    yield f"population: {len(answer.rows)}, sha256 {answer.population_sha256}"


def to_json(answer: Answer, rows: Sequence[Row] | None = None) -> str:
    """The same for a machine, with every column of the view."""
    asked = {"environment": answer.asked.environment, "from": answer.asked.first, "until": answer.asked.until}
    population = {"count": len(answer.rows), "sha256": answer.population_sha256}
    chosen = answer.rows if rows is None else rows
    said = {**asked, "population": population, "gaps": answer.gaps, "deployments": list(chosen)}
    return json.dumps(said, indent=2)


def to_csv(answer: Answer, rows: Sequence[Row] | None = None) -> str:
    """The same for a spreadsheet; a cell that it would take for a formula is quoted."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(COLUMNS)
    for row in answer.rows if rows is None else rows:
        writer.writerow([_cell(row[name]) for name in COLUMNS])
    return out.getvalue().rstrip("\n")


def _cell(value: Any) -> Any:
    return f"'{value}" if isinstance(value, str) and value.startswith(("=", "+", "-", "@", "\t", "\r")) else value


def _short(moment: str) -> str:
    return moment[:19].replace("T", " ")

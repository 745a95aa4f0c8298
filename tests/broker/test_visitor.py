"""The account that signs in through a page keeps the rules of every login: once, leased, no code twice."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import SecretStr

from postdeploy.broker.api import Gate, Keys
from postdeploy.broker.undo.lease import Lease, Leased
from postdeploy.broker.undo.store import Store
from postdeploy.broker.visitor import Visitor
from postdeploy.environment import Account
from postdeploy.verdict import Unverified

SEED = SecretStr("JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP")
ACCOUNT = Account(login="synthetic@northgate.example", id="SYN-1")


def visitor(folder: Path, holder: str = "run-1", keys: Keys | None = None, now: float = 1000.0) -> Visitor:
    rests: list[float] = []
    keys = keys or Keys(SecretStr("correct horse"), SEED)
    made = Visitor(ACCOUNT, keys, Lease(Store(str(folder)), "SYN-1", holder), Gate(), 3.0, rests.append, lambda: now)
    made.rests = rests  # type: ignore[attr-defined]
    return made


def test_password_is_given_out_once_in_a_run(tmp_path: Path) -> None:
    one = visitor(tmp_path)
    assert one.password().get_secret_value() == "correct horse"
    with pytest.raises(Unverified, match="does so once in a run"):
        one.password()


def test_account_in_use_by_another_run_is_not_touched(tmp_path: Path) -> None:
    visitor(tmp_path).password()
    with pytest.raises(Leased, match="in use by run run-1"):
        visitor(tmp_path, "run-2").password()


def test_after_a_refused_login_nobody_tries_another(tmp_path: Path) -> None:
    one = visitor(tmp_path)
    one.gate.closed = "the trader got 401 to its credentials"
    with pytest.raises(Unverified, match="nobody logs in any more in this run: the trader got 401"):
        one.password()


def test_missing_password_says_which_variable_would_supply_it(tmp_path: Path) -> None:
    with pytest.raises(Unverified, match="set POSTDEPLOY_X"):
        visitor(tmp_path, keys=Keys(None, why="set POSTDEPLOY_X")).password()


def test_code_is_written_down_as_used_and_the_next_one_waits_for_its_step(tmp_path: Path) -> None:
    one = visitor(tmp_path, now=1000.0)
    one.password()
    first = one.code()
    assert one.lease.last_step(SEED) == 33
    second = one.code()
    assert second != first
    assert one.rests == [0.0, 20.0]  # type: ignore[attr-defined]


def test_code_without_a_seed_is_unverified(tmp_path: Path) -> None:
    with pytest.raises(Unverified, match="no seed of it is known here"):
        visitor(tmp_path, keys=Keys(SecretStr("x"))).code()

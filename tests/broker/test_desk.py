"""The desk over a real brokerage on loopback: what every claim rests on, replay, lockout, secrets."""

from __future__ import annotations

import gzip
import socket

import pytest

from benchmarks.kills.house import house
from postdeploy.broker.recording import load, save
from postdeploy.business import replay_desk
from postdeploy.deadline import Deadline
from postdeploy.environment import load as load_environment
from postdeploy.verdict import Held, NotApplicable, Residue, State, Unverified
from rehearsal.doors import Credential
from tests.broker.conftest import PATIENCE, opened

DEPOSIT_RULES = ("deposit_accepted", "deposit_ends", "deposit_credited", "deposit_idempotent", "deposit_undone")
RULES = (
    *("refuses_strangers", "keeps_time", "logs_in", "asks_second_factor", "is_synthetic", "shows_profile"),
    *("is_isolated", "balances_add_up", "is_complete", "is_permitted", "prices_are_fresh", "prices_are_sane"),
    *("previews_order", "documents_load", "statements_load", "is_clean", "refreshes", "ends_session"),
)
ERRORS = (AssertionError, Unverified, Residue, NotApplicable)


def everything(desk) -> dict[str, object]:
    """Whatever the smoke checks would say, by rule and method."""
    found = {rule: outcome(getattr(desk, rule)) for rule in RULES}
    found["is_offered"] = outcome(desk.is_offered, desk.environment.api.instruments)
    for rule in DEPOSIT_RULES:
        for deposit in desk.environment.deposits.values():
            found[f"{rule} {deposit.method}"] = outcome(getattr(desk, rule), deposit)
    return found


def outcome(rule, *subjects):
    try:
        return rule(*subjects)
    except ERRORS as error:
        return type(error), str(error)


def states(found):
    return {getattr(each, "state", each) for each in found.values()}


BENT = {
    "refused": ("login_refused", True),
    "no token": ("empty_token", True),
    "clock": ("ahead_s", 90),
    "one factor": ("one_factor", True),
    "not synthetic": ("real_accounts", True),
    "idempotency ignored": ("money.ignores_keys", True),
    "credited twice": ("money.credits", 2),
    "refund refused": ("money.refuses_refunds", True),
    "500 after": ("money.deposit", "500 after"),
    "500 after refund": ("money.refund", "500 after"),
    "never settles": ("money.settles_s", 1e9),
    "fails on its way": ("money.fails", True),
}


def others(at) -> dict[str, Credential]:
    """The right passwords and other seeds: every code will be wrong."""
    known = at.brokerage.clients.doors.credentials
    return {login: Credential(each.password, "JBSWY3DPEHPK3PXP") for login, each in known.items()}


def bend(at, name: str) -> None:
    """Bring the brokerage into one of the situations that a desk meets."""
    if name == "wrong codes":
        at.run(lambda: at.brokerage.clients.doors.credentials.update(others(at)))
    elif name == "locked":
        at.run(lambda: at.brokerage.clients.doors.spoil(at.environment.api.account, 5))
    elif name != "healthy":
        where, value = BENT[name]
        owner, _, field = where.rpartition(".")
        setattr(getattr(at.api, owner) if owner else at.api, field, value)


SITUATIONS = ("healthy", *BENT, "locked")


@pytest.mark.parametrize("situation", SITUATIONS)
def test_recording_is_judged_like_the_network_and_holds_no_secret(situation, at, visit, monkeypatch):
    with visit() as desk:
        bend(at, situation)
        lived = everything(desk)
        secrets = {each for pair in at.run(lambda: list(credentials(at))) for each in pair} | set(
            desk.visit.line.secrets
        )
        kept = save(desk.recording)
    secrets.discard("")
    text = gzip.decompress(kept).decode()
    assert not [each for each in secrets if each in text]
    assert not [each for each in secrets if each in repr(lived)]
    monkeypatch.setattr(socket.socket, "connect", lambda *_: pytest.fail("a replay touched the network"))
    assert everything(replay_desk(at.environment, load(kept))) == lived


def credentials(at):
    return [(each.password, each.totp) for each in at.brokerage.clients.doors.credentials.values()]


def test_healthy_brokerage_passes_and_nothing_is_left(at, visit):
    with visit() as desk:
        found = everything(desk)
    assert states(found) == {State.PASSED}, found
    assert at.audit().is_clean
    assert at.audit().deposits == len(at.environment.deposits)


@pytest.mark.parametrize("situation", [*SITUATIONS, "wrong codes"])
def test_an_account_sees_at_most_one_failed_login_whatever_happens(situation, at, visit):
    before = 5 if situation == "locked" else 0
    with visit() as desk:
        bend(at, situation)
        for _ in range(2):
            everything(desk)
    sql = "select login, count(*) from logins where outcome != 'granted' group by login"
    assert all(count - before <= 1 for login, count in at.rows(sql) if login == at.environment.api.account)
    assert all(count <= 1 for login, count in at.rows(sql) if login != at.environment.api.account)
    assert at.rows("select max(n) from (select count(*) n from logins where outcome = 'granted' group by login)")[0][
        0
    ] in (
        None,
        1,
    )


def test_first_bad_answer_to_a_credential_stops_every_other_login(at, visit):
    with visit() as desk:
        bend(at, "refused")
        everything(desk)
    assert at.rows("select distinct login from logins") == [(at.environment.api.account,)]


def test_nobody_logs_in_while_the_clocks_disagree(at, visit):
    with visit() as desk:
        bend(at, "clock")
        assert desk.keeps_time().state is State.UNVERIFIED
        with pytest.raises(Held, match=r"smoke\.login\.clock"):
            desk.logs_in()
        with pytest.raises(Held, match=r"smoke\.login\.clock"):
            desk.balances_add_up()
    assert at.rows("select count(*) from logins") == [(0,)]


@pytest.mark.parametrize("mood", ["real_accounts", "other_id"])
def test_nothing_is_changed_with_an_account_that_is_not_proven(mood, at, visit):
    setattr(at.api, mood, True)
    with visit() as desk:
        found = everything(desk)
    assert found["is_synthetic"].state is State.UNVERIFIED
    assert found["deposit_accepted card"] == (Held, "held because smoke.account.synthetic")
    assert at.audit().deposits == 0
    assert at.rows("select count(*) from answers") == [(0,)], "no request that could change anything was even sent"


def test_red_tier_before_holds_what_spends(at, visit):
    with visit(is_red=lambda: "infra.pods.ready[crm-web] is failed") as desk:
        found = everything(desk)
    assert found["deposit_accepted card"] == (Held, "held because infra.pods.ready[crm-web] is failed")
    assert found["balances_add_up"].holds
    assert at.audit().deposits == 0


def test_no_time_left_to_undo_is_no_time_to_spend(at, visit):
    with visit(deadline=Deadline(3.0)) as desk:
        found = everything(desk)
    kind, words = found["deposit_accepted card"]
    assert (kind, "are kept for undoing" in words) == (Unverified, True)
    assert at.audit().deposits == 0


def test_closed_ceiling_is_unverified_and_says_so(at, visit, environment):
    data = environment.model_dump(mode="json")
    data["business"]["spending"]["ceilings"]["GBP"] = {"call": "0", "run": "0", "day": "0"}
    closed = type(environment).model_validate(data)
    with visit(environment=closed) as desk:
        kind, words = outcome(desk.deposit_accepted, closed.deposits["card"])
    assert (kind, "the checks that spend are closed" in words) == (Unverified, True)
    assert at.audit().deposits == 0


@pytest.mark.parametrize(("currency", "amount", "ceiling"), [("JPY", "1000", "2000"), ("KWD", "10.005", "20.010")])
def test_currencies_without_and_with_three_decimals_are_paid_and_undone_to_the_coin(
    currency, amount, ceiling, environment, tmp_path
):
    data = environment.model_dump(mode="json")
    data["deposits"]["card"] |= {"currency": currency, "amount": amount}
    data["business"]["spending"]["ceilings"] = {currency: {"call": amount, "run": ceiling, "day": ceiling}}
    there = type(environment).model_validate(data)
    card = there.deposits["card"]
    with house(there, tmp_path / "books") as at:
        at.api.money.settles_s, at.api.money.refunds_s = 0.02, 0.01
        with opened(at, tmp_path / "state") as desk:
            assert desk.deposit_credited(card).seen == f"{amount} {currency} in the ledger and in the balance"
            assert desk.deposit_undone(card).holds
        assert at.audit().is_clean


def test_journal_that_cannot_be_written_holds_what_spends(at, visit, tmp_path):
    (tmp_path / "file").write_text("")
    with visit(state=tmp_path / "file" / "state") as desk:
        kind, words = outcome(desk.logs_in)
    assert (kind, "cannot be used" in words) == (Unverified, True)
    assert at.rows("select count(*) from logins") == [(0,)], "without a lease nobody logs in"


def test_second_run_on_the_same_account_is_unverified_and_touches_nothing(at, visit):
    with visit() as first:
        assert first.logs_in().holds
        with visit() as second:
            kind, words = outcome(second.logs_in)
    assert (kind, "is in use by run run-1" in words) == (Unverified, True)
    assert at.rows("select count(*) from logins") == [(1,)]


def test_after_an_unclear_answer_no_more_money_follows(at, visit):
    bend(at, "500 after")
    with visit() as desk:
        found = everything(desk)
    assert found["deposit_accepted card"].state is State.FAILED
    assert found["deposit_accepted faster-payments"] == (Held, "held because smoke.deposit.accepted[card] is unclear")
    assert found["deposit_undone card"].holds
    assert at.audit().deposits == 1
    assert at.audit().is_clean


def test_deposit_that_failed_for_good_is_not_waited_for(at, visit):
    bend(at, "fails on its way")
    with visit() as desk:
        ended = desk.deposit_ends(at.environment.deposits["card"])
        waited = desk.recording.sights["deposit card"].facts["waited_s"]
        undone = desk.deposit_undone(at.environment.deposits["card"])
    assert (ended.state, "pending → failed" in ended.seen, undone.holds) == (State.FAILED, True, True)
    assert waited < PATIENCE.within_s
    assert at.audit().is_clean


def test_deposits_are_undone_the_latest_first(at, visit):
    with visit() as desk:
        for deposit in at.environment.deposits.values():
            desk.deposit_accepted(deposit)
        desk.undo_all()
        sent = [each.path for each in desk.recording.exchanges if each.path.endswith(("refund", "cancel"))]
    made = [each[0] for each in at.rows("select id from payments order by rowid desc")]
    assert [each.split("/")[-2] for each in sent] == made


def test_residue_says_amount_account_key_and_command(at, visit):
    bend(at, "refund refused")
    with visit() as desk:
        kind, words = outcome(desk.deposit_undone, at.environment.deposits["card"])
    assert kind is Residue
    key = at.rows("select key from payments")[0][0]
    for part in (
        "10.00 GBP",
        "SYN-UK-000101",
        key,
        "postdeploy sweep --env uk-prod",
        "refunds are suspended by the PSP",
    ):
        assert part in words


def test_residue_is_settled_by_a_later_run_once_the_product_lets_it(at, visit):
    bend(at, "refund refused")
    with visit() as desk:
        outcome(desk.deposit_undone, at.environment.deposits["card"])
    with visit() as desk:
        assert outcome(desk.is_clean)[0] is Residue
        assert outcome(desk.deposit_accepted, at.environment.deposits["card"]) == (
            Held,
            "held because smoke.journal.clean",
        )
    at.api.money.refuses_refunds = False
    with visit() as desk:
        assert "swept: 10.00 GBP by card" in desk.is_clean().seen
    assert at.audit().is_clean
    assert at.audit().deposits == 1, "while something was left nothing more was spent"


def test_penny_that_only_the_ledger_has_is_not_forgotten(at, visit):
    """Credited twice and refunded once: the product says refunded, its ledger says otherwise, run after run."""
    bend(at, "credited twice")
    with visit() as desk:
        kind, words = outcome(desk.deposit_undone, at.environment.deposits["card"])
    assert (kind, "the ledger still has 10.00 GBP" in words) == (Residue, True)
    at.api.money.credits = 1
    with visit() as desk:
        assert outcome(desk.is_clean)[0] is Residue


def test_lost_journal_is_made_up_for_by_the_tag(at, visit, tmp_path):
    with visit(pipeline="77") as desk:
        assert desk.deposit_accepted(at.environment.deposits["card"]).holds
    assert len(at.audit().standing) == 1
    for each in (tmp_path / "state").iterdir():
        each.unlink()
    with visit(pipeline="77") as desk:
        assert "swept: 10.00 GBP by card" in desk.is_clean().seen
        assert desk.deposit_accepted(at.environment.deposits["card"]).holds
        desk.undo_all()
    assert at.audit().is_clean
    assert at.audit().deposits == 2, "the epoch came from the product: its key is another one"


def test_retried_job_repeats_its_request_instead_of_paying_twice(at, visit):
    """The first attempt was killed before its request arrived; the retry has the same key."""
    with visit(pipeline="77") as desk:
        at.api.money.deposit = "500 before"
        desk.deposit_accepted(at.environment.deposits["card"])
        desk.undo_all()
        at.api.money.deposit = ""
        first = desk.recording.sights["deposit card"].facts["key"]
    with visit(pipeline="77") as desk:
        desk.deposit_accepted(at.environment.deposits["card"])
        desk.undo_all()
        assert desk.recording.sights["deposit card"].facts["key"] == first
    assert at.audit().is_clean


def test_hong_kongs_edda_stays_pending_is_not_credited_and_is_cancelled(tmp_path):
    hk = load_environment("hk-prod")
    with house(hk, tmp_path / "hk") as there, opened(there, tmp_path / "hk state") as desk:
        edda = hk.deposits["edda"]
        assert desk.deposit_ends(edda).seen == "pending"
        assert desk.deposit_credited(edda).seen == "no entry, balance unchanged"
        assert desk.deposit_undone(edda).holds
        assert there.rows("select state from payments") == [("cancelled",)]


def test_one_session_serves_all_the_browser_too(at, visit):
    with visit() as desk:
        assert desk.session() is desk.session()
        assert desk.balances_add_up().holds
    assert at.rows("select count(*) from logins") == [(1,)]
    with pytest.raises(Unverified, match="a replay has no session"):
        replay_desk(at.environment, desk.recording).session()


def test_every_request_is_marked_synthetic_and_told_as_a_step(at, visit):
    told = []
    with visit(tell=lambda exchange, host: told.append((exchange.path, host))) as desk:
        desk.logs_in()
        headers = desk.visit.line.client.headers
    assert told == [
        (path, at.environment.api.host) for path in ("/api/v1/instruments", "/api/v1/login", "/api/v1/login/code")
    ]
    assert headers["X-Synthetic-Test"].startswith("run-")


def test_what_was_not_looked_at_is_unverified_in_a_replay(environment):
    from postdeploy.broker.recording import Recording

    desk = replay_desk(environment, Recording())
    with pytest.raises(Unverified, match="holds nothing about 'strangers'"):
        desk.logs_in()


def test_no_value_shows_a_secret(at, visit):
    with visit() as desk:
        desk.logs_in()
        shown = f"{desk!r} {desk.visit!r} {desk.visit.trader!r} {desk.visit.trader.session!r} {desk.visit.line!r}"
        assert not [each for pair in credentials(at) for each in pair if each in shown]
        assert desk.visit.trader.session.token.get_secret_value() not in shown

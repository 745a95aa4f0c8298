"""Judges the API's answers. Pure, so that a recording gives the same verdicts."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypeVar

import msgspec

from postdeploy.broker.models import InstrumentsAnswer, LoginAnswer
from postdeploy.broker.recording import Exchange
from postdeploy.verdict import Judgement, State

EXCERPT = 160
Model = TypeVar("Model", bound=msgspec.Struct)

LOGIN_CAUSES = {
    401: "the account's password was changed or its secret is stale; sessions or the user database do not work",
    403: "the account was blocked, or this runner's address is not allowed",
    423: "the account is locked after wrong passwords: have it unlocked before the next run",
    429: "this runner or account logs in too often",
}
DOWN_CAUSE = "the API's pods are not ready or cannot reach their database; see the rollout and its logs"
CONTRACT_CAUSE = "a field was renamed, dropped or changed its type in this release"
OPEN_CAUSE = "the permission class was dropped from the view, or the default permission changed"
OFFER_CAUSE = "the instrument was disabled for this jurisdiction, or the instruments feed has not been loaded"


def grants_session(host: str, account: str, answer: Exchange) -> Judgement:
    """The account logged in and got a token that will expire."""
    claim = f"the test account {account} can log in at {host}"
    if answer.is_down:
        return down(claim, host, answer)
    if answer.status != 200:
        cause = LOGIN_CAUSES.get(answer.status, "the login endpoint changed in this release")
        return _failed(claim, f"the test account cannot log in: {_seen(answer)}", host, answer, cause)
    granted, wrong = _read(answer, LoginAnswer)
    if granted is None:
        return _failed(claim, f"the answer is not a session: {wrong}", host, answer, CONTRACT_CAUSE)
    if not granted.token.strip():
        return _failed(claim, "the token is empty", host, answer, CONTRACT_CAUSE)
    if not granted.expires_in > 0:
        return _failed(claim, f"the token expires in {granted.expires_in:g} s", host, answer, CONTRACT_CAUSE)
    return Judgement(State.PASSED, claim, f"a token for {granted.expires_in:g} s")


def refuses_strangers(host: str, answer: Exchange) -> Judgement:
    """Without a token the API answers 401 and nothing else."""
    claim = f"{host} lists instruments only to who is logged in"
    if answer.is_down:
        return down(claim, host, answer)
    if answer.status != 401:
        return _failed(claim, f"without a token: {_seen(answer)}, not 401", host, answer, OPEN_CAUSE)
    return Judgement(State.PASSED, claim, "401 without a token")


def offers(host: str, account: str, answer: Exchange, declared: Iterable[str]) -> Judgement:
    """Every declared instrument is on the account's list and may be traded."""
    symbols = tuple(declared)
    claim = f"{account} is offered {len(symbols)} declared instruments at {host}"
    if answer.is_down:
        return down(claim, host, answer)
    if answer.status != 200:
        cause = "the session just granted is not accepted: sessions are not shared between pods, or expire at once"
        return _failed(claim, _seen(answer), host, answer, cause)
    listed, wrong = _read(answer, InstrumentsAnswer)
    if listed is None:
        return _failed(claim, f"the answer is not a list of instruments: {wrong}", host, answer, CONTRACT_CAUSE)
    tradable = {each.symbol for each in listed.instruments if each.tradable}
    known = {each.symbol for each in listed.instruments}
    missing = [each for each in symbols if each not in known]
    halted = [each for each in symbols if each in known - tradable]
    if missing or halted:
        parts = [f"not offered: {', '.join(missing)}"] if missing else []
        parts += [f"not tradable: {', '.join(halted)}"] if halted else []
        return _failed(claim, f"{'; '.join(parts)} ({len(known)} are listed)", host, answer, OFFER_CAUSE)
    return Judgement(State.PASSED, claim, f"all of them among {len(known)} listed")


def down(claim: str, host: str, answer: Exchange) -> Judgement:
    """The API did not answer, or only with an error of its own."""
    seen = f"{host} {answer.fault}: {answer.error}" if answer.fault else _seen(answer)
    return _failed(claim, seen, host, answer, DOWN_CAUSE)


def _failed(claim: str, seen: str, host: str, answer: Exchange, cause: str) -> Judgement:
    return Judgement(State.FAILED, claim, seen, f"{answer.method} https://{host}{answer.path}", cause)


def _read(answer: Exchange, model: type[Model]) -> tuple[Model | None, str]:
    if not answer.is_json:
        return None, f"no JSON but {_excerpt(answer.response)}"
    try:
        return msgspec.convert(answer.response, model), ""
    except msgspec.ValidationError as error:
        return None, str(error)


def _seen(answer: Exchange) -> str:
    said = answer.response
    if isinstance(said, dict):
        said = next((said[key] for key in ("error", "detail", "message") if key in said), "")
    return f"status {answer.status}" + (f" {_excerpt(str(said))}" if said else "")


def _excerpt(text: str) -> str:
    flat = " ".join(text.split())
    return repr(flat[:EXCERPT] + ("…" if len(flat) > EXCERPT else "")) if flat else "an empty body"

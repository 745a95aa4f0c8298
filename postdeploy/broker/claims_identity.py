"""Judges logins, sessions and who an account is. Pure, so that a recording gives the same verdicts."""

from __future__ import annotations

from collections.abc import Iterable

from postdeploy.broker.clocks import served_at, skew_beyond
from postdeploy.broker.judging import CONTRACT_CAUSE, DOWN_CAUSE, answered, described, failed, passed, where
from postdeploy.broker.looks import Seen
from postdeploy.broker.models import Challenge, Granted, Profile, Proof, read
from postdeploy.broker.recording import Exchange
from postdeploy.verdict import Judgement, State

LOGIN_CAUSES = {
    401: "the account's password was changed or its secret is stale; sessions or the user database do not work",
    403: "the account was blocked, or this runner's address is not allowed",
    423: "the account is locked after wrong passwords: have it unlocked before the next run",
    429: "this runner or account logs in too often",
}
OPEN_CAUSE = "the permission class was dropped from the view, or the default permission changed"
SKEW_S = 5.0
"""A code is good for half a minute; the Date header is cut to the second."""


def refuses_strangers(host: str, answer: Exchange) -> Judgement:
    """Without a token the API answers 401 and nothing else."""
    claim = f"{host} lists instruments only to who is logged in"
    if answer.is_down:
        return failed(claim, described(answer), host, answer, DOWN_CAUSE)
    if answer.status != 401:
        return failed(claim, f"without a token: {described(answer)}, not 401", host, answer, OPEN_CAUSE)
    return passed(claim, "401 without a token")


def keeps_time(host: str, answer: Exchange) -> Judgement:
    """This machine and the API agree on the time, without which a one-time code would be a failed login."""
    claim = f"this machine and {host} agree on the time"
    if served_at(answer) is None:
        return Judgement(State.UNVERIFIED, claim, f"no Date in the answer ({described(answer)})", where(host, answer))
    if seconds := skew_beyond(answer, SKEW_S):
        cause = "NTP on the runner or on the API's nodes; nobody logged in, for the code would have been refused"
        seen = f"the API's clock is {abs(seconds):.0f} s {'ahead' if seconds > 0 else 'behind'}"
        return Judgement(State.UNVERIFIED, claim, seen, where(host, answer), cause)
    return passed(claim, f"they differ by at most {SKEW_S:g} s")


def grants_session(host: str, account: str, seen: Seen) -> Judgement:
    """The account logged in and got a token that will expire."""
    claim = f"the test account {account} can log in at {host}"
    answer = seen.last("code") if seen.has("code") else seen.last("password")
    if answer.is_down:
        return failed(claim, described(answer), host, answer, DOWN_CAUSE)
    if answer.status != 200:
        cause = LOGIN_CAUSES.get(answer.status, "the login endpoint changed in this release")
        return failed(claim, f"the test account cannot log in: {described(answer)}", host, answer, cause)
    granted, judged = answered(claim, host, answer, Granted)
    if granted is None:
        return judged
    if not granted.token.strip():
        return failed(claim, "the token is empty", host, answer, CONTRACT_CAUSE)
    if not granted.expires_in > 0:
        return failed(claim, f"the token expires in {granted.expires_in} s", host, answer, CONTRACT_CAUSE)
    return passed(claim, f"a token for {granted.expires_in} s, at the first try")


def asks_second_factor(host: str, account: str, seen: Seen) -> Judgement:
    """The password alone opens nothing: a one-time code was asked for."""
    claim = f"{host} asks {account} for a one-time code as well"
    answer = seen.last("password")
    if answer.status != 200 or not answer.is_json:
        return Judgement(State.UNVERIFIED, claim, f"the password was not accepted: {described(answer)}")
    challenge, wrong = read(Challenge, answer.response)
    if challenge is not None:
        return passed(claim, "the password got a challenge and no token")
    cause = "two-factor login was switched off, for everybody or for this account"
    given = isinstance(answer.response, dict) and answer.response.get("token")
    said = "the password alone got a token" if given else wrong
    return failed(claim, said, host, answer, cause)


def refreshes(host: str, account: str, seen: Seen) -> Judgement:
    """A session can be renewed, and the new token is good."""
    claim = f"the session of {account} can be renewed at {host}"
    granted, judged = answered(claim, host, seen.last("refresh"), Granted)
    if granted is None:
        return judged
    tried = seen.last("renewed")
    if tried.status != 200:
        cause = "renewed tokens are signed with another key, or not shared between pods"
        return failed(claim, f"the new token is refused: {described(tried)}", host, tried, cause)
    return passed(claim, f"a new token for {granted.expires_in} s, and it is accepted")


def ends_session(host: str, account: str, seen: Seen) -> Judgement:
    """A logout ends the session: its token is dead."""
    claim = f"a logout of {account} ends its session at {host}"
    left = seen.last("logout")
    if left.status not in (200, 204):
        return failed(claim, f"the logout failed: {described(left)}", host, left, DOWN_CAUSE)
    tried = seen.last("afterwards")
    if tried.is_down:
        return failed(claim, described(tried), host, tried, DOWN_CAUSE)
    if tried.status != 401:
        cause = "tokens are not looked up any more (stateless), or the cache keeps them"
        return failed(claim, f"after the logout its token still works: {described(tried)}", host, tried, cause)
    return passed(claim, "401 with its token afterwards")


def is_synthetic(host: str, declared: str, allowed: Iterable[str], answer: Exchange) -> Judgement:
    """The account says that it is synthetic, and is the one agreed: what does not is not touched, and is no verdict."""
    claim = f"account {declared} is synthetic, and on the allow-list"
    proof, judged = answered(claim, host, answer, Proof)
    cause = "the wrong credentials, or the mark was lost: nothing was changed with this account"
    if proof is None:
        return Judgement(State.UNVERIFIED, claim, judged.seen, judged.where, cause)
    if not proof.synthetic:
        wrong = f"{proof.id} is not marked synthetic: it may be a client's"
    elif proof.id not in set(allowed):
        wrong = f"it is {proof.id}, which is on no allow-list of this environment"
    elif proof.id != declared:
        wrong = f"it is {proof.id}, another account of this environment"
    else:
        return passed(claim, f"synthetic, payments go to {proof.payments}")
    return Judgement(State.UNVERIFIED, claim, wrong, where(host, answer), cause)


def shows_profile(host: str, login: str, answer: Exchange) -> Judgement:
    """The account's own page has every field that clients' programs read."""
    claim = f"the profile of {login} has every agreed field"
    profile, judged = answered(claim, host, answer, Profile)
    if profile is None:
        return judged
    if profile.username != login:
        return failed(
            claim, "it is the profile of somebody else", host, answer, "sessions are mixed up between clients"
        )
    more = f", and {', '.join(profile.unknown)} besides" if profile.unknown else ""
    return passed(claim, f"all of them{more}")


def isolates(host: str, mine: str, theirs: str, seen: Seen) -> Judgement:
    """One client cannot read another's account, while it can read its own by the same path."""
    claim = f"account {mine} cannot read account {theirs}"
    own = seen.last("own")
    if own.status != 200:
        said = f"not even its own by that path: {described(own)}"
        return failed(claim, said, host, own, "the path changed, or the permission class refuses everybody")
    foreign = seen.last("foreign")
    if foreign.is_down:
        return failed(claim, described(foreign), host, foreign, DOWN_CAUSE)
    if foreign.status not in (403, 404):
        cause = "object permissions were dropped from the view: every client can read every client. Stop the release"
        return failed(claim, f"it was answered: {described(foreign)}", host, foreign, cause)
    return passed(claim, f"{foreign.status} for the other, 200 for its own")

"""What every claim about the API is made of: an answer in words, and the judgement about it."""

from __future__ import annotations

from postdeploy.broker.models import M, read
from postdeploy.broker.recording import Exchange
from postdeploy.verdict import Judgement, State

EXCERPT = 160
DOWN_CAUSE = "the API's pods are not ready or cannot reach their database; see the rollout and its logs"
CONTRACT_CAUSE = "a field was renamed, dropped or changed its type in this release"


def described(answer: Exchange) -> str:
    """An answer in a few words: what kept it away, or its status and what it says of itself."""
    if answer.fault:
        return f"{answer.fault}: {answer.error}"
    said = answer.response
    if isinstance(said, dict):
        said = next((said[key] for key in ("error", "detail", "message") if key in said), "")
    return f"status {answer.status}" + (f" {excerpt(str(said))}" if said else "")


def is_refusal(answer: Exchange) -> bool:
    """Whether the product said that it did not do it; a gateway's time-out (408) says nothing of the kind."""
    return answer.fault is None and 400 <= answer.status < 500 and answer.status != 408


def excerpt(text: str) -> str:
    """The beginning of a text, on one line."""
    flat = " ".join(text.split())
    return repr(flat[:EXCERPT] + ("…" if len(flat) > EXCERPT else "")) if flat else "an empty body"


def where(host: str, answer: Exchange) -> str:
    """The request, as a reader looks for it in the log."""
    return f"{answer.method} https://{host}{answer.path}"


def failed(claim: str, seen: str, host: str, answer: Exchange, cause: str) -> Judgement:
    """The product contradicts the claim."""
    return Judgement(State.FAILED, claim, seen, where(host, answer), cause)


def passed(claim: str, seen: str = "") -> Judgement:
    """It holds, and this is what that is based on."""
    return Judgement(State.PASSED, claim, seen)


def answered(claim: str, host: str, answer: Exchange, model: type[M], cause: str = "") -> tuple[M | None, Judgement]:
    """The answer's content, or the judgement that there is none as agreed."""
    if answer.is_down or answer.status not in (200, 201):
        why = DOWN_CAUSE if answer.is_down else cause or "the endpoint refuses what it accepted before this release"
        return None, failed(claim, described(answer), host, answer, why)
    if not answer.is_json:
        return None, failed(claim, f"no JSON but {excerpt(str(answer.response))}", host, answer, CONTRACT_CAUSE)
    content, wrong = read(model, answer.response)
    if content is None:
        return None, failed(claim, f"the answer is not as agreed: {wrong}", host, answer, CONTRACT_CAUSE)
    return content, passed(claim)

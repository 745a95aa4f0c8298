"""How fast the endpoints answer that promise a speed; never a percentile of a handful."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from math import ceil

from postdeploy.environment import Expected
from postdeploy.verdict import Judgement, State
from postdeploy.web.answer_rules import IN_WINDOW, NO_ENDPOINT
from postdeploy.web.findings import OFFLINE_CAUSE, Finding, absent, concluded
from postdeploy.web.replies import Samples
from postdeploy.web.seen import Seen

SLOW_CAUSE = "a query lost its index, a cache is cold since the rollout, or too few pods share the load"


def limits(seen: Seen, host: str) -> Judgement:
    """Median and 95th percentile of each timed endpoint are within their limits."""
    claim = f"{host} answers as fast as it promises"
    timed = [each for each in seen.expected(host) if each.template.latency]
    if not timed:
        return absent(claim, NO_ENDPOINT)
    if all(seen.maintains(seen.reply(each)) for each in timed):
        return absent(claim, IN_WINDOW)
    known = {(each.host, each.path): each for each in seen.sweep.samples}
    pairs = [(each, known.get((each.host, each.path))) for each in timed]
    found = (each for expected, samples in pairs for each in _limits(seen, expected, samples))
    return concluded(claim, found, "; ".join(_told(samples) for _, samples in pairs if samples))


def _limits(seen: Seen, expected: Expected, samples: Samples | None) -> Iterator[Finding]:
    latency = expected.template.latency
    if latency is None:
        return
    if samples is None:
        yield Finding(State.UNVERIFIED, f"{expected.path} was not timed", expected.url, "the sweep was cut short")
        return
    if len(samples.seconds) < latency.samples:
        worst = f", the worst of them {max(samples.seconds) * 1000:.0f} ms" if samples.seconds else ""
        said = f"{expected.path}: only {len(samples.seconds)} of {latency.samples} replies could be timed{worst}"
        cause = OFFLINE_CAUSE if seen.sweep.is_offline else "see endpoints.status.code for why it does not answer"
        yield Finding(State.UNVERIFIED, said, "; ".join(samples.wrong), cause)
        return
    for share, hard, mild in ((50, latency.p50_ms, latency.soft_p50_ms), (95, latency.p95_ms, latency.soft_p95_ms)):
        took = percentile(samples.seconds, share) * 1000
        for state, limit in ((State.FAILED, hard), (State.DEGRADED, mild)):
            if limit is not None and took > limit:
                said = f"{expected.path}: p{share} {took:.0f} ms of {len(samples.seconds)}, limit {limit} ms"
                yield Finding(state, said, f"GET {expected.url}\n{_told(samples)}", SLOW_CAUSE)
                break


def percentile(seconds: Sequence[float], share: int) -> float:
    """The nearest rank: a value that was really measured."""
    ordered = sorted(seconds)
    return ordered[ceil(len(ordered) * share / 100) - 1]


def _told(samples: Samples) -> str:
    if not samples.seconds:
        return f"{samples.path}: nothing was timed"
    p50, p95 = (percentile(samples.seconds, share) * 1000 for share in (50, 95))
    of = f"of {len(samples.seconds)}, worst {max(samples.seconds) * 1000:.0f} ms"
    return f"{samples.path}: p50 {p50:.0f} ms, p95 {p95:.0f} ms {of}, warm-up {samples.warm_up_s * 1000:.0f} ms"

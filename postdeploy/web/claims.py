"""What a sweep says of the public hosts, claim by claim. Pure, so that a saved sweep gives the same verdicts."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

from postdeploy.environment import Environment
from postdeploy.evidence.results import Attempt
from postdeploy.verdict import Judgement
from postdeploy.web import (
    answer_rules,
    cache_rules,
    contract_rules,
    dns_rules,
    feed_rules,
    header_rules,
    latency_rules,
    leak_rules,
    page_rules,
    redirect_rules,
    tls_rules,
    version_rules,
)
from postdeploy.web.replies import Sweep
from postdeploy.web.seen import Seen

Rule = Callable[[Seen, str], Judgement]

RULES: Mapping[str, Rule] = MappingProxyType(
    {
        "code": answer_rules.code,
        "genuine": answer_rules.genuine,
        "health": answer_rules.health,
        "deep": answer_rules.deep,
        "version": version_rules.release,
        "build": version_rules.build,
        "latency": latency_rules.limits,
        "chain": tls_rules.chain,
        "expiry": tls_rules.expiry,
        "protocol": tls_rules.protocol,
        "dns": dns_rules.answers,
        "redirects": redirect_rules.target,
        "open_redirect": redirect_rules.open_redirect,
        "security": header_rules.security,
        "cookies": header_rules.cookies,
        "caching": cache_rules.caching,
        "cors": cache_rules.cors,
        "assets": page_rules.current,
        "old_assets": page_rules.previous,
        "robots": page_rules.robots,
        "legal": page_rules.legal,
        "schema": contract_rules.schema,
        "openapi": contract_rules.openapi,
        "leaks": leak_rules.none,
        "feed_login": feed_rules.login,
        "feed_heartbeat": feed_rules.heartbeat,
        "feed_fresh": feed_rules.fresh,
    }
)
"""Every claim by the name under which a test asks for it: `web.chain(host)`."""


class WebClaims:
    """The claims of the endpoints tier over one sweep; what was never asked is unverified."""

    def __init__(self, sweep: Sweep, environment: Environment, release: str) -> None:
        self._seen = Seen(sweep, environment, release)
        self._looks: dict[tuple[str, str], tuple[Attempt, ...]] = {}

    def __getattr__(self, rule: str) -> Callable[..., Judgement]:
        if rule not in RULES:
            raise AttributeError(f"no claim is called {rule!r}; there are {', '.join(RULES)}")

        def judge(subject: Any = "") -> Judgement:
            seen, host = self._seen, _host(subject)
            seen.consulted.clear()
            judgement = RULES[rule](seen, host)
            again = {id(each): each for each in seen.consulted if len(each.attempts) > 1 and each.fault is None}
            self._looks[rule, host] = tuple(look for each in again.values() for look in each.attempts)
            return judgement

        return judge

    def looks(self, rule: str, subject: Any = "") -> tuple[Attempt, ...]:
        """The looks behind a claim's answer that were repeated: one that holds after a failed look is flaky."""
        return self._looks.get((rule, _host(subject)), ())


def _host(subject: Any) -> str:
    """The host that a check is about, whatever family its subject is of."""
    return str(getattr(subject, "host", subject))

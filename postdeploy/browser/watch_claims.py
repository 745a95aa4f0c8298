"""Judges what the browser told while the journeys were made: each kind of trouble is a claim of its own. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date

from postdeploy.browser.experience import Experience
from postdeploy.browser.watching import Kind, Trouble, Watched
from postdeploy.environment import Environment, Shop
from postdeploy.verdict import Judgement, State

SHOWN = 5
"""Findings in a message; each journey's own are attached to it."""


class WatchClaims:
    """Claims about everything that was seen at a shop, whichever journey saw it."""

    def __init__(
        self,
        environment: Environment,
        watched: Sequence[Watched],
        today: date,
        experience: Experience | None = None,
        patience: float = 1.0,
    ) -> None:
        """`patience`: by how much more time pages may take here."""
        self.environment, self.watched, self.today = environment, watched, today
        self.experience, self.patience = experience or Experience(), patience

    def errors(self, shop: Shop) -> Judgement:
        """No script of a page ended with an error that nobody caught."""
        return self._quiet(shop, "errors", "no script ends with an error", "a script that this release broke")

    def requests(self, shop: Shop) -> Judgement:
        """Every request to our own hosts got an answer."""
        cause = "an address that the front end has and the back end has not, a proxy that closes connections"
        return self._quiet(shop, "requests", "every request to our hosts is answered", cause)

    def answers(self, shop: Shop) -> Judgement:
        """No answer of our own hosts is 4xx or 5xx."""
        cause = "a file that was not uploaded, an endpoint that was renamed, a back end that fails"
        return self._quiet(shop, "answers", "our hosts answer pages without 4xx and 5xx", cause)

    def console(self, shop: Shop) -> Judgement:
        """No page writes errors to the console, but those that are accepted for a while."""
        cause = "a policy that blocks what the page needs, a script that reports its own failure"
        return self._quiet(shop, "console", "no page writes errors to the console", cause)

    def mixed(self, shop: Shop) -> Judgement:
        """Nothing is loaded without encryption."""
        return self._quiet(shop, "mixed", "nothing is loaded without encryption", "an address that begins with http://")

    def blank(self, shop: Shop) -> Judgement:
        """No page is blank."""
        return self._quiet(shop, "blank", "no page is blank", "the front end's script stops before it shows anything")

    def session(self, shop: Shop) -> Judgement:
        """Who is signed in stays so."""
        cause = "a session store that forgets, a cookie that is set for another path or host"
        return self._quiet(shop, "session", "a client who is signed in stays so", cause)

    def vitals(self, shop: Shop) -> Judgement:
        """Pages come soon; one that does not is a finding and no failure."""
        claim, limits = f"pages come soon at {shop.name}", self.environment.journeys.vitals
        seen = [each for (name, _), each in self.experience.vitals.items() if name == shop.name]
        if not seen:
            return Judgement(State.UNVERIFIED, claim, "no page was measured there")
        slow = [
            f"{each.page}: {what} after {got:.0f} ms, more than {limit:g}"
            for each in seen
            for what, got, limit in (
                ("first byte", each.ttfb_ms, limits.ttfb_ms * self.patience),
                ("largest content", each.lcp_ms, limits.lcp_ms * self.patience),
            )
            if got > limit
        ]
        if slow:
            where = "journeys.vitals in the environment's file; the waterfall of the page in a browser"
            return Judgement(State.DEGRADED, claim, "; ".join(slow[:SHOWN]), where, "a slow query, a large script")
        worst = max(seen, key=lambda each: each.ttfb_ms)
        return Judgement(State.PASSED, claim, f"{len(seen)} pages, first byte after {worst.ttfb_ms:.0f} ms at most")

    def accessible(self) -> Judgement:
        """No page that was visited has a barrier that axe calls serious or critical; a finding and no failure."""
        claim, examined = "no page keeps people out (WCAG A and AA)", self.experience.barriers
        if not examined:
            return Judgement(State.UNVERIFIED, claim, "no page was examined")
        found = [each for barriers in examined.values() for each in barriers]
        if found:
            more = f"; and {len(found) - SHOWN} more" if len(found) > SHOWN else ""
            where = "the element named, in the page named"
            return Judgement(
                State.DEGRADED, claim, "; ".join(found[:SHOWN]) + more, where, "a component without a label"
            )
        return Judgement(State.PASSED, claim, f"{len(examined)} pages")

    def _quiet(self, shop: Shop, kind: Kind, says: str, cause: str) -> Judgement:
        claim, seen = f"{says} at {shop.name}", [each for each in self.watched if each.shop == shop.name]
        if not seen:
            return Judgement(State.UNVERIFIED, claim, "no journey was made there")
        found = [(journey, each) for journey in seen for each in journey.troubles if each.kind == kind]
        told = [(journey, each) for journey, each in found if not self._is_accepted(shop, each)]
        if not told:
            accepted = f", {len(found)} accepted by console_suppressions" if found else ""
            return Judgement(State.PASSED, claim, f"{len(seen)} journeys{accepted}")
        counted: dict[str, tuple[int, str]] = {}
        for journey, each in told:
            number, where = counted.get(each.text, (0, f"{journey.journey!r}, step {each.step!r}"))
            counted[each.text] = (number + 1, where)
        lines = [f"{text} ({number} times)" if number > 1 else text for text, (number, _) in counted.items()]
        more = f"; and {len(lines) - SHOWN} more" if len(lines) > SHOWN else ""
        places = dict.fromkeys(where for _, where in counted.values())
        return Judgement(State.FAILED, claim, "; ".join(lines[:SHOWN]) + more, "\n".join([*places][:SHOWN]), cause)

    def _is_accepted(self, shop: Shop, trouble: Trouble) -> bool:
        return trouble.kind == "console" and any(
            re.search(each.message, trouble.text)
            for each in self.environment.console_suppressions
            if each.brand in (None, shop.brand.name) and not each.is_expired(self.today)
        )

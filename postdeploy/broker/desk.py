"""What the smoke checks ask: each claim is judged by its sight, taken once in a living run, read back in a replay."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress

from postdeploy.broker import claims_identity, claims_market, claims_money, claims_page, claims_papers
from postdeploy.broker.api import Session
from postdeploy.broker.looks import Look, Seen
from postdeploy.broker.recording import Exchange
from postdeploy.broker.sights import Sights, named
from postdeploy.broker.teller import CHECK, PAGE_CHECK
from postdeploy.broker.undo.operations import Operation
from postdeploy.broker.visit import Visit, expect_same_time
from postdeploy.broker.visitor import Visitor
from postdeploy.environment import Deposit
from postdeploy.verdict import Held, Judgement, State, Unverified

PREVIEWED = "1"


class Desk(Sights):
    """Every claim about business through the API."""

    # --- logging in ----------------------------------------------------------------------------------------------

    def refuses_strangers(self) -> Judgement:
        """Whether the API answers 401 to a request without a token."""
        return claims_identity.refuses_strangers(self.host, self._strangers("refuses_strangers").last("strangers"))

    def keeps_time(self) -> Judgement:
        """Whether this machine and the API agree on the time."""
        return claims_identity.keeps_time(self.host, self._strangers("keeps_time").last("strangers"))

    def logs_in(self) -> Judgement:
        """Whether the account gets a usable session: a token, and one that expires."""
        seen = self._login("logs_in")
        seen.expect()
        return claims_identity.grants_session(self.host, self.accounts.trader.login, seen)

    def asks_second_factor(self) -> Judgement:
        """Whether the password alone opens nothing."""
        seen = self._login("asks_second_factor")
        seen.expect()
        return claims_identity.asks_second_factor(self.host, self.accounts.trader.login, seen)

    def session(self) -> Session:
        """The trader's session, which all share, the browser too. Raises Held without one, Unverified in a replay."""
        self._expect_login()
        if self.visit is None or self.visit.trader.session is None:
            raise Unverified("a replay has no session: nobody is logged in")
        return self.visit.trader.session

    @property
    def visitor(self) -> Visitor:
        """The account that signs in through a page. Raises Unverified in a replay, Held where the clocks disagree."""
        if self.visit is None:
            raise Unverified("a replay has no visitor: nobody signs in")
        expect_same_time(self._strangers("keeps_time"))
        return self.visit.visitor

    def refreshes(self) -> Judgement:
        """Whether a session can be renewed."""
        return claims_identity.refreshes(self.host, self.accounts.other.login, self._other("refreshes"))

    def ends_session(self) -> Judgement:
        """Whether a logout ends the session."""
        return claims_identity.ends_session(self.host, self.accounts.other.login, self._other("ends_session"))

    # --- the account ---------------------------------------------------------------------------------------------

    def is_synthetic(self) -> Judgement:
        """Whether the account says that it is synthetic, and is the one agreed."""
        allowed = [account.id for _, account in self.accounts]
        answer = self._me("is_synthetic").last("me")
        return claims_identity.is_synthetic(self.host, self.accounts.trader.id, allowed, answer)

    def shows_profile(self) -> Judgement:
        """Whether the account's profile has every agreed field."""
        return claims_identity.shows_profile(
            self.host, self.accounts.trader.login, self._me("shows_profile").last("me")
        )

    def is_isolated(self) -> Judgement:
        """Whether the account cannot read another's."""
        seen = self._trading("is_isolated", "isolation", lambda visit, look: visit.isolation(look))
        return claims_identity.isolates(self.host, self.accounts.trader.id, self.accounts.other.id, seen)

    def balances_add_up(self) -> Judgement:
        """Whether balances are what is available and reserved, and what the ledger says."""
        seen = self._trading("balances_add_up", "balances", lambda visit, look: visit.balances(look))
        return claims_papers.balances_add_up(self.host, self.accounts.trader.id, seen)

    def documents_load(self) -> Judgement:
        """Whether every declared document opens."""
        kinds = self.environment.business.documents
        if not kinds:
            return Judgement(State.NOT_APPLICABLE, "no documents are declared here")
        seen = self._trading("documents_load", "documents", lambda visit, look: visit.documents(look))
        return claims_papers.documents_load(self.host, kinds, seen)

    def statements_load(self) -> Judgement:
        """Whether the account has statements."""
        if not self.environment.business.statements:
            return Judgement(State.NOT_APPLICABLE, "no statements are declared here")
        seen = self._trading("statements_load", "statements", lambda visit, look: visit.statements(look))
        return claims_papers.statements_load(self.host, self.accounts.trader.login, seen.last("statements"))

    # --- the market ----------------------------------------------------------------------------------------------

    def is_offered(self, symbols: Iterable[str]) -> Judgement:
        """Whether every one of these instruments is offered to the account and may be traded."""
        answer = self._instruments("is_offered", symbols).last("instruments")
        return claims_market.offers(self.host, self.accounts.trader.login, answer, symbols)

    def is_complete(self) -> Judgement:
        """Whether there are enough instruments of each asset class, and none twice."""
        answer = self._instruments("is_complete").last("instruments")
        return claims_market.is_complete(self.host, answer, self.environment.business.market.floors)

    def is_permitted(self) -> Judgement:
        """Whether nothing is offered that this jurisdiction forbids."""
        answer = self._instruments("is_permitted").last("instruments")
        forbidden = self.environment.business.market.forbidden
        return claims_market.is_permitted(self.host, answer, forbidden, self.environment.regulator)

    def prices_are_fresh(self) -> Judgement:
        """Whether every price of an open market is fresh."""
        seen = self._quotes("prices_are_fresh")
        answers = (seen.last("quotes"), seen.last("calendar"), seen.last("instruments"))
        return claims_market.are_fresh(self.host, self.environment, *answers)

    def prices_are_sane(self) -> Judgement:
        """Whether every bid is below its ask."""
        return claims_market.are_sane(self.host, self._quotes("prices_are_sane").last("quotes"))

    def previews_order(self) -> Judgement:
        """Whether an order can be previewed, and nothing is placed by it."""
        if not self.environment.business.preview_orders:
            return Judgement(State.NOT_APPLICABLE, "orders cannot be previewed here, as declared")
        symbol = self.environment.api.instruments[0]
        seen = self._trading("previews_order", "preview", lambda visit, look: visit.preview(look, symbol, PREVIEWED))
        return claims_market.previews(self.host, symbol, PREVIEWED, seen.last("preview"))

    def reads(self, path: str, rule: Callable[[str, Exchange], Judgement]) -> Judgement:
        """What a rule says of one GET with the trader's session: a check is added without another method here."""
        seen = self._trading("reads", f"GET {path}", lambda visit, look: _read(visit, look, path), path)
        return rule(self.host, seen.last("read"))

    # --- money ---------------------------------------------------------------------------------------------------

    def is_clean(self) -> Judgement:
        """Whether nothing of an earlier run is left: what was, is undone by this. Raises Residue for what stays."""
        seen = self._sweep("is_clean")
        seen.expect()
        claim = f"nothing of an earlier run is left in {self.environment.name}"
        if silent := seen.facts.get("silent"):
            cause = "the list of deposits does not answer; until it does, nothing is spent"
            return Judgement(State.FAILED, claim, silent, f"GET https://{self.host}/…", cause)
        swept = seen.facts["swept"]
        return Judgement(State.PASSED, claim, f"swept: {'; '.join(swept)}" if swept else "nothing had to be swept")

    def deposit_accepted(self, deposit: Deposit) -> Judgement:
        """Whether a deposit by this method is accepted as it was asked for."""
        return claims_money.is_accepted(self.host, deposit, self._deposit("deposit_accepted", deposit))

    def deposit_ends(self, deposit: Deposit) -> Judgement:
        """Whether it reaches the state declared for the method."""
        seen = self._deposit("deposit_ends", deposit)
        return claims_money.reaches_its_end(self.host, deposit, self._wanted(deposit), seen)

    def deposit_credited(self, deposit: Deposit) -> Judgement:
        """Whether it is credited exactly once, in its currency, less its fee."""
        seen = self._deposit("deposit_credited", deposit)
        return claims_money.is_credited(self.host, deposit, self._wanted(deposit), seen)

    def deposit_idempotent(self, deposit: Deposit) -> Judgement:
        """Whether the same request under the same key is one deposit."""
        return claims_money.is_idempotent(self.host, deposit, self._deposit("deposit_idempotent", deposit))

    def deposit_undone(self, deposit: Deposit) -> Judgement:
        """Whether it is undone and nothing of it is left. Raises Residue for what stays."""
        made = self._deposit("deposit_undone", deposit)
        if "key" not in made.facts:
            raise Held(claims_money.ACCEPTED)
        return self._undone("deposit_undone", CHECK, deposit)

    def undo_all(self) -> list[tuple[str, str, str]]:
        """Undo whatever this run did and has not undone, the latest first; check, method and words of what stays."""
        if self.visit is None or not self.visit.has_spent:
            return []
        left: list[tuple[str, str, str]] = []
        mine, budget = self.visit.mine(), self.visit.undoer.reserve()
        for place, operation in enumerate(mine, 1):
            look = Look()
            self.visit.undo(operation, look, budget, is_last=place == len(mine) and not left)
            self.recording.sights[_undo(operation.check, operation.method)] = look.sight()
            left += [(f"{operation.check}.undone", operation.method, look.residue)] if look.residue else []
        return left

    # --- money, through a page -----------------------------------------------------------------------------------

    @contextmanager
    def page_deposit(self, deposit: Deposit) -> Iterator[Operation]:
        """While it lasts a page may send one deposit, whose key and tag the operation has; then it is followed up.

        Raises Held, Unverified where the guard, the journal or the time does not allow it, AssertionError where the
        method is not offered as declared. Whatever the page's part raises is raised again once the look was taken.
        """
        if self.visit is None:
            raise Unverified("a replay has no page to deposit in")
        me, look = self._may_spend(), Look()
        operation = self.visit.begin_page_deposit(look, deposit, me)
        if operation is None:
            raise AssertionError(f"{deposit.method} is not offered as declared: {look.facts['offer']}")
        try:
            yield operation
        finally:
            self.visit.end_page_deposit(look, deposit, operation)
            self.recording.sights[_in_page(deposit.method)] = look.sight()

    def sent_by_page(self, operation: Operation) -> None:
        """The page's request leaves now. Raises Unverified in a replay."""
        if self.visit is None:
            raise Unverified("a replay has no page to deposit in")
        self.visit.sent_by_page(operation)

    def page_deposit_booked(self, deposit: Deposit) -> Judgement:
        """Whether what a page took is booked once, as it was asked for, and credited where it has settled."""
        return claims_page.is_booked(self.host, deposit, self._wanted(deposit), self._paged("booked", deposit))

    def page_deposit_id(self, deposit: Deposit) -> str:
        """The product's id of what was deposited in the page. Raises Held where there is none."""
        found: list[str] = self._paged("id", deposit).facts.get("found", [])
        if not found:
            raise Held(claims_page.BOOKED)
        return found[0]

    def page_deposit_undone(self, deposit: Deposit) -> Judgement:
        """Whether what a page took is undone. Raises Residue for what stays."""
        self._paged("undone", deposit)
        return self._undone("page_deposit_undone", PAGE_CHECK, deposit)

    def is_trading(self, symbol: str) -> bool:
        """Whether an instrument's market is open, as the API says."""
        quotes = self._quotes("prices_are_fresh").last("quotes").response
        listed = quotes.get("quotes", ()) if isinstance(quotes, dict) else ()
        return any(each.get("symbol") == symbol and each.get("session") == "open" for each in listed)

    def _paged(self, rule: str, deposit: Deposit) -> Seen:
        if _in_page(deposit.method) not in self.recording.sights:
            raise Held(claims_page.SHOWN)
        return self._kept(_in_page(deposit.method), named(f"page_deposit_{rule}", (deposit,)))

    def _undone(self, rule: str, check: str, deposit: Deposit) -> Judgement:
        self.undo_all()
        seen = self._kept(_undo(check, deposit.method), named(rule, (deposit,)))
        seen.expect()
        return claims_money.is_undone(self.host, deposit, seen)

    def close(self) -> None:
        """Give the accounts back."""
        if self.visit is not None:
            with suppress(Unverified):
                self.visit.close()

    def _wanted(self, deposit: Deposit) -> str:
        mode = deposit.mode or self.environment.business.spending.mode
        return "pending" if mode == "intent" else deposit.ends


def _read(visit: Visit, look: Look, path: str) -> None:
    look.made("read", visit.trader.get(path))


def _undo(check: str, method: str) -> str:
    return f"undo {method}" if check != PAGE_CHECK else f"undo {_in_page(method)}"


def _in_page(method: str) -> str:
    return f"page deposit {method}"

"""Sends a request and says what came back, bounded in time, size and repetitions (imports httpx: import late)."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime
from time import perf_counter
from types import TracebackType
from typing import TYPE_CHECKING

import httpx
import msgspec

from postdeploy import polling
from postdeploy.evidence.results import Attempt
from postdeploy.redact import Redactor
from postdeploy.verdict import Verdict
from postdeploy.web.headers import synthetic, traceparent
from postdeploy.web.network import Pool, link_of, wire_of
from postdeploy.web.questions import Question
from postdeploy.web.reading import READ_LIMIT, cookies, headers, read
from postdeploy.web.replies import NOT_REACHED, Answer, Fault, Hop, Link, Reply
from postdeploy.web.route import Route
from postdeploy.web.troubles import CONNECT_S, REQUEST_S, fault_of

if TYPE_CHECKING:
    from postdeploy.deadline import Deadline

RETRIED = frozenset({Fault.RESOLVE, Fault.CONNECT, Fault.CUT_OFF})
"""No answer has been seen. A certificate, a status and a slow answer are verdicts, and never asked for twice."""
RETRIED_STATUS = frozenset({502, 503, 504})
"""The proxy's word for: nobody behind me answered this time."""
REDIRECTS = frozenset({301, 302, 303, 307, 308})
MOST_HOPS = 10
AT_ONCE, AT_ONCE_OF_HOST = 64, 8
SILENT_AFTER = 2
"""Requests without an answer in time, after which a host is not asked for more."""


class Unanswered(Exception):
    """A look that may be repeated, with what came of it."""

    def __init__(self, reply: Reply) -> None:
        super().__init__(f"{reply.fault}: {reply.error}" if reply.fault else f"status {reply.status}")
        self.reply = reply


class Unresolved(Exception):
    """A name has no address, or nobody told us one."""

    def __init__(self, fault: Fault, said: str) -> None:
        super().__init__(said)
        self.fault = fault


class Prober:
    """Sends the requests of one run; what goes wrong with one of them is in its reply and costs the others nothing."""

    def __init__(
        self,
        route: Route,
        run_id: str,
        deadline: Deadline,
        answers: Mapping[str, tuple[Answer, ...]],
        *,
        per_second: float = 1000.0,
        patient: bool = True,
        rest: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        """`answers`: by name; `patient`: whether a 503 is looked at again, which a maintenance window makes idle."""
        self.route, self.run_id, self.deadline, self.answers = route, run_id, deadline, answers
        self.patient, self.rest, self.interval = patient, rest, 1 / per_second
        self.tls = route.trust()
        self.redactor = Redactor()
        self.ders: set[bytes] = set()
        self._common = synthetic(run_id)
        self._pools: dict[tuple[str, str], Pool] = {}
        self._broken: dict[tuple[str, str, str], Reply] = {}
        self._silent: dict[tuple[str, str, str], int] = defaultdict(int)
        self._next: dict[str, float] = defaultdict(float)
        self._gate = asyncio.Semaphore(AT_ONCE)
        self._gates: dict[str, asyncio.Semaphore] = defaultdict(lambda: asyncio.Semaphore(AT_ONCE_OF_HOST))

    async def __aenter__(self) -> Prober:
        return self

    async def __aexit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        await asyncio.gather(*(each.aclose() for each in self._pools.values()), return_exceptions=True)

    def addresses(self, host: str) -> tuple[str, ...]:
        """Every address of a host, IPv4 first; the empty one where a proxy looks it up for us."""
        if self.route.proxy(host):
            return ("",)
        return tuple(address for answer in self.answers.get(host, ()) for address in answer.addresses)

    async def ask(self, question: Question) -> Reply:
        """The answer to one question, looked for again where a look failed, with every attempt."""
        attempts: list[Attempt] = []

        async def send() -> Reply:
            at = datetime.now(UTC)
            reply = await self._look(question)
            attempts.append(_attempt(at, reply))
            if self._is_repeated(question, reply):
                raise Unanswered(reply)
            return reply

        if before := self._broken.get(self._place(question)):
            return msgspec.structs.replace(_asked(question), fault=before.fault, error=before.error, link=before.link)
        try:
            reply = await polling.read_async(
                send, attempts=[], deadline=self.deadline, retry_on=Unanswered, sleep=self.rest
            )
        except Unanswered as last:
            reply = last.reply
        self._remember(question, reply)
        return msgspec.structs.replace(reply, attempts=tuple(attempts))

    async def timed(self, question: Question) -> tuple[float, Reply]:
        """Seconds that one reply takes, and the reply; never repeated, for a slow look is what is looked for."""
        began = perf_counter()
        reply = await self._look(question)
        return (reply.phases.total_s if reply.fault is None else perf_counter() - began), reply

    def _is_repeated(self, question: Question, reply: Reply) -> bool:
        """Whether a look is worth another; a firewall that hangs up on what is nobody's business has answered."""
        if reply.fault is not None:
            return reply.fault in RETRIED and not (question.probe == "leak" and reply.fault is Fault.CUT_OFF)
        return self.patient and not question.accepts_503 and reply.status in RETRIED_STATUS

    def _place(self, question: Question) -> tuple[str, str, str]:
        return question.host, self._address(question), question.scheme

    def _address(self, question: Question) -> str:
        """Where a question goes: to the first address, where it names none."""
        return question.address or next(iter(self.addresses(question.host)), "")

    def _remember(self, question: Question, reply: Reply) -> None:
        """A host that cannot be reached is not asked for another path: it would end the same way, only later."""
        if reply.fault not in NOT_REACHED or reply.hops:
            return
        place = self._place(question)
        self._silent[place] += 1
        if reply.fault is not Fault.TIME_OUT or self._silent[place] >= SILENT_AFTER:
            self._broken[place] = reply

    async def _look(self, question: Question) -> Reply:
        asked = _asked(question)
        async with self._gate, self._gates[question.host]:
            await self._pace(question.host)
            left = self.deadline.left()
            if left <= 0:
                said = "the run's time was spent before its turn"
                return msgspec.structs.replace(asked, fault=Fault.NOT_LOOKED, error=said)
            if before := self._broken.get(self._place(question)):
                return msgspec.structs.replace(asked, fault=before.fault, error=before.error, link=before.link)
            trace = traceparent(self.run_id, question.host, question.path, question.probe, question.about)
            try:
                async with asyncio.timeout(min(REQUEST_S, left)):
                    return await self._follow(question, trace)
            except TimeoutError:
                spent = left < REQUEST_S
                fault = Fault.NOT_LOOKED if spent else Fault.TIME_OUT
                error = "the run's time ended while waiting" if spent else f"no complete answer within {REQUEST_S:g} s"
            except Unresolved as failure:
                fault, error = failure.fault, str(failure)
            except Exception as failure:  # noqa: BLE001  what one host does must not cost the others their verdict
                fault, error = fault_of(failure)
            link = Link(address=self._address(question))
            return msgspec.structs.replace(asked, fault=fault, error=self.redactor.text(error), trace=trace, link=link)

    def unresolved(self, host: str) -> Unresolved:
        """Why a name has no address: the DNS has none, or nobody answered us, which says nothing about the product."""
        answers = self.answers.get(host, ())
        said = ", ".join(f"{each.kind} {each.code or each.error or 'no answer'}" for each in answers)
        denied = any(each.code not in ("", "NOERROR") for each in answers)
        if denied or all(each.code for each in answers):
            return Unresolved(Fault.RESOLVE, said or "nobody asked the DNS for it")
        return Unresolved(Fault.NOT_LOOKED, f"the DNS server did not answer us: {said}")

    async def _pace(self, host: str) -> None:
        """Wait for the host's next turn."""
        now = perf_counter()
        turn = max(self._next[host], now)
        self._next[host] = turn + self.interval
        if turn - now > 0.001:
            await self.rest(turn - now)

    async def _follow(self, question: Question, trace: str) -> Reply:
        """The reply, behind as many redirects as lead to declared hosts."""
        hops: list[Hop] = []
        url = httpx.URL(question.url)
        while True:
            reply = await self._send(question, url, trace)
            location = reply.headers.get("location", "")
            if not question.follows or reply.status not in REDIRECTS or not location:
                break
            hops.append(
                Hop(url=str(url), status=reply.status, location=location, headers=reply.headers, link=reply.link)
            )
            url = url.join(location)
            if len(hops) > MOST_HOPS or any(str(url) == each.url for each in hops):
                return msgspec.structs.replace(
                    reply, hops=tuple(hops), url=str(url), fault=Fault.LOOP, error=f"{url} again after {len(hops)} hops"
                )
            if url.scheme not in ("https", "http") or url.host not in self.answers:
                return msgspec.structs.replace(reply, hops=tuple(hops), url=str(url))
        return msgspec.structs.replace(reply, hops=tuple(hops), url=str(url) if hops else "")

    async def _send(self, question: Question, url: httpx.URL, trace: str) -> Reply:
        pool = self._pool(url.host, question.address if url.host == question.host else "")
        limits = {"connect": CONNECT_S, "read": REQUEST_S, "write": REQUEST_S}
        given = self._common | dict(question.headers) | {"traceparent": trace}
        request = httpx.Request(question.method, url, headers=given, extensions={"timeout": limits})
        began = perf_counter()
        response = await pool.send(request)
        answered = perf_counter()
        wire = wire_of(response.extensions)
        try:
            body = await read(response, question, self.redactor)
        finally:
            await response.aclose()
        if body.size > READ_LIMIT:
            await self._retire(pool)
        if wire is not None:
            self.ders.update(wire.chain)
        return msgspec.structs.replace(
            _asked(question),
            status=response.status_code,
            headers=headers(response, self.redactor),
            cookies=cookies(response),
            body=body.text,
            size=body.size,
            sha256=body.sha256,
            integrity=body.integrity,
            cut=body.cut,
            garbled=body.garbled,
            phases=wire.phases(began, answered, perf_counter()) if wire else _asked(question).phases,
            link=link_of(wire, _http(response)) if wire else Link(),
            trace=trace,
        )

    def _pool(self, host: str, address: str) -> Pool:
        """The connections of this host at this address. Raises Unresolved where it has none."""
        proxy = self.route.proxy(host)
        if not address and not proxy:
            known = self.addresses(host)
            if not known:
                raise self.unresolved(host)
            address = known[0]
        if (host, address) not in self._pools:
            took = max((each.took_s for each in self.answers.get(host, ())), default=0.0)
            self._pools[host, address] = Pool(self.route, self.tls, address, took, proxy)
        return self._pools[host, address]

    async def _retire(self, pool: Pool) -> None:
        """Close connections on which an answer was not read to its end.

        Over HTTP/2 the rest of it would keep the window that all other answers share, and none would ever come.
        """
        self._pools = {place: each for place, each in self._pools.items() if each is not pool}
        await pool.aclose()


def _asked(question: Question) -> Reply:
    return Reply(
        host=question.host,
        path=question.path,
        probe=question.probe,
        about=question.about,
        subject=question.subject,
        method=question.method,
    )


def _http(response: httpx.Response) -> str:
    said = response.extensions.get("http_version", b"")
    return said.decode("ascii", "replace") if isinstance(said, bytes) else str(said)


def _attempt(at: datetime, reply: Reply) -> Attempt:
    match reply.fault:
        case None:
            outcome = Verdict.FAILED if reply.status in RETRIED_STATUS else Verdict.PASSED
            return Attempt(at, reply.elapsed_s, outcome, f"answered {reply.status}")
        case Fault.NOT_LOOKED:
            return Attempt(at, reply.elapsed_s, Verdict.UNVERIFIED, reply.error)
    return Attempt(at, reply.elapsed_s, Verdict.FAILED, f"{reply.fault}: {reply.error}")

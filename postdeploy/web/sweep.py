"""One sweep over the public hosts: each declared request once, all hosts at the same time, within bounds."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Iterable, Iterator
from datetime import UTC, datetime
from hashlib import sha256
from typing import TYPE_CHECKING, Any

import msgspec

from postdeploy.environment import Environment, Expected
from postdeploy.web import pages
from postdeploy.web.certificates import OLD, described, offer, shown_by
from postdeploy.web.leak_rules import telltale
from postdeploy.web.manifest import earlier_files
from postdeploy.web.questions import Question, hosts_to_resolve, questions, redirects
from postdeploy.web.replies import (
    Answer,
    Fault,
    Handshake,
    Heard,
    Link,
    Reply,
    Samples,
    Sweep,
    family_of,
    load,
    save,
)
from postdeploy.web.route import Route

if TYPE_CHECKING:
    from pydantic import SecretStr

    from postdeploy.deadline import Deadline
    from postdeploy.web.probe import Prober

__all__ = ["Reply", "Route", "Sweep", "load", "save", "sweep"]

LITTLE = 512
"""What is kept of a script: enough to see that it is none."""


async def sweep(
    environment: Environment,
    route: Route,
    *,
    deadline: Deadline,
    run_id: str,
    feed_token: SecretStr | None = None,
    no_token: str = "",
    rest: Callable[[float], Awaitable[None]] = asyncio.sleep,
) -> Sweep:
    """Ask every declared host everything; what has no answer is in the sweep too.

    `no_token` says why there is no token for the quote feed where one is needed.
    """
    from postdeploy.web import names  # late, as every client: a run that does not look does not pay for it
    from postdeploy.web.probe import Prober

    taken = datetime.now(UTC)
    moment = route.moment or taken
    web = environment.web
    resolvers = route.resolvers or tuple(f"{each} 53" for each in web.resolvers)
    answers = await names.answers(hosts_to_resolve(environment), resolvers)
    known: dict[str, tuple[Answer, ...]] = {each.host: () for each in answers}
    for each in answers:
        known[each.host] += (each,) if asks(each, environment) else ()
    async with Prober(
        route,
        run_id,
        deadline,
        known,
        per_second=web.per_second if route.is_real else web.rehearsal_per_second,
        rest=rest,
        patient=not web.is_maintained(moment, environment.timezone),
    ) as prober:
        looking = Looking(environment, prober, moment)
        (replies, handshakes), heard = await asyncio.gather(looking.hosts(), looking.feed(feed_token, no_token))
        # After everything else, so that our own work is not measured as the product's.
        samples = await looking.samples()
        replies = await looking.with_certificates(replies)
        ders = frozenset(prober.ders)
    return Sweep(
        environment=environment.name,
        run_id=run_id,
        taken=taken,
        moment=route.moment,
        replies=tuple(replies),
        certificates=described(sorted(ders)),
        handshakes=tuple(handshakes),
        answers=answers,
        samples=samples,
        heard=heard,
        proxied=any(route.proxy(each) for each in environment.hosts),
    )


class Looking:
    """The parts of one sweep."""

    def __init__(self, environment: Environment, prober: Prober, moment: datetime) -> None:
        self.environment, self.prober, self.moment = environment, prober, moment

    async def hosts(self) -> tuple[list[Reply], list[Handshake]]:
        """Every question to every host, with what follows from the answers."""
        first = [self._host(host, asked) for host, asked in questions(self.environment).items()]
        further = [self._redirects(), self._control()]
        handshakes = asyncio.gather(*self._handshakes())
        found = await asyncio.gather(*first, *further)
        return [reply for replies in found for reply in replies], await handshakes

    async def _host(self, host: str, asked: list[Question]) -> list[Reply]:
        """A host's questions, the first alone: it opens the connection, or finds that there is none.

        Where it is not answered in time the second is asked alone too: a silent host is known by two, and eight at once
        would keep sixty silent hosts waiting for each other.
        """
        if not asked:
            return []
        replies = [await self.prober.ask(asked[0])]
        if replies[0].fault is Fault.TIME_OUT:
            replies += await self._all(asked[1:2])
        replies += await self._all(asked[len(replies) :])
        further = [*followed(replies, self.environment), *self._versions(host)]
        return [_discreet(each) for each in replies + await self._all(further)]

    async def _all(self, asked: Iterable[Question]) -> list[Reply]:
        return list(await asyncio.gather(*(self.prober.ask(each) for each in asked)))

    def _versions(self, host: str) -> Iterator[Question]:
        """The version from every address, several times."""
        paths = [e.path for e in self.environment.expected if e.host == host and e.template.kind == "version"]
        for address in self.prober.addresses(host):
            for path in paths:
                for _ in range(self.environment.web.replies):
                    yield Question(host, path, "version", address, address=address)

    async def _redirects(self) -> list[Reply]:
        return await self._all(redirects(self.environment))

    async def _control(self) -> list[Reply]:
        """The independent host, by each family of addresses that it has; any word means that our network works."""
        host = self.environment.web.control
        if not host:
            return []
        firsts = {family_of(each): each for each in reversed(self.prober.addresses(host))}
        return await self._all(Question(host, "/", "control", each, address=each) for each in firsts.values() or ("",))

    def _handshakes(self) -> Iterator[Coroutine[Any, Any, Handshake]]:
        for host in self.environment.secure_hosts:
            for address in self.prober.addresses(host):
                for offered in OLD:
                    yield self._offer(host, address, offered)

    async def _offer(self, host: str, address: str, offered: str) -> Handshake:
        if self.prober.route.proxy(host):
            said = "a proxy stands between us and the host"
            return Handshake(host=host, offered=offered, outcome="not-offered", detail=said)
        return await offer(self.prober.route, host, address, offered)

    async def feed(self, token: SecretStr | None, no_token: str) -> tuple[Heard, ...]:
        """What the quote feed says."""
        declared, host = self.environment.web.feed, self.environment.api.host
        if declared is None:
            return ()
        if declared.login == "token" and token is None:
            return (Heard(host=host, path=declared.path, fault=Fault.NOT_LOOKED, error=no_token or "no token"),)
        addresses = self.prober.addresses(host)
        if not addresses:
            why = self.prober.unresolved(host)
            return (Heard(host=host, path=declared.path, fault=why.fault, error=str(why)),)
        from postdeploy.web.feed import Listener

        prober = self.prober
        listener = Listener(prober.route, host, addresses[0], declared, prober.run_id, self.moment)
        return (await listener.listen(token, prober.deadline.left()),)

    async def samples(self) -> tuple[Samples, ...]:
        """The timed replies of the endpoints that promise a speed, each endpoint's one after another."""
        timed = [each for each in self.environment.expected if each.template.latency]
        return tuple(await asyncio.gather(*map(self._sampled, timed)))

    async def _sampled(self, expected: Expected) -> Samples:
        limits = expected.template.latency
        asked = Question(expected.host, expected.path, "sample", scheme=expected.scheme)
        warm_up, first = await self.prober.timed(asked)
        seconds: list[float] = []
        wrong: list[str] = [] if _is_right(first, expected) else [_said(first)]
        while not wrong and limits is not None and len(seconds) < limits.samples:
            took, reply = await self.prober.timed(asked)
            if _is_right(reply, expected):
                seconds.append(round(took, 6))
            else:
                wrong.append(_said(reply))
        return Samples(
            host=expected.host,
            path=expected.path,
            warm_up_s=round(warm_up, 6),
            seconds=tuple(seconds),
            wrong=tuple(wrong),
        )

    async def with_certificates(self, replies: list[Reply]) -> list[Reply]:
        """Where verification failed, the chain that was shown all the same: it says what is wrong with it."""
        bad = {each.host for each in replies if each.fault is Fault.CERTIFICATE}
        where = [(host, address) for host in sorted(bad) for address in self.prober.addresses(host)[:1] if address]
        found = await asyncio.gather(*(shown_by(self.prober.route, host, address) for host, address in where))
        chains: dict[str, Link] = {}
        for (host, address), chain in zip(where, found, strict=True):
            self.prober.ders.update(chain)
            chains[host] = Link(address=address, chain=tuple(sha256(each).hexdigest() for each in chain))
        return [
            msgspec.structs.replace(each, link=chains.get(each.host, each.link))
            if each.fault is Fault.CERTIFICATE
            else each
            for each in replies
        ]


def asks(answer: Answer, environment: Environment) -> bool:
    """Whether the addresses of an answer are asked: only those of the families that the runner is declared to have."""
    return ("ipv4" if answer.kind == "A" else "ipv6") in environment.web.families


def followed(replies: Iterable[Reply], environment: Environment) -> list[Question]:
    """What the answers lead to: the scripts and styles of pages, source maps, and the files of builds before."""
    hosts = frozenset((*environment.hosts, *environment.web.assets_from))
    found: dict[tuple[str, str, str], Question] = {}
    for each in replies:
        if each.probe == "manifest":
            asked = _of_manifest(each)
        elif each.media == "text/html" and each.probe == "endpoint":
            asked = _of_page(each)
        else:
            continue
        for question in asked:
            if question.host in hosts:
                found.setdefault((question.host, question.path, question.probe), question)
    return list(found.values())


def _of_page(reply: Reply) -> Iterator[Question]:
    for asset in pages.read(reply.body, f"https://{reply.host}{reply.path}").assets:
        accept = (("accept", "*/*"),)
        yield Question(asset.host, asset.path, "asset", headers=accept, keeps=LITTLE, integrity=asset.integrity)
        if asset.kind == "script":
            yield Question(asset.host, f"{asset.path.partition('?')[0]}.map", "leak", headers=accept)


def _of_manifest(reply: Reply) -> Iterator[Question]:
    for path in earlier_files(reply):
        yield Question(reply.host, path, "old-asset", headers=(("accept", "*/*"),), keeps=LITTLE)


def _discreet(reply: Reply) -> Reply:
    """Of what should never have been answered, only the words that give it away are kept."""
    if reply.probe != "leak":
        return reply
    return msgspec.structs.replace(reply, body=telltale(reply.path, reply.body))


def _is_right(reply: Reply, expected: Expected) -> bool:
    return reply.fault is None and reply.status == expected.template.status


def _said(reply: Reply) -> str:
    return f"{reply.fault}: {reply.error}" if reply.fault else f"status {reply.status}"

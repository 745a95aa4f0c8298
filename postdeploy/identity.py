"""One release from both sides: what the hosts say, what the pages were built from, and what the cluster runs."""

from __future__ import annotations

from collections.abc import Iterator

from postdeploy.cluster.objects import Snapshot
from postdeploy.environment import Environment
from postdeploy.readings import Seen as Cluster
from postdeploy.verdict import Judgement, State
from postdeploy.web.replies import Sweep
from postdeploy.web.seen import Seen
from postdeploy.web.version_rules import told_build, told_tag

CAUSE = "traffic goes to another cluster, a cache answers, or the front end was not deployed with the release"


class IdentityClaims:
    """Claims over a snapshot of the cluster and a sweep over the hosts."""

    def __init__(self, snapshot: Snapshot, sweep: Sweep, environment: Environment, release: str) -> None:
        self._environment, self._release = environment, release
        self._cluster = Cluster(environment, release, snapshot)
        self._web = Seen(sweep, environment, release)

    def one_release(self) -> Judgement:
        """The tag, every `/version`, the build of every page and the images behind the hosts are one release."""
        claim = f"hosts, pages and cluster of {self._environment.name} are one release, {self._release}"
        said = [*self._images(), *self._versions(), *self._builds()]
        wrong = [line for line, state in said if state is State.FAILED]
        blind = [line for line, state in said if state is State.UNVERIFIED]
        table = "\n".join(line for line, _ in said)
        if wrong:
            return Judgement(State.FAILED, claim, wrong[0], table, CAUSE)
        if blind or not said:
            seen = blind[0] if blind else "neither a version nor an image is declared"
            return Judgement(State.UNVERIFIED, claim, f"nothing disagrees, but {seen}", table)
        return Judgement(State.PASSED, claim, "; ".join(line for line, _ in said))

    def _images(self) -> Iterator[tuple[str, State]]:
        """The tag of each component that hosts lead to."""
        for name, component in self._environment.components.items():
            if component.public:
                reading = self._cluster.tag(name)
                if reading is None or reading.blind:
                    why = reading.blind if reading else "it runs nothing"
                    yield f"the image of {name} could not be seen: {why}", State.UNVERIFIED
                else:
                    yield f"the image of {name} is {reading.value}", _state(reading.value == self._release)

    def _versions(self) -> Iterator[tuple[str, State]]:
        told: dict[str, list[str]] = {}
        for host in self._environment.hosts:
            for expected in self._web.expected(host, "version"):
                reply = self._web.reply(expected)
                if not self._web.maintains(reply):
                    told.setdefault(told_tag(reply) or "", []).append(host)
        yield from _grouped("/version", told, self._release)

    def _builds(self) -> Iterator[tuple[str, State]]:
        """The pages' builds, held against the one that `/version` names most."""
        named: dict[str, int] = {}
        told: dict[str, list[str]] = {}
        for expected in self._environment.expected:
            reply = self._web.reply(expected)
            if reply is None or reply.fault is not None or self._web.maintains(reply):
                continue
            if expected.template.kind == "version":
                build = told_build(reply) or ""
                named[build] = named.get(build, 0) + 1
            elif expected.is_page:
                told.setdefault(self._web.page(reply).build, []).append(expected.host)
        yield from _grouped("the pages' build", told, max(named, key=lambda each: named[each], default=""))


def _grouped(what: str, told: dict[str, list[str]], wanted: str) -> Iterator[tuple[str, State]]:
    for value, hosts in told.items():
        distinct = list(dict.fromkeys(hosts))
        listed = ", ".join(distinct[:3]) + (f" and {len(distinct) - 3} more" if len(distinct) > 3 else "")
        if not value:
            yield f"{what} could not be read from {listed}", State.UNVERIFIED
        else:
            yield f"{what} is {value} at {listed}", _state(value == wanted)


def _state(agrees: bool) -> State:
    return State.PASSED if agrees else State.FAILED

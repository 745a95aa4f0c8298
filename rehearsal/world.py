"""The store of objects that the stand-in serves: plain dictionaries, versions, watchers, logs and the API's moods."""

from __future__ import annotations

import asyncio
import copy
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Literal
from zlib import crc32

from postdeploy.environment import Environment
from rehearsal.chance import Chance
from rehearsal.front import FrontSettings
from rehearsal.kinds import BY_NAME, Obj
from rehearsal.manifests import RegistrySettings
from rehearsal.names import records
from rehearsal.office import Office
from rehearsal.proxy import Meddling
from rehearsal.rbac import ANYBODY, EVERYTHING, Rule

OVER = ("Succeeded", "Failed")


@dataclass
class Settings:
    """How the API misbehaves; the default is not at all.

    A resource is written `pods`, `pods/log`, `pods@crm` (one namespace: a list over all of them fails too) or `*`.
    """

    forbidden: set[str] = field(default_factory=set)
    """Resources answered with 403."""
    too_many: dict[str, int] = field(default_factory=dict)
    """Resources answered with 429 this many times, then served."""
    gone_on_page: dict[str, int] = field(default_factory=dict)
    """Resources whose n-th page answers 410 (2: the first that continues), as often as `gone_times` says."""
    gone_times: int = 1
    slow_s: dict[str, float] = field(default_factory=dict)
    """Seconds that a resource takes to answer."""
    truncate: set[str] = field(default_factory=set)
    """Resources whose body breaks off in the middle."""
    broken: dict[str, int] = field(default_factory=dict)
    """Resources answered with 500 this many times, then served."""
    reset: dict[str, int] = field(default_factory=dict)
    """Resources whose connection is dropped this many times, then served."""
    proxied: dict[str, Meddling] = field(default_factory=dict)
    """Resources whose lists come through a proxy, and what it does to them."""
    page_at_most: int = 0
    """The most objects on one page, whatever is asked for; 0: as many as are asked for."""
    token_lasts: int | None = None
    """Requests that the token is good for; None: for ever."""
    unreachable: bool = False
    """Whether every connection is dropped."""
    port: Literal["open", "closed", "intercepted"] = "open"
    """Whether anybody listens at the API's address, and whether it is the API whose certificate is shown."""
    retry_after_s: int = 1
    unwatchable: set[str] = field(default_factory=set)
    """Resources that may be listed and not watched."""
    watch_expires: dict[str, int] = field(default_factory=dict)
    """Resources whose watches end with a 410 this many times, whatever version they begin at."""
    watch_cut: dict[str, int] = field(default_factory=dict)
    """Resources whose watches break off in the middle of a line this many times."""
    logs_refused: set[str] = field(default_factory=set)
    """Pods whose logs their node cannot hand out, and says so inside a 200."""
    logs_cut: set[str] = field(default_factory=set)
    """Pods whose logs break off in the middle, every time."""
    loki: Literal["up", "down"] = "up"
    """Whether the declared Loki answers."""
    rbac: tuple[Rule, ...] | None = None
    """What the user may do; None: read everything but secrets."""
    beyond: tuple[Rule, ...] = ()
    """What the user may do besides, though nothing can be changed here whoever may."""
    rules_incomplete: bool = False
    """Whether the authorizer decides without a list of rules, as webhooks and clouds' IAM do."""

    @property
    def is_away(self) -> bool:
        """Whether nobody gets anything out of the API, at first or before long."""
        return self.unreachable or self.port != "open" or self.token_lasts is not None

    @property
    def in_force(self) -> tuple[Rule, ...]:
        """Every rule that holds for the user."""
        return (*(EVERYTHING if self.rbac is None else self.rbac), *self.beyond, *ANYBODY)


@dataclass(frozen=True)
class Change:
    """One entry of the history that watchers follow."""

    version: int
    what: str
    object: Obj


class World:
    """One environment's cluster as it stands: change an object, `put` it, and every watcher hears of it."""

    def __init__(self, environment: Environment, release: str, seed: int, now: datetime | None = None) -> None:
        self.environment = environment
        self.release = release
        self.seed = seed
        self.chance = Chance(seed)
        self.now = (now or datetime.now(UTC)).replace(microsecond=0)
        draw = self.chance.draw("times")
        self.rollout_at = self.now - timedelta(seconds=draw.randint(4 * 60, 11 * 60))
        self.previous_at = self.rollout_at - timedelta(days=draw.randint(6, 20), seconds=draw.randint(0, 80000))
        self.born_at = self.previous_at - timedelta(days=draw.randint(200, 500))
        self.objects: dict[tuple[str, str, str], Obj] = {}
        self.logs: dict[tuple[str, str, str, bool], list[str]] = {}
        self.gone_logs: dict[tuple[str, str, str], list[str]] = {}
        """What pods that are gone had written, every line with its time: only Loki has it."""
        self.kept_logs: dict[tuple[str, str, str], list[str]] = {}
        """What Loki has of a container whose node has thrown its log away."""
        self.unshipped: set[tuple[str, str, str]] = set()
        """Containers of which Loki has nothing: namespace, pod and container."""
        self.settings = Settings()
        self.registry = RegistrySettings()
        self.front = FrontSettings(environment, release)
        self.front.records = records(environment)
        self.office = Office(self)
        self.version = draw.randint(10_000_000, 900_000_000)
        self.floor = self.version
        self.history: list[Change] = []
        self.watchers: set[asyncio.Queue[Change]] = set()
        self._loop: asyncio.AbstractEventLoop | None = None
        self.pending: list[tuple[float, Callable[[], object]]] = []
        self.is_held = False
        """Whether somebody has begun to watch the pods, and what was to happen then has happened."""
        self._in_hold: list[Callable[[], object]] = []

    @classmethod
    def build(cls, environment: Environment, release: str, seed: int, now: datetime | None = None) -> World:
        """The environment with the release healthy and live in it, rolled out some minutes ago."""
        from rehearsal.history import populate  # the makers know the world, not the other way round

        world = cls(environment, release, seed, now)
        populate(world)
        world.floor = world.version
        world.history.clear()
        return world

    def get(self, kind: str, name: str, namespace: str | None = None) -> Obj:
        """The one object of that kind and name; it is live: change it and `put` it."""
        found = [each for each in self.all(kind, namespace) if each["metadata"]["name"] == name]
        if len(found) != 1:
            raise KeyError(f"{len(found)} objects {kind}/{name} in {namespace or 'all namespaces'}")
        return found[0]

    def all(self, kind: str, namespace: str | None = None) -> list[Obj]:
        """Every object of a kind, in the order in which this seed lists them."""
        found = [o for (k, ns, _), o in self.objects.items() if k == kind and namespace in (None, ns)]
        return sorted(found, key=lambda o: crc32(f"{self.seed}{o['metadata']['uid']}".encode()))

    def of_component(self, name: str) -> Obj:
        """The workload, CronJob or Job of a declared component."""
        component = self.environment.components[name]
        return self.get(component.kind, component.name, component.namespace)

    def pods_of(self, name: str, *, leftovers: bool = False) -> list[Obj]:
        """The pods of a component; evicted, completed and terminating ones of a workload only with `leftovers`."""
        component = self.environment.components[name]
        called = f"{name}-primary" if component.progressive == "canary" else name
        mine = [
            each
            for each in self.all("Pod", component.namespace)
            if each["metadata"]["labels"].get("app.kubernetes.io/name") == called
        ]
        if leftovers or component.kind in ("Job", "CronJob"):
            return mine
        return [p for p in mine if p["status"]["phase"] not in OVER and "deletionTimestamp" not in p["metadata"]]

    def put(self, obj: Obj) -> Obj:
        """Store an object under a new version and tell the watchers."""
        key = self._key(obj)
        what = "MODIFIED" if key in self.objects else "ADDED"
        self.objects[key] = obj
        self._changed(what, obj)
        return obj

    def remove(self, obj: Obj) -> None:
        """Forget an object and tell the watchers."""
        if self.objects.pop(self._key(obj), None) is not None:
            self._changed("DELETED", obj)

    def note(
        self, about: Obj, reason: str, message: str, *, warning: bool = False, count: int = 1, ago_s: float = 60
    ) -> Obj:
        """Record an Event about an object."""
        from rehearsal.builders import event

        return self.put(event(self, about, reason, message, warning=warning, count=count, ago_s=ago_s))

    def later(self, seconds: float, act: Callable[[], object]) -> None:
        """Let something happen this many seconds after the stand-in began to serve (or from now, if it does)."""
        if self._loop is None:
            self.pending.append((seconds, act))
        else:
            self._loop.call_later(seconds, act)

    def in_hold(self, act: Callable[[], object]) -> None:
        """Let something happen when the pods are watched for the first time: that is how a hold begins.

        It happens before that watch is answered, so its history has it: no clock decides what is seen.
        """
        self._in_hold.append(act)

    def hold_begins(self) -> None:
        """Somebody watches the pods: let happen what was put off until then."""
        self.is_held = True
        acts, self._in_hold = self._in_hold, []
        for act in acts:
            act()

    def start(self, loop: asyncio.AbstractEventLoop) -> None:
        """Begin the clock of everything that was put off."""
        self._loop = loop
        pending, self.pending = self.pending, []
        for seconds, act in pending:
            loop.call_later(seconds, act)

    def _changed(self, what: str, obj: Obj) -> None:
        self.version += 1
        obj["metadata"]["resourceVersion"] = str(self.version)
        change = Change(self.version, what, copy.deepcopy(obj) if self._loop or self.is_held else obj)
        self.history.append(change)
        for queue in self.watchers:
            queue.put_nowait(change)

    @staticmethod
    def _key(obj: Obj) -> tuple[str, str, str]:
        if obj["kind"] not in BY_NAME:
            raise KeyError(f"the stand-in serves no {obj['kind']}")
        return obj["kind"], obj["metadata"].get("namespace", ""), obj["metadata"]["name"]

"""One look at all logs: the API first, then whatever else keeps them; what is kept is small and redacted."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager, nullcontext
from functools import partial
from typing import Any

import anyio

from postdeploy.cluster.client import Reader, together
from postdeploy.cluster.logs.api import Api, Read
from postdeploy.cluster.logs.backend import Backend, NoAnswer, Span
from postdeploy.cluster.logs.batch import Batches
from postdeploy.cluster.logs.earlier import known
from postdeploy.cluster.logs.evidence import Pieces
from postdeploy.cluster.logs.gone import Gone
from postdeploy.cluster.logs.instances import Instance, instances
from postdeploy.cluster.logs.keep import Write, keeper
from postdeploy.cluster.logs.kinds import Kinds
from postdeploy.cluster.logs.lines import moment
from postdeploy.cluster.logs.pace import Pace
from postdeploy.cluster.logs.scanner import scanner
from postdeploy.cluster.logs.seen import Earlier, Logs, Reading, SourceName
from postdeploy.cluster.logs.stream import Stream
from postdeploy.cluster.logs.tally import Tally
from postdeploy.cluster.logs.window import Window, window
from postdeploy.cluster.objects import Snapshot
from postdeploy.cluster.sight import Sight
from postdeploy.environment import Environment
from postdeploy.verdict import Unverified

MakeStream = Callable[[], Stream]
OpenBackend = Callable[[MakeStream], AbstractAsyncContextManager[Backend]]


class Look:
    """What is gathered while the logs are read."""

    def __init__(self, environment: Environment, sight: Sight, redact: Callable[[str], str]) -> None:
        self.rules = environment.logs
        self.sight = sight
        self.window: Window = window(sight)
        self.ready = tuple(dict.fromkeys(self.rules.ready.values()))
        self.scanner = scanner(self.ready)
        self.kinds = Kinds(redact)
        self.pieces = Pieces()
        self.readings: dict[Instance, Reading] = {}
        self.before: list[Reading] = []
        self.covered: set[str] = set()
        self.before_from = ""
        self.unread: list[str] = []

    def stream(self) -> Stream:
        """A reader for one log; all share what they learn about records."""
        return Stream(self.scanner, self.kinds)

    @property
    def span(self) -> Span:
        """The window since the rollout."""
        return Span(self.window.start, self.window.end)

    def take(self, read: Read, source: SourceName = "api") -> None:
        """Keep what one instance comes to."""
        instance = read.instance
        reading = self._reading(instance, read.tally, source, tuple(read.gaps), tuple(read.notes))
        self.readings[instance] = reading
        if instance.bucket == "release":
            self.pieces.offer(instance.component, reading.name, read.tally)
        if read.before is not None and not read.gaps:
            self.before.append(self._reading(instance, read.before, source, (), ()))
            self.covered.add(instance.component)
            self.before_from = self.before_from or source

    def _reading(
        self, instance: Instance, tally: Tally, source: SourceName, gaps: tuple[str, ...], notes: tuple[str, ...]
    ) -> Reading:
        return Reading(
            component=instance.component,
            namespace=instance.namespace,
            pod=instance.pod,
            container=instance.container,
            bucket=instance.bucket,
            source=source,
            previous=instance.previous,
            container_id=instance.container_id,
            born=instance.born,
            size=tally.size,
            first=moment(tally.first),
            last=moment(tally.last),
            findings=tally.findings(),
            ready=self._is_ready(instance, tally),
            gaps=gaps,
            notes=(*notes, *_notes(tally)),
        )

    def _is_ready(self, instance: Instance, tally: Tally) -> bool | None:
        text = self.rules.ready.get(instance.component)
        return None if text is None else self.ready.index(text) in tally.ready


async def observe(
    reader: Reader,
    snapshot: Snapshot,
    environment: Environment,
    *,
    redact: Callable[[str], str],
    say: Callable[[str], None] = lambda _: None,
    open_backend: OpenBackend | None = None,
    earlier: tuple[Earlier, ...] = (),
    budget_s: float = math.inf,
    write: Write | None = None,
) -> Logs:
    """Every log since the rollout began; what could not be read is in the readings' gaps, never silently missing."""
    sight = Sight.of(snapshot, environment, snapshot.release)
    look = Look(environment, sight, redact)
    wanted, blind = instances(sight, look.window, look.rules.sidecars)
    say(f"reading {len(wanted)} logs since {look.window.start:%H:%M:%S} UTC")
    keep = keeper(write, redact) if write else None
    lines = _lines(reader, look, wanted if keep is None else [])
    api = Api(reader, look.window, look.rules, _pace(environment), look.stream, keep, lines)
    try:
        with anyio.move_on_after(budget_s) as scope:
            async with _opened(open_backend, look) as backend:
                await _everything(look, api, backend, wanted, environment)
                reader.looks += backend.looks if backend else ()
    finally:
        if lines is not None:
            lines.close()
    if scope.cancelled_caught:
        look.unread.append(f"the logs were not read to the end within {budget_s:.0f} s, all that the budget left")
    return Logs(
        release=snapshot.release,
        began=look.window.start,
        taken=look.window.end,
        anchor=look.window.anchor,
        readings=tuple(sorted(look.readings.values(), key=_order)),
        evidence=look.pieces.redacted(redact),
        before=known(look.before),
        covered_before=tuple(sorted(look.covered)),
        before_from=look.before_from,
        earlier=earlier,
        unread=tuple(look.unread),
        blind=tuple(blind),
        scanner=look.scanner.name,
    )


def _lines(reader: Reader, look: Look, wanted: list[Instance]) -> Batches | None:
    """Blocking sockets to the API server, with other processes for many logs."""
    wire = reader.wire() if isinstance(reader, Reader) else None
    return None if wire is None else Batches(wire, look.stream, look.window.start).crewed(len(wanted))


def _pace(environment: Environment) -> Pace:
    return Pace(environment.logs.streams, environment.logs.streams_per_node)


async def _everything(
    look: Look, api: Api, backend: Backend | None, wanted: list[Instance], environment: Environment
) -> None:
    """Each instance from the API, or from the backend that is declared to serve instead; then what is missing."""
    if backend is not None and _serves_all(environment):
        await together(*(partial(_instead, look, backend, each) for each in wanted))
    else:
        await together(*(partial(_read, look, api, each) for each in api.batches(wanted)))
    if backend is not None:
        await _beside(look, backend, environment)


def _opened(open_backend: OpenBackend | None, look: Look) -> AbstractAsyncContextManager[Backend | None]:
    """The declared backend; without a credential for it there is none, and that is part of what was seen."""
    if open_backend is None:
        return nullcontext()
    try:
        return open_backend(look.stream)
    except Unverified as error:
        look.unread.append(str(error))
        return nullcontext()


def _order(reading: Reading) -> tuple[Any, ...]:
    return reading.component, reading.bucket != "release", reading.pod, reading.container, reading.previous


def _serves_all(environment: Environment) -> bool:
    kept = environment.logs.loki or environment.logs.cloud_logging
    return kept is not None and kept.serves == "all"


async def _read(look: Look, api: Api, batch: Sequence[Instance]) -> None:
    for each in await api.read_batch(batch):
        look.take(each)


async def _instead(look: Look, backend: Backend, instance: Instance) -> None:
    """Read from the backend what is not read from the API."""
    if instance.is_absent:
        look.take(Read(instance, Tally(), gaps=list(instance.gaps)))
        return
    try:
        look.take(Read(instance, await backend.log(instance, look.span)), backend.name)
    except NoAnswer as error:
        look.take(Read(instance, Tally(), gaps=[str(error)]), backend.name)


async def _beside(look: Look, backend: Backend, environment: Environment) -> None:
    """What the API cannot say: pods that are gone, gaps, and the time before the rollout."""
    gone = Gone(look.sight, look.readings)
    before = Span(look.window.before, look.window.start)
    try:
        for instance in gone.instances(await backend.containers(environment.namespaces, look.span)):
            look.take(Read(instance, await backend.log(instance, look.span)), backend.name)
        await _fill(look, backend)
        found = await backend.suspects(environment.namespaces, before)
    except NoAnswer as error:
        look.unread.append(str(error))
        return
    look.before = []
    for where, tally in found.items():
        if (component := gone.component(where)) is not None:
            instance = Instance(component.name, *where[:2], "", where.container, "before")
            look.before.append(look._reading(instance, tally, backend.name, (), ()))
    look.covered = set(environment.components)
    look.before_from = backend.name


async def _fill(look: Look, backend: Backend) -> None:
    """Where the API left a gap, what the backend kept takes its place if it begins no later than the container."""
    for instance, reading in list(look.readings.items()):
        if not reading.gaps or instance.is_absent:
            continue
        tally = await backend.log(instance, look.span)
        first = moment(tally.first)
        begins = instance.born or look.window.start
        late = first is None or (first - begins).total_seconds() > look.rules.quiet_start_s
        if tally.size and not late:
            notes = [f"read from {backend.name}: {each}" for each in reading.gaps]
            look.take(Read(instance, tally, notes=notes), backend.name)


def _notes(tally: Tally) -> tuple[str, ...]:
    notes = []
    if tally.sampled:
        notes.append(f"{tally.sampled} error records counted and not read: there were too many")
    if tally.is_cut:
        notes.append("a line longer than 1 MiB was read at its beginning and its end")
    return tuple(notes)

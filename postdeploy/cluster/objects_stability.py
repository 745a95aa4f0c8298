"""What is kept of how steady the release was: the first look's containers that have changed since, and the hold."""

from typing import Literal, TypeAlias

from postdeploy.cluster.objects_base import Record, Time

Trouble: TypeAlias = Literal["restarted", "not ready", "doomed", "deleted", "replaced"]


class Base(Record, frozen=True):
    """One container as it was at the run's first look; the baseline that restarts are counted from."""

    uid: str
    """Of its pod."""
    container: str
    container_id: str = ""
    started_at: Time | None = None
    restarts: int = 0
    ready: bool = False
    """Whether its pod was Ready."""


class Incident(Record, frozen=True):
    """Something that must not happen while a release is held."""

    at: Time
    component: str
    namespace: str
    what: Trouble
    pod: str = ""
    """Empty: it befell the workload itself."""
    container: str = ""
    detail: str = ""

    def __str__(self) -> str:
        whom = f"pod {self.namespace}/{self.pod}" if self.pod else "the workload"
        inside = f", container {self.container}" if self.container else ""
        return f"{self.at:%H:%M:%SZ} {whom}{inside} {self.what}" + (f": {self.detail}" if self.detail else "")


class Held(Record, frozen=True):
    """How the hold went: what happened in it, and how well it was watched."""

    seconds: float
    incidents: tuple[Incident, ...] = ()
    watched: bool = True
    """False where a watch was refused and lists were compared instead."""
    interruptions: tuple[str, ...] = ()
    """Watches that expired or were cut off, and went on."""
    asked: float = 0.0
    """How long it should have been; 0 where nobody said."""
    more_s: float = 0.0
    """How long the last look waited beyond that, for what was under way when it was due."""

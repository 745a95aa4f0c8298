"""Faults of a release that came up and does not stay: in the hold, or since its rollout."""

from __future__ import annotations

from datetime import timedelta

from rehearsal.builders import stamp
from rehearsal.entry import fault
from rehearsal.kinds import Obj
from rehearsal.pods import restarted
from rehearsal.scene import Scene, twin
from rehearsal.wounds import status_of, unready, well_again

HELD = "infra.stability.held"
RESTARTS = "infra.stability.restarts"
OOM = "infra.stability.oom"
HOLD_S = 2.0

BROKEN_PIPE = (
    "INFO crm.boot ready in 4.1 s",
    "ERROR crm.queue connection to redis.crm-data:6379 lost",
    "BrokenPipeError: [Errno 32] Broken pipe",
)


@fault(HELD, hold_s=HOLD_S)
def restart_in_hold(scene: Scene) -> None:
    """A container dies while the release is held, and is back before anybody looks at its state again."""
    component = scene.victim()
    pod = scene.draw.choice(scene.pods(component))

    def strike() -> None:
        at = scene.ago(0)
        _says(scene, pod, component.name, BROKEN_PIPE)
        _dies(scene, pod, component.name, 1, "Error")
        scene.world.put(well_again(restarted(pod, 1, at), at))

    scene.world.in_hold(strike)


@fault(HELD, hold_s=HOLD_S)
def unready_in_hold(scene: Scene) -> None:
    """A pod fails its readiness probe for a moment while the release is held, and is ready again at the end of it."""
    component = scene.victim()
    pod = scene.draw.choice(scene.pods(component))

    def strike() -> None:
        status_of(pod, component.name)["ready"] = False
        scene.world.put(unready(pod, scene.ago(1)))
        scene.world.put(well_again(pod, scene.ago(0)))

    scene.world.in_hold(strike)


@fault(HELD, hold_s=HOLD_S)
def pod_replaced_in_hold(scene: Scene) -> None:
    """A pod is evicted while the release is held, and its controller has made another one by the end."""
    component = scene.victim(at_least=2)
    pod = scene.draw.choice(scene.pods(component))

    def strike() -> None:
        scene.world.remove(pod)
        scene.world.put(twin(pod, scene.world, "again"))
        scene.recount(component)

    scene.world.in_hold(strike)


@fault(RESTARTS)
def crash_after_ready(scene: Scene) -> None:
    """One pod of the release crashed a while after the rollout was complete, and has been ready again since."""
    component = scene.victim()
    pod = scene.draw.choice(scene.pods(component))
    at = scene.world.rollout_at + timedelta(seconds=scene.draw.randint(130, 170))
    _says(scene, pod, component.name, BROKEN_PIPE)
    scene.world.put(well_again(restarted(pod, 1, at), at + timedelta(seconds=6)))


@fault(OOM)
def oom_after_rollout(scene: Scene) -> None:
    """A worker outgrew its memory limit after the rollout, was killed, and is ready again."""
    component = scene.victim()
    pod = scene.draw.choice(scene.pods(component))
    at = scene.world.rollout_at + timedelta(seconds=scene.draw.randint(130, 170))
    scene.world.put(well_again(restarted(pod, 1, at, 137, "OOMKilled"), at + timedelta(seconds=6)))


@fault(OOM)
def child_oom(scene: Scene) -> None:
    """A worker lost a child to the kernel's killer and ended with 137 itself: nothing says OOMKilled."""
    component = scene.victim()
    pod = scene.draw.choice(scene.pods(component))
    at = scene.world.rollout_at + timedelta(seconds=scene.draw.randint(130, 170))
    lost = "billiard.exceptions.WorkerLostError: Worker exited prematurely: signal 9 (SIGKILL) Job: 81."
    _says(scene, pod, component.name, ("INFO crm.tasks received task reports.build[81]", lost))
    scene.world.put(well_again(restarted(pod, 1, at, 137, "Error"), at + timedelta(seconds=6)))


@fault(OOM, "degraded")
def node_out_of_memory(scene: Scene) -> None:
    """A node that runs the release killed processes for want of memory: the pods lived on, and only the node tells."""
    name = scene.pods(scene.victim())[0]["spec"]["nodeName"]
    said = "System OOM encountered, victim process: celery, pid: 41823"
    scene.world.note(scene.world.get("Node", name, None), "SystemOOM", said, warning=True, count=2, ago_s=40)


@fault("infra.events.warnings", "degraded")
def node_evicts(scene: Scene) -> None:
    """A node that runs the release is short of disk and about to evict what runs there; so far every pod is well."""
    name = scene.pods(scene.victim())[0]["spec"]["nodeName"]
    said = "Attempting to reclaim ephemeral-storage"
    scene.world.note(scene.world.get("Node", name, None), "EvictionThresholdMet", said, warning=True, count=5, ago_s=30)


def _dies(scene: Scene, pod: Obj, container: str, exit_code: int, reason: str) -> None:
    """The state between the end of a container and its next start."""
    status = status_of(pod, container)
    over = {"containerID": status["containerID"], "exitCode": exit_code, "reason": reason}
    over |= {"startedAt": status["state"]["running"]["startedAt"], "finishedAt": stamp(scene.ago(1))}
    status |= {"ready": False, "started": False, "state": {"terminated": over}}
    scene.world.put(unready(pod, scene.ago(1)))


def _says(scene: Scene, pod: Obj, container: str, lines: tuple[str, ...]) -> None:
    """What the instance that died had written."""
    meta = pod["metadata"]
    written = [f"{stamp(scene.ago(5))} {line}" for line in lines]
    scene.world.logs[meta["namespace"], meta["name"], container, True] = written

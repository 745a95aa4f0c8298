"""Faults of pods: containers that cannot start, will not stay, or never become ready."""

from __future__ import annotations

from postdeploy.environment import Component
from rehearsal.builders import stamp
from rehearsal.entry import fault
from rehearsal.faults_rollout import never_answers
from rehearsal.kinds import Obj
from rehearsal.scene import Scene, statuses
from rehearsal.wounds import crash_loops, never_started, status_of, unready, unschedulable, waits

DOOMED = "infra.pods.doomed"
READY = "infra.pods.ready"
PROXY = {"name": "pg-proxy", "restartPolicy": "Always", "imagePullPolicy": "IfNotPresent"}

TRACEBACK = (
    "Traceback (most recent call last):",
    '  File "/app/manage.py", line 22, in <module>',
    "    main()",
    '  File "/usr/local/lib/python3.12/site-packages/django/conf/__init__.py", line 83, in __getattr__',
    "    self._setup(name)",
    '  File "/app/crm/settings/production.py", line 118, in <module>',
    '    LEDGER_DSN = os.environ["LEDGER_DSN"]',
    "                 ~~~~~~~~~~^^^^^^^^^^^^^^",
    "KeyError: 'LEDGER_DSN'",
)


@fault(DOOMED)
def crash_loop(scene: Scene) -> None:
    """The new release dies at start-up for want of a setting, again and again."""
    component = scene.victim()
    for pod in scene.half_way(component):
        crash_loops(pod, component.name, scene.draw.randint(4, 7), 1, "Error", scene.ago(35))
        _says(scene, pod, component.name, TRACEBACK)
        _backs_off(scene, pod, component.name)
    scene.recount(component)


@fault(DOOMED)
def out_of_memory(scene: Scene) -> None:
    """The new release needs more memory than its limit, and is killed soon after each start."""
    component = scene.victim()
    for pod in scene.half_way(component):
        crash_loops(pod, component.name, scene.draw.randint(3, 6), 137, "OOMKilled", scene.ago(50))
        _says(scene, pod, component.name, ("INFO crm.boot starting", "INFO crm.cache warming 4,812,330 entries"))
        _backs_off(scene, pod, component.name)
    scene.recount(component)


@fault(DOOMED)
def init_crash_loop(scene: Scene) -> None:
    """An init container fails for ever, so the application's own container never starts."""
    component = scene.draw.choice(_with_init(scene))
    for pod in scene.half_way(component):
        crash_loops(pod, "wait-for-db", scene.draw.randint(4, 6), 1, "Error", scene.ago(40))
        refused = 'psycopg.OperationalError: connection failed: FATAL:  no pg_hba.conf entry for user "crm_migrator"'
        _says(scene, pod, "wait-for-db", ("INFO wait_for_db connecting to pg-crm.crm-data:5432", refused))
        _backs_off(scene, pod, "wait-for-db")
    scene.recount(component)


@fault(DOOMED)
def image_pull_not_found(scene: Scene) -> None:
    """The image was never pushed under the release's tag."""
    component = scene.victim()
    image = f"{component.image}:{scene.world.release}"
    why = f'rpc error: code = NotFound desc = failed to pull and unpack image "{image}": {image}: not found'
    for pod in scene.half_way(component):
        first = next(each["name"] for each in statuses(pod) if each["image"] == image)
        said = f'Back-off pulling image "{image}": ErrImagePull: {why}'
        never_started(pod, first, "ImagePullBackOff", said, scene.ago(170))
        scene.world.put(pod)
        scene.world.note(pod, "Failed", f'Failed to pull image "{image}": {why}', warning=True, count=5, ago_s=45)
        scene.world.note(pod, "BackOff", f'Back-off pulling image "{image}"', count=12, ago_s=12)
    scene.recount(component)


@fault(DOOMED)
def secret_missing(scene: Scene) -> None:
    """The new template refers to a Secret that nobody created in this environment."""
    component = scene.victim()
    for pod in scene.half_way(component):
        said = f'secret "{component.name}-ledger-dsn" not found'
        never_started(pod, component.name, "CreateContainerConfigError", said, scene.ago(190))
        scene.world.put(pod)
        scene.world.note(pod, "Failed", f"Error: {said}", warning=True, count=17, ago_s=9)
    scene.recount(component)


@fault(READY)
def never_ready(scene: Scene) -> None:
    """New pods run without a single restart, and none of them ever passes its readiness probe."""
    component = scene.victim()
    for pod in scene.half_way(component):
        never_answers(scene, pod, component.name)
    scene.recount(component)


@fault(READY)
def native_sidecar_not_started(scene: Scene) -> None:
    """A restartable init container of the new template hangs before it has started, and holds up all that follows."""
    component = scene.victim()
    owner = scene.owner(component)
    new = scene.half_way(component)
    image = "europe-docker.pkg.dev/northgate-prod/mirror/pgbouncer:1.24.1"
    templates = [owner, *(each for each in scene.world.all("ReplicaSet") if _owns(each, new[0]))]
    for template in templates:
        template["spec"]["template"]["spec"].setdefault("initContainers", []).insert(0, PROXY | {"image": image})
        scene.world.put(template)
    for pod in new:
        pod["spec"].setdefault("initContainers", []).insert(0, PROXY | {"image": image})
        status = {"name": "pg-proxy", "image": image, "imageID": f"{image}@sha256:{'5c' * 32}", "restartCount": 0}
        status |= {
            "ready": False,
            "started": False,
            "lastState": {},
            "state": {"waiting": {"reason": "PodInitializing"}},
        }
        pod["status"].setdefault("initContainerStatuses", []).insert(0, status)
        waits(pod, "pg-proxy", "PodInitializing", "", scene.ago(180))
        status |= {
            "state": {"running": {"startedAt": stamp(scene.ago(180))}},
            "containerID": f"containerd://{'5c' * 32}",
        }
        scene.world.put(pod)
        said = "Startup probe failed: dial tcp 127.0.0.1:6432: connect: connection refused"
        scene.world.note(pod, "Unhealthy", said, warning=True, count=33, ago_s=5)
    scene.recount(component)


@fault(READY)
def no_room(scene: Scene) -> None:
    """No node has room for the new pods, and the autoscaler cannot add one."""
    component = scene.victim()
    for pod in scene.half_way(component):
        said = scene.no_node_has_room
        scene.world.put(unschedulable(pod, said, scene.ago(210)))
        scene.world.note(pod, "FailedScheduling", said, warning=True, count=8, ago_s=14)
        said = "pod didn't trigger scale-up: 1 max node group size reached"
        scene.world.note(pod, "NotTriggerScaleUp", said, count=20, ago_s=11)
    scene.recount(component)


@fault(READY)
def database_down(scene: Scene) -> None:
    """One replica of a database went away after the rollout and does not come back."""
    component = scene.draw.choice(sorted(scene.components("StatefulSet"), key=lambda each: each.name))
    pod = scene.pods(component)[0]
    status_of(pod, component.name)["ready"] = False
    scene.world.put(unready(pod, scene.ago(75)))
    scene.world.note(pod, "Unhealthy", "Readiness probe failed: no response", warning=True, count=15, ago_s=4)
    meta = pod["metadata"]
    lines = [f"{stamp(scene.ago(76))} FATAL could not write to file pg_wal/xlogtemp.41: No space left on device"]
    scene.world.logs[meta["namespace"], meta["name"], component.name, False] = lines
    scene.recount(component)


def _with_init(scene: Scene) -> list[Component]:
    found = [each for each in scene.components("Deployment") if _has_init(scene.owner(each))]
    return sorted(found, key=lambda each: each.name)


def _has_init(owner: Obj) -> bool:
    inits = owner["spec"]["template"]["spec"].get("initContainers", ())
    return any(each["name"] == "wait-for-db" for each in inits)


def _owns(replicaset: Obj, pod: Obj) -> bool:
    return bool(pod["metadata"]["ownerReferences"][0]["uid"] == replicaset["metadata"]["uid"])


def _says(scene: Scene, pod: Obj, container: str, lines: tuple[str, ...]) -> None:
    """What the container wrote before it died, this time and the time before."""
    scene.world.put(pod)
    meta = pod["metadata"]
    for previous, ago in ((False, 36), (True, 130)):
        written = [f"{stamp(scene.ago(ago))} {line}" for line in lines]
        scene.world.logs[meta["namespace"], meta["name"], container, previous] = written


def _backs_off(scene: Scene, pod: Obj, container: str) -> None:
    said = f"Back-off restarting failed container {container} in pod {pod['metadata']['name']}"
    scene.world.note(pod, "BackOff", said, warning=True, count=scene.draw.randint(9, 22), ago_s=11)

"""Faults in what containers write, and in what can be read of it."""

from __future__ import annotations

import json
from datetime import timedelta

from rehearsal.builders import stamp
from rehearsal.canaries import MARK
from rehearsal.entry import fault
from rehearsal.kinds import Obj
from rehearsal.podlogs import write
from rehearsal.pods import restarted
from rehearsal.scene import Scene
from rehearsal.wounds import well_again

LINKS = 5
DSN = f"postgres://crm:{MARK}-dsn@ledger/crm"
"""As drivers write it when they fail, password included."""
FLOOD = 1_200
"""Records of one kind: more than a minute may have, however long the window."""


def struck(scene: Scene) -> tuple[Obj, str]:
    """One pod of the release, and its main container."""
    component = scene.victim()
    return scene.draw.choice(scene.pods(component)), component.name


@fault("infra.logs.critical")
def critical_log_line(scene: Scene) -> None:
    """One worker of the new release logs one CRITICAL line, and all its probes go on passing."""
    pod, container = struck(scene)
    write(
        scene.world,
        pod,
        container,
        f"{stamp(scene.ago(60))} [CRITICAL] ledger: balance of 3 accounts is negative {DSN}",
    )


@fault("infra.logs.critical")
def critical_before_restart(scene: Scene) -> None:
    """A container logged CRITICAL and died at its first start; the one that runs now says nothing of it."""
    pod, container = struck(scene)
    at = scene.world.rollout_at + timedelta(seconds=70)
    scene.world.put(well_again(restarted(pod, 1, at), at + timedelta(seconds=5)))
    line = f"{stamp(at - timedelta(seconds=2))} [2026-11-20 10:00:00 +0000] [1] [CRITICAL] WORKER TIMEOUT (pid:7)"
    write(scene.world, pod, container, line, previous=True)


@fault("infra.logs.critical")
def critical_json_severity(scene: Scene) -> None:
    """The structured logger of the new release says `"severity": "CRITICAL"`, and the word is nowhere else."""
    pod, container = struck(scene)
    said = {"severity": "CRITICAL", "message": "settlement file rejected", "logger": "apps.settlement.sender"}
    said |= {"authorization": f"Bearer {MARK}-bearer", "password": f"{MARK}-field"}
    write(scene.world, pod, container, f"{stamp(scene.ago(50))} {json.dumps(said)}")


@fault("infra.logs.critical")
def unregistered_task(scene: Scene) -> None:
    """Workers discard tasks that their release does not know: `crm` and `crm-script` are out of step."""
    pod, container = struck(scene)
    said = (
        "Received unregistered task of type 'apps.payments.tasks.settle'. The message has been ignored and discarded."
    )
    write(scene.world, pod, container, f"{stamp(scene.ago(40))} [2026-11-20 10:00:00,123: ERROR/MainProcess] {said}")


@fault("infra.logs.tracebacks")
def chained_traceback(scene: Scene) -> None:
    """An app of the monorepo raises a chain of exceptions over more than sixty lines, in an ERROR record."""
    pod, container = struck(scene)
    at = stamp(scene.ago(45))
    lines = ["[ERROR] django.request: Internal Server Error: /api/v1/portfolio"]
    for link in range(LINKS):
        lines += ["Traceback (most recent call last):"]
        for frame in range(6):
            path = f"/app/apps/{'portfolio' if frame == 5 else 'core'}/step{frame}.py"
            lines += [f'  File "{path}", line {10 + frame}, in step{frame}', "    return following(request)"]
        lines += [f"apps.portfolio.errors.Link{link}Error: position {link} is missing at {DSN}", ""]
        if link < LINKS - 1:
            lines += ["The above exception was the direct cause of the following exception:", ""]
    write(scene.world, pod, container, *(f"{at} {each}" for each in lines))


@fault("infra.logs.new")
def new_error_template(scene: Scene) -> None:
    """The new release logs an ERROR that nobody has seen before, a few times."""
    pod, container = struck(scene)
    lines = [
        f"{stamp(scene.ago(90 - each))} [ERROR] apps.quotes.feed: stale quote for instrument {each} password={MARK}-log"
        for each in range(4)
    ]
    write(scene.world, pod, container, *lines)


@fault("infra.logs.errors")
def error_rate(scene: Scene) -> None:
    """An ERROR that has always been there now comes many times a second."""
    pod, container = struck(scene)
    known(scene, pod, container, "[ERROR] apps.mail.sender: mailbox {} is full", 4)
    lines = [f"{stamp(scene.ago(100))} [ERROR] apps.mail.sender: mailbox {each} is full" for each in range(FLOOD)]
    write(scene.world, pod, container, *lines)


@fault("infra.logs.silence", "unverified")
def silent_container(scene: Scene) -> None:
    """A container of the new release runs and is ready, and has not written a single line since it started."""
    silenced(scene, *struck(scene))


@fault("infra.logs.silence")
def never_said_ready(scene: Scene) -> None:
    """A web worker writes its first lines and never the one that says it listens, though its probe passes."""
    component = scene.world.environment.components["crm-web"]
    pod = scene.draw.choice(scene.pods(component))
    lines = ["[INFO] Starting gunicorn 23.0.0"]
    scene.world.logs[pod["metadata"]["namespace"], pod["metadata"]["name"], component.name, False] = lines


@fault("infra.logs.coverage", "unverified")
def log_refused(scene: Scene) -> None:
    """A node answers for a log with status 200 and its excuse, and Loki has nothing of that pod."""
    pod, _ = struck(scene)
    scene.world.settings.logs_refused.add(pod["metadata"]["name"])
    unshipped(scene, pod)


@fault("infra.logs.coverage", "unverified")
def log_rotated(scene: Scene) -> None:
    """A chatty container's file was rotated since its start: its first minutes are gone, for Loki too."""
    pod, container = struck(scene)
    rotated(scene, pod, container)
    unshipped(scene, pod)


@fault("infra.logs.coverage", "unverified")
def log_cut(scene: Scene) -> None:
    """The stream of one log breaks off in the middle however often it is asked for, and Loki has nothing of it."""
    pod, _ = struck(scene)
    scene.world.settings.logs_cut.add(pod["metadata"]["name"])
    unshipped(scene, pod)


@fault("infra.logs.coverage", "unverified")
def loki_down(scene: Scene) -> None:
    """The declared Loki answers with 503: what pods that are gone had written is not known."""
    scene.world.settings.loki = "down"


@fault("infra.logs.critical", "unverified")
def logs_forbidden(scene: Scene) -> None:
    """The verifier may list pods and not read their logs, and Loki is down as well."""
    scene.world.settings.forbidden.add("pods/log")
    scene.world.settings.loki = "down"


def rotated(scene: Scene, pod: Obj, container: str) -> None:
    """Let a container's file begin long after the container did."""
    meta = pod["metadata"]
    lines = [f"{stamp(scene.ago(20 - each))} [INFO] GET /healthz 200" for each in range(10)]
    scene.world.logs[meta["namespace"], meta["name"], container, False] = lines


def silenced(scene: Scene, pod: Obj, container: str) -> None:
    """Let a container never have written a line."""
    scene.world.logs[pod["metadata"]["namespace"], pod["metadata"]["name"], container, False] = []


def unshipped(scene: Scene, pod: Obj) -> None:
    """Let Loki have nothing of a pod."""
    meta = pod["metadata"]
    for key in ("initContainers", "containers"):
        for each in pod["spec"].get(key, ()):
            scene.world.unshipped.add((meta["namespace"], meta["name"], each["name"]))


def known(scene: Scene, pod: Obj, container: str, line: str, count: int) -> None:
    """Let a pod of the revision before have written a line (`{}` is a number) shortly before the rollout."""
    meta = pod["metadata"]
    gone = f"{container}-6b7f9c8d5-{scene.world.chance.suffix(5, 'gone', container, line)}"
    moments = [scene.world.rollout_at - timedelta(seconds=150 + 5 * each) for each in range(count)]
    lines = [f"{stamp(at)} {line.format(number)}" for number, at in enumerate(reversed(moments))]
    scene.world.gone_logs.setdefault((meta["namespace"], gone, container), []).extend(lines)

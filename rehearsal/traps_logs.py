"""Logs that look bad and are not: what was there before, what only sounds so, what is nobody's release."""

from __future__ import annotations

import json
from datetime import timedelta

from rehearsal.builders import stamp
from rehearsal.entry import trap
from rehearsal.faults_logs import known, rotated, struck
from rehearsal.podlogs import write
from rehearsal.scene import Scene

HARMLESS = (
    "[INFO] batch done, errors=0 failures=0 fatal=0",
    "[INFO] GET /static/OperationalError.html 200 python-requests CRITICAL",
    "[INFO] rule priority=CRITICAL loaded from FATAL.yaml, exception list is empty",
    "[INFO] error rate 0.0 %, last traceback: none",
    json.dumps({"level": "info", "msg": "no ERROR and no CRITICAL record", "error_severity": "LOG"}),
    "[2026-11-20 10:00:00,5: INFO/ForkPoolWorker-1] Task apps.mail.tasks.send[7f3c] retry: Retry in 5s: TimeoutError()",
    "Traceback (most recent call last):",
    '  File "/app/apps/mail/tasks.py", line 12, in send',
    "    connection.send(mail)",
    "TimeoutError: the relay is busy",
    "[DEBUG] \udcff\udcfe\x00 not UTF-8 \x1b[31mERROR\x1b[0m is only a colour here",
    "[INFO] " + "a very long line with an error in it, " * 2_000,
    "0 ERROR, 0 FATAL",
)
"""Words, bytes and lines that a careless reader stumbles over."""


@trap("infra.logs.critical")
def misleading_log_lines(scene: Scene) -> None:
    """Harmless records with every grave word in them, a task tried again, bytes that are no UTF-8, very long lines."""
    pod, container = struck(scene)
    write(scene.world, pod, container, *(f"{stamp(scene.ago(75))} {each}" for each in HARMLESS))


@trap("infra.logs.new")
def old_log_noise(scene: Scene) -> None:
    """Errors and a traceback in the new release that its predecessor wrote just as often before the rollout."""
    pod, container = struck(scene)
    noise = "[ERROR] apps.fx.rates: provider {} timed out"
    known(scene, pod, container, noise, 6)
    now = [f"{stamp(scene.ago(80 - each))} {noise.format(each)}" for each in range(5)]
    write(scene.world, pod, container, *now)


@trap("infra.logs.new", only_in="uk-prod")
def suppressed_log_template(scene: Scene) -> None:
    """An error that its team has accepted for a while, with a ceiling, an owner and a term."""
    component = scene.world.environment.components["crm-celery-reports"]
    pod = scene.draw.choice(scene.pods(component))
    lines = [
        f"{stamp(scene.ago(90 - each))} [ERROR] apps.reports.layout: Unknown paper size {each}, A4 is taken"
        for each in range(6)
    ]
    write(scene.world, pod, component.name, *lines)


@trap("infra.logs.critical")
def log_noise_of_others(scene: Scene) -> None:
    """The mesh's proxy logs critical lines, and old pods that are gone complained while they shut down."""
    meshed = [each for each in scene.world.all("Pod") if _has_proxy(each)]
    for pod in meshed[:3]:
        write(scene.world, pod, "istio-proxy", f"{stamp(scene.ago(70))} [critical][main] envoy: connection terminated")
    pod, container = struck(scene)
    gone = f"{container}-6b7f9c8d5-{scene.world.chance.suffix(5, 'old', container)}"
    at = stamp(scene.world.rollout_at + timedelta(seconds=45))
    lines = [
        f"{at} [2026-11-20 10:00:00 +0000] [1] [INFO] Handling signal: term",
        f"{at} [2026-11-20 10:00:00 +0000] [1] [ERROR] Worker (pid:7) was sent SIGTERM!",
        f"{at} [CRITICAL] apps.queue: connection closed while consuming",
    ]
    scene.world.gone_logs[pod["metadata"]["namespace"], gone, container] = lines


@trap("infra.logs.coverage")
def log_rotated_but_kept(scene: Scene) -> None:
    """A log was rotated since its container started, and Loki has what the node threw away."""
    pod, container = struck(scene)
    meta = pod["metadata"]
    started = scene.world.rollout_at + timedelta(seconds=60)
    lines = [f"{stamp(started)} [INFO] Listening at: http://0.0.0.0:8000 (1)", f"{stamp(started)} [INFO] x ready."]
    rotated(scene, pod, container)
    written = scene.world.logs[meta["namespace"], meta["name"], container, False]
    scene.world.kept_logs[meta["namespace"], meta["name"], container] = [*lines, *written]


def _has_proxy(pod: dict[str, object]) -> bool:
    spec = pod["spec"]
    return any(each["name"] == "istio-proxy" for each in spec.get("initContainers", ()))  # type: ignore[attr-defined]

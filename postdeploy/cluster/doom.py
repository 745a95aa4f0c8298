"""The doom table: container states from which a pod does not recover, their exceptions, and what causes each."""

from __future__ import annotations

import re
from datetime import datetime, timedelta

from postdeploy.cluster.objects import ContainerStatus, Pod, Terminated
from postdeploy.cluster.ruling import Ruling, doomed, failed, pending

PULL_PATIENCE = timedelta(seconds=60)
"""How long a pull may back off before it counts as hopeless."""
STEPS = ("PodScheduled", "Initialized")
HOPELESS_RESTARTS = 2
"""One crash at the start may be a race with a sidecar or a dependency; a second one is a loop."""

GONE = re.compile(
    r"not found|manifest unknown|name unknown|no such image|does not exist|unauthori[sz]ed|denied|forbidden|x509"
    r"|no match for platform",
    re.IGNORECASE,
)
PASSING = re.compile(
    r"time-?out|timed out|deadline exceeded|too ?many ?requests|\b(429|50[0234])\b|connection (refused|reset)"
    r"|temporar|\bEOF\b|no such host|no route to host|network is unreachable|QPS exceeded|service unavailable",
    re.IGNORECASE,
)
CACHE_SYNC = re.compile(r"failed to sync .* cache", re.IGNORECASE)
NAME_TAKEN = re.compile(r"deadline exceeded|is reserved for|is already in use", re.IGNORECASE)

RUNTIME_WORDS = ("ContainerCannotRun", "StartError")
"""Ends whose message is the container runtime's; any other may be the application's own output, secrets and all."""

NO_IMAGE = "The tag was never built or pushed, the repository is misspelt, or the node may not pull from it."
EXIT_CAUSES = {
    1: "The application ended with an error at start-up: read its last log lines; a missing setting is usual.",
    2: "The command line is wrong, or the application refused its settings.",
    126: "The command is not executable in this image.",
    127: "The command does not exist in this image.",
    137: "It was killed for using more memory than its limit, or did not stop in time.",
    139: "It crashed inside native code.",
    143: "It was told to stop: by its liveness probe or by its node.",
}


def exit_cause(ended: Terminated) -> str:
    """What usually makes a container end like this."""
    if ended.reason == "OOMKilled":
        return EXIT_CAUSES[137]
    if ended.exit_code == 0:
        return "The command ends although it should run for ever: a wrong entry point."
    return EXIT_CAUSES.get(ended.exit_code, "The application ended by itself: read its last log lines.")


def _ended(state: Terminated) -> str:
    # An exit code without a word of memory is all that a killed child process leaves behind.
    kind = state.reason or ("killed" if state.exit_code == 137 else "")
    told = _first_line(state.message) if state.reason in RUNTIME_WORDS else ""
    return f"exit code {state.exit_code}" + (f" ({kind}{': ' + told if told else ''})" if kind else "")


def describe(status: ContainerStatus) -> str:
    """A container's state with its field names, in one line."""
    parts = [f"container {status.name}"]
    state = status.state
    if state.waiting:
        # What a crash loop adds is the pod's name and uid again.
        told = "" if state.waiting.reason == "CrashLoopBackOff" else _first_line(state.waiting.message)
        message = f": {told}" if told else ""
        parts.append(f"waiting {state.waiting.reason}{message}")
    elif state.terminated:
        parts.append(f"terminated with {_ended(state.terminated)}")
    elif state.running:
        parts.append("running" + ("" if status.ready else ", not ready"))
    else:
        parts.append("without a state")
    if status.last_state.terminated:
        parts.append(f"last {_ended(status.last_state.terminated)}")
    return ", ".join([*parts, f"{status.restart_count} restarts"])


def _first_line(text: str) -> str:
    line = text.strip().splitlines()[0] if text.strip() else ""
    return line if len(line) <= 200 else line[:199] + "…"


def container_doom(pod: Pod, status: ContainerStatus, now: datetime | None) -> Ruling | None:
    """What this container's state means for the pod, where it is more than `not ready yet`."""
    if status.state.waiting:
        return _waiting(pod, status, status.state.waiting.reason, status.state.waiting.message, now)
    if status.state.terminated:
        return _terminated(pod, status, status.state.terminated)
    return None


def _waiting(pod: Pod, status: ContainerStatus, reason: str, message: str, now: datetime | None) -> Ruling | None:
    seen = describe(status)
    match reason:
        case "CrashLoopBackOff":
            last = status.last_state.terminated
            cause = exit_cause(last) if last else "The container keeps ending: read its last log lines."
            return failed(seen, cause, doomed=status.restart_count >= HOPELESS_RESTARTS)
        case "ErrImagePull" | "ImagePullBackOff":
            return _pull(pod, seen, reason, message, now)
        case "RegistryUnavailable" | "ImageInspectError":
            return pending(seen, "The registry or the node's image store did not answer.")
        case "InvalidImageName" | "ErrImageNeverPull":
            return doomed(seen, "The image reference is malformed, or imagePullPolicy Never finds it missing.")
        case "CreateContainerConfigError":
            if CACHE_SYNC.search(message):
                return pending(seen, "The kubelet has not read its secrets and config maps yet.")
            return doomed(seen, "A Secret, ConfigMap or a key in one that the container names does not exist.")
        case "CreateContainerError":
            if NAME_TAKEN.search(message):
                return pending(seen, "The container runtime is slow; the kubelet tries again.")
            return doomed(seen, "The container runtime refuses it: command, volume or device.")
        case "RunContainerError" | "ContainerCannotRun" | "PostStartHookError" | "VerifyNonRootError":
            return doomed(seen, "The command cannot be run in this image: wrong path, user or permission.")
    return None


def _pull(pod: Pod, seen: str, reason: str, message: str, now: datetime | None) -> Ruling:
    if GONE.search(message):
        return doomed(seen, NO_IMAGE)
    since = _pulls_since(pod)
    if now and since and now - since > PULL_PATIENCE:
        return doomed(seen, NO_IMAGE)
    if PASSING.search(message):
        return pending(seen, "The registry did not answer in time; the kubelet tries again.")
    # One that backs off has been refused more than once, though many kubelets do not say by what.
    return pending(seen, NO_IMAGE) if reason == "ErrImagePull" else failed(seen, NO_IMAGE)


def _pulls_since(pod: Pod) -> datetime | None:
    """When it can have begun to pull at the earliest: once scheduled, and once the init containers before are over."""
    steps = [each.last_transition_time for each in pod.status.conditions if each.type in STEPS and each.is_true]
    ended = [each.state.terminated.finished_at for each in pod.status.init_container_statuses if each.state.terminated]
    return max((each for each in (*steps, *ended) if each), default=pod.metadata.creation_timestamp)


def _is_init(pod: Pod, name: str) -> bool:
    """Whether a container is meant to end before the others begin."""
    for each in pod.spec.init_containers:
        if each.name == name:
            return not each.is_sidecar
    return False


def _terminated(pod: Pod, status: ContainerStatus, ended: Terminated) -> Ruling | None:
    if ended.exit_code == 0 and _is_init(pod, status.name):
        return None
    # Exit 128 is the runtime's own word for a node that could not start it just now (krane).
    if ended.reason == "ContainerCannotRun" and ended.exit_code != 128:
        return doomed(describe(status), "The command cannot be run in this image: wrong path, user or permission.")
    if pod.spec.restart_policy == "Always":
        # Two ends on record: what is seen between two restarts of a loop. One end alone may be the last.
        return failed(describe(status), exit_cause(ended)) if status.last_state.terminated else None
    if pod.spec.restart_policy == "Never" and ended.exit_code != 0:
        return doomed(describe(status), exit_cause(ended))
    return None

"""The logs of a container: what was written into the world, else a few healthy lines."""

from __future__ import annotations

import re
from collections.abc import Mapping
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from rehearsal.answers import Refused, bad_request
from rehearsal.kinds import Obj

if TYPE_CHECKING:
    from rehearsal.world import World

STAMPED = re.compile(r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z ")
HEALTHY = {
    "gunicorn": ("Starting gunicorn 23.0.0", "Listening at: http://0.0.0.0:8000 (1)", "Booting worker with pid: 7"),
    "celery": ("celery@worker ready.", "Task crm.tasks.heartbeat succeeded in 0.012s: None"),
    "python": ("Operations to perform: apply all migrations", "No migrations to apply."),
    "crm-script": ("crm-script: run started", "crm-script: run finished, 0 errors"),
}


def read(world: World, pod: Obj, query: Mapping[str, str]) -> bytes:
    """The log of one container, cut as the query says; where its node has lost it, the node's excuse."""
    if pod["metadata"]["name"] in world.settings.logs_refused:
        status: Obj = next(iter(pod["status"]["containerStatuses"]), {})
        return f"unable to retrieve container logs for {status.get('containerID', 'containerd://0')}".encode()
    container = _container(pod, query.get("container", ""))
    previous = query.get("previous") in ("true", "1")
    lines = _lines(world, pod, container, previous=previous)
    since = _since(query)
    kept = [(at, line) for at, line in lines if since is None or at >= since]
    if "tailLines" in query:
        count = _number(query["tailLines"], "tailLines")
        kept = kept[-count:] if count else []
    show = query.get("timestamps") in ("true", "1")
    text = "".join(f"{at:%Y-%m-%dT%H:%M:%S.%f}000Z {line}\n" if show else f"{line}\n" for at, line in kept)
    body = text.encode("utf-8", "surrogateescape")  # a container may write any bytes
    return body[: _number(query["limitBytes"], "limitBytes")] if "limitBytes" in query else body


def everything(world: World, pod: Obj, container: str) -> list[tuple[datetime, str]]:
    """All that a container has written in all its lives, as far as anybody remembers, each line with its time."""
    found = []
    for previous in (True, False):
        with suppress(Refused):
            found += _lines(world, pod, container, previous=previous)
    return found


def write(world: World, pod: Obj, container: str, *lines: str, previous: bool = False) -> None:
    """Let a container say more than a healthy one does; a line may begin with its own time."""
    meta = pod["metadata"]
    so_far = _lines(world, pod, container, previous=previous)
    kept = [f"{at:%Y-%m-%dT%H:%M:%S.%f}Z {line}" for at, line in so_far]
    world.logs[meta["namespace"], meta["name"], container, previous] = [*kept, *lines]


def stamped(line: str) -> tuple[datetime, str]:
    """A line that was written with its time."""
    at, _, text = line.partition(" ")
    return _moment(at), text


def _number(text: str, name: str) -> int:
    if not text.isdigit():
        raise bad_request(f'{name}: Invalid value: "{text}": must be a number of at least 0')
    return int(text)


def _container(pod: Obj, asked: str) -> str:
    name = pod["metadata"]["name"]
    usual = [each["name"] for each in pod["spec"]["containers"]]
    others = [each["name"] for each in pod["spec"].get("initContainers", [])]
    if asked and asked not in [*usual, *others, *(each["name"] for each in pod["spec"].get("ephemeralContainers", []))]:
        raise bad_request(f"container {asked} is not valid for pod {name}")
    if not asked and len(usual) > 1:
        raise bad_request(f"a container name must be specified for pod {name}, choose one of: [{' '.join(usual)}]")
    return asked or usual[0]


def _lines(world: World, pod: Obj, container: str, *, previous: bool) -> list[tuple[datetime, str]]:
    meta, status = pod["metadata"], _status(pod, container)
    written = world.logs.get((meta["namespace"], meta["name"], container, previous))
    over = status.get("lastState", {}).get("terminated")
    if previous and not over and written is None:
        raise bad_request(f'previous terminated container "{container}" in pod "{meta["name"]}" not found')
    state = status.get("state", {})
    if not previous and written is None and (not status or ("waiting" in state and not over)):
        why = state.get("waiting", {}).get("reason", "ContainerCreating")
        raise bad_request(f'container "{container}" in pod "{meta["name"]}" is waiting to start: {why}')
    began = (over or {}) if previous else state.get("running", state.get("terminated", over or {}))
    start = _moment(began.get("startedAt") or meta["creationTimestamp"])
    if written is None:
        written = [f"[INFO] {line}" for line in _healthy(pod, container)]
    return [_stamped(line, start + timedelta(milliseconds=250 * number)) for number, line in enumerate(written)]


def _status(pod: Obj, container: str) -> Obj:
    found = [*pod["status"].get("containerStatuses", []), *pod["status"].get("initContainerStatuses", [])]
    return next((each for each in found if each["name"] == container), {})


def _healthy(pod: Obj, container: str) -> tuple[str, ...]:
    spec = [*pod["spec"]["containers"], *pod["spec"].get("initContainers", [])]
    command = next(each for each in spec if each["name"] == container).get("command", [""])
    return HEALTHY.get(command[0], (f"{container} started", f"{container} ready"))


def _stamped(line: str, otherwise: datetime) -> tuple[datetime, str]:
    """A line's own time, where it was written with one."""
    if STAMPED.match(line):
        at, _, text = line.partition(" ")
        return _moment(at), text
    return otherwise, line


def _since(query: Mapping[str, str]) -> datetime | None:
    if "sinceTime" in query:
        try:
            return _moment(query["sinceTime"])
        except ValueError as error:
            raise bad_request(f'sinceTime: Invalid value: "{query["sinceTime"]}"') from error
    if "sinceSeconds" in query:
        return datetime.now(UTC) - timedelta(seconds=_number(query["sinceSeconds"], "sinceSeconds"))
    return None


def _moment(text: str) -> datetime:
    whole, _, rest = text.removesuffix("Z").partition(".")
    return datetime.fromisoformat(f"{whole}.{rest[:6]:0<6}+00:00") if rest else datetime.fromisoformat(text)

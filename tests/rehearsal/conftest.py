from __future__ import annotations

import json
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from postdeploy.environment import Environment, load
from rehearsal.world import World
from tests.standin import Stand, kubectl_program, standin

RELEASE = "v2026.47.1"


@pytest.fixture(scope="session")
def environment() -> Environment:
    return load("uk-prod")


@pytest.fixture
def world(environment: Environment) -> World:
    return World.build(environment, RELEASE, seed=7)


@pytest.fixture(scope="session")
def stand() -> Iterator[Stand]:
    with standin("uk-prod") as stand:
        yield stand


@dataclass
class Kubectl:
    """The real kubectl against one stand-in."""

    kubeconfig: Path
    cache: Path
    program: str = field(default_factory=kubectl_program)

    def command(self, *arguments: str) -> list[str]:
        return [self.program, "--kubeconfig", str(self.kubeconfig), "--cache-dir", str(self.cache), *arguments]

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(self.command(*arguments), capture_output=True, text=True, timeout=60, check=False)

    def __call__(self, *arguments: str) -> str:
        done = self.run(*arguments)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def json(self, *arguments: str) -> Any:
        return json.loads(self(*arguments, "-o", "json"))


@pytest.fixture(scope="session")
def new_kubectl(tmp_path_factory: pytest.TempPathFactory) -> Callable[[Stand], Kubectl]:
    return lambda stand: Kubectl(stand.kubeconfig, tmp_path_factory.mktemp("kubectl"))


@pytest.fixture(scope="session")
def kubectl(stand: Stand, new_kubectl: Callable[[Stand], Kubectl]) -> Kubectl:
    return new_kubectl(stand)

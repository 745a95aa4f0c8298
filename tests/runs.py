"""Whole runs of the suite as a user starts them: a process of its own, an archive of its own."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
RELEASE = "v2026.47.1"
WITHOUT_BROWSER = "verify and not journeys"
SIGNING = ("POSTDEPLOY_SIGNING_KEY", "POSTDEPLOY_SIGNING_PUBLIC_KEY", "POSTDEPLOY_UNSIGNED")
CI = ("RELEASE_TAG", "CI_COMMIT_TAG", "KUBECONFIG", "PYTEST_ADDOPTS", "POSTDEPLOY_REPORT", *SIGNING)


@dataclass(frozen=True)
class Ended:
    """A run that came to its end."""

    code: int
    output: str

    @cached_property
    def folder(self) -> Path:
        """Its run folder, as it said."""
        named = re.findall(r"^run folder: (.+)$", self.output, re.MULTILINE)
        assert named, self.output
        return Path(named[-1])

    def read(self, name: str) -> Any:
        """A JSON file of the run folder."""
        return json.loads((self.folder / name).read_bytes())

    @property
    def record(self) -> Any:
        return self.read("run.json")

    @property
    def verdicts(self) -> dict[tuple[str, str], str]:
        """Check id and subject to verdict."""
        return {(each["id"], each["subject"]): each["verdict"] for each in self.read("results.json")}

    def of(self, check: str) -> set[str]:
        """The verdicts of one check over all its subjects."""
        return {verdict for (known, _), verdict in self.verdicts.items() if known == check}

    def of_subjects(self, check: str) -> set[str]:
        """The subjects of one check."""
        return {subject for known, subject in self.verdicts if known == check}

    def messages(self, check: str) -> list[str]:
        return [each["message"] for each in self.read("results.json") if each["id"] == check]


def command(*arguments: str, archive: Path | None = None) -> list[str]:
    """The command line of a run; no cache, and a state of its own, keep parallel runs out of each other's way."""
    base = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", *arguments]
    if archive is None:
        return base
    state = [] if any(each.startswith(("--state", "--replay")) for each in arguments) else [f"--state={archive}.state"]
    return [*base, f"--archive={archive}", *state]


def variables(extra: Mapping[str, str] | None = None) -> dict[str, str]:
    """An environment without what a CI or a developer may have set; no report and no key."""
    kept = {name: value for name, value in os.environ.items() if name not in CI}
    return kept | {"POSTDEPLOY_REPORT": "0", "POSTDEPLOY_UNSIGNED": "1"} | dict(extra or {})


def unmeasured() -> dict[str, str]:
    """The same for a process that gets a signal: one within coverage's own lock would leave it locked for ever."""
    return {name: value for name, value in variables().items() if name != "COVERAGE_PROCESS_CONFIG"}


def run(*arguments: str, archive: Path | None = None, env: Mapping[str, str] | None = None, cwd: Path = ROOT) -> Ended:
    """Run the suite and wait for its end."""
    done = subprocess.run(
        command(*arguments, archive=archive),
        cwd=cwd,
        env=variables(env),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=300,
        check=False,
    )
    return Ended(done.returncode, done.stdout)


def rehearse(*arguments: str, archive: Path, env: Mapping[str, str] | None = None) -> Ended:
    """Verify uk-prod in a rehearsal, without a hold and without a browser, which has tests of its own."""
    return run("-m", WITHOUT_BROWSER, "--env=uk-prod", "--rehearsal", "--hold=0", *arguments, archive=archive, env=env)

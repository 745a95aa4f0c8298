"""A run folder as a source of observations: judged again without network."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from postdeploy import observations
from postdeploy.environment import Environment
from postdeploy.verdict import Carried, Verdict

if TYPE_CHECKING:
    from postdeploy.broker.recording import Recording
    from postdeploy.change.objects import Change
    from postdeploy.cluster.logs.seen import Logs
    from postdeploy.cluster.objects import Snapshot
    from postdeploy.live import Say
    from postdeploy.web.replies import Sweep


class NotARunFolder(Exception):
    """What --replay was given is not a run folder."""


@dataclass
class Replayed:
    """A run folder, judged again without network; raises Unverified for what the run did not look at."""

    folder: Path
    digests: Mapping[str, frozenset[str]] = field(default_factory=dict)
    looks: tuple[Any, ...] = ()
    """No request is made."""

    def cluster(self, say: Say) -> Snapshot:
        """The snapshot as it was saved."""
        snapshot: Snapshot = observations.load("cluster", self.folder)
        return snapshot

    def logs(self, say: Say) -> Logs:
        """What was seen of the logs, as it was saved."""
        logs: Logs = observations.load("logs", self.folder)
        return logs

    def web(self, say: Say) -> Sweep:
        """The sweep as it was saved."""
        sweep: Sweep = observations.load("web", self.folder)
        return sweep

    def change(self, say: Say) -> Change:
        """What was known of the change, as it was saved."""
        change: Change = observations.load("change", self.folder)
        return change

    def exchanges(self) -> Recording:
        """The recorded exchanges, served instead of the network."""
        recording: Recording = observations.load("exchanges", self.folder)
        return recording

    def carried(self, key: tuple[str, str], run_id: str) -> Carried:
        """What the run itself made of a check, to be raised: nobody makes a journey again without a product."""
        try:
            results = json.loads((self.folder / "results.json").read_bytes())
            found = next(each for each in results if (each["id"], each["subject"]) == key)
            return Carried(Verdict(found["verdict"]), f"carried from {run_id}: {found['message'] or found['verdict']}")
        except (OSError, ValueError, KeyError, StopIteration) as error:
            return Carried(Verdict.UNVERIFIED, f"{run_id} holds no result of it: {type(error).__name__}")

    def close(self) -> None:
        """Nothing is open."""


def read_run_folder(folder: Path) -> tuple[Environment, Mapping[str, Any]]:
    """The environment and the run record a folder was made with. Raises NotARunFolder."""
    try:
        environment = Environment.model_validate_json((folder / "environment.json").read_bytes())
        record = json.loads((folder / "run.json").read_bytes())
        missing = {"run_id", "release", "rehearsal", "started"} - record.keys()
    except (OSError, ValueError, AttributeError) as error:
        raise NotARunFolder(_not_a_run_folder(folder, str(error))) from error
    if missing:
        raise NotARunFolder(_not_a_run_folder(folder, f"run.json lacks {', '.join(sorted(missing))}"))
    return environment, record


def _not_a_run_folder(folder: Path, reason: str) -> str:
    return (
        f"{folder} cannot be replayed: {reason}. Give the folder of a run, such as reports/archive/uk-prod/RUN_ID, "
        "with environment.json, run.json and observation/ in it."
    )

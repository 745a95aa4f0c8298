"""A release must still be live at the end of the hold, and what is judged is that last look."""

from __future__ import annotations

from pathlib import Path

from postdeploy.cluster import snapshot
from tests.runs import run


def test_release_is_looked_at_again_after_the_hold(tmp_path: Path) -> None:
    ended = run("-m", "infra", "--env=uk-prod", "--rehearsal", "--hold=0.2", archive=tmp_path)
    assert ended.code == 0, ended.output
    assert "holding 0.2 s" in ended.output
    seen = snapshot.load((ended.folder / "observation/cluster.json.gz").read_bytes())
    assert seen.settled is not None
    assert seen.settled.outcome == "converged"


def test_damaged_observation_leaves_the_replay_unverified(tmp_path: Path) -> None:
    first = run("-m", "infra", "--env=uk-prod", "--rehearsal", "--hold=0", "-k", "lockstep", archive=tmp_path)
    (first.folder / "observation/cluster.json.gz").write_bytes(b"damaged")
    again = run("-m", "infra", f"--replay={first.folder}", "-k", "lockstep", archive=tmp_path)
    assert again.code == 10, again.output
    assert again.of("infra.images.lockstep") == {"unverified"}

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
    assert seen.settled.outcome in ("converged", "already-live")  # a slow machine looks when its rollouts are over
    assert seen.held is not None
    assert seen.held.incidents == ()


def test_what_fell_over_and_recovered_in_the_hold_is_red_and_stays_so_in_a_replay(tmp_path: Path) -> None:
    options = ("-m", "infra", "-k", "stability")
    first = run(*options, "--env=uk-prod", "--rehearsal", "--fault=unready-in-hold", "--hold=1", archive=tmp_path)
    assert first.code == 1, first.output
    assert "in the hold: " in first.output
    assert first.of("infra.stability.held") == {"passed", "failed"}
    assert first.of("infra.stability.restarts") == {"passed"}
    again = run(*options, f"--replay={first.folder}", archive=tmp_path)
    assert again.verdicts == first.verdicts


def test_a_refused_watch_still_sees_by_comparing_lists_what_fell_over(tmp_path: Path) -> None:
    faults = ("--fault=watch-forbidden", "--fault=unready-in-hold")
    ended = run("-m", "infra", "--env=uk-prod", "--rehearsal", *faults, "--hold=0.5", "-k", "held", archive=tmp_path)
    assert ended.code == 1, ended.output
    assert "not read: watch of pods, deployments in crm: 403" in ended.output


def test_without_a_hold_its_check_does_not_apply(tmp_path: Path) -> None:
    ended = run("-m", "infra", "--env=uk-prod", "--rehearsal", "--hold=0", "-k", "held", archive=tmp_path)
    assert ended.code == 0, ended.output
    assert ended.of("infra.stability.held") == {"not-applicable"}


def test_damaged_observation_leaves_the_replay_unverified(tmp_path: Path) -> None:
    first = run("-m", "infra", "--env=uk-prod", "--rehearsal", "--hold=0", "-k", "lockstep", archive=tmp_path)
    (first.folder / "observation/cluster.json.gz").write_bytes(b"damaged")
    again = run("-m", "infra", f"--replay={first.folder}", "-k", "lockstep", archive=tmp_path)
    assert again.code == 10, again.output
    assert again.of("infra.images.lockstep") == {"unverified"}

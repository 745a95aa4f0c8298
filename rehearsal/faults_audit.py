"""Faults of the change: deployments that nobody should have made, and proofs that prove nothing."""

from __future__ import annotations

import time
from datetime import timedelta

from rehearsal.delivery import commit_of
from rehearsal.entry import fault
from rehearsal.front import EVERYWHERE
from rehearsal.gitlab import shifted
from rehearsal.office import DEPLOYER
from rehearsal.scene import Scene

TOKEN, INDEPENDENT, BEFORE = "audit.identity.token", "audit.approval.independent", "audit.approval.before"


@fault(INDEPENDENT)
def self_approved(scene: Scene) -> None:
    """Who deployed the release approved it too."""
    scene.world.office.newest.approvals[0].by = DEPLOYER


@fault(INDEPENDENT)
def approved_by_nobody(scene: Scene) -> None:
    """The approval rule was taken away, and nobody approved."""
    scene.world.office.newest.approvals.clear()


@fault(INDEPENDENT, "unverified")
def gitlab_away(scene: Scene) -> None:
    """GitLab answers 502 to every question."""
    scene.world.office.unreachable = True


@fault(BEFORE)
def approved_afterwards(scene: Scene) -> None:
    """The approval was given an hour after the deployment had begun."""
    newest = scene.world.office.newest
    newest.approvals[0].at = newest.began + timedelta(hours=1)


@fault(BEFORE)
def approved_another_commit(scene: Scene) -> None:
    """The tag was moved: what was approved and deployed is another commit than the release names."""
    scene.world.office.newest.sha = commit_of("moved")


@fault("audit.ticket.present")
def no_ticket(scene: Scene) -> None:
    """The change has no ticket."""
    scene.world.office.said["ticket"] = ""


@fault("audit.suite.clean")
def suite_edited(scene: Scene) -> None:
    """A check was edited on the runner."""
    scene.world.office.suite_dirty = True


@fault(TOKEN)
def token_forged(scene: Scene) -> None:
    """The job's token is signed by a key that GitLab does not have, under the name of one that it has."""
    scene.world.office.token_forged = True


@fault(TOKEN)
def token_of_another_environment(scene: Scene) -> None:
    """The job runs for staging and verifies production."""
    scene.world.office.token["environment"] = "stage"


@fault(TOKEN)
def token_ended(scene: Scene) -> None:
    """The job's token ended an hour before."""
    scene.world.office.token["exp"] = int(time.time()) - 3600


@fault(TOKEN, "unverified")
def token_missing(scene: Scene) -> None:
    """The job asks for no id_token."""
    scene.world.office.token_missing = True


@fault("audit.clock.skew")
def clock_behind(scene: Scene) -> None:
    """The runner's clock is ten minutes behind everybody else's."""
    scene.world.office.clock_s = 600
    scene.world.front.bend(EVERYWHERE, EVERYWHERE, shifted(600))

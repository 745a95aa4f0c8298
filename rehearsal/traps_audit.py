"""Changes that look odd and are as they should be."""

from __future__ import annotations

import time
from datetime import timedelta

from rehearsal.delivery import commit_of
from rehearsal.entry import trap
from rehearsal.front import EVERYWHERE
from rehearsal.gitlab import shifted
from rehearsal.office import DEPLOYER, TICKET, Approval
from rehearsal.scene import Scene


@trap("audit.approval.independent")
def deployer_approved_too(scene: Scene) -> None:
    """Who deployed the release approved it as well, beside somebody else."""
    newest = scene.world.office.newest
    newest.approvals.append(Approval(DEPLOYER, newest.began - timedelta(minutes=5)))


@trap("audit.approval.before")
def approved_again_afterwards(scene: Scene) -> None:
    """A second approval came late, after the first had let the deployment begin."""
    newest = scene.world.office.newest
    newest.approvals.append(Approval("bea.late", newest.began + timedelta(hours=1)))


@trap("audit.ticket.present")
def ticket_in_the_approval(scene: Scene) -> None:
    """The ticket is named in the approval's comment alone."""
    scene.world.office.said["ticket"] = ""
    scene.world.office.newest.approvals[0].comment = f"as discussed in {TICKET}"


@trap("audit.suite.clean")
def suite_at_an_older_commit(scene: Scene) -> None:
    """The checks are of a commit of their own, which is not the release's."""
    scene.world.office.suite_commit = commit_of(scene.previous)


@trap("audit.identity.token")
def token_just_ended(scene: Scene) -> None:
    """The job waited for its runner: its token ended some seconds before, within what clocks may differ."""
    scene.world.office.token["exp"] = int(time.time()) - 2


@trap("audit.clock.skew")
def one_clock_wrong(scene: Scene) -> None:
    """GitLab's clock is an hour ahead; ours and the product's agree."""
    scene.world.office.clock_s = 3600


@trap("audit.clock.skew")
def date_of_a_cache(scene: Scene) -> None:
    """A content network answers from its cache, with the Date of when it was filled, and its Age."""
    scene.world.front.bend(EVERYWHERE, EVERYWHERE, shifted(-900, age_s=900))

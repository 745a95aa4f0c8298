"""What GitLab has on its books in a rehearsal: who deployed, who approved and when. The default is well."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from rehearsal.builders import earlier
from rehearsal.delivery import commit_of

if TYPE_CHECKING:
    from rehearsal.world import World

DEPLOYER, APPROVER, TICKET = "dora.deploys", "ann.approves", "CHG-20471"


@dataclass
class Approval:
    """One person's word."""

    by: str
    at: datetime
    comment: str = ""


@dataclass
class Deployed:
    """One deployment, of whatever environment of the project."""

    id: int
    iid: int
    environment: str
    ref: str
    sha: str
    by: str
    created: datetime
    began: datetime
    pipeline: int
    approvals: list[Approval] = field(default_factory=list)


class Office:
    """The project's deployments, and what the job of this one brings."""

    def __init__(self, world: World) -> None:
        declared = world.environment.change
        self.name = (declared.gitlab.environment if declared else None) or world.environment.name
        self.deployed = [
            self._one(world, 3, world.born_at, self.name),
            self._one(world, 2, world.previous_at - timedelta(days=1), "stage"),
            self._one(world, 1, world.previous_at, self.name),
            self._one(world, 0, world.rollout_at - timedelta(minutes=1), self.name),
        ]
        for number, each in enumerate(self.deployed):
            each.id, each.iid, each.pipeline = 5100 + number, 400 + number, 77_000 + number
        self.said = {"actor": DEPLOYER, "ticket": TICKET, "pipeline": str(self.deployed[-1].pipeline)}
        self.suite_commit = commit_of("the suite")
        self.suite_dirty = False
        self.unreachable = False
        self.clock_s = 0.0
        """How far this GitLab's clock is ahead."""
        self.token: dict[str, object] = {}
        """Claims of the id_token that are other than they should be."""
        self.token_forged = False
        self.token_missing = False

    @property
    def newest(self) -> Deployed:
        """The deployment of this release."""
        return self.deployed[-1]

    @staticmethod
    def _one(world: World, step: int, at: datetime, environment: str) -> Deployed:
        release = earlier(world.release, step) if step else world.release
        asked = at - timedelta(minutes=50)
        made = Deployed(0, 0, environment, release, commit_of(release), DEPLOYER, asked, at, 0)
        made.approvals = [Approval(APPROVER, at - timedelta(minutes=20), "checked with the desk")]
        return made

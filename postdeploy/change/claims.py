"""Claims about the change: who ran it, who allowed it and when, by which ticket, with which checks, when. Pure."""

from __future__ import annotations

import re
from datetime import datetime
from statistics import median

from postdeploy.change.objects import Approval, Change, Identity
from postdeploy.environment import Environment
from postdeploy.environment.change import Change as Declared
from postdeploy.verdict import Judgement, NotApplicable, State

SOFT_SKEW_S, HARD_SKEW_S = 2.0, 30.0
"""Between our clock and the others': what is said, and from where on no time of ours proves anything."""
FEWEST = 2
"""Witnesses of the time: one clock alone could be the wrong one."""
NO_APPROVAL = "the deployment ran without anybody's approval, or the approval rule of the environment was taken away"


class ChangeClaims:
    """Judges a change; everything that is asked for has been looked at once."""

    def __init__(self, change: Change, environment: Environment, release: str) -> None:
        self.change, self.environment, self.release = change, environment, release

    @property
    def _declared(self) -> Declared:
        if self.environment.change is None:
            raise NotApplicable(f"{self.environment.name} declares no change control")
        return self.environment.change

    def identity(self) -> Judgement:
        """GitLab's signature says which job this is, and it is the one of this deployment."""
        change, declared = self.change, self._declared
        claim = f"GitLab's signed token says who runs this job for {self.environment.name}"
        where = f"the job's id_token (POSTDEPLOY_ID_TOKEN), issued by https://{declared.gitlab.host}"
        if not declared.identity:
            return Judgement(State.NOT_APPLICABLE, claim, "the environment asks for no token")
        if change.identity_wrong:
            cause = "a token of another project or another GitLab, an old one, or a key set that was not renewed"
            return Judgement(State.FAILED, claim, change.identity_wrong, where, cause)
        if change.identity is None:
            cause = "id_tokens: is missing in the job (docs/auditors.md shows it)"
            return Judgement(State.UNVERIFIED, claim, change.identity_unknown, where, cause)
        wrong = self._strange(change.identity, declared)
        if wrong:
            cause = "the job runs for another environment, project or commit than it verifies"
            return Judgement(State.FAILED, claim, "; ".join(wrong), where, cause)
        return Judgement(State.PASSED, claim, f"{change.identity.user_login}, job {change.identity.job_id}")

    def _strange(self, identity: Identity, declared: Declared) -> list[str]:
        name = declared.gitlab.environment or self.environment.name
        pairs = {
            "project": (identity.project_path, declared.gitlab.project),
            "environment": (identity.environment, name),
            "commit": (identity.sha, self.change.commit or identity.sha),
            "protected ref": (identity.ref_protected, "true"),
        }
        return [
            f"{what} is {seen!r}, expected {expected!r}" for what, (seen, expected) in pairs.items() if seen != expected
        ]

    def independent(self) -> Judgement:
        """Somebody else than who deployed has approved."""
        claim = f"the deployment of {self.release} was approved by somebody else than who deployed it"
        where, approvals = self._where(), self._approvals()
        deployer = self._deployer()
        if approvals is None:
            return Judgement(State.UNVERIFIED, claim, self._blind(), where, "GitLab's token, or POSTDEPLOY_APPROVER")
        if not deployer:
            return Judgement(
                State.UNVERIFIED, claim, "who deployed is not known", where, "GITLAB_USER_LOGIN is not set"
            )
        if any(each.status == "rejected" for each in approvals):
            who = ", ".join(each.by for each in approvals if each.status == "rejected")
            return Judgement(State.FAILED, claim, f"{who} rejected it", where, "it was deployed all the same")
        names = sorted({each.by for each in approvals if each.status == "approved"})
        others = [each for each in names if each.casefold() != deployer.casefold()]
        if others:
            return Judgement(State.PASSED, claim, f"deployed by {deployer}, approved by {', '.join(others)}")
        seen = f"deployed and approved by {deployer}" if names else f"deployed by {deployer}, approved by nobody"
        cause = "self-approval is allowed in the environment's rules" if names else NO_APPROVAL
        return Judgement(State.FAILED, claim, seen, where, cause)

    def before(self) -> Judgement:
        """The approval came first, and was for this commit."""
        claim = f"{self.release} was approved before it was deployed, and for this commit"
        where, approvals, deployment = self._where(), self._approvals(), self.change.deployment
        if approvals is None or deployment is None or deployment.began is None:
            seen = self._blind() if deployment is None else "when the deployment began is not known"
            return Judgement(
                State.UNVERIFIED, claim, seen, where, "GitLab's token, or a deployment of another pipeline"
            )
        if not self.change.commit:
            cause = "RELEASE_COMMIT says it, or the tag's own pipeline"
            return Judgement(State.UNVERIFIED, claim, "which commit the release is was not said", where, cause)
        if deployment.sha != self.change.commit:
            seen = f"approved for {deployment.sha[:12]}, the release is {self.change.commit[:12]}"
            return Judgement(State.FAILED, claim, seen, where, "the tag was moved, or another pipeline deployed it")
        given = [each for each in approvals if each.status == "approved"]
        if not given:
            return Judgement(State.FAILED, claim, "approved by nobody", where, NO_APPROVAL)
        if any(each.at is not None and each.at <= deployment.began for each in given):
            return Judgement(State.PASSED, claim, f"began {_utc(deployment.began)}, {_told(given)}")
        seen = f"began {_utc(deployment.began)}, {_told(given)}"
        return Judgement(State.FAILED, claim, seen, where, "it was deployed first and approved afterwards")

    def ticket(self) -> Judgement:
        """A change ticket belongs to it."""
        pattern = self._declared.ticket
        claim = f"a change ticket ({pattern}) belongs to the deployment of {self.release}"
        comments = [each.comment for each in self._approvals() or ()]
        found = re.fullmatch(pattern, self.change.said.ticket)
        named = found or next((hit for each in comments if (hit := re.search(rf"\b(?:{pattern})\b", each))), None)
        if named:
            return Judgement(State.PASSED, claim, named[0])
        seen = f"POSTDEPLOY_TICKET is {self.change.said.ticket!r}, and no approval's comment names one"
        if self.change.gitlab_unknown and not self.change.said.ticket:
            return Judgement(State.UNVERIFIED, claim, f"{seen}; {self.change.gitlab_unknown}", self._where())
        return Judgement(
            State.FAILED, claim, seen, self._where(), "an emergency change: enter its ticket, and run again"
        )

    def suite(self) -> Judgement:
        """The checks that judge are those of a commit."""
        claim = "the checks are those of a commit, unaltered"
        change = self.change
        if change.suite_dirty is None or change.suite_commit in ("", "unknown"):
            seen = "the commit of the checks is not known"
            return Judgement(State.UNVERIFIED, claim, seen, "git status in the suite's checkout", "it is no checkout")
        if change.suite_dirty:
            seen = f"the checkout of {change.suite_commit[:12]} has changes that are not committed"
            cause = "a check was edited on the runner, or a file was left there by another job"
            return Judgement(State.FAILED, claim, seen, "git status in the suite's checkout", cause)
        return Judgement(State.PASSED, claim, change.suite_commit)

    def clock(self) -> Judgement:
        """Our clock is that of several others."""
        claim = "the runner's clock agrees with several others"
        seen = "; ".join(
            f"{each.name}: {each.problem}" if each.skew_s is None else f"{each.name}: {_ahead(each.skew_s)}"
            for each in self.change.witnesses
        )
        where = "the Date of each answer, on the runner: chronyc tracking, or timedatectl"
        skews = [each.skew_s for each in self.change.witnesses if each.skew_s is not None]
        near = median(skews) if skews else 0.0
        agreeing = [each for each in skews if abs(each - near) <= SOFT_SKEW_S]
        if len(agreeing) < FEWEST:
            cause = "no two clocks agree" if len(skews) >= FEWEST else "fewer than two clocks could be asked"
            return Judgement(State.UNVERIFIED, claim, seen or "nobody was asked", where, cause)
        skew = median(agreeing)
        if abs(skew) > HARD_SKEW_S:
            return Judgement(State.FAILED, claim, seen, where, "the runner's time is not synchronised")
        state = State.DEGRADED if abs(skew) > SOFT_SKEW_S else State.PASSED
        return Judgement(state, claim, seen, where if state is State.DEGRADED else "")

    def _approvals(self) -> tuple[Approval, ...] | None:
        """GitLab's, else the variables' word; None where nobody says anything."""
        change = self.change
        if change.deployment is not None and change.deployment.approvals is not None:
            return change.deployment.approvals
        if not change.said.approver:
            return None
        try:
            at = datetime.fromisoformat(change.said.approved_at) if change.said.approved_at else None
        except ValueError:
            at = None
        at = at if at is not None and at.tzinfo is not None else None
        return (Approval(by=change.said.approver, status="approved", at=at),)

    def _deployer(self) -> str:
        change = self.change
        if change.deployment is not None and change.deployment.by:
            return change.deployment.by
        return change.identity.user_login if change.identity else change.said.actor

    def _blind(self) -> str:
        change = self.change
        if change.gitlab_unknown:
            return change.gitlab_unknown
        if change.deployment is None:
            return "GitLab knows no deployment of this pipeline or commit in this environment"
        return "this GitLab tells of no approvals, and POSTDEPLOY_APPROVER is not set"

    def _where(self) -> str:
        change, gitlab = self.change, self._declared.gitlab
        if change.deployment is None:
            return f"https://{gitlab.host}/{gitlab.project}/-/environments"
        number = f"deployment {change.deployment.iid} of {gitlab.project} in {gitlab.host}"
        return f"{number}\n{change.deployment.pipeline_url}" if change.deployment.pipeline_url else number


def _utc(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M:%S} UTC"


def _told(approvals: list[Approval]) -> str:
    return "; ".join(f"{each.by} approved {_utc(each.at) if each.at else 'at a time not told'}" for each in approvals)


def _ahead(seconds: float) -> str:
    return f"we are {abs(seconds):.1f} s {'ahead' if seconds > 0 else 'behind'}"

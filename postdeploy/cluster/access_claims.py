"""Claims about our own identity: it may read all that is looked at, and could change nothing."""

from __future__ import annotations

from collections.abc import Sequence

from postdeploy.cluster.harm import gravity
from postdeploy.cluster.objects import Access, Snapshot
from postdeploy.cluster.objects_access import Right
from postdeploy.cluster.preflight import in_words
from postdeploy.cluster.ruling import Ruling, degraded, passed, unverified
from postdeploy.environment import Environment
from postdeploy.verdict import Judgement, State

SHOWN = 3
"""Of how many resources what could be done to them is said."""
ONE_BY_ONE = ", each asked for on its own since the authorizer cannot enumerate its rules"
LACKING = (
    "A RoleBinding of docs/rbac.yaml is absent in that namespace, is older than this suite, or binds another identity; "
    "on GKE the IAM role may lack it too."
)
TOO_MUCH = (
    "The runner uses a deployer's or an administrator's identity: bind one of its own to docs/rbac.yaml alone, so that "
    "whoever reads the record knows that the verifier could not have changed what it verified."
)


class AccessClaims:
    """Both claims about the identity of one run."""

    def __init__(self, snapshot: Snapshot, environment: Environment, release: str) -> None:
        self._access = snapshot.access
        self._environment = environment

    def read(self) -> Judgement:
        """The identity has every right that looking takes; what it lacks is said in one message."""
        return self._judge("our identity may read all that this run looks at", self._read())

    def readonly(self) -> Judgement:
        """The identity could change nothing; one that could is a finding about us, not about the release."""
        return self._judge("our identity can change nothing, enter no pod and read no secret", self._readonly())

    def _read(self) -> Ruling:
        if isinstance(access := self._asked(), Ruling):
            return access
        if access.missing:
            return unverified(f"missing: {in_words(access.missing)}", LACKING)
        return passed("every right needed is there" + (ONE_BY_ONE if access.incomplete else ""))

    def _readonly(self) -> Ruling:
        if isinstance(access := self._asked(), Ruling):
            return access
        if access.could_write:
            return degraded(f"it could {_gravest(access.could_write)}", TOO_MUCH)
        return passed("none of these rights is there" + (ONE_BY_ONE if access.incomplete else ""))

    def _asked(self) -> Access | Ruling:
        if self._access is None:
            return unverified(
                "nobody asked what the identity may do",
                "The observation was made by an older suite, or the look at the cluster ended before.",
            )
        if self._access.refused:
            return unverified(
                f"the self-subject reviews were not answered ({self._access.refused})",
                "The ClusterRole system:basic-user, which every authenticated user has, was taken away.",
            )
        return self._access

    def _judge(self, claim: str, ruling: Ruling) -> Judgement:
        context = self._environment.cluster.context
        where = f"the user of context {context}; kubectl auth can-i --list -n NAMESPACE; docs/rbac.yaml"
        is_quiet = ruling.state is State.PASSED
        return Judgement(ruling.state, claim, ruling.seen, "" if is_quiet else where, ruling.cause)


def _gravest(rights: Sequence[Right]) -> str:
    """What does most harm in words, and how many other rights there are."""
    ordered = sorted(rights, key=gravity)
    named = list(dict.fromkeys(each.whole for each in ordered))[:SHOWN]
    rest = sum(each.whole not in named for each in ordered)
    said = in_words(each for each in ordered if each.whole in named)
    return said + (f"; and {rest} other rights to more than look" if rest else "")

"""What our own identity may do in the cluster, as it was asked at the start of a run."""

from postdeploy.cluster.objects_base import Record

RULES_REVIEW = "/apis/authorization.k8s.io/v1/selfsubjectrulesreviews"
ACCESS_REVIEW = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"
REVIEWS = {RULES_REVIEW: "SelfSubjectRulesReview", ACCESS_REVIEW: "SelfSubjectAccessReview"}
"""The only two paths ever POSTed to, and the kind each takes: questions about ourselves, which create nothing."""


class Right(Record, frozen=True):
    """One verb on one resource in one namespace, as the authorizer is asked for it."""

    verb: str
    resource: str
    """Plural, with its subresource where one is meant: `pods/log`."""
    group: str = ""
    namespace: str = ""
    name: str = ""
    """The one object that is meant; empty for any."""

    @property
    def whole(self) -> str:
        """The resource as kubectl names it, `cronjobs.batch`; the object too where one is meant."""
        plural = f"{self.resource}.{self.group}" if self.group else self.resource
        return f"{plural}/{self.name}" if self.name else plural


class Access(Record, frozen=True):
    """What the identity lacks for looking, and what it could do beyond."""

    missing: tuple[Right, ...] = ()
    could_write: tuple[Right, ...] = ()
    """What it holds of the rights that a verifier must not have."""
    incomplete: bool = False
    """Whether the authorizer cannot enumerate its rules, so that each right was asked for on its own."""
    refused: str = ""
    """Why nothing of this could be asked; empty when it could."""

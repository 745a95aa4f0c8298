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


class Rule(Record, frozen=True):
    """One rule the identity holds in a namespace."""

    verbs: tuple[str, ...] = ()
    api_groups: tuple[str, ...] = ()
    resources: tuple[str, ...] = ()
    resource_names: tuple[str, ...] = ()

    def allows(self, right: Right) -> bool:
        """Whether the rule grants it, by the matching rules of RBAC."""
        sub = right.resource.partition("/")[2]
        resources = {"*", right.resource, f"*/{sub}" if sub else right.resource}
        return (
            bool({"*", right.verb} & {*self.verbs})
            and bool({"*", right.group} & {*self.api_groups})
            and bool(resources & {*self.resources})
            and (not self.resource_names or right.name in self.resource_names)
        )


class Access(Record, frozen=True):
    """What the identity lacks for looking, and what it could do beyond."""

    missing: tuple[Right, ...] = ()
    could_write: tuple[Right, ...] = ()
    """What it holds of the rights that a verifier must not have."""
    incomplete: bool = False
    """Whether the authorizer cannot enumerate its rules, so that each right was asked for on its own."""
    refused: str = ""
    """Why nothing of this could be asked; empty when it could."""

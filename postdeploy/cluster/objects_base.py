"""What every Kubernetes object has, read narrowly: a field that no rule asserts on does not exist here."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Annotated, Any

import msgspec

Time = Annotated[datetime, msgspec.Meta(tz=True)]
"""A moment with its zone; Kubernetes always writes UTC."""


class Record(msgspec.Struct, rename="camel", frozen=True, gc=False, omit_defaults=True):
    """A frozen value read from JSON; unknown keys are dropped, so secrets in them never reach memory."""


class Owner(Record, frozen=True):
    """One entry of metadata.ownerReferences."""

    kind: str = ""
    name: str = ""
    uid: str = ""
    controller: bool = False


class Annotations(Record, frozen=True):
    """The few annotations that rules read; all others are dropped."""

    revision: str = msgspec.field(default="", name="deployment.kubernetes.io/revision")
    template_generation: str = msgspec.field(default="", name="deprecated.daemonset.template.generation")
    workload_generation: str = msgspec.field(default="", name="rollout.argoproj.io/workload-generation")
    rollout_revision: str = msgspec.field(default="", name="rollout.argoproj.io/revision")
    """What an Argo Rollout and its ReplicaSets carry in place of a Deployment's revision."""
    hpa_conditions: str = msgspec.field(default="", name="autoscaling.alpha.kubernetes.io/conditions")
    """autoscaling/v1 keeps the conditions of an autoscaler here, as JSON."""


class Meta(Record, frozen=True):
    """metadata of an object."""

    name: str = ""
    generate_name: str = ""
    namespace: str = ""
    uid: str = ""
    resource_version: str = ""
    generation: int | None = None
    creation_timestamp: Time | None = None
    deletion_timestamp: Time | None = None
    deletion_grace_period_seconds: int = 0
    """Of these the deletion_timestamp is the end."""
    labels: dict[str, str] = msgspec.field(default_factory=dict)
    annotations: Annotations = Annotations()
    owner_references: tuple[Owner, ...] = ()
    finalizers: tuple[str, ...] = ()

    @property
    def controller(self) -> Owner | None:
        """The owner that manages the object: the one marked as controller, else the only one."""
        for owner in self.owner_references:
            if owner.controller:
                return owner
        return self.owner_references[0] if len(self.owner_references) == 1 else None


class Condition(Record, frozen=True):
    """One entry of status.conditions."""

    type: str
    status: str = "Unknown"
    reason: str = ""
    message: str = ""
    last_transition_time: Time | None = None
    last_update_time: Time | None = None
    observed_generation: int | None = None

    @property
    def is_true(self) -> bool:
        """Whether the status is True."""
        return self.status == "True"

    @property
    def is_false(self) -> bool:
        """Whether the status is False."""
        return self.status == "False"

    def __str__(self) -> str:
        text = f"{self.type}={self.status}"
        return text + (f" ({self.reason})" if self.reason else "") + (f": {self.message}" if self.message else "")


def condition(conditions: tuple[Condition, ...], kind: str) -> Condition | None:
    """The condition of this type, if there is one."""
    for each in conditions:
        if each.type == kind:
            return each
    return None


class Expression(Record, frozen=True):
    """One requirement of a label selector."""

    key: str = ""
    operator: str = ""
    values: tuple[str, ...] = ()

    def holds(self, labels: Mapping[str, str]) -> bool:
        """As Kubernetes has it: NotIn also holds where there is no such label."""
        match self.operator:
            case "In":
                return labels.get(self.key) in self.values
            case "NotIn":
                return labels.get(self.key) not in self.values
            case "Exists":
                return self.key in labels
            case "DoesNotExist":
                return self.key not in labels
        return False


class Selector(Record, frozen=True):
    """A label selector: all of its labels and all of its expressions must hold."""

    match_labels: dict[str, str] = msgspec.field(default_factory=dict)
    match_expressions: tuple[Expression, ...] = ()

    def matches(self, labels: Mapping[str, str]) -> bool:
        """Whether these labels satisfy it; an empty selector matches nothing."""
        return bool(self.match_labels or self.match_expressions) and (
            all(labels.get(key) == value for key, value in self.match_labels.items())
            and all(each.holds(labels) for each in self.match_expressions)
        )


class Reference(Record, frozen=True):
    """A pointer at another object (involvedObject, targetRef, scaleTargetRef, workloadRef)."""

    kind: str = ""
    namespace: str = ""
    name: str = ""
    uid: str = ""


def without_nulls(value: Any) -> Any:
    """The same data with null treated as absent and dates as text, for dumps that a strict reader refuses."""
    match value:
        case dict():
            return {key: without_nulls(each) for key, each in value.items() if each is not None}
        case list():
            return [without_nulls(each) for each in value if each is not None]
        case datetime():
            moment = value if value.tzinfo else value.replace(tzinfo=UTC)
            return moment.astimezone(UTC).isoformat()
        case _:
            return value

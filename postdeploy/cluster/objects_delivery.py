"""What delivers a release: Flux sources, Kustomizations, HelmReleases and image policies; Argo Rollouts; Flagger."""

from typing import ClassVar

import msgspec

from postdeploy.cluster.objects_base import Condition, Meta, Record, Reference, Selector, Time
from postdeploy.cluster.objects_pods import PodTemplate


class Artifact(Record, frozen=True):
    """What a source has fetched."""

    revision: str = ""
    digest: str = ""
    last_update_time: Time | None = None


class HelmTest(Record, frozen=True):
    """Whether a HelmRelease's tests count."""

    enable: bool = False
    ignore_failures: bool = False


class HelmAction(Record, frozen=True):
    """How Helm installs or upgrades."""

    disable_hooks: bool = False


class InventoryEntry(Record, frozen=True):
    """One object that a Kustomization has applied: `namespace_name_group_Kind`."""

    id: str = ""


class Inventory(Record, frozen=True):
    """What a Kustomization has applied at its revision."""

    entries: tuple[InventoryEntry, ...] = ()


class FluxSpec(Record, frozen=True):
    """What the kinds of Flux have in common in spec."""

    suspend: bool = False
    wait: bool = False
    health_checks: tuple[Reference, ...] = ()
    source_ref: Reference = Reference()
    test: HelmTest = HelmTest()
    install: HelmAction = HelmAction()
    upgrade: HelmAction = HelmAction()
    type: str = ""
    """Of a HelmRepository: `oci` has no artifact and, since 2.1, no status."""


class HelmHistory(Record, frozen=True):
    """One entry of status.history: a release of Helm, newest first, or a revision that a Kustomization applied."""

    chart_version: str = ""
    app_version: str = ""
    status: str = ""
    version: int = 0
    last_deployed: Time | None = None
    first_reconciled: Time | None = None
    metadata: dict[str, str] = msgspec.field(default_factory=dict)
    """Of a Kustomization's entry: `revision` is what it applied."""


class ImageChoice(Record, frozen=True):
    """The image that an ImagePolicy has chosen."""

    name: str = ""
    tag: str = ""
    digest: str = ""


class FluxStatus(Record, frozen=True):
    """What the kinds of Flux have in common in status."""

    observed_generation: int | None = None
    conditions: tuple[Condition, ...] = ()
    artifact: Artifact | None = None
    last_applied_revision: str = ""
    last_attempted_revision: str = ""
    history: tuple[HelmHistory, ...] = ()
    inventory: Inventory = Inventory()
    failures: int = 0
    latest_image: str = ""
    """Of an ImagePolicy before Flux 2.5."""
    latest_ref: ImageChoice = ImageChoice()


class FluxObject(Record, frozen=True):
    """Any object of Flux; its kind is given beside it."""

    kind: str = ""
    metadata: Meta = Meta()
    spec: FluxSpec = FluxSpec()
    status: FluxStatus = FluxStatus()


class RolloutStrategy(Record, frozen=True):
    """Which of the two strategies is declared."""

    blue_green: dict[str, object] | None = None
    canary: dict[str, object] | None = None

    @property
    def keeps_the_old_stack(self) -> bool:
        """Whether old pods stay up for a while after the switch: where traffic is routed, not pods replaced."""
        return self.blue_green is not None or bool(self.canary and self.canary.get("trafficRouting"))


class RolloutSpec(Record, frozen=True):
    """spec of an Argo Rollout."""

    replicas: int = 1
    paused: bool = False
    workload_ref: Reference | None = None
    min_ready_seconds: int = 0
    selector: Selector = Selector()
    strategy: RolloutStrategy | None = None
    template: PodTemplate = PodTemplate()


class BlueGreenStatus(Record, frozen=True):
    """Where the active Service of a blue-green Rollout points."""

    active_selector: str = ""
    preview_selector: str = ""


class PauseCondition(Record, frozen=True):
    """Why the controller paused."""

    reason: str = ""


class RolloutStatus(Record, frozen=True):
    """status of an Argo Rollout."""

    abort: bool = False
    observed_generation: str | int = ""
    """A string, unlike everywhere else."""
    workload_observed_generation: str | int = ""
    phase: str = ""
    message: str = ""
    controller_pause: bool = False
    pause_conditions: tuple[PauseCondition, ...] = ()
    current_pod_hash: str = ""
    stable_rs: str = msgspec.field(default="", name="stableRS")
    blue_green: BlueGreenStatus = BlueGreenStatus()
    replicas: int = 0
    updated_replicas: int = 0
    ready_replicas: int = 0
    available_replicas: int = 0
    conditions: tuple[Condition, ...] = ()


class Rollout(Record, frozen=True):
    """An Argo Rollout."""

    KIND: ClassVar[str] = "Rollout"

    metadata: Meta = Meta()
    spec: RolloutSpec = RolloutSpec()
    status: RolloutStatus = RolloutStatus()


class CanarySpec(Record, frozen=True):
    """spec of a Flagger Canary."""

    target_ref: Reference = Reference()
    suspend: bool = False


class CanaryStatus(Record, frozen=True):
    """status of a Flagger Canary."""

    phase: str = ""
    canary_weight: int = 0
    failed_checks: int = 0
    last_applied_spec: str = ""
    last_promoted_spec: str = ""
    conditions: tuple[Condition, ...] = ()


class Canary(Record, frozen=True):
    """A Flagger Canary."""

    KIND: ClassVar[str] = "Canary"

    metadata: Meta = Meta()
    spec: CanarySpec = CanarySpec()
    status: CanaryStatus = CanaryStatus()

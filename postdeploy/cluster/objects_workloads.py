"""Deployments, StatefulSets, DaemonSets, ReplicaSets, Jobs and CronJobs."""

from typing import ClassVar

from postdeploy.cluster.objects_base import Condition, Meta, Record, Reference, Selector, Time, condition
from postdeploy.cluster.objects_pods import PodTemplate


class Rolling(Record, frozen=True):
    """The rollingUpdate part of an update strategy."""

    partition: int | None = None
    max_unavailable: int | str | None = None
    max_surge: int | str | None = None


class Strategy(Record, frozen=True):
    """How a workload replaces its pods."""

    type: str = "RollingUpdate"
    rolling_update: Rolling = Rolling()


class DeploymentSpec(Record, frozen=True):
    """spec of a Deployment."""

    replicas: int = 1
    paused: bool = False
    min_ready_seconds: int = 0
    selector: Selector = Selector()
    strategy: Strategy = Strategy()
    template: PodTemplate = PodTemplate()


class DeploymentStatus(Record, frozen=True):
    """status of a Deployment."""

    observed_generation: int | None = None
    replicas: int = 0
    updated_replicas: int = 0
    ready_replicas: int = 0
    available_replicas: int = 0
    unavailable_replicas: int = 0
    terminating_replicas: int = 0
    conditions: tuple[Condition, ...] = ()


class Deployment(Record, frozen=True):
    """A Deployment."""

    KIND: ClassVar[str] = "Deployment"

    metadata: Meta = Meta()
    spec: DeploymentSpec = DeploymentSpec()
    status: DeploymentStatus = DeploymentStatus()

    def condition(self, kind: str) -> Condition | None:
        """The condition of this type."""
        return condition(self.status.conditions, kind)


class ReplicaSetSpec(Record, frozen=True):
    """spec of a ReplicaSet."""

    replicas: int = 1
    selector: Selector = Selector()
    template: PodTemplate = PodTemplate()


class ReplicaSetStatus(Record, frozen=True):
    """status of a ReplicaSet."""

    observed_generation: int | None = None
    replicas: int = 0
    fully_labeled_replicas: int = 0
    ready_replicas: int = 0
    available_replicas: int = 0
    terminating_replicas: int = 0
    conditions: tuple[Condition, ...] = ()


class ReplicaSet(Record, frozen=True):
    """A ReplicaSet: one revision of a Deployment."""

    KIND: ClassVar[str] = "ReplicaSet"

    metadata: Meta = Meta()
    spec: ReplicaSetSpec = ReplicaSetSpec()
    status: ReplicaSetStatus = ReplicaSetStatus()


class StatefulSetSpec(Record, frozen=True):
    """spec of a StatefulSet."""

    replicas: int = 1
    min_ready_seconds: int = 0
    selector: Selector = Selector()
    update_strategy: Strategy = Strategy()
    template: PodTemplate = PodTemplate()


class StatefulSetStatus(Record, frozen=True):
    """status of a StatefulSet."""

    observed_generation: int | None = None
    replicas: int = 0
    current_replicas: int = 0
    updated_replicas: int = 0
    ready_replicas: int = 0
    available_replicas: int | None = None
    """Absent on API servers before 1.22."""
    current_revision: str = ""
    update_revision: str = ""
    conditions: tuple[Condition, ...] = ()


class StatefulSet(Record, frozen=True):
    """A StatefulSet."""

    KIND: ClassVar[str] = "StatefulSet"

    metadata: Meta = Meta()
    spec: StatefulSetSpec = StatefulSetSpec()
    status: StatefulSetStatus = StatefulSetStatus()


class DaemonSetSpec(Record, frozen=True):
    """spec of a DaemonSet."""

    min_ready_seconds: int = 0
    selector: Selector = Selector()
    update_strategy: Strategy = Strategy()
    template: PodTemplate = PodTemplate()


class DaemonSetStatus(Record, frozen=True):
    """status of a DaemonSet."""

    observed_generation: int | None = None
    desired_number_scheduled: int = 0
    current_number_scheduled: int = 0
    updated_number_scheduled: int = 0
    number_available: int = 0
    number_ready: int = 0
    number_misscheduled: int = 0
    conditions: tuple[Condition, ...] = ()


class DaemonSet(Record, frozen=True):
    """A DaemonSet."""

    KIND: ClassVar[str] = "DaemonSet"

    metadata: Meta = Meta()
    spec: DaemonSetSpec = DaemonSetSpec()
    status: DaemonSetStatus = DaemonSetStatus()


class JobSpec(Record, frozen=True):
    """spec of a Job."""

    suspend: bool = False
    completions: int | None = None
    backoff_limit: int = 6
    ttl_seconds_after_finished: int | None = None
    template: PodTemplate = PodTemplate()


class JobStatus(Record, frozen=True):
    """status of a Job."""

    active: int = 0
    ready: int = 0
    succeeded: int = 0
    failed: int = 0
    terminating: int = 0
    start_time: Time | None = None
    completion_time: Time | None = None
    conditions: tuple[Condition, ...] = ()


class Job(Record, frozen=True):
    """A Job."""

    KIND: ClassVar[str] = "Job"

    metadata: Meta = Meta()
    spec: JobSpec = JobSpec()
    status: JobStatus = JobStatus()

    def condition(self, kind: str) -> Condition | None:
        """The condition of this type."""
        return condition(self.status.conditions, kind)


class JobTemplate(Record, frozen=True):
    """What a CronJob makes its Jobs from."""

    spec: JobSpec = JobSpec()


class CronJobSpec(Record, frozen=True):
    """spec of a CronJob."""

    schedule: str = ""
    time_zone: str = ""
    """IANA zone of the schedule; empty: the controller's own, UTC."""
    starting_deadline_seconds: int | None = None
    suspend: bool = False
    concurrency_policy: str = "Allow"
    job_template: JobTemplate = JobTemplate()


class CronJobStatus(Record, frozen=True):
    """status of a CronJob."""

    active: tuple[Reference, ...] = ()
    last_schedule_time: Time | None = None
    last_successful_time: Time | None = None


class CronJob(Record, frozen=True):
    """A CronJob."""

    KIND: ClassVar[str] = "CronJob"

    api_version: str = "batch/v1"
    metadata: Meta = Meta()
    spec: CronJobSpec = CronJobSpec()
    status: CronJobStatus = CronJobStatus()

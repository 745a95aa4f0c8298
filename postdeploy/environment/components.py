"""What runs in an environment, and the cluster that it runs in."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Annotated, Literal

from postdeploy.environment.forms import Count, Flag, Image, Model, Name, Tag, Text, form

WORKLOAD_KINDS = ("Deployment", "StatefulSet", "DaemonSet")


class Component(Model):
    """One deployable of the environment, with the image repository it must run."""

    name: Name
    """Object name in Kubernetes; the key it is written under."""
    kind: Literal["Deployment", "StatefulSet", "DaemonSet", "CronJob", "Job"]
    """Kind of the Kubernetes object."""
    namespace: Name
    """Namespace it lives in."""
    image: Image
    """Image repository it must run, without tag or digest."""
    tag: Tag | None = None
    """Pinned tag of something that is not part of the release (a database, Redis), quoted; none: the release's own."""
    group: Literal["crm", "crm-script"] | None = None
    """Release group kept in lockstep, `crm` or `crm-script`."""
    replicas: Count = 1
    """Replicas (of a DaemonSet: nodes) it runs normally; an autoscaler may differ, zero is never accepted silently."""
    may_be_zero: Flag = False
    """Whether being scaled to zero is intended here (a disabled feature, an autoscaler that idles)."""
    update_strategy: Literal["RollingUpdate", "Recreate", "OnDelete"] = "RollingUpdate"
    """How its pods are replaced; under OnDelete old pods stay until somebody deletes them."""
    progressive: Literal["rollout", "canary"] | None = None
    """Whether an Argo Rollout or a Flagger Canary of the same name brings new revisions in step by step."""
    schedule: Annotated[str, form("cron")] | None = None
    """Cron schedule of a CronJob."""
    suspended: Flag = False
    """Whether a CronJob is meant to be suspended."""
    hook_of: Name | None = None
    """HelmRelease whose hook a Job is: Helm waits for it, and may delete it once it has succeeded."""
    service: Name | None = None
    """Name of the Service that sends it traffic; none: nothing reaches it through a Service."""
    autoscaled: Flag = False
    """Whether a HorizontalPodAutoscaler sets its replicas."""
    public: Literal["ingress", "gateway"] | None = None
    """What leads to its Service from outside: an Ingress, or an HTTPRoute of a Gateway."""
    owner: Text
    """Team that answers for it."""


OF_COMPONENTS: Mapping[str, Callable[[Component], object]] = {
    "component": lambda _: True,
    "workload": lambda each: each.kind in WORKLOAD_KINDS,
    "cronjob": lambda each: each.kind == "CronJob",
    "migration": lambda each: each.kind == "Job",
    "service": lambda each: each.service,
    "autoscaled": lambda each: each.autoscaled,
    "entry": lambda each: each.public,
    "progressive": lambda each: each.progressive,
}
"""Families of subjects that are components: which of them belong."""


class Cluster(Model):
    """The identity of the cluster this environment lives in: a mismatch ends the run before any look."""

    context: Text
    """Name of the kubeconfig context."""
    server: Annotated[str, form("url")] | None = None
    """API server URL."""
    ca_sha256: Annotated[str, form("sha256")] | None = None
    """SHA-256 of the cluster CA certificate (DER), hex."""
    kube_system_uid: Annotated[str, form("uid")] | None = None
    """uid of the namespace kube-system: as unique as a cluster gets."""

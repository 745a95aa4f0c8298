"""The kinds of object that the stand-in serves."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

Obj = dict[str, Any]


@dataclass(frozen=True)
class Kind:
    """One resource of the API, as discovery describes it."""

    name: str
    plural: str
    group: str
    version: str
    short: tuple[str, ...] = ()
    namespaced: bool = True
    everyday: bool = False
    """Whether `kubectl get all` lists it."""

    @property
    def api_version(self) -> str:
        """Group and version as objects write them."""
        return f"{self.group}/{self.version}" if self.group else self.version

    @property
    def resource(self) -> str:
        """The resource as messages name it, `deployments.apps`."""
        return f"{self.plural}.{self.group}" if self.group else self.plural


KINDS = (
    Kind("Namespace", "namespaces", "", "v1", ("ns",), namespaced=False),
    Kind("Node", "nodes", "", "v1", ("no",), namespaced=False),
    Kind("Pod", "pods", "", "v1", ("po",), everyday=True),
    Kind("Service", "services", "", "v1", ("svc",), everyday=True),
    Kind("Event", "events", "", "v1", ("ev",)),
    Kind("PersistentVolumeClaim", "persistentvolumeclaims", "", "v1", ("pvc",)),
    Kind("Deployment", "deployments", "apps", "v1", ("deploy",), everyday=True),
    Kind("ReplicaSet", "replicasets", "apps", "v1", ("rs",), everyday=True),
    Kind("StatefulSet", "statefulsets", "apps", "v1", ("sts",), everyday=True),
    Kind("DaemonSet", "daemonsets", "apps", "v1", ("ds",), everyday=True),
    Kind("ControllerRevision", "controllerrevisions", "apps", "v1"),
    Kind("Job", "jobs", "batch", "v1", everyday=True),
    Kind("CronJob", "cronjobs", "batch", "v1", ("cj",), everyday=True),
    Kind("HorizontalPodAutoscaler", "horizontalpodautoscalers", "autoscaling", "v2", ("hpa",), everyday=True),
    Kind("PodDisruptionBudget", "poddisruptionbudgets", "policy", "v1", ("pdb",)),
    Kind("EndpointSlice", "endpointslices", "discovery.k8s.io", "v1"),
    Kind("Ingress", "ingresses", "networking.k8s.io", "v1", ("ing",)),
    Kind("StorageClass", "storageclasses", "storage.k8s.io", "v1", ("sc",), namespaced=False),
    Kind("Gateway", "gateways", "gateway.networking.k8s.io", "v1", ("gtw",)),
    Kind("HTTPRoute", "httproutes", "gateway.networking.k8s.io", "v1"),
    Kind("CustomResourceDefinition", "customresourcedefinitions", "apiextensions.k8s.io", "v1", ("crd",), False),
    Kind("GitRepository", "gitrepositories", "source.toolkit.fluxcd.io", "v1", ("gitrepo",)),
    Kind("Kustomization", "kustomizations", "kustomize.toolkit.fluxcd.io", "v1", ("ks",)),
    Kind("OCIRepository", "ocirepositories", "source.toolkit.fluxcd.io", "v1", ("ocirepo",)),
    Kind("ImagePolicy", "imagepolicies", "image.toolkit.fluxcd.io", "v1", ("imgpol",)),
    Kind("Rollout", "rollouts", "argoproj.io", "v1alpha1", ("ro",)),
    Kind("Canary", "canaries", "flagger.app", "v1beta1"),
    Kind("HelmRelease", "helmreleases", "helm.toolkit.fluxcd.io", "v2", ("hr",)),
)
BY_NAME = {each.name: each for each in KINDS}
BY_PATH = {(each.group, each.version, each.plural): each for each in KINDS}

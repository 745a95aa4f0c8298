"""Claims about traffic: it reaches the release and nothing else, can scale, can be drained, has its volumes."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from typing import cast

import msgspec

from postdeploy.cluster import entry_claims, surround_claims
from postdeploy.cluster.endpoints import Behind, idle, traffic
from postdeploy.cluster.entries import NO_ADDRESS
from postdeploy.cluster.objects import DaemonSet, Deployment, EndpointSlice, Pod, Selector, Service, Snapshot, Workload
from postdeploy.cluster.owners import by_name
from postdeploy.cluster.rollout import daemonset, deployment, going, statefulset
from postdeploy.cluster.ruling import Ruling, failed, passed, pending
from postdeploy.cluster.sight import RESOURCES, Sight
from postdeploy.environment import Component, Environment
from postdeploy.verdict import Judgement, State


class TrafficClaims:
    """Every claim about what stands between the outside and the pods of a release."""

    def __init__(self, snapshot: Snapshot, environment: Environment, release: str) -> None:
        self.sight = Sight.of(snapshot, environment, release)
        self._seen = snapshot
        self._services = by_name(snapshot.services)
        self._pods = self.sight.once("pods by uid", "", self._pods_by_uid)
        self._slices: dict[tuple[str, str], list[EndpointSlice]] = defaultdict(list)
        for each in snapshot.endpointslices:
            self._slices[each.metadata.namespace, each.service].append(each)

    def _pods_by_uid(self) -> dict[str, dict[str, Pod]]:
        found: dict[str, dict[str, Pod]] = defaultdict(dict)
        for pod in self._seen.pods:
            meta = pod.metadata
            found[meta.namespace][meta.uid] = pod
        return found

    def endpoints(self, component: Component) -> Judgement:
        """Its Service sends traffic to ready pods of the current revision, and to nobody else."""
        return self.sight.once("endpoints", component.name, lambda: self._endpoints(component))

    def _endpoints(self, component: Component) -> Judgement:
        pods, uid = list[Pod](), ""
        ruling = self.sight.gap(
            component.namespace, (RESOURCES[component.kind], "replicasets", "pods", "services", "endpointslices")
        )
        if ruling is None:
            workload = self.sight.find(component)
            service = self._services.get((component.namespace, component.service or ""))
            if isinstance(workload, Ruling):
                ruling = workload
            elif service is None:
                ruling = failed(
                    f"no Service {component.service} in namespace {component.namespace}",
                    "It was renamed or deleted, or the environment names another: nothing sends traffic to these pods.",
                )
            else:
                seen = cast("Workload", workload)
                pods, uid = self.sight.family.current(seen), service.metadata.uid
                ruling = self._traffic(component, service, seen)
        claim = f"alone gets the traffic of Service {component.service}"
        field = f"EndpointSlices of Service {component.service} (kubernetes.io/service-name)"
        return self.sight.judge(component, claim, ruling, uids=[uid], field=field, pods=pods)

    def autoscaler(self, component: Component) -> Judgement:
        """Its autoscaler can read its metric and change its scale."""
        return surround_claims.autoscaler(self.sight, component)

    def disruption(self) -> Judgement:
        """Every disruption budget guards pods, and lets a node be drained."""
        return surround_claims.disruption(self.sight)

    def volumes(self) -> Judgement:
        """Every volume claim is bound, or may wait for a pod."""
        return surround_claims.volumes(self.sight)

    def entry(self, component: Component) -> Judgement:
        """The Ingress or the route that is declared to lead to its Service does, and has an address."""
        return entry_claims.entry(self.sight, component, self._services)

    def _traffic(self, component: Component, service: Service, seen: Workload) -> Ruling:
        if found := going(service.metadata):
            return found
        if service.spec.type == "ExternalName":
            return passed("an ExternalName: only an alias, its traffic goes elsewhere")
        if service.spec.type == "LoadBalancer" and not service.status.load_balancer.ingress:
            return pending("no address yet (status.loadBalancer.ingress)", NO_ADDRESS)
        is_idle = component.may_be_zero and not isinstance(seen, DaemonSet) and not seen.spec.replicas
        return (idle if is_idle else traffic)(service, self._slices_of(service), self._behind(service, seen))

    def _slices_of(self, service: Service) -> list[EndpointSlice]:
        return self._slices.get((service.metadata.namespace, service.metadata.name), [])

    def _behind(self, service: Service, seen: Workload) -> Behind:
        namespace, selector = service.metadata.namespace, Selector(match_labels=service.spec.selector)
        old = self.sight.family.old(seen)
        return Behind(
            current=_by_uid(self.sight.family.current(seen)),
            doubtful=_by_uid(self.sight.family.doubtful(seen)),
            old={each.metadata.uid for each in old},
            everyone=self._pods.get(namespace, {}),
            orphans=[
                each
                for each in self.sight.family.unowned(namespace)
                if not each.is_over and selector.matches(each.metadata.labels)
            ],
            rolling=bool(old) or _rollout(self._seen, seen).state is not State.PASSED,
            taken=self._seen.taken,
            knows_ports=any(each.ports is not msgspec.UNSET for each in self._seen.endpointslices),
        )


def _by_uid(pods: Iterable[Pod]) -> dict[str, Pod]:
    return {each.metadata.uid: each for each in pods}


def _rollout(snapshot: Snapshot, seen: Workload) -> Ruling:
    if isinstance(seen, Deployment):
        return deployment(seen, snapshot.taken)
    return daemonset(seen) if isinstance(seen, DaemonSet) else statefulset(seen)

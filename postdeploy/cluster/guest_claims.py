"""Claims about what is in the release's pods and not of the release: debug containers, injected proxies."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping

from postdeploy.cluster.image_claims import template
from postdeploy.cluster.images import digest_of, parse
from postdeploy.cluster.objects import Container, CronJob, Job, Pod, Snapshot
from postdeploy.cluster.ruling import Ruling, degraded, not_applicable, passed
from postdeploy.cluster.sight import RESOURCES, Sight
from postdeploy.environment import WORKLOAD_KINDS, Component, Environment
from postdeploy.verdict import Judgement

Proxies = Mapping[tuple[str, str], Mapping[str, list[str]]]
"""Namespace and image repository, to version, to the pods that have it."""


class GuestClaims:
    """What was added to the pods of one environment after its templates were written."""

    def __init__(self, snapshot: Snapshot, environment: Environment, release: str) -> None:
        self.sight = Sight.of(snapshot, environment, release)

    def debug(self, component: Component) -> Judgement:
        """No debug container was attached to a pod of the component's current revision."""
        claim, pods = "has no debug container in its pods", list(self._pods(component))
        found = [text for pod in pods if _is_debugged(pod) for text in _debuggers(pod)]
        ruling = passed(f"none in {len(pods)} pods")
        if found:
            ruling = degraded(
                f"{len(found)} attached: {'; '.join(found[:3])}" + ("; …" if len(found) > 3 else ""),
                "Somebody looked into a running pod (kubectl debug): it stays until the pod is replaced.",
            )
        return self.sight.judge(component, claim, ruling, pods=pods, needs=_needs(component))

    def proxies(self) -> Judgement:
        """The containers that a webhook injects are of one version in each namespace."""
        claim = "injected containers are of one version in each namespace"
        found = self._injected()
        skewed = {where: versions for where, versions in found.items() if len(versions) > 1}
        ruling = self._gap() or _skew(skewed, found)
        return Judgement(ruling.state, claim, ruling.seen, _listing(skewed), ruling.cause)

    def _pods(self, component: Component) -> Iterator[Pod]:
        seen = self.sight.find(component)
        if not isinstance(seen, (Ruling, CronJob, Job)):
            yield from self.sight.family.living(seen)

    def _injected(self) -> Proxies:
        found: dict[tuple[str, str], dict[str, list[str]]] = defaultdict(lambda: defaultdict(list))
        for component in self._workloads():
            seen = self.sight.find(component)
            names = set() if isinstance(seen, Ruling) else {each.name for each in template(seen).spec.all_containers}
            for pod in self._pods(component):
                for each in (each for each in pod.spec.all_containers if each.name not in names):
                    where = (component.namespace, parse(each.image).repository)
                    found[where][_version(pod, each)].append(f"{pod.metadata.name}/{each.name}")
        return found

    def _workloads(self) -> list[Component]:
        return [each for each in self.sight.environment.components.values() if each.kind in WORKLOAD_KINDS]

    def _gap(self) -> Ruling | None:
        gaps = (self.sight.gap(each.namespace, _needs(each)) for each in self._workloads())
        return next((each for each in gaps if each), None)


def _needs(component: Component) -> list[str]:
    return [RESOURCES[component.kind], "pods", *(["replicasets"] if component.kind == "Deployment" else [])]


def _is_debugged(pod: Pod) -> bool:
    return bool(pod.spec.ephemeral_containers or pod.status.ephemeral_container_statuses)


def _debuggers(pod: Pod) -> Iterator[str]:
    states = {each.name: each.state for each in pod.status.ephemeral_container_statuses}
    images = {each.name: each.image for each in pod.spec.ephemeral_containers}
    for name in dict.fromkeys((*images, *states)):
        state = states.get(name)
        word = "ended" if state and state.terminated else "runs" if state and state.running else "has not started"
        yield f"{name} ({images.get(name) or 'image unknown'}) in pod {pod.metadata.name} {word}"


def _version(pod: Pod, container: Container) -> str:
    """The tag that was asked for; the digest of what runs where only `latest` was."""
    asked = parse(container.image)
    if asked.tag or asked.digest:
        return asked.version
    ids = (digest_of(each.image_id) for each in pod.status.all_statuses if each.name == container.name)
    return next((each.value for each in ids if each), asked.version)


def _skew(skewed: Proxies, found: Proxies) -> Ruling:
    if not found:
        return not_applicable("nothing is injected into any pod")
    if skewed:
        said = [f"{repository} as {', '.join(sorted(seen))} in {space}" for (space, repository), seen in skewed.items()]
        return degraded(
            f"proxy version skew: {'; '.join(sorted(said))}",
            "The mesh was upgraded and not all pods were restarted since: they get the new proxy when they are.",
        )
    return passed(f"one version of each of {len(found)} in its namespace")


def _listing(skewed: Proxies) -> str:
    return "\n".join(
        f"{space}: {repository}, {version}: {len(pods)} containers, {', '.join(sorted(pods)[:3])}"
        for (space, repository), versions in sorted(skewed.items())
        for version, pods in sorted(versions.items())
    )

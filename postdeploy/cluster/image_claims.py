"""Claims about images: the expected tag in every layer, one set of bits per image, one tag per release group."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable

from postdeploy.cluster import batch_claims
from postdeploy.cluster.images import Digest, ImageRef, canonical, declared, running
from postdeploy.cluster.objects import CronJob, Job, Pod, PodTemplate
from postdeploy.cluster.ruling import Ruling, failed, not_applicable, passed, pending, unverified
from postdeploy.cluster.sight import RESOURCES, Sight, Subject
from postdeploy.environment import WORKLOAD_KINDS, Component
from postdeploy.verdict import Judgement, State

WRONG_TAG = (
    "The release has not reached this object: the delivery is suspended, failing or rolled back, "
    "or the tag was not bumped here."
)


def template(seen: Subject) -> PodTemplate:
    """What an object makes its pods from."""
    return seen.spec.job_template.spec.template if isinstance(seen, CronJob) else seen.spec.template


def subject(sight: Sight, component: Component) -> Subject | Ruling:
    """The component's object; of a Job the newest one, whatever release it is of."""
    return batch_claims.newest(sight, component) if component.kind == "Job" else sight.find(component)


def tag(sight: Sight, component: Component) -> Judgement:
    """The template and each pod of the current revision ask for the expected image and tag."""
    expected = ImageRef(component.image, sight.tag(component))
    claim = f"runs {expected}"
    seen = subject(sight, component)
    if isinstance(seen, Ruling):
        return sight.judge(component, claim, seen)
    pods = [each for each in _current(sight, seen) if each.is_live]
    ruling = _template_tag(sight, component, template(seen)) or _pod_tags(sight, component, template(seen), pods)
    needs = [RESOURCES[component.kind], *(["pods"] if component.kind in WORKLOAD_KINDS else [])]
    needs += ["replicasets"] if component.kind == "Deployment" else []
    return sight.judge(component, claim, ruling, uids=[seen.metadata.uid], field=_path(seen), needs=needs)


def is_on_release(sight: Sight, component: Component, seen: Subject) -> bool:
    """Whether the template already asks for the expected tag, or at least for no other."""
    found = _template_tag(sight, component, template(seen))
    return found is None or found.state is not State.FAILED


def _path(seen: Subject) -> str:
    return "spec.jobTemplate.spec.template" if isinstance(seen, CronJob) else "spec.template"


def _current(sight: Sight, seen: Subject) -> list[Pod]:
    return [] if isinstance(seen, (CronJob, Job)) else sight.family.current(seen)


def _template_tag(sight: Sight, component: Component, asked: PodTemplate) -> Ruling | None:
    images = declared(asked, component.image)
    if not images:
        others = ", ".join(f"{each.name}: {each.image}" for each in asked.spec.all_containers) or "no container"
        return failed(f"no container of its template runs {component.image} ({others})", WRONG_TAG)
    for name, image in images.items():
        if (found := _compare(sight, component, image, f"container {name} of its template")) is not None:
            return found
    return None


def _compare(sight: Sight, component: Component, image: ImageRef, who: str) -> Ruling | None:
    expected = sight.tag(component)
    if image.tag == expected:
        return None
    if not image.tag and image.digest:
        accepted = _accepted(sight, component.image, expected)
        if image.digest in accepted:
            return None
        if not accepted:
            return unverified(
                f"{who} is pinned by digest alone ({image}), which names no release",
                "Pass --digests with the digests the build made, so that the digest can be compared.",
            )
    return failed(f"{who} runs {image} where {expected} is expected", WRONG_TAG)


def _accepted(sight: Sight, image: str, expected: str) -> frozenset[str]:
    for key in (f"{image}:{expected}", image):
        if key in sight.digests:
            return sight.digests[key]
    return frozenset()


def _pod_tags(sight: Sight, component: Component, asked: PodTemplate, pods: list[Pod]) -> Ruling:
    names = declared(asked, component.image)
    for pod in pods:
        for name, image, _ in running(pod, names):
            who = f"container {name} of pod {pod.metadata.name}"
            if (found := _compare(sight, component, image, who)) is not None:
                return found
    listed = ", ".join(sorted(names))
    return passed(f"{listed} in the template" + (f" and in {len(pods)} pods" if pods else ""))


def digest(sight: Sight, image: str) -> Judgement:
    """Pods that ask for one image and tag run one digest; with accepted digests given, one of those."""
    members = [each for each in sight.environment.components.values() if canonical(each.image) == canonical(image)]
    claim = f"image {image} is the same bits in every pod"
    bits: dict[str, dict[Digest, list[str]]] = {}
    waiting: list[str] = []
    for component in members:
        _collect(sight, component, bits.setdefault(sight.tag(component), defaultdict(list)), waiting)
    ruling = _one_digest(sight, image, bits) or _complete(bits, waiting, members)
    if ruling.state is not State.FAILED:
        ruling = _first_gap(sight, members) or ruling
    where = _listing(bits) if ruling.state not in (State.PASSED, State.NOT_APPLICABLE) else ""
    return Judgement(ruling.state, claim, ruling.seen, where, ruling.cause, ruling.doomed)


def _first_gap(sight: Sight, members: Iterable[Component]) -> Ruling | None:
    for each in members:
        needs = [RESOURCES[each.kind], "pods", *(["replicasets"] if each.kind == "Deployment" else [])]
        if found := sight.gap(each.namespace, needs):
            return found
    return None


def _collect(sight: Sight, component: Component, into: dict[Digest, list[str]], waiting: list[str]) -> None:
    """Adds what the nodes report for the pods of one component that ask for its expected tag."""
    for seen, pods in batch_claims.makers(sight, component):
        names = declared(template(seen), component.image)
        for pod in pods:
            for name, image, found in running(pod, names):
                if image.tag and image.tag != sight.tag(component):
                    continue
                if found is not None:
                    into[found].append(f"{pod.metadata.name}/{name}")
                elif pod.is_live:
                    waiting.append(f"{pod.metadata.name}/{name}")


def _one_digest(sight: Sight, image: str, bits: dict[str, dict[Digest, list[str]]]) -> Ruling | None:
    for expected, found in bits.items():
        accepted = _accepted(sight, image, expected)
        if accepted:
            if foreign := [each for each in found if each.value not in accepted]:
                return failed(
                    f"{image}:{expected} runs as {', '.join(map(str, foreign))} (imageID), "
                    f"none of the {len(accepted)} accepted digests",
                    "The tag was pushed again after the build, or the pods run another build.",
                )
            continue
        manifests = [each for each in found if not each.is_config]
        configs = [each for each in found if each.is_config]
        if len(manifests) > 1 or len(configs) > 1:
            return failed(
                f"{image}:{expected} runs as {len(found)} different digests (imageID)",
                "The tag was pushed again between the starts of two pods: not all of them run what was tested.",
            )
        if manifests and configs:
            return unverified(
                f"{image}:{expected} is reported as a manifest digest on some nodes, as an image id on others",
                "Two container runtimes report differently: pass --digests with both, then they can be compared.",
            )
    return None


def _complete(bits: dict[str, dict[Digest, list[str]]], waiting: list[str], members: list[Component]) -> Ruling:
    if waiting:
        return pending(f"{len(waiting)} containers have no imageID yet: {', '.join(sorted(waiting)[:3])}")
    counted = sum(len(pods) for found in bits.values() for pods in found.values())
    if counted:
        return passed(f"{counted} containers, one digest" + (" for each tag" if len(bits) > 1 else ""))
    if any(each.kind in WORKLOAD_KINDS and not each.may_be_zero for each in members):
        return pending("no pod runs it with the expected tag")
    return not_applicable("no pod of it exists now: it runs only in Jobs or where zero replicas are allowed")


def _listing(bits: dict[str, dict[Digest, list[str]]]) -> str:
    lines = []
    for expected, found in bits.items():
        for each, pods in sorted(found.items(), key=lambda pair: len(pair[1])):
            shown = ", ".join(sorted(pods)[:3]) + (f" and {len(pods) - 3} more" if len(pods) > 3 else "")
            lines.append(f"{expected}: {each.value}: {shown} (status.containerStatuses.imageID)")
    return "\n".join(lines)


def lockstep(sight: Sight) -> Judgement:
    """All members of all release groups carry the same tag in their templates."""
    members = [each for each in sight.environment.components.values() if each.group and each.kind != "Job"]
    claim = "release groups " + " and ".join(sorted({each.group or "" for each in members})) + " are on one tag"
    tags: dict[str, list[str]] = defaultdict(list)
    missing: list[str] = []
    for each in members:
        seen = sight.find(each)
        if isinstance(seen, Ruling):
            missing.append(each.name)
            continue
        for image in set(declared(template(seen), each.image).values()):
            tags[image.version].append(f"{each.group}: {each.name}")
    ruling = _one_tag(tags, missing)
    if ruling.state is not State.FAILED:
        gaps = (sight.gap(each.namespace, [RESOURCES[each.kind]]) for each in members)
        ruling = next((each for each in gaps if each), ruling)
    where = "\n".join(f"{tag}: {', '.join(sorted(names))}" for tag, names in sorted(tags.items()))
    return Judgement(ruling.state, claim, ruling.seen, "" if ruling.holds else where, ruling.cause)


def _one_tag(tags: dict[str, list[str]], missing: list[str]) -> Ruling:
    if len(tags) > 1:
        counts = Counter({tag: len(names) for tag, names in tags.items()}).most_common()
        return failed(
            "they are on " + ", ".join(f"{tag} ({count})" for tag, count in counts),
            "One half of the release was delivered and the other was not: tasks of one version meet code of another.",
        )
    if missing:
        return pending(f"{', '.join(sorted(missing))} not found")
    return passed(f"all on {next(iter(tags), 'no tag: nothing belongs to a group')}")

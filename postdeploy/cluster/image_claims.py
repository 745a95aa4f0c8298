"""Claims about images: the expected tag in every layer, one set of bits per image, one tag per release group."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator

from postdeploy.cluster import batch_claims
from postdeploy.cluster.accepted import accepted, other_version
from postdeploy.cluster.images import Digest, ImageRef, canonical, declared, parse, running
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
    if component.kind != "Job":
        return sight.find(component)
    found = batch_claims.newest(sight, component)
    if isinstance(found, Ruling) and found.state is State.PASSED:
        return not_applicable(f"it runs nothing any more: {found.seen}")
    return found


def tag(sight: Sight, component: Component) -> Judgement:
    """The template and each pod of the current revision ask for the expected image and tag."""
    expected = ImageRef(component.image, sight.tag(component))
    claim = f"runs {expected}"
    seen = subject(sight, component)
    if isinstance(seen, Ruling):
        return sight.judge(component, claim, seen)
    ruling = _template_tag(sight, component, template(seen)) or _pod_tags(sight, component, seen)
    needs = [RESOURCES[component.kind], *(["pods"] if component.kind in WORKLOAD_KINDS else [])]
    needs += ["replicasets"] if component.kind == "Deployment" else []
    return sight.judge(component, claim, ruling, uids=[seen.metadata.uid], field=_path(seen), needs=needs)


def is_on_release(sight: Sight, component: Component, seen: Subject) -> bool:
    """Whether the template already asks for the expected tag, or at least for no other."""
    found = _template_tag(sight, component, template(seen))
    return found is None or found.state is not State.FAILED


def _path(seen: Subject) -> str:
    return "spec.jobTemplate.spec.template" if isinstance(seen, CronJob) else "spec.template"


def asked(sight: Sight, component: Component, seen: Subject) -> dict[tuple[str, ImageRef], list[Pod]]:
    """The images that the living pods of its current revision ask for."""
    found: dict[tuple[str, ImageRef], list[Pod]] = defaultdict(list)
    for (name, image, _), pods in ran(sight, component, seen).items():
        found[name, image] += pods
    return found


def ran(sight: Sight, component: Component, seen: Subject) -> dict[tuple[str, ImageRef, Digest | None], list[Pod]]:
    """The same with the digests that their nodes report."""
    if isinstance(seen, (CronJob, Job)):
        return {}
    names = declared(template(seen), component.image)
    return sight.once("ran", component.name, lambda: running(sight.family.living(seen), names))


def of_release(sight: Sight, component: Component, asked: PodTemplate) -> Iterator[tuple[str, str, ImageRef]]:
    """Image as declared, container and reference: of its own image, and of a part of the release every other one too.

    An init container often runs another image of the release, and nobody else would look at it.
    """
    for name, found in declared(asked, component.image).items():
        yield component.image, name, found
    if component.tag is not None:
        return
    own, images = canonical(component.image), sight.once("images", "", lambda: _images(sight))
    for container in asked.spec.all_containers:
        found = parse(container.image)
        if found.repository != own and (image := images.get(found.repository)):
            yield image, container.name, found


def _images(sight: Sight) -> dict[str, str]:
    """The images of the release as declared, by their repositories."""
    return {canonical(each.image): each.image for each in sight.environment.components.values() if each.tag is None}


def _template_tag(sight: Sight, component: Component, asked: PodTemplate) -> Ruling | None:
    images = list(of_release(sight, component, asked))
    if not any(image == component.image for image, _, _ in images):
        others = ", ".join(f"{each.name}: {each.image}" for each in asked.spec.all_containers) or "no container"
        return failed(f"no container of its template runs {component.image} ({others})", WRONG_TAG)
    for image, name, found in images:
        who = f"container {name} of its template"
        if (ruling := _compare(sight, image, sight.tag(component), found, who)) is not None:
            return ruling
    return None


def _compare(sight: Sight, image: str, expected: str, found: ImageRef, who: str) -> Ruling | None:
    other = other_version(sight, image, expected, found)
    if other or not (found.tag or found.digest):
        named = f", and that digest is {other}" if other not in ("", found.tag, found.digest) else ""
        return failed(f"{who} runs {found} where {expected} is expected{named}", WRONG_TAG)
    if found.tag:
        return None
    known = accepted(sight, image, expected)
    if known is not None and found.digest in known.digests:
        return None
    return unverified(
        f"{who} is pinned by digest alone ({found}), which names no release",
        "Pass --digests with the digests the build made, or declare the registry: then it can be compared.",
    )


def _pod_tags(sight: Sight, component: Component, seen: Subject) -> Ruling:
    for (name, image), asking in asked(sight, component, seen).items():
        who = f"container {name} of pod {asking[0].metadata.name}"
        if (found := _compare(sight, component.image, sight.tag(component), image, who)) is not None:
            return found
    pods = 0 if isinstance(seen, (CronJob, Job)) else len(sight.family.living(seen))
    listed = ", ".join(sorted(declared(template(seen), component.image)))
    return passed(f"{listed} in the template" + (f" and in {pods} pods" if pods else ""))


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
        for image in {found for _, _, found in of_release(sight, each, template(seen))}:
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

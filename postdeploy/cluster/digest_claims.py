"""The claim about bits: every pod of one image and tag runs one build, and the accepted one where somebody names it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from heapq import nsmallest

from postdeploy.cluster import batch_claims
from postdeploy.cluster.accepted import Accepted, accepted, other_release, untold
from postdeploy.cluster.image_claims import ran, template
from postdeploy.cluster.images import Digest, canonical, declared, running
from postdeploy.cluster.objects import Job
from postdeploy.cluster.ruling import GRAVEST_FIRST, Ruling, failed, not_applicable, passed, pending, unverified
from postdeploy.cluster.sight import RESOURCES, Sight
from postdeploy.environment import WORKLOAD_KINDS, Component
from postdeploy.verdict import Judgement, State

Bits = dict[str, dict[Digest, list[str]]]
"""Tag, to the digests it runs as, to the containers that do."""

UNKNOWN = "Pass --digests with the digests the build made, or declare the registry, so that they can be compared."


def digest(sight: Sight, image: str) -> Judgement:
    """Pods that ask for one image and tag run one digest; with accepted digests given, one of those."""
    members = [each for each in sight.environment.components.values() if canonical(each.image) == canonical(image)]
    bits: Bits = {}
    waiting: list[str] = []
    for component in members:
        _collect(sight, component, bits.setdefault(sight.tag(component), defaultdict(list)), waiting)
    rulings = [found for tag, seen in bits.items() if seen and (found := _of_tag(sight, image, tag, seen)) is not None]
    worst = min(rulings, key=lambda each: GRAVEST_FIRST.index(each.state), default=None)
    ruling = worst or _complete(sight, image, bits, waiting, members)
    if ruling.state is not State.FAILED:
        ruling = _first_gap(sight, members) or ruling
    # Of a pass too: which bits they were is what an auditor comes for.
    where = _listing(bits) if ruling.state is not State.NOT_APPLICABLE else ""
    claim = f"image {image} is the same bits in every pod"
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
        tag = sight.tag(component)
        made = running(pods, declared(template(seen), component.image)) if isinstance(seen, Job) else None
        for (name, image, found), running_it in (made or ran(sight, component, seen)).items():
            if image.tag and image.tag != tag:
                continue
            if found is not None:
                into[found] += [f"{each.metadata.name}/{name}" for each in running_it]
            else:
                waiting += [f"{each.metadata.name}/{name}" for each in running_it if each.is_live]


def _of_tag(sight: Sight, image: str, tag: str, found: dict[Digest, list[str]]) -> Ruling | None:
    """What is wrong with the digests that one tag runs as, if anything."""
    if known := accepted(sight, image, tag):
        return _foreign(sight, image, tag, [each for each in found if each.value not in known.digests], known)
    ruling = _compared(f"{image}:{tag}", found)
    why = untold(sight, image, tag)
    # With the registry away nobody can tell an index beside its platform's manifest from a second push.
    return unverified(f"{ruling.seen}; {_unasked(why)}", ruling.cause) if ruling and why else ruling


def _unasked(why: str) -> str:
    return f"compared with each other alone, for the registry does not tell ({why})"


def _foreign(sight: Sight, image: str, tag: str, foreign: list[Digest], known: Accepted) -> Ruling | None:
    """The digests that are none of the accepted ones."""
    decided = [each for each in foreign if known.decides(each)]
    if decided:
        others = {other for each in decided if (other := other_release(sight, image, each)) and other != tag}
        named = f", but those of {', '.join(sorted(others))}" if others else ""
        return failed(
            f"{image}:{tag} runs as {', '.join(map(str, decided))} (imageID), "
            f"none of the {len(known.digests)} accepted digests ({known.source}){named}",
            "The tag was pushed again after the build, or the pods run another build.",
        )
    if foreign:
        return unverified(
            f"{image}:{tag} runs as {', '.join(map(str, foreign))} (imageID), "
            f"and {known.source} does not name every digest of that build",
            "A node that reports the image id needs the digest of the configuration to compare with: "
            "add it to --digests, or declare the registry.",
        )
    return None


def _compared(what: str, found: dict[Digest, list[str]]) -> Ruling | None:
    """Where nobody names the digests, all pods must at least agree."""
    manifests = [each for each in found if not each.is_config]
    configs = [each for each in found if each.is_config]
    if len(manifests) > 1 or len(configs) > 1:
        return failed(
            f"{what} runs as {len(found)} different digests (imageID)",
            "The tag was pushed again between the starts of two pods: not all of them run what was tested. Where one "
            "node reports the index and another its platform's manifest, --digests or the registry tells.",
        )
    if manifests and configs:
        return unverified(
            f"{what} is reported as a manifest digest on some nodes, as an image id on others",
            f"Two container runtimes report differently. {UNKNOWN}",
        )
    return None


def _complete(sight: Sight, image: str, bits: Bits, waiting: list[str], members: list[Component]) -> Ruling:
    if waiting:
        return pending(f"{len(waiting)} containers have no imageID yet: {', '.join(sorted(waiting)[:3])}")
    counted = sum(len(pods) for found in bits.values() for pods in found.values())
    if counted:
        return passed(f"{counted} containers, {_held_against(sight, image, [tag for tag in bits if bits[tag]])}")
    if any(each.kind in WORKLOAD_KINDS and not each.may_be_zero for each in members):
        return pending("no pod runs it with the expected tag")
    return not_applicable("no pod of it exists now: it runs only in Jobs or where zero replicas are allowed")


def _held_against(sight: Sight, image: str, tags: list[str]) -> str:
    """How much was claimed: accepted digests, or agreement alone."""
    sources = {known.source for each in tags if (known := accepted(sight, image, each))}
    whys = [why for each in tags if (why := untold(sight, image, each))]
    agree = "one digest" + (" for each tag" if len(tags) > 1 else "")
    if whys:
        return f"{agree}; {_unasked(whys[0])}"
    return f"digests accepted by {', '.join(sorted(sources))}" if sources else agree


def _listing(bits: Bits) -> str:
    lines = []
    for expected, found in bits.items():
        for each, pods in sorted(found.items(), key=lambda pair: len(pair[1])):
            shown = ", ".join(nsmallest(3, pods)) + (f" and {len(pods) - 3} more" if len(pods) > 3 else "")
            lines.append(f"{expected}: {each.value}: {shown} (status.containerStatuses.imageID)")
    return "\n".join(lines)

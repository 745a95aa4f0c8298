"""Whether the release is live; where it is not, the first layer that disagrees is the headline."""

from __future__ import annotations

from collections.abc import Mapping

from postdeploy.cluster.layers import Layer, Layers
from postdeploy.cluster.objects import Snapshot
from postdeploy.environment import Environment
from postdeploy.verdict import Judgement, State

CHOSEN_ABOVE = ("GitRepository", "OCIRepository", "Kustomization", "HelmRelease", "template")
"""Layers that an image policy decides: where one of them is behind, the policy may be what holds it."""
NAMED = 3


class ReleaseClaims:
    """The claim that this release, and nothing else, is live."""

    def __init__(
        self,
        snapshot: Snapshot,
        environment: Environment,
        release: str,
        digests: Mapping[str, frozenset[str]] | None = None,
    ) -> None:
        self._parts = (snapshot, environment, release, digests)
        self._release = release
        self._environment = environment.name

    def live(self) -> Judgement:
        """Git, source, Kustomization, HelmRelease, template, ReplicaSet, pod, digest and endpoints agree."""
        found = Layers(*self._parts)
        layers = found.all()
        claim = f"{self._release} alone is live in {self._environment}"
        first = next((each for each in layers if each.wrong), None)
        if first is not None:
            policies = found.policies()
            if first.name in CHOSEN_ABOVE and policies.wrong:
                first, layers = policies, (policies, *layers)
            ruling = first.wrong[0].ruling
            headline = f"{self._release} is not live: {_blamed(first)}{_while(first, layers)}{_still(found)}"
            return Judgement(ruling.state, claim, headline, _table(found, layers), ruling.cause, ruling.doomed)
        unseen = [each for each in layers if each.unseen]
        if unseen:
            seen = f"{self._release} agrees wherever it could be seen; not seen: {'; '.join(map(_hidden, unseen))}"
            cause = unseen[0].unseen[0].ruling.cause
            return Judgement(State.UNVERIFIED, claim, seen, _table(found, layers), cause)
        return Judgement(State.PASSED, claim, f"{len(layers) + 1} layers agree, from Git to the endpoints")


def _blamed(layer: Layer) -> str:
    """'first layer that disagrees is Kustomization crm (suspended, at v2026.46.3) and 1 more'."""
    worst = layer.wrong[0]
    more = f" and {len(layer.wrong) - 1} more" if layer.wrong[1:] else ""
    said = worst.brief or _line_of(worst.ruling.seen)
    return f"first layer that disagrees is {layer.name} {worst.who} ({said}){more}"


def _while(first: Layer, layers: tuple[Layer, ...]) -> str:
    """An old ReplicaSet lives on because the new pods do not get ready: that is what one wants to know."""
    pods = next((each for each in layers if each.name == "pod"), None)
    if first.name != "ReplicaSet" or pods is None:
        return ""
    same = next((each for each in pods.wrong if each.who == first.wrong[0].who), None)
    return f" while {_line_of(same.unready)}" if same and same.unready else ""


def _still(found: Layers) -> str:
    """'; 14 components still run v2026.46.3'."""
    if not found.others:
        return ""
    counted = sorted(found.others.items(), key=lambda pair: (-len(pair[1]), pair[0]))
    listed = (f"{len(names)} component{'s' * (len(names) > 1)} still on {tag}" for tag, names in counted[:NAMED])
    return f"; {', '.join(listed)}"


def _hidden(layer: Layer) -> str:
    first = layer.unseen[0]
    more = f" and {len(layer.unseen) - 1} more" if layer.unseen[1:] else ""
    return f"{layer.name} {first.who}{more} ({first.ruling.seen})"


def _table(found: Layers, layers: tuple[Layer, ...]) -> str:
    """A line a layer: agrees, disagrees, not seen."""
    return "\n".join([f"Git: {found.flux.expected} is expected", *map(_line, layers)])


def _line(layer: Layer) -> str:
    if layer.wrong:
        shown = "; ".join(f"{each.who}: {each.brief or _line_of(each.ruling.seen)}" for each in layer.wrong[:NAMED])
        more = f"; and {len(layer.wrong) - NAMED} more" if layer.wrong[NAMED:] else ""
        return f"{layer.name}: disagrees: {shown}{more}"
    if layer.unseen:
        return f"{layer.name}: not seen: {_hidden(layer)}"
    return f"{layer.name}: {'agrees' if layer.parts else 'nothing declared'}"


def _line_of(text: str) -> str:
    return text.partition("\n")[0]

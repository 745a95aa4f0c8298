"""The claims about progressive delivery: the new revision was promoted, and is what serves."""

from __future__ import annotations

from postdeploy.cluster import progressive
from postdeploy.cluster.objects import Canary, Rollout, Snapshot
from postdeploy.cluster.owners import by_name
from postdeploy.cluster.ruling import Ruling, failed, pending, unverified
from postdeploy.environment import Component
from postdeploy.verdict import Judgement, State

KINDS = {"rollout": ("Rollout", "rollouts"), "canary": ("Canary", "canaries")}
NOT_THERE = "The delivery tool has not applied it, or the environment file declares it wrongly as progressive."


class ProgressiveClaims:
    """Every claim about the Argo Rollouts and Flagger Canaries of one environment."""

    def __init__(self, snapshot: Snapshot) -> None:
        self._snapshot = snapshot
        self._rollouts, self._canaries = by_name(snapshot.rollouts), by_name(snapshot.canaries)
        self._deployments = by_name(snapshot.deployments)

    def promoted(self, component: Component) -> Judgement:
        """Its new revision went all the way: nothing aborted, paused or still on the way."""
        kind, resource = KINDS[component.progressive or "rollout"]
        title = f"{kind} {component.namespace}/{component.name}"
        found = self._ruling(component, resource)
        if found.state is not State.FAILED:
            found = self._gap(component, resource) or found
        where = "" if found.holds else f"{title}, status"
        return Judgement(found.state, f"{title} is promoted", found.seen, where, found.cause, found.doomed)

    def _ruling(self, component: Component, resource: str) -> Ruling:
        key = (component.namespace, component.name)
        seen = self._rollouts.get(key) if resource == "rollouts" else self._canaries.get(key)
        match seen:
            case Rollout():
                return progressive.rollout(seen)
            case Canary():
                return self._canary(seen, component)
        text = f"not found among the {resource} of namespace {component.namespace}"
        return self._gap(component, resource) or failed(text, NOT_THERE)

    def _canary(self, seen: Canary, component: Component) -> Ruling:
        """Promoted, and its primary is there; that its target is scaled to zero says nothing."""
        ruling = progressive.canary(seen)
        primary = f"{component.name}-primary"
        if ruling.holds and (component.namespace, primary) not in self._deployments:
            text = f"{ruling.seen}, but its primary {primary} does not exist"
            return self._gap(component, "deployments") or pending(text, "Flagger has not initialised it yet.")
        return ruling

    def _gap(self, component: Component, resource: str) -> Ruling | None:
        for gap in self._snapshot.gaps:
            if gap.resource == resource and gap.namespace in (component.namespace, ""):
                return unverified(
                    f"{resource} in namespace {component.namespace} could not be read: {gap.reason}",
                    "The verifier's own access or connection; it says nothing about the product.",
                )
        return None

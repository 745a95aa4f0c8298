"""Whether an object of Flux has delivered what it attempted, and goes on doing so."""

from __future__ import annotations

from collections.abc import Callable

from postdeploy.cluster.objects import FluxObject, condition
from postdeploy.cluster.rollout import going, unobserved
from postdeploy.cluster.ruling import Ruling, doomed, failed, passed, pending

UNDER_WAY = frozenset(
    {
        "ArtifactFailed",
        "DependencyNotReady",
        "HealthCheckCanceled",
        "Progressing",
        "ProgressingWithRetry",
        "Reconciling",
        "Suspended",
    }
)
"""Reasons of Ready=False that the next reconciliation may lift by itself."""
BROKEN_SOURCE = ("FetchFailed", "StorageOperationFailed", "IncludeUnavailable", "BuildFailed")


def flux(seen: FluxObject) -> Ruling:
    """Ready for its latest spec, not suspended, and what it applied is what it attempted."""
    meta, status = seen.metadata, seen.status
    if seen.kind == "HelmRepository" and seen.spec.type == "oci" and not status.conditions:
        return passed("an OCI HelmRepository has no status of its own")
    return (
        going(meta)
        or _suspended(seen)
        or unobserved(meta, status.observed_generation, empty=not status.conditions)
        or _reconciling(seen)
        or _ready(seen)
        or SPECIAL.get(seen.kind, _source)(seen)
        or passed(_well(seen))
    )


def _suspended(seen: FluxObject) -> Ruling | None:
    if not seen.spec.suspend:
        return None
    return failed(
        "it is suspended (spec.suspend): Ready speaks of an old revision",
        "Somebody ran `flux suspend` for an incident or a deploy, and did not resume it.",
    )


def _reconciling(seen: FluxObject) -> Ruling | None:
    conditions = seen.status.conditions
    stalled, reconciling = condition(conditions, "Stalled"), condition(conditions, "Reconciling")
    if stalled and stalled.is_true:
        return doomed(f"it gave up: {stalled}", "It waits for a change in Git: the spec or its chart is at fault.")
    rolled_back = _rolled_back(seen)
    if rolled_back is None and reconciling and reconciling.is_true:
        return pending(f"reconciling: {reconciling}")
    return rolled_back


def _rolled_back(seen: FluxObject) -> Ruling | None:
    """A HelmRelease after a rollback serves the old version in good health: the worst thing to call healthy."""
    if seen.kind != "HelmRelease":
        return None
    status = seen.status
    remediated = condition(status.conditions, "Remediated")
    if remediated and remediated.is_true:
        return doomed(f"rolled back: {remediated}", "The new version failed and Helm put the old one back.")
    if not status.history:
        return None
    newest = status.history[0]
    attempted = status.last_attempted_revision.partition("+")[0]
    if attempted and newest.chart_version and attempted != newest.chart_version.partition("+")[0]:
        return failed(
            f"chart {newest.chart_version} is deployed, {attempted} was attempted "
            "(status.history[0].chartVersion, lastAttemptedRevision)",
            "The new version failed and Helm put the old one back, or it has not been installed yet.",
        )
    if newest.status in ("failed", "uninstalled"):
        return failed(
            f"its newest Helm release is {newest.status} (status.history[0].status)", "See condition Released."
        )
    if newest.status not in ("", "deployed"):
        return pending(f"its newest Helm release is {newest.status} (status.history[0].status)")
    return None


def _ready(seen: FluxObject) -> Ruling | None:
    ready = condition(seen.status.conditions, "Ready")
    if ready is None:
        return pending("nothing reported yet (no condition Ready)")
    generation, judged = seen.metadata.generation, ready.observed_generation
    if generation is not None and judged is not None and judged < generation:
        return pending(f"Ready speaks of generation {judged} of {generation}")
    if ready.is_true:
        return None
    if ready.is_false and ready.reason not in UNDER_WAY:
        return failed(str(ready), "Its message names the object or the file; `flux get` shows the same.")
    return pending(str(ready))


def _source(seen: FluxObject) -> Ruling | None:
    conditions = seen.status.conditions
    for kind in BROKEN_SOURCE:
        if (found := condition(conditions, kind)) and found.is_true:
            return failed(f"its artifact is old: {found}", "The Git host, the registry or its credentials.")
    if (found := condition(conditions, "SourceVerified")) and found.is_false:
        return failed(f"its signature does not verify: {found}", "Signed with another key, or not signed.")
    if (found := condition(conditions, "ArtifactOutdated")) and found.is_true:
        return pending(str(found))
    return None


def _kustomization(seen: FluxObject) -> Ruling | None:
    status = seen.status
    healthy = condition(status.conditions, "Healthy")
    if healthy and healthy.is_false:
        return failed(str(healthy), "Something it applied did not become healthy in time.")
    applied, attempted = status.last_applied_revision, status.last_attempted_revision
    if applied and attempted and applied != attempted:
        return pending(f"revision {applied} is applied, {attempted} attempted (status.lastAppliedRevision)")
    return None


def _helm_release(seen: FluxObject) -> Ruling | None:
    conditions = seen.status.conditions
    for kind in ("Released", "TestSuccess"):
        found = condition(conditions, kind)
        # Ready already weighs the tests: Helm's controller sets it True over a failed one only where that is ignored.
        ignored = kind == "TestSuccess"
        if found and found.is_false and not ignored:
            return failed(str(found), "Helm could not install or upgrade it.")
    if (found := condition(conditions, "Drifted")) and found.is_true:
        return failed(f"the cluster differs from the chart: {found}", "Somebody changed an object by hand.")
    return None


def _nothing_more(seen: FluxObject) -> Ruling | None:
    return None


SPECIAL: dict[str, Callable[[FluxObject], Ruling | None]] = {
    "HelmRelease": _helm_release,
    "ImagePolicy": _nothing_more,
    "ImageUpdateAutomation": _nothing_more,
    "Kustomization": _kustomization,
}


def _well(seen: FluxObject) -> str:
    status = seen.status
    revision = status.last_applied_revision or (status.artifact.revision if status.artifact else "")
    notes = [f"Ready is True{' at ' + revision if revision else ''}"]
    if seen.kind == "Kustomization" and not (seen.spec.wait or seen.spec.health_checks):
        notes.append("which means applied only: neither spec.wait nor healthChecks is set")
    tested = condition(status.conditions, "TestSuccess")
    if tested and tested.is_false:
        notes.append("though its Helm test failed, which Ready says is ignored")
    return ", ".join(notes)

"""Whether a workload's controller has finished its rollout, judged by the counters it reports.

A finished rollout is not proof of a release: which image runs is judged in `images`, which pods are left in `claims`.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from postdeploy.cluster.objects import DaemonSet, Deployment, Meta, ReplicaSet, StatefulSet
from postdeploy.cluster.ruling import Ruling, doomed, failed, not_applicable, passed, pending

QUOTA_PATIENCE = timedelta(seconds=30)
"""A surge may hit a quota for a moment, until old pods have gone; beyond this it will not pass by itself."""


def going(meta: Meta) -> Ruling | None:
    """An object that is being deleted serves nobody for long; names the finalizers that hold it."""
    if meta.deletion_timestamp is None:
        return None
    held = f", held by finalizers {', '.join(meta.finalizers)}" if meta.finalizers else ""
    return doomed(
        f"it is being deleted (metadata.deletionTimestamp {meta.deletion_timestamp:%Y-%m-%dT%H:%M:%SZ}{held})",
        "Somebody, or a prune of the delivery tool, removed it from the cluster.",
    )


def unobserved(meta: Meta, observed: int | None, *, empty: bool) -> Ruling | None:
    """Counters count only once the controller has seen the latest spec (a `kubectl apply` races with it)."""
    if observed is None:
        return pending("the controller has reported nothing yet (no status.observedGeneration)") if empty else None
    if meta.generation is not None and observed != meta.generation:
        return pending(
            f"the controller has seen generation {observed} of {meta.generation} "
            "(status.observedGeneration, metadata.generation)",
            "The controller has not caught up with the latest change; if it stays, it is overloaded or stuck.",
        )
    return None


def _count(got: int, wanted: int, what: str, field: str) -> str:
    return f"{got} of {wanted} replicas {what} (status.{field})"


def deployment(seen: Deployment, now: datetime | None = None) -> Ruling:
    """Updated, nothing left of the old revision, all of it available."""
    meta, status = seen.metadata, seen.status
    return (
        going(meta)
        or unobserved(meta, status.observed_generation, empty=not (status.replicas or status.conditions))
        or _refused(seen, now)
        or _unfinished(seen)
        or _unavailable(seen)
        or _settled(seen)
    )


def _refused(seen: Deployment, now: datetime | None) -> Ruling | None:
    refused = seen.condition("ReplicaFailure")
    if refused is None or not refused.is_true or seen.status.updated_replicas >= seen.spec.replicas:
        return None
    since = refused.last_transition_time
    return failed(
        f"pods could not be created: {refused}",
        "A resource quota is used up, an admission webhook refuses the pod, or its service account is missing.",
        doomed=bool(now and since and now - since > QUOTA_PATIENCE),
    )


def _unfinished(seen: Deployment) -> Ruling | None:
    wanted, status = seen.spec.replicas, seen.status
    if status.updated_replicas < wanted:
        problem = _count(status.updated_replicas, wanted, "updated", "updatedReplicas")
    elif status.replicas > status.updated_replicas:
        left = status.replicas - status.updated_replicas
        problem = (
            f"{left} of {status.replicas} replicas are still of an old revision (status.replicas, updatedReplicas)"
        )
    elif status.updated_replicas > wanted:
        problem = f"{status.updated_replicas} replicas are up where {wanted} are wanted (status.updatedReplicas)"
    else:
        return None
    if seen.spec.paused:
        return doomed(
            f"the rollout is paused (spec.paused) with {problem}",
            "Somebody ran `kubectl rollout pause`, or a canary tool holds it; only a resume continues it.",
        )
    return _timed_out(seen, problem) or pending(
        problem, "The rollout is still under way, or its new pods do not get ready."
    )


def _timed_out(seen: Deployment, problem: str) -> Ruling | None:
    progressing = seen.condition("Progressing")
    if progressing is None or not progressing.is_false:
        return None
    return doomed(
        f"the rollout gave up: {progressing}; {problem}",
        "The new pods did not become available within spec.progressDeadlineSeconds: see why they are not ready.",
    )


def _unavailable(seen: Deployment) -> Ruling | None:
    wanted, status = seen.spec.replicas, seen.status
    available = seen.condition("Available")
    if status.available_replicas < wanted:
        problem = _count(status.available_replicas, wanted, "available", "availableReplicas")
    elif status.ready_replicas < wanted:
        problem = _count(status.ready_replicas, wanted, "ready", "readyReplicas")
    elif available and not available.is_true:
        return pending(str(available))
    else:
        return None
    progressing = seen.condition("Progressing")
    if progressing and progressing.reason == "NewReplicaSetAvailable" and available and available.is_false:
        # The rollout had finished, so its deadline no longer runs: nothing but us will call this a failure.
        return failed(
            f"the rollout had finished, but now {problem}, {available}",
            "Pods that were ready once are down now: a crash under load, a lost dependency, or a lost node.",
        )
    return _timed_out(seen, problem) or pending(problem, "The new pods are not ready, or not for minReadySeconds yet.")


def _settled(seen: Deployment) -> Ruling:
    wanted, progressing = seen.spec.replicas, seen.condition("Progressing")
    if progressing and progressing.is_false:
        return pending(f"all {wanted} replicas are updated and available, the condition is not: {progressing}")
    note = ", though the Deployment is paused" if seen.spec.paused else ""
    return passed(f"{wanted} of {wanted} replicas updated, ready and available{note}")


def statefulset(seen: StatefulSet) -> Ruling:
    """Every pod from the partition on is of the update revision, and all are ready."""
    meta, status = seen.metadata, seen.status
    return (
        going(meta)
        or unobserved(meta, status.observed_generation, empty=not (status.replicas or status.update_revision))
        or _stateful_counts(seen)
        or _stateful_revision(seen)
        or passed(f"{status.ready_replicas} of {seen.spec.replicas} ready at revision {status.update_revision or '-'}")
    )


def partition(seen: StatefulSet) -> int:
    """Pods with a lower ordinal stay on the old revision on purpose."""
    return (seen.spec.update_strategy.rolling_update.partition or 0) if not on_delete(seen) else 0


def on_delete(seen: StatefulSet | DaemonSet) -> bool:
    """Whether pods are replaced only when somebody deletes them."""
    return seen.spec.update_strategy.type == "OnDelete"


def _stateful_counts(seen: StatefulSet) -> Ruling | None:
    wanted, status = seen.spec.replicas, seen.status
    # Old servers report ready replicas and leave this counter at 0, and wait for no minReadySeconds either.
    available = status.available_replicas
    if available is None or not (available or seen.spec.min_ready_seconds):
        available = status.ready_replicas
    if status.replicas > wanted:
        return pending(f"{status.replicas} replicas exist where {wanted} are wanted (status.replicas)")
    for got, what, field in (
        (status.replicas, "created", "replicas"),
        (status.ready_replicas, "ready", "readyReplicas"),
        (available, "available", "availableReplicas"),
    ):
        if got < wanted:
            return pending(
                _count(got, wanted, what, field),
                "StatefulSets go one pod at a time: the first that is not ready holds up the others.",
            )
    return None


def _stateful_revision(seen: StatefulSet) -> Ruling | None:
    status, staged = seen.status, partition(seen)
    wanted = max(0, seen.spec.replicas - staged)
    moved = status.current_revision == status.update_revision
    if moved and not on_delete(seen):
        return None
    if status.updated_replicas >= wanted and (staged or on_delete(seen)):
        return None
    problem = (
        f"{status.updated_replicas} of {wanted} replicas at update revision {status.update_revision} "
        f"(status.updatedReplicas; currentRevision {status.current_revision})"
    )
    if on_delete(seen):
        # The controller never moves currentRevision under OnDelete (kubernetes#73492), and old servers count nothing.
        if moved:
            return None
        return stale(problem)
    return pending(problem, "The rollout is still under way, or its next pod does not get ready.")


def stale(problem: str) -> Ruling:
    """Under OnDelete nothing replaces a pod by itself."""
    return doomed(
        f"updateStrategy is OnDelete and old pods were left: {problem}",
        "Pods of an OnDelete workload are replaced only when somebody deletes them; nobody did after this release.",
    )


def daemonset(seen: DaemonSet) -> Ruling:
    """Every node that should run it runs its latest revision, ready."""
    meta, status = seen.metadata, seen.status
    wanted = status.desired_number_scheduled
    if found := going(meta) or unobserved(meta, status.observed_generation, empty=not (wanted or status.conditions)):
        return found
    if status.updated_number_scheduled < wanted:
        problem = f"{status.updated_number_scheduled} of {wanted} pods updated (status.updatedNumberScheduled)"
        return stale(problem) if on_delete(seen) else pending(problem, "The rollout is still under way.")
    for got, what, field in (
        (status.number_ready, "ready", "numberReady"),
        (status.number_available, "available", "numberAvailable"),
    ):
        if got < wanted:
            return pending(
                f"{got} of {wanted} pods {what} (status.{field})",
                "A pod does not get ready, or its node is not ready.",
            )
    note = f"; {status.number_misscheduled} where none should be" if status.number_misscheduled else ""
    return passed(f"{wanted} of {wanted} scheduled pods updated, ready and available{note}")


def replicaset(seen: ReplicaSet) -> Ruling:
    """One revision: all of it available, or scaled down for good because a newer one took over."""
    meta, status, wanted = seen.metadata, seen.status, seen.spec.replicas
    if meta.deletion_timestamp is not None:
        return not_applicable("an old revision that is being deleted")
    if found := unobserved(meta, status.observed_generation, empty=not status.replicas and bool(wanted)):
        return found
    for each in status.conditions:
        if each.type == "ReplicaFailure" and each.is_true:
            return failed(
                f"pods could not be created: {each}",
                "A resource quota is used up, an admission webhook refuses the pod, or its service account is missing.",
            )
    if wanted == 0:
        if status.replicas:
            return pending(f"{status.replicas} pods of a revision scaled to zero are still there (status.replicas)")
        return not_applicable("a revision scaled to zero: no part of what is live")
    if min(status.replicas, status.ready_replicas, status.available_replicas) < wanted:
        return pending(
            f"{status.ready_replicas} of {wanted} replicas ready, {status.available_replicas} available "
            "(status.readyReplicas, availableReplicas)",
            "Why is in its pods.",
        )
    return passed(f"{wanted} of {wanted} replicas available")

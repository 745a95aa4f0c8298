"""Whether what was live is on its way again: a reconciliation at its interval, an autoscaler that adds a pod."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from postdeploy.cluster.claims import ClusterClaims
from postdeploy.cluster.objects import Snapshot
from postdeploy.cluster.settle import progress_of
from postdeploy.cluster.traffic import TrafficClaims
from postdeploy.environment import Environment
from postdeploy.verdict import Judgement, State


def is_under_way(snapshot: Snapshot, environment: Environment, digests: Mapping[str, frozenset[str]] | None) -> bool:
    """Whether something is on its way and nothing stands against it, so that another look may find it arrived.

    Flux says Ready=Unknown at the start of every reconciliation, and one look may fall into any of them.
    """
    states = {each.state for each in _judged(snapshot, environment, digests)}
    return State.PENDING in states and State.FAILED not in states


def _judged(
    snapshot: Snapshot, environment: Environment, digests: Mapping[str, frozenset[str]] | None
) -> Iterator[Judgement]:
    yield from progress_of(snapshot, environment, snapshot.release, digests).open.values()
    traffic = TrafficClaims(snapshot, environment, snapshot.release)
    cluster = ClusterClaims(snapshot, environment, snapshot.release, digests)
    components = environment.components.values()
    yield from (traffic.endpoints(each) for each in components if each.service)
    yield from (cluster.image_digest(each) for each in dict.fromkeys(each.image for each in components))

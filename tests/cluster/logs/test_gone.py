"""Pods that are gone are told by their names, whatever kind made them."""

from __future__ import annotations

import pytest

from postdeploy.cluster.logs.backend import Where
from postdeploy.cluster.logs.gone import Gone
from postdeploy.cluster.sight import Sight
from tests.cluster import build
from tests.cluster.build import component


@pytest.mark.parametrize("kind", ["Deployment", "StatefulSet", "DaemonSet", "CronJob", "Job"])
def test_of_a_component_without_any_object_the_container_of_its_own_name_is_read(kind: str) -> None:
    declared = component(kind, "migrate")
    sight = Sight(build.snapshot(), build.environment(declared), build.RELEASE)
    where = [Where("crm", "migrate-abc-1", "migrate"), Where("crm", "migrate-abc-1", "sidecar")]
    found = list(Gone(sight, ()).instances(where))
    assert [(each.component, each.container) for each in found] == [("migrate", "migrate")]

from __future__ import annotations

import pytest

from postdeploy.environment.files import load
from postdeploy.evidence.catalogue import Check
from postdeploy.evidence.plan import expand, touches


@pytest.fixture(scope="module")
def uk():
    return load("uk-prod")


def check(name: str, over: str = "environment") -> Check:
    return Check(name, f"{name} holds.", name.partition(".")[0], over, "platform", ("DORA-9.4e",), "m.py", "test_it")


def test_a_check_is_planned_once_for_each_subject_in_the_order_of_the_tiers(uk):
    plan = expand([check("smoke.login.token"), check("infra.images.tag", "cronjob")], uk)
    cronjobs = list(uk.subjects("cronjob"))
    assert [each.subject for each in plan] == [*cronjobs, "uk-prod"]
    assert all(each.applicable for each in plan)
    assert len({each.key for each in plan}) == len(plan)


def test_a_check_of_a_kind_that_is_not_declared_is_planned_as_not_applicable(uk):
    bare = uk.model_copy(update={"components": {}})
    (entry,) = expand([check("infra.batch.cronjob", "cronjob")], bare)
    assert (entry.subject, entry.applicable) == ("uk-prod", False)


def test_the_table_names_cluster_hosts_tiers_and_every_subject(uk):
    plan = expand([check("infra.images.tag", "cronjob"), check("smoke.login.token")], uk)
    table = touches(plan, uk)
    assert uk.cluster.context in table
    assert all(host in table for host in uk.hosts)
    assert all(each.subject in table and each.id in table for each in plan)
    assert table.index("infra: ") < table.index("smoke: 1 check")
    assert max(map(len, table.splitlines())) <= 140


def test_the_table_says_what_is_not_applicable(uk):
    bare = uk.model_copy(update={"components": {}})
    table = touches(expand([check("infra.batch.cronjob", "cronjob")], bare), bare)
    assert "1 of them not applicable here" in table
    assert "\n" + " " * 23 + "not applicable here" in table


def test_an_empty_plan_is_no_error(uk):
    assert "0 checks planned" in touches((), uk)

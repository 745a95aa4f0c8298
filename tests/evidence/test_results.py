from __future__ import annotations

import msgspec
import pytest

from postdeploy.evidence.results import WORST_FIRST, complete, counts, unplanned, worst
from postdeploy.verdict import Verdict
from tests.evidence.makers import planned, ran


def test_fields_are_the_contracts_in_its_order(plan):
    names = " ".join(each for each in msgspec.to_builtins(ran(plan[0])))
    assert names == ("id subject nodeid title tier controls verdict started duration_s message attempts owner runbook")
    assert msgspec.to_builtins(ran(plan[0]))["started"] == "2026-11-22T20:00:00Z"


def test_every_planned_check_has_exactly_one_result_in_the_plans_order(plan):
    done = complete(plan, [ran(plan[4]), ran(plan[0])])
    assert [each.key for each in done] == [each.key for each in plan]


def test_what_did_not_run_is_unverified_and_says_why_where_known(plan):
    done = complete(plan, [], {plan[0].key: "the budget was spent"})
    assert (done[0].verdict, done[0].message) == (Verdict.UNVERIFIED, "unverified: not run: the budget was spent")
    assert done[1].message == "unverified: not run"
    assert not done[0].executed


def test_what_is_declared_absent_is_not_applicable_whatever_ran(plan):
    assert complete(plan, [])[2].verdict is Verdict.NOT_APPLICABLE
    assert complete(plan, [ran(plan[2], Verdict.FAILED)])[2].verdict is Verdict.NOT_APPLICABLE


def test_of_two_results_of_one_check_the_worst_counts_and_says_so(plan):
    done = complete(plan, [ran(plan[0]), ran(plan[0], Verdict.FAILED, "boom"), ran(plan[0], Verdict.FLAKY)])
    assert done[0].verdict is Verdict.FAILED
    assert done[0].message == "boom\njudged 3 times (passed, failed, flaky), the worst verdict counts"


def test_completing_twice_changes_nothing(plan):
    once = complete(plan, [ran(plan[0]), ran(plan[0], Verdict.FAILED, "boom")])
    assert complete(plan, once) == once


def test_a_result_nobody_planned_is_a_harness_error_and_no_result(plan):
    stranger = ran(planned("infra.new.check"))
    assert len(complete(plan, [stranger])) == len(plan)
    (line,) = unplanned(plan, [stranger, stranger, ran(plan[0])])
    assert line.startswith("harness error: infra.new.check[crm-web]")


def test_counts_name_every_verdict_as_the_contract_spells_it(plan):
    tally = counts(complete(plan, [ran(plan[0])]))
    assert tally == {
        "passed": 1, "degraded": 0, "flaky": 0, "failed": 0, "unverified": 3, "not-applicable": 1, "residue": 0,
    }  # fmt: skip


@pytest.mark.parametrize("verdict", Verdict)
def test_worst_knows_every_verdict(verdict):
    assert worst([verdict]) is verdict
    assert verdict in WORST_FIRST


def test_worst_of_nothing_is_unverified():
    assert worst([]) is Verdict.UNVERIFIED
    assert worst([Verdict.PASSED, Verdict.RESIDUE, Verdict.FAILED]) is Verdict.RESIDUE

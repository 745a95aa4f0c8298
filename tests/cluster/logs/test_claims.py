"""What each claim says of literal readings: red for what it is about, green for what only looks like it."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest

from postdeploy.cluster.logs.claims import LogClaims
from postdeploy.cluster.logs.seen import Blind, Earlier, Finding, Known, Logs, Reading, load, save
from postdeploy.environment import Environment, LogSuppression
from postdeploy.environment import load as load_environment
from postdeploy.verdict import Judgement, State, Unverified
from tests.cluster.build import RELEASE
from tests.cluster.logs.times import BEGAN, TAKEN

NAME = "crm-web"
UK = load_environment("uk-prod")
RULES = ("critical", "tracebacks", "errors", "new", "silence", "coverage")


def finding(level: str = "error", count: int = 1, **more: Any) -> Finding:
    return Finding(id="f1", level=level, template="stale quote for <#>", count=count, **more)


def reading(*findings: Finding, **more: Any) -> Reading:
    base: dict[str, Any] = {"component": NAME, "namespace": "crm", "pod": "crm-web-1-a", "container": NAME}
    return Reading(**(base | {"size": 100, "born": BEGAN, "ready": True, "findings": findings} | more))


def logs(*readings: Reading, **more: Any) -> Logs:
    covered = {"covered_before": (NAME,), "before_from": "loki"}
    return Logs(RELEASE, BEGAN, TAKEN, "creation", readings, **(covered | more))


def environment(*suppressions: LogSuppression, **rules: Any) -> Environment:
    return UK.model_copy(update={"log_suppressions": suppressions, "logs": UK.logs.model_copy(update=rules)})


def judge(rule: str, seen: Logs, declared: Environment | None = None, component: str = NAME) -> Judgement:
    where = declared or environment()
    claims = LogClaims(seen, where, RELEASE)
    found: Judgement = getattr(claims, rule)(where.components[component])
    return found


def suppression(**more: Any) -> LogSuppression:
    base = {"template": "stale quote for 12", "owner": "trading", "reason": "OPS-1", "most": 5}
    return LogSuppression(**(base | {"expires": date(2027, 1, 1)} | more))


@pytest.mark.parametrize("rule", RULES)
def test_quiet_logs_pass_every_claim(rule):
    assert judge(rule, logs(reading())).state is State.PASSED


@pytest.mark.parametrize("rule", RULES)
def test_what_was_not_read_in_full_is_never_green(rule):
    assert judge(rule, logs(reading(gaps=("cut after 12 bytes",)))).state is State.UNVERIFIED
    assert judge(rule, logs(reading(), blind=(Blind(NAME, "pods could not be read"),))).state is State.UNVERIFIED
    assert judge(rule, logs(reading(), unread=("Loki: 503",))).state is State.UNVERIFIED
    assert judge(rule, logs()).state is State.UNVERIFIED


@pytest.mark.parametrize("rule", RULES)
def test_a_component_whose_containers_are_not_known_is_never_green(rule):
    assert judge(rule, logs(reading(), blind=(Blind(NAME, "pods of crm: 403"),))).state is State.UNVERIFIED
    assert judge(rule, logs(reading(), blind=(Blind("crm-api", "pods of crm: 403"),))).state is State.PASSED


@pytest.mark.parametrize("rule", RULES)
def test_a_gap_of_an_old_pod_or_of_another_component_is_none_of_its_business(rule):
    others = reading(bucket="old", gaps=("gone",)), reading(component="crm-api", gaps=("cut",))
    assert judge(rule, logs(reading(), *others)).state is State.PASSED


@pytest.mark.parametrize("rule", RULES)
def test_a_cronjob_that_has_not_run_since_has_nothing_to_say(rule):
    assert judge(rule, logs(), component="crm-script-kyc-expiry").state is State.NOT_APPLICABLE


@pytest.mark.parametrize(
    "found", [finding("critical"), finding(fatal="worker lost"), finding("below", fatal="unrecoverable error")]
)
def test_critical_fatal_and_always_fatal_records_fail_although_something_was_not_read(found):
    judged = judge("critical", logs(reading(found), reading(pod="b", gaps=("cut",))))
    assert judged.state is State.FAILED
    assert "crm-web-1-a/crm-web" in judged.seen


def test_records_of_an_instance_that_is_gone_come_with_the_command_that_shows_them():
    judged = judge("critical", logs(reading(), reading(finding("critical"), previous=True)))
    assert "kubectl logs -n crm crm-web-1-a -c crm-web --previous\n" in judged.where + "\n"
    assert "--previous" not in judge("critical", logs(reading(finding("critical")))).where


@pytest.mark.parametrize("rule", RULES)
def test_records_of_old_pods_are_told_and_do_not_count(rule):
    judged = judge(rule, logs(reading(), reading(finding("critical"), bucket="old", pod="old")))
    assert judged.state is State.PASSED
    assert "1 error records of old pods" in judged.seen


def test_that_a_critical_record_is_no_news_is_said_and_no_excuse():
    judged = judge("critical", logs(reading(finding("critical")), before=(Known("f1", NAME, 3),)))
    assert judged.state is State.FAILED
    assert "was there before the release too" in judged.seen


TRACED = finding(exception="apps.x.Gone", frame="apps/x/views.py:show", app="x")


def test_a_new_traceback_names_the_app():
    judged = judge("tracebacks", logs(reading(TRACED)))
    assert judged.state is State.FAILED
    assert "apps.x.Gone at apps/x/views.py:show" in judged.seen
    assert "(app x)" in judged.seen


def test_a_traceback_that_was_there_before_is_told_and_passes():
    judged = judge("tracebacks", logs(reading(TRACED), before=(Known("f1", NAME, 3),)))
    assert judged.state is State.PASSED
    assert "apps.x.Gone" in judged.seen


@pytest.mark.parametrize(
    ("count", "state"), [(50, State.PASSED), (51, State.DEGRADED), (600, State.DEGRADED), (601, State.FAILED)]
)
def test_error_rate_has_a_soft_and_a_hard_limit(count, state):
    assert judge("errors", logs(reading(finding(count=count)))).state is state  # in ten minutes


def test_a_component_may_have_a_limit_of_its_own():
    declared = environment(limits={NAME: UK.logs.errors_per_minute.model_copy(update={"soft": 0.0, "hard": 0.0})})
    assert judge("errors", logs(reading(finding())), declared).state is State.FAILED


BEFORE = {"before": (Known("f1", NAME, 4),)}
RUN = Earlier("20261119T100000Z-v2026.47.0-abcdef", 10.0, (Known("f1", NAME, 4),))


def test_an_error_is_new_only_where_nothing_like_it_was_there_before():
    assert judge("new", logs(reading(finding()))).state is State.FAILED
    assert judge("new", logs(reading(finding()), **BEFORE)).state is State.PASSED
    assert judge("new", logs(reading(finding()), earlier=(RUN,))).state is State.PASSED
    assert judge("new", logs(reading(finding()), before=(Known("f1", "crm-api", 4),))).state is State.FAILED


def test_errors_that_were_counted_and_not_read_are_not_said_to_be_nothing_new():
    unread = Finding(id="f2", level="error", template="(other records)", count=900, sampled=True)
    found = judge("new", logs(reading(unread)), environment(errors_per_minute=UK.logs.errors_per_minute))
    assert found.state is State.UNVERIFIED
    assert "900 error records were counted and not read" in found.seen


def test_without_anything_to_compare_with_an_error_is_neither_new_nor_known():
    judged = judge("new", logs(reading(finding()), covered_before=()))
    assert judged.state is State.UNVERIFIED
    assert judge("new", logs(reading(), covered_before=())).state is State.PASSED


@pytest.mark.parametrize(("count", "state"), [(12, State.PASSED), (13, State.DEGRADED)])
def test_a_known_error_that_comes_far_more_often_is_degraded(count, state):
    assert judge("new", logs(reading(finding(count=count)), **BEFORE)).state is state


def test_silence_proves_nothing():
    assert judge("silence", logs(reading(), reading(pod="b", size=0, ready=False))).state is State.UNVERIFIED
    assert judge("silence", logs(reading(), reading(pod="b", size=0, born=None))).state is State.PASSED
    quiet = environment(may_be_silent=("nginx",))
    assert judge("silence", logs(reading(), reading(container="nginx", size=0)), quiet).state is State.PASSED


def test_a_declared_ready_line_that_never_came_fails():
    judged = judge("silence", logs(reading(), reading(pod="b", ready=False)))
    assert judged.state is State.FAILED
    assert "'Listening at: ' from b" in judged.seen
    assert judge("silence", logs(reading(ready=False), reading(container="nginx", ready=True))).state is State.PASSED


def test_a_suppression_takes_out_what_it_names_and_says_so():
    judged = judge("new", logs(reading(finding(count=5))), environment(suppression()))
    assert judged.state is State.PASSED
    assert "5 records accepted, by trading until 2027-01-01 (OPS-1)" in judged.seen


@pytest.mark.parametrize(
    "more",
    [
        {"most": 4},
        {"most": None, "most_per_minute": 0.4},
        {"expires": date(2026, 11, 19)},
        {"component": "crm-api"},
        {"container": "nginx"},
        {"logger": "apps.other"},
        {"template": None, "exception": "Gone"},
        {"template": "something else"},
    ],
)
def test_a_suppression_that_does_not_fit_or_hold_any_more_excuses_nothing(more):
    assert judge("new", logs(reading(finding(count=5))), environment(suppression(**more))).state is State.FAILED


def test_an_exception_can_be_suppressed_by_its_bare_name():
    accepted = environment(suppression(template=None, exception="Gone"))
    assert judge("tracebacks", logs(reading(TRACED)), accepted).state is State.PASSED


def test_a_suppression_unused_for_long_is_mentioned():
    idle = Earlier("20261119T100000Z-v2026.47.0-abcdef", 10.0)
    declared = environment(suppression(), green_runs=3)
    assert "not used" not in judge("errors", logs(reading(), earlier=(idle,) * 2), declared).seen
    judged = judge("errors", logs(reading(), earlier=(idle,) * 3), declared)
    assert "not used in this and the last 3 green runs" in judged.seen
    used = Earlier("x", 10.0, (Known("f9", NAME, 1, "stale quote for <#>"),))
    assert "not used" not in judge("errors", logs(reading(), earlier=(idle, idle, used)), declared).seen


def test_sampling_is_said_in_the_coverage():
    judged = judge("coverage", logs(reading(notes=("12 error records counted by the scanner",))))
    assert judged.state is State.PASSED
    assert "counted by the scanner" in judged.seen


def test_what_was_seen_is_saved_exactly():
    seen = logs(reading(TRACED), earlier=(RUN,), **BEFORE)
    assert load(save(seen)) == seen
    assert save(seen) == save(seen)
    with pytest.raises(Unverified, match="cannot be read"):
        load(save(seen)[:-9])


def test_minutes_never_divide_by_nothing():
    assert Logs(RELEASE, TAKEN, TAKEN, "x").minutes > 0
    assert logs().minutes == pytest.approx((TAKEN - BEGAN) / timedelta(minutes=1))

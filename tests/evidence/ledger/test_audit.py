"""The population of a period: what was deployed, by whom, and what verified it, the unverified first."""

from __future__ import annotations

import csv
import io
import json
from datetime import timedelta

import msgspec
import pytest

from postdeploy.evidence.ledger import events
from postdeploy.evidence.ledger.audit import (
    Answer,
    Asked,
    BadPeriod,
    audit,
    period,
    population_hash,
    sample,
    to_csv,
    to_json,
    to_text,
)
from postdeploy.evidence.ledger.checking import check
from postdeploy.evidence.ledger.deployments import gap
from postdeploy.evidence.ledger.entering import enter_run, rebuild
from postdeploy.evidence.ledger.folders import Approved, ChangeSeen, Deployed, Login, Running, Ticket
from postdeploy.verdict import Verdict
from tests.evidence.ledger.runs import PIPELINE, bits
from tests.evidence.makers import STARTED

ALWAYS = period(None, None)


def rows(ledger, environment="uk-prod", **asked):
    return audit(ledger.store, Asked(environment, *ALWAYS, **asked)).rows


def seen(ledger, *names, **asked):
    return [tuple(each[name] for name in names) for each in rows(ledger, **asked)]


def test_the_pipelines_deployment_has_who_when_and_what_verified_it(ledger, archive):
    enter_run(ledger, archive.run(pipeline=PIPELINE))
    (row,) = rows(ledger)
    assert (row["deployed_by"], row["approved_by"], row["ticket"]) == ("dora", "ann", "CHG-1")
    assert (row["source"], row["verdict"], row["commit_sha"]) == ("pipeline", "passed", "d" * 40)
    assert row["deployed_at"] == "2026-11-22T19:50:00.000000Z"
    assert row["minutes_to_verify"] == pytest.approx(75)


def test_bits_that_nobody_announced_are_a_deployment_that_is_not_verified(ledger, archive):
    enter_run(ledger, archive.run("v1", pipeline=PIPELINE))
    enter_run(ledger, archive.run("v1", running=bits("v2"), verdict=Verdict.FAILED))
    assert seen(ledger, "release", "verdict", "source") == [
        ("v2", "NOT VERIFIED", "seen"),
        ("v1", "passed", "pipeline"),
    ]


def test_a_tag_pushed_again_is_another_deployment(ledger, archive):
    enter_run(ledger, archive.run("v1"))
    enter_run(ledger, archive.run("v1", running=bits("v1", of="another build")))
    assert seen(ledger, "release", "verdict") == [("v1", "passed"), ("v1", "passed")]


def test_a_rollback_is_a_deployment_again(ledger, archive):
    for release in ("v1", "v2", "v1"):
        enter_run(ledger, archive.run(release))
    assert [release for (release,) in seen(ledger, "release")] == ["v1", "v2", "v1"]


def test_a_nightly_run_verifies_what_the_pipeline_deployed(ledger, archive):
    enter_run(ledger, archive.run("v1", pipeline=PIPELINE, verdict=Verdict.FAILED))
    nightly = archive.run("v1")
    enter_run(ledger, nightly)
    assert seen(ledger, "deployment_id", "verdict", "run_id") == [
        ("pipeline:brokerage/crm#77@uk-prod", "passed", nightly.run_id)
    ]


def test_another_platform_of_the_same_image_is_nothing_new(ledger, archive):
    both = (*bits("v1"), Running("registry.example/crm", "v1", "f" * 64))
    enter_run(ledger, archive.run("v1", running=both))
    enter_run(ledger, archive.run("v1", running=bits("v1")))
    assert len(rows(ledger)) == 1


def test_a_job_of_the_release_before_is_not_a_deployment(ledger, archive):
    enter_run(ledger, archive.run("v1"))
    enter_run(ledger, archive.run("v2", running=(*bits("v2"), *bits("v1"))))
    assert seen(ledger, "release", "verdict") == [("v1", "passed"), ("v2", "passed")]


@pytest.mark.parametrize(
    "change",
    [{"scope": "infra"}, {"finished": None}],
    ids=["partial scope", "not finished"],
)
def test_what_is_no_whole_run_verifies_nothing(ledger, archive, change):
    enter_run(ledger, archive.run(**change))
    assert seen(ledger, "verdict") == [("NOT VERIFIED",)]


def test_a_replay_is_never_entered_not_even_by_a_rebuild(ledger, archive):
    archive.run(replay_of="another")
    told = rebuild(ledger, archive.path)
    assert (told.new, told.wrong, told.unready) == ([], [], [])
    assert ledger.entries() == ()


def test_rehearsals_and_production_are_never_mixed(ledger, archive):
    enter_run(ledger, archive.run("v1", rehearsal=True))
    assert seen(ledger, "release") == []
    assert seen(ledger, "release", "verdict", rehearsal=True) == [("v1", "passed")]
    enter_run(ledger, archive.run("v1"))
    assert seen(ledger, "release", "verdict") == [("v1", "passed")]


def test_a_failed_verification_is_a_row_as_failed(ledger, archive):
    enter_run(ledger, archive.run(verdict=Verdict.FAILED, pipeline=msgspec.structs.replace(PIPELINE, approver="dora")))
    assert seen(ledger, "verdict", "deployed_by", "approved_by") == [("failed", "dora", "dora")]


def test_what_a_later_run_of_the_pipeline_knows_is_added_and_what_was_known_stays(ledger, archive):
    enter_run(ledger, archive.run(pipeline=msgspec.structs.replace(PIPELINE, approver=None, approved_at=None)))
    enter_run(ledger, archive.run(pipeline=PIPELINE))
    enter_run(ledger, archive.run(pipeline=PIPELINE))
    assert seen(ledger, "approved_by", "ticket") == [("ann", "CHG-1")]
    assert [each.event_type for each in ledger.entries()].count("deployment") == 2


def test_a_retracted_run_does_not_count_and_is_still_there(ledger, archive):
    run = archive.run()
    enter_run(ledger, run)
    ledger.append([events.retraction(run.run_id, "uk-prod", "ann", "CHG-2")])
    assert seen(ledger, "verdict", "retracted") == [("NOT VERIFIED", 1)]
    assert check(ledger, archive.path).findings == []


def test_a_correction_keeps_what_was_said_before(ledger, archive):
    enter_run(ledger, archive.run(pipeline=PIPELINE))
    name = "pipeline:brokerage/crm#77@uk-prod"
    ledger.append([events.correction(name, "ticket", "CHG-9", "ann", "typing error", 0)])
    ledger.append([events.correction(name, "approved_by", "bea", "ann", "the deputy approved", 1)])
    (row,) = rows(ledger)
    assert (row["ticket"], row["approved_by"], row["verdict"]) == ("CHG-9", "bea", "passed")
    assert row["corrected"].startswith("ticket was CHG-1: typing error; approved_by was actor:")
    assert check(ledger, archive.path).findings == []


def test_an_erased_name_is_gone_and_the_chain_still_verifies(ledger, archive, place):
    enter_run(ledger, archive.run(pipeline=PIPELINE))
    assert "dora" not in "".join(each.payload for each in ledger.entries())
    with ledger.store.reading() as connection:
        from postdeploy.evidence.ledger.ledger import Reading

        actor = Reading(ledger.store, connection).actor("dora")
    ledger.append([events.erasure(actor, "ann", "request 7")])
    (row,) = rows(ledger)
    assert (row["deployed_by"], row["approved_by"]) == (actor, "ann")
    assert check(ledger, archive.path).findings == []


def test_a_period_is_whole_days_utc(ledger, archive):
    for day in (0, 1, 2):
        enter_run(ledger, archive.run(f"v{day}", started=STARTED + timedelta(days=day)))
    asked = Asked("uk-prod", *period("2026-11-22", "2026-11-23"))
    assert [each["release"] for each in audit(ledger.store, asked).rows] == ["v0", "v1"]


@pytest.mark.parametrize(("first", "last"), [("yesterday", None), (None, "2026-13-01"), ("2026-12-02", "2026-12-01")])
def test_a_period_that_is_none_says_what_to_write(first, last):
    with pytest.raises(BadPeriod):
        period(first, last)


def gitlab(*listed: Deployed, mine: int | None = None, numbers: tuple[int, ...] = ()) -> ChangeSeen:
    own = next((each for each in listed if each.iid == mine), None)
    return ChangeSeen("brokerage/crm", Ticket("CHG-7"), Login("dora"), own, listed, numbers)


def deployed(number: int, release: str, *approvers: str, **more) -> Deployed:
    at = STARTED + timedelta(hours=number)
    given = tuple(Approved(each, "approved", at - timedelta(minutes=9)) for each in approvers)
    told = {"status": "success", "pipeline": str(number), "by": "dora", "began": at, "finished": at, "approvals": given}
    return Deployed(number, "uk-prod", "d" * 40, release, **told | more)


def test_gitlabs_deployments_are_rows_though_nobody_verified_them(ledger, archive):
    before, now = deployed(4, "v1", approvals=None), deployed(6, "v2", "dora", "ann")
    waiting = deployed(7, "v3", status="blocked", pipeline="")
    enter_run(ledger, archive.run("v2", change=gitlab(before, now, waiting, mine=6, numbers=(7, 6, 4))))
    assert seen(ledger, "release", "verdict", "deployed_by", "approved_by", "ticket", "iid") == [
        ("v1", "NOT VERIFIED", "dora", "", "", 4),
        ("v2", "passed", "dora", "ann", "CHG-7", 6),
    ]
    (said,) = audit(ledger.store, Asked("uk-prod", *ALWAYS)).gaps
    assert "GitLab has no deployment 5 any more" in said
    assert check(ledger, archive.path).findings == []


def test_gitlab_and_the_pipelines_variables_tell_of_one_deployment(ledger, archive):
    enter_run(ledger, archive.run("v1", pipeline=PIPELINE))
    enter_run(ledger, archive.run("v1", pipeline=PIPELINE, change=gitlab(deployed(77, "v1", "ann"), mine=77)))
    assert len(rows(ledger)) == 1


def test_a_deployment_made_up_through_the_api_is_a_row(ledger, archive):
    enter_run(ledger, archive.run("v2", change=gitlab(deployed(9, "v1", pipeline=""))))
    assert ("gitlab:brokerage/crm!9@uk-prod", "NOT VERIFIED") in seen(ledger, "deployment_id", "verdict")


@pytest.mark.parametrize(
    ("number", "numbers", "missing"),
    [(5, (5, 4), ""), (6, (6, 4), "5"), (9, (9, 4), "5 to 8"), (4, (9, 4), ""), (4, (), "")],
)
def test_a_gap_is_what_is_missing_just_before(number, numbers, missing):
    assert gap(number, numbers) == missing


def answer(*names: str) -> Answer:
    plain = dict.fromkeys(("deployed_at", "release", "deployed_by", "approved_by", "ticket"), "x")
    more = {"verdict": "passed", "verified_at": None, "run_id": None, "corrected": ""}
    return Answer(Asked("uk-prod", *ALWAYS), tuple({**plain, **more, "deployment_id": each} for each in names), ())


def test_a_sample_is_drawn_the_same_whatever_the_order():
    names = [f"d{number}" for number in range(100)]
    first = sample(answer(*names), 5, "S")
    assert sample(answer(*reversed(names)), 5, "S") == first
    assert sample(answer(*names), 5, "T") != first
    assert len(sample(answer(*names), 500, "S")) == 100


def test_the_population_has_one_hash_whatever_the_order():
    assert population_hash(["b", "a"]) == population_hash(["a", "b"]) != population_hash(["a"])


def test_every_form_has_the_rows(ledger, archive):
    enter_run(ledger, archive.run(pipeline=msgspec.structs.replace(PIPELINE, ticket='=HYPERLINK("x")')))
    found = audit(ledger.store, Asked("uk-prod", *ALWAYS))
    assert "1 deployments of uk-prod: 1 passed" in to_text(found)
    assert json.loads(to_json(found))["population"]["count"] == 1
    (row,) = csv.DictReader(io.StringIO(to_csv(found)))
    assert row["ticket"].startswith("'=")

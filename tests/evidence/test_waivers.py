"""What somebody allowed not to be run is planned, not run, degraded, and says who allowed it until when."""

from __future__ import annotations

import json
from datetime import date

import msgspec
import pytest
from junitparser import JUnitXml, Skipped

from postdeploy.environment import BadWaivers, Waiver, read_waivers
from postdeploy.evidence.auditor import auditor_page
from postdeploy.evidence.junit import junit
from postdeploy.evidence.plan import Planned
from postdeploy.evidence.results import complete
from postdeploy.evidence.run_record import RunRecord, finish
from postdeploy.evidence.show import show
from postdeploy.evidence.statements import statements
from postdeploy.evidence.waivers import WaivesNothing, said, waive
from postdeploy.verdict import Verdict
from tests.evidence.makers import ran

TODAY = date(2026, 11, 22)
WORDS = "waived until 2026-11-22 by Ada Lovelace: the refunds are closed (CHG-4711)"


def waiver(check: str = "infra.images.tag", subject: str | None = None, expires: date = TODAY) -> Waiver:
    return Waiver(
        check=check,
        subject=subject,
        approver="Ada Lovelace",
        reason="the refunds are closed",
        ticket="CHG-4711",
        expires=expires,
    )


def keys(plan: tuple[Planned, ...]) -> list[tuple[str, str]]:
    return [each.key for each in plan if each.waiver]


def test_a_waiver_without_a_subject_is_about_every_subject_of_its_check(plan):
    assert keys(waive(plan, [waiver()], TODAY)) == [("infra.images.tag", "crm-web"), ("infra.images.tag", "crm-api")]
    assert keys(waive(plan, [waiver(subject="crm-api")], TODAY)) == [("infra.images.tag", "crm-api")]


def test_it_holds_on_its_last_day_and_not_on_the_next(plan):
    assert keys(waive(plan, [waiver(expires=date(2026, 11, 21))], TODAY)) == []
    assert keys(waive(plan, [waiver(expires=date(2026, 11, 22))], TODAY)) != []


def test_what_does_not_apply_needs_nobodys_word(plan):
    assert keys(waive(plan, [waiver("infra.batch.cronjob")], TODAY)) == []


@pytest.mark.parametrize(
    ("check", "subject", "words"),
    [
        ("infra.images.tags", None, "which is no check; did you mean 'infra.images.tag'?"),
        ("infra.images.tag", "crm-wep", "is not planned here; did you mean 'crm-web'?"),
        ("infra.images.tag", "elsewhere", "is not planned here; it has crm-web, crm-api"),
    ],
)
def test_a_waiver_of_nothing_is_refused_even_when_it_is_over(plan, check, subject, words):
    with pytest.raises(WaivesNothing, match=words.replace("?", r"\?")):
        waive(plan, [waiver(check, subject, date(2020, 1, 1))], TODAY)


def test_the_plan_without_waivers_is_written_as_ever(plan):
    assert "waiver" not in json.loads(msgspec.json.encode(plan))[0]


@pytest.fixture
def waived(plan):
    return waive(plan, [waiver(subject="crm-api")], TODAY)


def test_one_result_says_so_and_is_neither_passed_nor_executed(waived):
    result = complete(waived, [])[1]
    assert (result.verdict, result.executed, result.message) == (Verdict.DEGRADED, False, WORDS)
    assert msgspec.to_builtins(result)["waiver"] == {
        "approver": "Ada Lovelace",
        "reason": "the refunds are closed",
        "expires": "2026-11-22",
        "ticket": "CHG-4711",
    }


def test_what_was_found_all_the_same_or_was_not_selected_is_not_waived_away(waived):
    found = ran(waived[1], Verdict.RESIDUE, "a deposit is left")
    assert complete(waived, [found])[1].verdict is Verdict.RESIDUE
    result = complete(waived, [], {waived[1].key: "not selected (-m smoke)"})[1]
    assert (result.verdict, result.waiver) == (Verdict.UNVERIFIED, None)


@pytest.fixture
def finished(record, waived) -> tuple[RunRecord, tuple]:
    results = complete(waived, [ran(each) for each in waived if each.applicable and not each.waiver])
    return finish(record, results, 0), results


def test_a_run_with_a_waiver_is_at_best_degraded(finished):
    record, _ = finished
    assert (record.verdict, record.executed, record.planned) == (Verdict.DEGRADED, 3, 5)


def test_junit_calls_it_skipped_and_says_who(finished):
    parsed = JUnitXml.fromstring(junit(*finished))
    (case,) = [each for suite in parsed for each in suite if each.name == "infra.images.tag[crm-api]"]
    assert [(type(each), each.type, each.message) for each in case.result] == [(Skipped, "waived", WORDS)]
    assert (parsed.tests, parsed.errors, [suite.skipped for suite in parsed]) == (5, 0, [2, 0, 0])


def test_the_signed_statement_warns_and_names_who_accepted_it(finished, folder):
    for name in ("manifest.json", "SHA256SUMS"):
        folder.write_text(name, "")
    test_result, verification = (each["predicate"] for each in statements(folder.path, *finished, ()).values())
    assert (test_result["result"], test_result["warnedTests"]) == ("WARNED", ["infra.images.tag[crm-api]"])
    (entry,) = [each for each in verification["notChecked"] if each["verdict"] == "degraded"]
    assert (entry["id"], entry["waiver"]["approver"]) == ("infra.images.tag", "Ada Lovelace")


def test_the_auditor_reads_it_under_what_was_not_checked_and_not_as_a_finding(finished):
    page = auditor_page(*finished)
    assert "What needs attention" not in page
    assert "3 of 4 applicable checks were executed. 1 was waived, as is listed below" in page
    _, _, after = page.partition("What was not checked, why, and who accepted that")
    assert f"<h4>{WORDS} (1)</h4>" in after


def test_it_is_said_in_the_terminal_and_shown_by_the_command(finished, waived, folder):
    assert list(said(waived)) == [f"not run: infra.images.tag[crm-api]: {WORDS}"]
    record, results = finished
    folder.write_json("run.json", record)
    folder.write_json("results.json", results)
    assert f"DEGRADED infra.images.tag[crm-api]: {WORDS}" in show(folder.path)


# --- the file ----------------------------------------------------------------------------------------------------

FILE = """
waivers:
  - {check: infra.images.tag, approver: Ada, reason: of everybody, expires: 2027-01-31}
  - {check: infra.pods.ready, environment: cy-prod, approver: Ada, reason: elsewhere, expires: 2027-01-31}
"""


def test_a_file_is_read_for_the_environment_that_is_verified(tmp_path):
    (tmp_path / "waivers.yaml").write_text(FILE)
    assert [each.check for each in read_waivers(tmp_path / "waivers.yaml", "uk-prod")] == ["infra.images.tag"]
    assert [each.check for each in read_waivers(tmp_path / "waivers.yaml", "cy-prod")] == [
        "infra.images.tag", "infra.pods.ready",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("waivers: [{check: infra.images.tag, reason: x, expires: 2027-01-31}]", r"waivers\[0\].approver: missing"),
        ("waivers: [{check: infra.images.tag, approver: a, expires: 2027-01-31}]", r"waivers\[0\].reason: missing"),
        ("waivers: [{check: infra.images.tag, approver: a, reason: x}]", r"waivers\[0\].expires: missing"),
        ("waivers: [{check: tag, approver: a, reason: x, expires: 2027-01-31}]", "expected a check id"),
        ("waivers: [{check: a.b.c, approver: a, reason: x, expires: soon}]", "expected a date as YYYY-MM-DD"),
        ("waivers: []\nwaivers: []", "duplicate key"),
        ("waviers: []", "unknown key; did you mean 'waivers'?"),
        ("- a", "expected a map of keys"),
    ],
)
def test_a_file_that_cannot_be_used_says_where(tmp_path, text, words):
    (tmp_path / "waivers.yaml").write_text(text)
    with pytest.raises(BadWaivers, match=words.replace("?", r"\?")):
        read_waivers(tmp_path / "waivers.yaml", "uk-prod")
    with pytest.raises(BadWaivers, match="cannot be read"):
        read_waivers(tmp_path / "nowhere.yaml", "uk-prod")

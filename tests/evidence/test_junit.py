from __future__ import annotations

from pathlib import Path

import msgspec
import pytest
from junitparser import Error, Failure, JUnitXml, Skipped
from lxml import etree

from postdeploy.evidence.junit import LONGEST, junit
from postdeploy.evidence.results import complete
from postdeploy.verdict import Verdict
from tests.evidence.makers import planned, ran


def cases(record, results):
    parsed = JUnitXml.fromstring(junit(record, results))
    return {case.name: case for suite in parsed for case in suite}


@pytest.mark.parametrize(
    ("verdict", "child"),
    [
        (Verdict.PASSED, None),
        (Verdict.DEGRADED, None),
        (Verdict.FLAKY, None),
        (Verdict.FAILED, Failure),
        (Verdict.UNVERIFIED, Error),
        (Verdict.RESIDUE, Error),
        (Verdict.NOT_APPLICABLE, Skipped),
    ],
)
def test_each_verdict_has_the_child_that_gitlab_understands(record, plan, verdict, child):
    case = cases(record, [ran(plan[0], verdict, "three of six replicas\nwhere to look: there")])[
        "infra.images.tag[crm-web]"
    ]
    assert [type(each) for each in case.result] == ([child] if child else [])
    if child is not None:
        assert case.result[0].message == "three of six replicas"
        assert "where to look" in case.result[0].text
        assert case.result[0].type == verdict.value


def test_what_passed_only_just_says_so_in_the_output(record, plan):
    case = cases(record, [ran(plan[0], Verdict.FLAKY, "at the second look", looks=2)])["infra.images.tag[crm-web]"]
    assert case.system_out == (
        "flaky: at the second look\n20:00:00 UTC unverified: time-out\n20:00:01 UTC flaky: time-out"
    )


def test_one_case_per_planned_check_with_a_name_of_its_own_and_true_totals(record, plan):
    results = complete(plan, [ran(plan[0]), ran(plan[3], Verdict.FAILED, "down")])
    parsed = JUnitXml.fromstring(junit(record, results))
    names = [(case.classname, case.name) for suite in parsed for case in suite]
    assert len(names) == len(set(names)) == len(plan)
    assert [suite.name for suite in parsed] == ["uk-prod.infra", "uk-prod.endpoints", "uk-prod.smoke"]
    assert (parsed.tests, parsed.failures, parsed.errors) == (5, 1, 2)
    assert sum(suite.skipped for suite in parsed) == 1
    infra = next(iter(parsed))
    assert (infra.tests, infra.failures, infra.errors, infra.skipped) == (3, 0, 1, 1)
    assert {each.name: each.value for each in infra.properties()}["rehearsal"] == "false"


def test_what_was_not_run_is_an_error_of_that_type(record, plan):
    case = cases(record, complete(plan, []))["smoke.login.token[uk-prod]"]
    assert (case.result[0].type, case.result[0].message) == ("not run", "unverified: not run")


def test_a_rehearsal_is_marked_in_every_suite(record, plan):
    rehearsal = msgspec.structs.replace(record, rehearsal=True, replay_of="earlier")
    parsed = JUnitXml.fromstring(junit(rehearsal, [ran(plan[0])]))
    (suite,) = parsed
    assert suite.name == "uk-prod.infra (REHEARSAL)"
    assert {"rehearsal": "true", "replay_of": "earlier"}.items() <= {
        each.name: each.value for each in suite.properties()
    }.items()


def test_characters_that_xml_cannot_hold_are_left_out(record):
    entry = planned("infra.images.tag", "a\x00b")
    result = ran(entry, Verdict.FAILED, "\x1b[31mred\x1b[0m <&> \ud800 \ufffe é 💥\n\x08two")
    case = cases(record, [result])["infra.images.tag[ab]"]
    assert case.result[0].message == "[31mred[0m <&>   é 💥"


def test_a_message_beyond_all_measure_keeps_beginning_and_end(record, plan):
    case = cases(record, [ran(plan[0], Verdict.FAILED, "first " + "x" * 99_999 + " last")])["infra.images.tag[crm-web]"]
    text = case.result[0].text
    assert len(text) < LONGEST + 100
    assert text.startswith("first ")
    assert text.endswith(" last")
    assert "characters left out" in text


@pytest.mark.parametrize("letter", ["x", "&", "💥"])
def test_thousands_of_long_messages_stay_within_what_gitlab_reads(record, plan, letter):
    one = ran(plan[0], Verdict.FAILED, letter * 9000, looks=2)
    results = [msgspec.structs.replace(one, subject=str(each)) for each in range(2000)]
    assert len(junit(record, results)) < 30 * 1000 * 1000


def test_no_results_are_still_a_document(record):
    assert JUnitXml.fromstring(junit(record, ())).tests == 0


@pytest.mark.parametrize("verdict", Verdict)
def test_it_has_the_form_that_readers_share(record, plan, verdict):
    schema = etree.XMLSchema(etree.parse(Path(__file__).with_name("junit.xsd")))
    results = complete(plan, [ran(plan[0], verdict, "three of six \x1b[31m<&>", looks=2), ran(plan[3])])
    schema.assertValid(etree.fromstring(junit(record, results)))
    schema.assertValid(etree.fromstring(junit(record, ())))

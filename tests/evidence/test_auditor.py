from __future__ import annotations

from html.parser import HTMLParser

import msgspec
import pytest

from postdeploy.evidence import run_record
from postdeploy.evidence.auditor import MEANING, auditor_page
from postdeploy.evidence.looks import Looks
from postdeploy.evidence.results import complete
from postdeploy.verdict import Verdict
from tests.evidence.makers import STARTED, planned, ran

VOID = {"meta", "col", "br"}


class Page(HTMLParser):
    """Text, tags and attributes of a page, which must be well nested."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.words: list[str] = []
        self.tags: list[str] = []
        self.links: list[str] = []
        self._open: list[str] = []
        self.feed(text)
        assert self._open == []

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.links += [value for name, value in attrs if name in ("href", "src")]
        if tag not in VOID:
            self._open.append(tag)

    def handle_endtag(self, tag):
        assert self._open.pop() == tag

    def handle_data(self, data):
        if self._open and self._open[-1] != "style":
            self.words.append(data.strip())

    @property
    def text(self) -> str:
        return " ".join(each for each in self.words if each)


def page(record, results, **more) -> Page:
    return Page(auditor_page(record, results, **more))


@pytest.fixture
def done(record, plan):
    results = complete(plan, [ran(each) for each in plan])
    return run_record.finish(record, results, 0, STARTED), results


def test_a_verified_release_reads_so_and_carries_no_banner(done):
    record, results = done
    shown = page(msgspec.structs.replace(record, signing="c" * 64), results)
    assert shown.text.startswith(
        "passed: v2026.47.1 in uk-prod PASSED Release v2026.47.1 in uk-prod: 4 of 4 applicable"
    )
    assert MEANING[Verdict.PASSED] in shown.text
    assert "REHEARSAL" not in shown.text
    assert "PARTIAL" not in shown.text
    assert "UNSIGNED" not in shown.text
    assert "What needs attention" not in shown.text


def test_a_rehearsal_a_partial_scope_and_a_replay_are_said_before_anything_else(done):
    record, results = done
    marked = msgspec.structs.replace(record, rehearsal=True, scope="-m infra", replay_of="earlier-run")
    text = page(marked, results).text
    verdict = text.index("PASSED")
    for word in ("REHEARSAL", "not evidence of production", "PARTIAL SCOPE (-m infra)", "REPLAY of earlier-run"):
        assert text.index(word) < verdict


def test_every_planned_check_is_shown_with_owner_runbook_and_controls(done, plan):
    text = page(*done).text
    for each in plan:
        assert each.title in text
        assert each.id in text
        assert each.subject in text
    assert "evidence for DORA-9.4e" in text
    assert "docs/runbook.md#infraimagestag" in text


def test_what_was_not_checked_is_told_with_its_reason(record, plan):
    results = complete(plan, [ran(plan[0])], {plan[4].key: "the budget was spent"})
    text = page(record, results, looks=Looks(gaps=("pods in crm: 403 Forbidden",))).text
    section = text[text.index("What was not checked") : text.index("Every check")]
    for word in (
        "unverified: not run: the budget was spent (1)",
        "smoke.login.token uk-prod",
        "not applicable: nothing of the kind is declared here (1)",
        "Could not be read",
        "pods in crm: 403 Forbidden",
    ):
        assert word in section


def test_nothing_left_out_is_said_too(record, plan):
    text = page(record, [ran(plan[0])]).text
    assert "Nothing: every planned check was executed" in text


def test_what_needs_attention_comes_gravest_first_with_every_look(record, plan):
    results = [
        ran(plan[0], Verdict.FLAKY, "at last", looks=3),
        ran(plan[1], Verdict.FAILED, "three of six\nwhere to look: there"),
        ran(plan[3], Verdict.RESIDUE, "left behind"),
        *complete(plan[4:], []),
    ]
    text = page(run_record.finish(record, results, 12), results).text
    section = text[text.index("What needs attention") : text.index("What was not checked")]
    assert section.index("left behind") < section.index("three of six") < section.index("at last")
    assert "20:00:02 flaky" in section
    assert "not run" not in section


def test_facts_of_the_pipeline_are_shown_and_missing_ones_said(done):
    record, results = done
    pipeline = run_record.Pipeline(url="https://gitlab.example/-/jobs/1", job="verify", approver="b.approver")
    shown = page(msgspec.structs.replace(record, pipeline=pipeline), results, hashes={"results.json": "f" * 64})
    assert shown.links == ["https://gitlab.example/-/jobs/1"]
    assert "b.approver" in shown.text
    assert "f" * 64 in shown.text
    assert shown.text.count("not recorded") == 4


def test_each_check_says_which_version_of_which_rule_judged_it(done):
    record, results = done
    text = page(record, results).text
    assert "judged by verify/infra/test_it.py of suite commit cccccccccccc" in " ".join(text.split())


def test_an_unfinished_record_says_so(record):
    suite = msgspec.structs.replace(record.suite, dirty=True, packages={})
    text = page(msgspec.structs.replace(record, suite=suite), ()).text
    assert text.count("not finished") == 2
    assert "with uncommitted changes" in text


def test_nothing_in_a_result_becomes_markup_or_a_link(record):
    evil = '"><script>alert(1)</script><img src=x onerror=alert(1)>'
    entry = msgspec.structs.replace(planned("infra.images.tag", evil), title=evil, owner=evil, controls=(evil,))
    looks = Looks(settled=evil, gaps=(evil,), notes=(evil,), about={evil: evil})
    pipeline = run_record.Pipeline(url="javascript:alert(1)", actor=evil)
    marked = msgspec.structs.replace(record, scope=evil, release=evil, pipeline=pipeline)
    shown = page(marked, [ran(entry, Verdict.FAILED, evil, looks=2)], looks=looks)
    assert {"script", "img"}.isdisjoint(shown.tags)
    assert shown.links == []


def test_the_page_calls_nobody_and_its_policy_forbids_it(done):
    text = auditor_page(*done)
    assert "default-src 'none'; style-src 'sha256-" in text
    assert " style=" not in text
    assert "@import" not in text
    assert "url(" not in text
    assert 'name="viewport"' in text


def test_a_message_beyond_all_measure_is_cut_and_says_where_the_rest_is(record, plan):
    text = page(record, [ran(plan[0], Verdict.FAILED, "x" * 9_000)]).text
    assert "3000 more characters are in results.json" in text


def test_what_turned_out_not_to_apply_is_grouped_by_reason_and_not_counted_as_executed(done):
    record, results = done
    for place in (0, 1):
        absent = f"Deployment {place} stayed well: not-applicable: no hold was asked for"
        changed = msgspec.structs.replace(results[place], verdict=Verdict.NOT_APPLICABLE, message=absent)
        results = (*results[:place], changed, *results[place + 1 :])
    text = page(record, results).text
    assert "2 of 2 applicable checks were executed" in text
    assert "no hold was asked for (2)" in text

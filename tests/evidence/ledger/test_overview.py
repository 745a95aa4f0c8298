"""Every environment at a glance: what the page says is what the ledger has, and it runs nothing."""

from __future__ import annotations

import re
from datetime import timedelta
from xml.etree import ElementTree as ET

import pytest

from postdeploy.evidence import catalogue, charts, overview
from postdeploy.evidence.controls import CONTROLS, named
from postdeploy.evidence.ledger.entering import enter_run
from postdeploy.evidence.ledger.ledger import Ledger
from postdeploy.evidence.ledger.standing import Week
from postdeploy.verdict import Verdict
from tests.evidence.ledger.runs import bits, facts
from tests.evidence.makers import STARTED

NOW = STARTED + timedelta(days=2)


def cells(page: str, environment: str) -> dict[str, str]:
    """The row of an environment: column to text."""
    (row,) = re.findall(rf"<tr><th>{environment}</th>(.*?)</tr>", page)
    found = re.findall(r'<td data-of="(\w+)">(.*?)</td>', row)
    return {name: re.sub(r"<[^>]+>", "", html).strip() for name, html in found}


@pytest.fixture
def page(ledger, archive, tmp_path):
    def made() -> str:
        target = tmp_path / "index.html"
        overview.write(ledger.store, archive.path, target, NOW)
        return target.read_text(encoding="utf-8")

    return made


def test_each_environment_has_verdict_tiers_and_age(ledger, archive, page):
    enter_run(ledger, archive.run("v2"))
    enter_run(ledger, archive.run("v2", verdict=Verdict.FAILED, environment="hk-prod"))
    enter_run(ledger, archive.run("v1", environment="cy-prod", started=STARTED - timedelta(days=1)))
    told = page()
    assert re.findall(r"<tr><th>([a-z]+-prod)</th>", told) == ["uk-prod", "cy-prod", "hk-prod"]
    uk, hk, cy = (cells(told, name) for name in ("uk-prod", "hk-prod", "cy-prod"))
    assert (uk["verdict"], uk["infra"], uk["verified"]) == ("✓ passed", "✓ 1", "1 d ago")
    assert (hk["verdict"], hk["infra"], hk["smoke"]) == ("✗ failed", "✗ 1 failed", "✓ 1")
    assert (cy["verdict"], cy["infra"], cy["verified"]) == ("? NOT VERIFIED", "-", "never")
    assert cy["deployed"].startswith("v1 ")


def test_different_bits_under_one_release_are_said(ledger, archive, page):
    enter_run(ledger, archive.run("v1"))
    assert "1 environment run the same bits" in page()
    enter_run(ledger, archive.run("v1", environment="hk-prod", running=bits("v1", of="another build")))
    assert "2 different builds under one release" in page()


def test_an_unverified_deployment_is_at_the_top(ledger, archive, page):
    enter_run(ledger, archive.run("v1", scope="infra"))
    assert "NOT VERIFIED: the newest deployment of uk-prod" in page()


def test_only_reports_that_are_there_are_linked(ledger, archive, page):
    run = archive.run("v1")
    (run.path / "auditor.html").write_text("x")
    enter_run(ledger, run)
    assert re.findall(r'<a href="([^"]+)">', page()) == [f"archive/uk-prod/{run.run_id}/auditor.html"]


def test_rehearsals_are_shown_only_alone_and_as_such(ledger, archive, page):
    enter_run(ledger, archive.run("v1", rehearsal=True))
    assert "no evidence of production" in page()
    enter_run(ledger, archive.run("v2"))
    told = page()
    assert "no evidence of production" not in told
    assert "1 runs in" in told


def test_controls_are_counted_by_quarter_and_environment_once_for_each_deployment(tmp_path):
    ledger = Ledger(str(tmp_path / "l.sqlite"))
    facts("r1", "v1", Verdict.FAILED).enter(ledger)
    facts("r2", "v1", started=STARTED + timedelta(hours=1)).enter(ledger)
    facts("r3", "v0", started=STARTED - timedelta(days=100), environment="hk-prod").enter(ledger)
    seen = overview.overview(ledger.store, NOW)
    assert seen.quarters == {
        "2026 Q4": {"DORA-9.4e": {"uk-prod": (1, 0, 0)}},
        "2026 Q3": {"DORA-9.4e": {"hk-prod": (1, 0, 0)}},
    }


def test_what_comes_from_outside_is_text_on_the_page(ledger, archive, page):
    enter_run(ledger, archive.run("v1<script>alert(1)</script>".replace("/", "")))
    told = page()
    assert "<script" not in told
    assert "&lt;script&gt;" in told
    assert "default-src 'none'" in told
    assert not re.search(r'(src|href)="https?:', told)


def test_an_empty_ledger_has_a_page(ledger, page):
    ledger.append([])
    assert "No release yet" in page()


def test_charts_are_whole_svg_and_say_in_words_what_they_show():
    row = {"verdict": "failed", "scope": "full", "finished": "2026-11-22T10:00", "release": 'v"1<'}
    for drawn in (charts.history([row]), charts.weeks([Week("2026-11-16", 2, 100, 3), Week("2026-11-23", 0, 0, 0)])):
        assert ET.fromstring(drawn).attrib["aria-label"]
    assert "3.00%" in charts.weeks([Week("2026-11-16", 2, 100, 3)])
    assert charts.weeks([Week("2026-11-16", 0, 0, 0)])


def test_every_control_that_a_check_names_is_explained():
    used = {control for each in catalogue.load() for control in each.controls}
    assert used <= CONTROLS.keys()
    assert named("X-1") == ("X-1", "")

from __future__ import annotations

import sys
from pathlib import Path

import msgspec
import pytest

from postdeploy.evidence import report
from postdeploy.evidence.allure_context import FOLDER, facts, write_context
from postdeploy.evidence.run_record import Pipeline

GTAG = """<script async src="https://www.googletagmanager.com/gtag/js?id=G-1"></script>
    <script>
        window.dataLayer = window.dataLayer || [];
        gtag('js', new Date());
    </script>"""
PAGE = f"<html><head lang=en><title>t</title></head><body><script>one</script>{GTAG}<script>two</script></body></html>"


@pytest.fixture
def allure(tmp_path):
    """A stand-in of Allure's command: a few lines of Python that see the arguments it would."""

    def write(body: str) -> Path:
        path = tmp_path / "cli.py"
        head = "import os, pathlib, sys\nout = pathlib.Path(sys.argv[sys.argv.index('--output') + 1])\n"
        path.write_text(head + body, encoding="utf-8")
        return path

    return write


def render(folder, record, package, **more):
    return report.render(folder, record, package=package, node=sys.executable, **more)


GOOD = f"out.mkdir()\n(out / 'index.html').write_text({PAGE!r})\n"


def test_the_page_is_stored_without_analytics_and_with_a_policy(folder, record, allure):
    page = render(folder, record, allure(GOOD)).read_text(encoding="utf-8")
    assert "googletagmanager" not in page
    assert "<script>one</script><script>two</script>" in page
    assert page.index("default-src 'none'") < page.index("<title>")
    assert "https:" not in report.POLICY


def test_no_variable_of_ours_reaches_node_and_no_config_is_picked_up(folder, record, allure, monkeypatch):
    monkeypatch.setenv("CI_JOB_TOKEN", "secret")
    seen = "(out.parent / 'x').write_text('')\nprint(sorted(os.environ), sys.argv, file=sys.stderr); sys.exit(3)"
    with pytest.raises(report.NoReport) as caught:
        render(folder, record, allure(seen))
    said = str(caught.value)
    assert "CI_JOB_TOKEN" not in said
    assert "'--config'" in said
    assert f"'--cwd', '{folder.path}'" in said
    assert said.startswith("Allure ended with 3: ")


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ("", "Allure ended with 0: it said nothing"),
        ("out.mkdir()\n(out / 'index.html').write_text('hello')", "not an HTML page"),
        (
            "out.mkdir()\n(out / 'index.html').write_text('<head>googletagmanager.com')",
            "analytics are still in the page",
        ),
    ],
)
def test_whatever_allure_does_is_one_line_and_no_page(folder, record, allure, body, said):
    with pytest.raises(report.NoReport, match=said):
        render(folder, record, allure(body))
    assert list(folder.path.iterdir()) == []


def test_a_renderer_that_hangs_is_ended(folder, record, allure):
    with pytest.raises(report.NoReport, match=r"within 0\.1 s"):
        render(folder, record, allure("import time; time.sleep(60)"), timeout_s=0.1)


def test_without_allure_or_node_it_is_said(folder, record, allure, tmp_path, monkeypatch):
    with pytest.raises(report.NoReport, match="not installed"):
        report.render(folder, record, package=tmp_path / "absent.js")
    with pytest.raises(report.NoReport, match="cannot be started"):
        report.render(folder, record, package=allure(GOOD), node=str(tmp_path / "node"))
    monkeypatch.setattr(report, "find_spec", lambda _: None)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(report.NoReport, match="neither on PATH nor installed"):
        report.render(folder, record, package=allure(GOOD))


def test_the_pinned_node_comes_before_the_one_on_path(tmp_path, monkeypatch):
    wheel = type("Spec", (), {"submodule_search_locations": [str(tmp_path / "empty"), str(tmp_path)]})
    monkeypatch.setattr(report, "find_spec", lambda _: wheel)
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "node").write_text("")
    assert report.find_node() == str(tmp_path / "bin" / "node")


def test_title_says_rehearsal_and_partial_scope(record):
    assert report.title(record) == "v2026.47.1 in uk-prod: unverified, 2026-11-22 20:00 UTC"
    marked = msgspec.structs.replace(record, rehearsal=True, scope="-k web")
    assert report.title(marked).startswith("REHEARSAL v2026.47.1 in uk-prod (PARTIAL SCOPE)")


def test_context_files_tell_which_run_it_is(folder, record):
    pipeline = Pipeline(url="https://gitlab.example/1", job="verify", actor="zoë \\ a\nb")
    write_context(folder, msgspec.structs.replace(record, rehearsal=True, pipeline=pipeline))
    properties = (folder.path / FOLDER / "environment.properties").read_text(encoding="ascii")
    assert "Rehearsal=yes: NOT evidence of production\n" in properties
    assert "Actor=zo\\u00eb \\\\ a b\n" in properties
    assert '"buildName": "verify"' in (folder.path / FOLDER / "executor.json").read_text()
    assert '"name": "Not run' in (folder.path / FOLDER / "categories.json").read_text()


def test_facts_leave_out_what_is_not_known(record):
    suite = msgspec.structs.replace(record.suite, dirty=True)
    known = facts(msgspec.structs.replace(record, scope="-m infra", suite=suite, finished=record.started))
    assert "Approver" not in known
    assert known["Scope"] == "PARTIAL: -m infra"
    assert known["Suite"].endswith("(dirty)")
    assert known["Finished"] == "2026-11-22T20:00:00Z"


@pytest.mark.skipif(
    not report.PACKAGE.is_file() or report.find_node() is None, reason="Allure 3 is not installed: make allure"
)
def test_the_real_allure_makes_one_page_that_names_no_analytics(folder, record):
    result = '{"uuid":"1","name":"crm-web","fullName":"infra.a","status":"failed","start":1,"stop":2}'
    folder.write_text(f"{FOLDER}/1-result.json", result)
    write_context(folder, record)
    page = report.render(folder, record).read_text(encoding="utf-8")
    assert "v2026.47.1 in uk-prod" in page
    assert "googletagmanager" not in page


def test_a_report_that_leaves_out_a_result_is_not_kept(folder, record, allure):
    folder.write_text(f"{FOLDER}/1-result.json", "{}")
    body = GOOD + "(out / 'summary.json').write_text('{\"stats\": {\"total\": 0}}')\n"
    with pytest.raises(report.NoReport, match="shows 0 of 1 results"):
        render(folder, record, allure(body))


# --- too large for one file --------------------------------------------------------------------------------------

PARTS = (
    GOOD
    + "if '--single-file' not in sys.argv:\n    (out / 'data').mkdir()\n    (out / 'data/1.json').write_text('{}')\n"
)


def test_a_page_that_grew_too_large_becomes_a_folder_under_the_same_rules(folder, record, allure, monkeypatch):
    monkeypatch.setattr(report, "LARGEST", 100)
    page = render(folder, record, allure(PARTS))
    assert page == folder.path / "report/index.html"
    assert not (folder.path / "report.html").exists()
    assert report.made(folder.path) == ["report/data/1.json", "report/index.html"]
    text = page.read_text(encoding="utf-8")
    assert "googletagmanager" not in text
    assert "connect-src 'self' data:" in text
    assert "https:" not in report.SERVED


def test_results_that_cannot_fit_are_not_rendered_as_one_file_first(folder, record, allure, monkeypatch):
    folder.write_bytes(f"{FOLDER}/1-attachment.png", b"x" * 1000)
    monkeypatch.setattr(report, "LARGEST", 1000)
    body = "if '--single-file' in sys.argv: sys.exit(9)\n" + PARTS
    assert render(folder, record, allure(body)).name == "index.html"


def test_what_fits_is_one_file(folder, record, allure):
    render(folder, record, allure(PARTS))
    assert report.made(folder.path) == ["report.html"]
    assert report.LARGEST == 30_000_000

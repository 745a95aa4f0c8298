from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import allure_commons
import pytest

from postdeploy.evidence.allure import STATUS, WITHOUT_PLUGIN, AllureRecorder
from postdeploy.evidence.allure_context import user_folder
from postdeploy.evidence.results import Result, complete
from postdeploy.verdict import Verdict
from tests.evidence.makers import planned, ran

pytest_plugins = ["pytester"]

QUICK = ("-p", "allure_pytest", "-p", "no:cacheprovider")
SUITE = """
    import allure, pytest

    @pytest.fixture
    def silent():
        return 1

    @pytest.fixture
    def late():
        yield
        raise ValueError("hunter2 is locked")

    @pytest.fixture
    def account(silent):
        with allure.step("log in with hunter2"):
            yield "hunter2"

    @pytest.mark.parametrize("component", ["crm-web", "crm-api"])
    def test_tag(component, account):
        "The component carries the release."
        allure.dynamic.parameter("tried", "hunter2")
        allure.attach("hunter2 as text", "note", allure.attachment_type.TEXT)
        allure.attach(b"hunter2 as bytes", "note", allure.attachment_type.TEXT)
        allure.attach.file(__file__, "source", allure.attachment_type.TEXT)
        allure.attach(b"\\x89PNG", "picture", allure.attachment_type.PNG)
        print("hunter2 on stdout")
        assert component != "crm-api", "hunter2 was refused"

    def test_untidy(late):
        pass

    @pytest.mark.skip(reason="hunter2")
    def test_skipped():
        pass
"""


def mask(text: str) -> str:
    return text.replace("hunter2", "***")


class Harness:
    """Starts the recorder when collection ends and finishes it when the session does, as the plugin does."""

    def __init__(self, folder: Path, plan, result_of: Callable[[str], Result | None]) -> None:
        self.recorder = AllureRecorder(folder, environment="uk-prod", rehearsal=False, result_of=result_of, redact=mask)
        self.plan = plan
        self.said: list[str] = []

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        self.said = self.recorder.start(session.config)

    def pytest_sessionfinish(self) -> None:
        self.recorder.finish(complete(self.plan, []), 1_000)


def by_name(folder: Path) -> dict[str, dict]:
    found = [json.loads(each.read_text(encoding="utf-8")) for each in folder.glob("*-result.json")]
    assert len({each["name"] for each in found}) == len(found)
    return {each["name"]: each for each in found}


@pytest.fixture
def run(pytester, tmp_path, plan, monkeypatch):
    # Only what is tested is loaded: a run of a few milliseconds instead of one second.
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")

    def run(*arguments: str, results: dict[str, Result] | None = None) -> Harness:
        harness = Harness(tmp_path / "allure-results", plan, lambda nodeid: (results or {}).get(nodeid.split("::")[1]))
        pytester.makepyfile(test_it=SUITE)
        before = set(map(id, allure_commons.plugin_manager.get_plugins()))
        pytester.runpytest_inprocess(*QUICK, *arguments, plugins=[harness])
        left = set(map(id, allure_commons.plugin_manager.get_plugins())) - before
        assert not [each for each in left if "postdeploy" in type(each).__module__]
        return harness

    return run


@pytest.fixture
def without_plugin():
    return SimpleNamespace(pluginmanager=SimpleNamespace(hasplugin=lambda _: False))


@pytest.fixture
def results(plan) -> dict[str, Result]:
    return {
        "test_tag[crm-web]": ran(plan[0]),
        "test_tag[crm-api]": ran(plan[1], Verdict.UNVERIFIED, "unverified: hunter2 was refused"),
    }


def test_there_is_one_result_for_each_planned_check_whether_it_ran_or_not(run, results, plan, tmp_path):
    run("-k", "test_tag", results=results)
    found = by_name(tmp_path / "allure-results")
    assert sorted(found) == sorted(f"{each.subject}: {each.title}" for each in plan)
    silent = found["uk-prod: What smoke.login.token claims holds."]
    assert (silent["status"], silent["statusDetails"]["message"]) == ("broken", "unverified: not run")


def test_verdict_identity_and_labels_are_ours(run, results, tmp_path):
    run("-k", "test_tag", results=results)
    result = by_name(tmp_path / "allure-results")["crm-api: What infra.images.tag claims holds."]
    labels = {each["name"]: each["value"] for each in result["labels"]}
    assert result["status"] == "broken"
    assert result["statusDetails"]["message"] == "unverified: *** was refused"
    assert "test_it.py" in result["statusDetails"]["trace"]
    assert (labels["as_id"], labels["parentSuite"], labels["epic"]) == ("infra.images.tag", "infra", "uk-prod")
    assert (labels["owner"], labels["severity"], labels["control"]) == ("platform", "critical", "DORA-9.4e")
    assert "host" not in labels
    assert result["fullName"] == "infra.images.tag"


def test_every_result_carries_the_environment_or_merged_reports_hide_failures(run, results, tmp_path):
    run(results=results)
    for name, result in by_name(tmp_path / "allure-results").items():
        parameters = {each["name"]: each["value"] for each in result["parameters"]}
        assert parameters["environment"] == "uk-prod", name


def test_a_check_has_one_identity_whether_a_test_ran_for_it_or_not(run, results, tmp_path, plan):
    run("-k", "test_tag", results=results)
    ids = {name: each["historyId"] for name, each in by_name(tmp_path / "allure-results").items()}
    (tmp_path / "allure-results").rename(tmp_path / "first")
    run("-k", "nothing")
    assert {name: each["historyId"] for name, each in by_name(tmp_path / "allure-results").items()} == ids


def test_what_a_test_adds_does_not_change_its_identity(run, results, tmp_path):
    run("-k", "test_tag", results=results)
    result = by_name(tmp_path / "allure-results")["crm-web: What infra.images.tag claims holds."]
    extra = [each for each in result["parameters"] if each.get("excluded")]
    assert [(each["name"], each["value"]) for each in extra] == [("account", "'***'"), ("tried", "'***'")][1:]


def test_nothing_secret_reaches_ours_or_the_users_folder(run, results, tmp_path):
    run("--alluredir", str(tmp_path / "mine"), results=results)
    for folder in ("allure-results", "mine"):
        files = [each for each in (tmp_path / folder).iterdir() if each.is_file()]
        assert len(files) > 8
        assert not [each.name for each in files if b"hunter2" in each.read_bytes()]
    pictures = [each.read_bytes() for each in (tmp_path / "allure-results").glob("*.png")]
    assert pictures == [b"\x89PNG"] * 2


def test_a_fixture_makes_a_file_only_where_it_did_something_or_ended_badly(run, results, tmp_path):
    run("-k", "test_tag or test_untidy", results=results)
    folder = tmp_path / "allure-results"
    groups = [json.loads(each.read_text(encoding="utf-8")) for each in folder.glob("*-container.json")]
    told = [fixture for each in groups for fixture in (*each.get("befores", ()), *each.get("afters", ()))]
    assert sorted(each["name"].partition("::")[0] for each in told) == ["account", "account", "late"]
    assert all(each.get("steps") or each.get("status") != "passed" for each in told)
    assert {step["name"] for each in told for step in each.get("steps", ())} == {"log in with ***"}


def test_a_facade_that_cannot_be_handed_out_is_told_with_its_test_and_others_are_not(
    pytester, tmp_path, plan, monkeypatch
):
    pytester.makepyfile(
        test_it="""
        import pytest

        def facade(make):
            make.__module__ = "postdeploy.fixtures"
            return pytest.fixture(make)

        @facade
        def good():
            return 1

        @facade
        def lost(good):
            raise ValueError("hunter2 is locked")

        @pytest.mark.parametrize("component", ["crm-web", "crm-api"])
        def test_tag(component, good): pass

        def test_lost(lost): pass
        """
    )
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    harness = Harness(tmp_path / "allure-results", plan, lambda _: None)
    pytester.runpytest_inprocess(*QUICK, plugins=[harness]).assert_outcomes(passed=2, errors=1)
    (group,) = (json.loads(each.read_text()) for each in (tmp_path / "allure-results").glob("*-container.json"))
    (before,) = group["befores"]
    assert (before["name"], before["status"]) == ("lost", "broken")
    assert before["statusDetails"]["message"].strip() == "ValueError: *** is locked"
    assert group["children"] == [by_name(tmp_path / "allure-results")["test_lost"]["uuid"]]


def test_a_users_own_folder_is_filled_with_the_same(run, results, tmp_path, plan):
    run("-k", "test_tag", "--alluredir", str(tmp_path / "mine"), results=results)
    assert by_name(tmp_path / "mine").keys() == by_name(tmp_path / "allure-results").keys()


def test_without_allure_pytest_every_verdict_is_still_there_and_it_is_said(run, plan, tmp_path):
    harness = run("-p", "no:allure_pytest")
    assert harness.said == [WITHOUT_PLUGIN]
    assert len(by_name(tmp_path / "allure-results")) == len(plan)


def test_a_trace_that_only_repeats_the_message_is_left_out(run, plan, tmp_path):
    claim = "E   AssertionError: hunter2 was refused"
    run("-k", "crm-api", "--tb=line", results={"test_tag[crm-api]": ran(plan[1], Verdict.FAILED, claim)})
    result = by_name(tmp_path / "allure-results")["crm-api: What infra.images.tag claims holds."]
    assert result["statusDetails"] == {"message": f"failed: {mask(claim)}"}


def test_a_test_without_a_result_of_ours_keeps_allures_word(run, tmp_path):
    run("-k", "crm-api")
    result = by_name(tmp_path / "allure-results")["test_tag[crm-api]"]
    assert result["status"] == "failed"
    assert "*** was refused" in result["statusDetails"]["trace"]


def test_two_runs_in_one_process_do_not_disturb_each_other(run, results, tmp_path, plan):
    run("-k", "test_tag", results=results)
    (tmp_path / "allure-results").rename(tmp_path / "first")
    run("-k", "test_tag", results=results)
    assert len(by_name(tmp_path / "allure-results")) == len(by_name(tmp_path / "first")) == len(plan)


@pytest.mark.parametrize("verdict", Verdict)
def test_each_verdict_has_its_status_and_details(tmp_path, verdict, without_plugin):
    recorder = AllureRecorder(tmp_path, environment="uk-prod", rehearsal=True, result_of=lambda _: None)
    recorder.start(without_plugin)
    recorder.finish([ran(planned("infra.images.tag"), verdict, "why")], 1_000)
    (result,) = by_name(tmp_path).values()
    assert result["status"] == STATUS[verdict]
    details = result.get("statusDetails", {})
    assert details.get("message") == (None if verdict is Verdict.PASSED else f"{verdict}: why")
    assert details.get("flaky", False) is (verdict is Verdict.FLAKY)
    assert {"name": "rehearsal", "value": "true"} in result["parameters"]
    assert (result["start"], result["stop"]) == (1_795_377_600_000, 1_795_377_600_250)


def test_errors_and_files_of_the_whole_run_are_redacted_too(pytester, tmp_path, plan, monkeypatch):
    pytester.makepyfile(
        test_it="""
        import allure
        def test_it():
            allure.global_error("hunter2", "trace hunter2")
            allure.global_attach("hunter2", "note", allure.attachment_type.TEXT)
            allure.global_attach(b"raw", "raw")
            allure.global_attach.file(__file__, "source", allure.attachment_type.TEXT)
            allure.global_attach.file(__file__, "source", allure.attachment_type.PNG)
            allure.attach.file(__file__, "source", allure.attachment_type.PNG)
        """
    )
    harness = Harness(tmp_path / "allure-results", plan, lambda _: None)
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    outcome = pytester.runpytest_inprocess(*QUICK, plugins=[harness])
    outcome.assert_outcomes(passed=1)
    files = {each.name: each.read_bytes() for each in (tmp_path / "allure-results").iterdir()}
    assert [name for name, body in files.items() if b"hunter2" in body and not name.endswith(".png")] == []
    assert any(b"trace ***" in body for body in files.values())


def test_the_users_folder_has_the_environment_in_its_path_once():
    assert user_folder("mine", "uk-prod") == str(Path("mine/uk-prod"))
    assert user_folder("mine/uk-prod", "uk-prod") == "mine/uk-prod"


def test_recording_ends_even_where_writing_fails(tmp_path, plan, without_plugin):
    recorder = AllureRecorder(
        tmp_path, environment="uk-prod", rehearsal=False, result_of=lambda _: None, redact=lambda text: text[999]
    )
    recorder.start(without_plugin)
    with pytest.raises(IndexError):
        recorder.finish([ran(plan[0], Verdict.FAILED, "why")], 1_000)
    assert recorder not in allure_commons.plugin_manager.get_plugins()
    recorder.stop()


def test_attachments_are_capped_and_say_what_is_missing(pytester, tmp_path, plan, monkeypatch):
    pytester.makepyfile(
        test_it="""
        import allure, json, pathlib
        def test_it(tmp_path):
            long = "hunter2 " + "x" * 600_000 + " end"
            allure.attach(json.dumps(long), "body", allure.attachment_type.JSON)
            allure.attach(b"z" * 6_000_000, "trace", "application/zip", "zip")
            (tmp_path / "video.webm").write_bytes(b"z" * 6_000_000)
            allure.attach.file(tmp_path / "video.webm", "video", allure.attachment_type.WEBM)
            allure.attach(b"z" * 4_000_000, "small enough", allure.attachment_type.PNG)
        """
    )
    harness = Harness(tmp_path / "allure-results", plan, lambda _: None)
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    pytester.runpytest_inprocess(*QUICK, plugins=[harness]).assert_outcomes(passed=1)
    files = sorted(each for each in (tmp_path / "allure-results").iterdir() if "attachment" in each.name)
    assert [each.suffix for each in files if each.stat().st_size == 4_000_000] == [".png"]
    rest = [each.read_text() for each in files if each.stat().st_size < 4_000_000]
    assert all(each.suffix == ".txt" for each in files if each.stat().st_size < 4_000_000)
    (cut,) = [each for each in rest if "characters left out" in each]
    assert cut.startswith('"*** xxx')
    assert cut.endswith('x end"')
    assert len(cut) < 270_000
    assert sum("left out: 6000000 bytes" in each for each in rest) == 2

from __future__ import annotations

import json

from postdeploy.evidence.folder import RunFolder
from postdeploy.evidence.journal import open_log, redacted
from postdeploy.verdict import Verdict


def lines(folder):
    return [json.loads(each) for each in (folder.path / "postdeploy.log").read_text(encoding="utf-8").splitlines()]


def mask(text: str) -> str:
    return text.replace("hunter2", "***")


def test_each_event_is_a_json_line_in_utc_with_its_facts(folder):
    journal = open_log(folder)
    journal.event("looked {once}", verdict=Verdict.PASSED, at=folder.path, looks=4)
    journal.close()
    (line,) = lines(folder)
    assert line.pop("time").endswith("Z")
    assert line == {
        "level": "info",
        "message": "looked {once}",
        "verdict": "passed",
        "at": str(folder.path),
        "looks": 4,
    }


def test_nothing_secret_is_written_wherever_it_stands(folder):
    journal = open_log(folder, mask)
    try:
        raise ValueError("password hunter2")
    except ValueError:
        journal.log.bind(deep={"list": ["hunter2", 7]}).exception("hunter2")
    journal.close()
    assert "hunter2" not in (folder.path / "postdeploy.log").read_text()
    assert lines(folder)[0]["error"] == "ValueError: password ***"


def test_runs_in_one_process_keep_their_logs_apart(folder, tmp_path):
    other = RunFolder.create(tmp_path, "cy-prod", "run")
    first, second = open_log(folder), open_log(other)
    first.event("one")
    second.event("two", level="warning")
    first.close()
    second.close()
    assert [each["message"] for each in lines(folder)] == ["one"]
    assert [(each["message"], each["level"]) for each in lines(other)] == [("two", "warning")]


def test_what_is_logged_after_the_end_is_dropped_and_closing_twice_is_harmless(folder):
    journal = open_log(folder)
    journal.close()
    journal.close()
    journal.event("late")
    assert lines(folder) == []


def test_a_run_is_quiet_on_stderr_and_other_users_of_loguru_are_not(folder, capsys):
    from loguru import logger

    journal = open_log(folder)
    journal.event("ours")
    logger.warning("theirs")
    journal.close()
    said = capsys.readouterr().err
    assert "theirs" in said
    assert "ours" not in said


def test_redaction_keeps_the_shape_of_a_value():
    assert redacted({"a": ("hunter2", 1, None)}, mask) == {"a": ["***", 1, None]}

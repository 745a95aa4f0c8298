"""Whole runs and money: what an end by force leaves, what the next run makes of it, and what people are told."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from benchmarks.kills.house import BOOKS, audit_of
from tests.browsers import needs_browser
from tests.runs import ROOT, Ended, command, run, unmeasured, variables

SMOKE = ("-m", "smoke", "--env=uk-prod", "--rehearsal")


def smoke(*arguments: str, archive: Path, env: dict[str, str] | None = None) -> Ended:
    return run(*SMOKE, *arguments, archive=archive, env=env)


def postdeploy(verb: str, state: Path | str, *arguments: str) -> subprocess.CompletedProcess[str]:
    options = ["--env", "uk-prod", "--state", str(state), "--rehearsal", *arguments]
    line = [sys.executable, "-m", "postdeploy.cli", verb, *options]
    return subprocess.run(line, cwd=ROOT, env=variables(), capture_output=True, text=True, timeout=120, check=False)


def books(state: Path) -> Path:
    return state / "rehearsal" / "uk-prod" / BOOKS


def stopped_with_money_out(
    number: signal.Signals, state: Path, archive: Path, selection: tuple[str, ...] = SMOKE
) -> Ended:
    """A run that is ended as soon as a deposit of its stands: half-way, with its journal open."""
    line = command(*selection, f"--state={state}", archive=archive)
    process = subprocess.Popen(
        line, cwd=ROOT, env=unmeasured(), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    deadline = time.monotonic() + 60
    while process.poll() is None and time.monotonic() < deadline:
        if books(state).exists() and standing(state):
            break
        time.sleep(0.005)
    process.send_signal(number)
    said, _ = process.communicate(timeout=60)
    return Ended(process.returncode, said)


def standing(state: Path) -> tuple[str, ...]:
    try:
        return audit_of(books(state)).standing
    except Exception:  # noqa: BLE001  the books are being made
        return ()


def test_killed_run_is_cleaned_up_after_by_the_next_one(tmp_path: Path) -> None:
    state = tmp_path / "state"
    killed = stopped_with_money_out(signal.SIGKILL, state, tmp_path / "killed")
    assert killed.code == -signal.SIGKILL, killed.output
    assert len(standing(state)) == 1
    listed = postdeploy("journal", state, "--json")
    (entry,) = json.loads(listed.stdout)
    assert (entry["amount"], entry["currency"], entry["key"]) == ("10.00", "GBP", standing(state)[0])
    assert entry["command"] == f"postdeploy sweep --env uk-prod --state={state} --rehearsal"
    after = smoke(f"--state={state}", archive=tmp_path / "after")
    assert after.code == 0, after.output
    assert "swept: 10.00 GBP by card" in after.messages("smoke.journal.clean")[0]
    assert audit_of(books(state)).is_clean
    assert json.loads(postdeploy("journal", state, "--json").stdout) == []
    commands = posted(after.folder / "allure-results", "POST /api/v1/deposits:")
    assert len(commands) == 2 * len(after.of_subjects("smoke.deposit.accepted")), "each asked for twice under its key"
    for each in commands:
        assert each.startswith(
            'curl -sS -X POST https://api.uk.northgate.example/api/v1/deposits --oauth2-bearer "$TOKEN"'
        )
    logins = posted(after.folder / "allure-results", "POST /api/v1/login:")
    assert len(logins) == 2, "one of each account, and no other"
    assert all('"password": "[redacted]"' in each for each in logins)


def posted(results: Path, title: str) -> list[str]:
    """The commands of every step of that title."""
    told = [json.loads(each.read_text()) for each in results.glob("*-result.json")]
    steps = [step for each in told for step in each.get("steps", []) if step["name"].startswith(title)]
    return [(results / part["source"]).read_text() for step in steps for part in step["attachments"][:1]]


def test_journey_killed_in_mid_deposit_leaves_nothing_after_the_next_sweep(tmp_path: Path) -> None:
    needs_browser()
    state = tmp_path / "state"
    page = ("-m", "journeys", "-k", "client_deposits and card", "--env=uk-prod", "--rehearsal")
    killed = stopped_with_money_out(signal.SIGKILL, state, tmp_path / "killed", page)
    assert killed.code == -signal.SIGKILL, killed.output
    (key,) = standing(state)
    swept = postdeploy("sweep", state)
    assert swept.returncode == 0, swept.stdout + swept.stderr
    assert key in swept.stdout
    assert audit_of(books(state)).is_clean
    assert audit_of(books(state)).deposits == 1


def test_killed_run_is_cleaned_up_after_by_the_command(tmp_path: Path) -> None:
    state = tmp_path / "state"
    stopped_with_money_out(signal.SIGKILL, state, tmp_path / "killed")
    (key,) = standing(state)
    swept = postdeploy("sweep", state)
    assert swept.returncode == 0, swept.stdout + swept.stderr
    assert key in swept.stdout
    assert audit_of(books(state)).is_clean


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_stopped_run_undoes_what_it_did_before_it_ends(tmp_path: Path, number: signal.Signals) -> None:
    state = tmp_path / "state"
    ended = stopped_with_money_out(number, state, tmp_path / "archive")
    assert ended.code == 10, ended.output
    assert audit_of(books(state)).is_clean
    assert audit_of(books(state)).deposits >= 1
    assert json.loads(postdeploy("journal", state, "--json").stdout) == []


def test_residue_ends_with_12_is_listed_and_closed_by_a_person_with_a_reason(tmp_path: Path) -> None:
    state = tmp_path / "state"
    ended = smoke("--fault=refund-refused", f"--state={state}", "-k", "card", archive=tmp_path / "archive")
    assert ended.code == 12, ended.output
    assert ended.of("smoke.deposit.undone") >= {"residue"}
    assert "RESIDUE smoke.deposit.undone[card]" in ended.output
    (entry,) = json.loads(postdeploy("journal", state, "--json").stdout)
    assert entry["state"] == "residue"
    assert "refunds are suspended by the PSP" in entry["residue"]
    assert entry["key"] in postdeploy("journal", state).stdout
    again = run("-m", "smoke", "-k", "card", f"--replay={ended.folder}", archive=tmp_path / "replayed")
    assert again.code == 12, again.output
    assert again.verdicts == ended.verdicts
    hand = postdeploy("sweep", state, "--settled", entry["key"], "--because", "OPS-123 by treasury")
    assert hand.returncode == 0, hand.stderr
    assert json.loads(postdeploy("journal", state, "--json").stdout) == []


def test_red_endpoints_hold_what_spends_and_say_so(tmp_path: Path) -> None:
    state = tmp_path / "state"
    options = ("-m", "endpoints or smoke", "--env=uk-prod", "--rehearsal", f"--state={state}", "--fault=health-500")
    ended = run(*options, archive=tmp_path / "archive")
    assert ended.code == 1, ended.output
    held = ended.messages("smoke.deposit.accepted")
    assert held
    assert all(each.startswith("held because endpoints.") for each in held)
    assert ended.of("smoke.deposit.accepted") == {"unverified"}
    assert ended.of("smoke.login.token") == {"passed"}
    assert audit_of(books(state)).deposits == 0


@pytest.mark.parametrize(
    ("state", "said"),
    [
        ("postgresql://me:hunter2@db/x", "a command line is read by everybody"),
        ("mysql://db/x", "neither a path nor a PostgreSQL"),
        ("pyproject.toml", "is a file; name a folder"),
    ],
)
def test_state_that_cannot_be_meant_is_refused_without_repeating_a_secret(
    tmp_path: Path, state: str, said: str
) -> None:
    ended = smoke(f"--state={state}", archive=tmp_path)
    assert ended.code == 4, ended.output
    assert said in ended.output
    assert "hunter2" not in ended.output


def test_command_explains_what_does_not_go_together(tmp_path: Path) -> None:
    alone = postdeploy("sweep", tmp_path, "--settled", "abc")
    assert (alone.returncode, "needs --because TICKET" in alone.stderr) == (4, True)
    unknown = postdeploy("sweep", tmp_path, "--settled", "abc", "--because", "OPS-1")
    assert (unknown.returncode, "no open entry has the key abc" in unknown.stderr) == (4, True)
    empty = postdeploy("journal", tmp_path / "nowhere")
    assert (empty.returncode, "nothing is open in uk-prod (there is no journal in" in empty.stdout) == (0, True)
    assert not (tmp_path / "nowhere").exists(), "looking for a journal makes none"


@pytest.mark.parametrize("verb", ["journal", "sweep"])
@pytest.mark.parametrize("form", [(), ("--json",)])
def test_command_says_what_is_wrong_with_the_state_in_one_paragraph(verb: str, form: tuple[str, ...], tmp_path: Path):
    file, broken = tmp_path / "file", tmp_path / "broken" / "rehearsal" / "uk-prod"
    file.write_text("")
    broken.mkdir(parents=True)
    (broken / "journal.sqlite").write_text("this is no database " * 50)
    for state, code, words in (
        (file, 4, "is a file; name a folder"),
        (tmp_path / "broken", 10, "file is not a database. Nothing was changed without it. Move the file away"),
        ("postgresql://nobody@127.0.0.1:1/x", 10, "Connection refused"),
        ("postgresql://me:hunter2@db/x", 4, "a command line is read by everybody"),
    ):
        ended = postdeploy(verb, state, *form)
        said = ended.stdout + ended.stderr
        assert (ended.returncode, words in said, "hunter2" in said, "Traceback" in said) == (
            code,
            True,
            False,
            False,
        ), said
    without = [sys.executable, "-m", "postdeploy.cli", verb, *form]
    ended = subprocess.run(without, cwd=ROOT, env=variables(), capture_output=True, text=True, check=False)
    assert (ended.returncode, "--env" in ended.stderr) == (4, True)

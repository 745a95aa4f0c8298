"""The matrix calls a run good only when it is what the catalogue says, by exit code and by check id."""

from __future__ import annotations

import dataclasses
import subprocess

import pytest

from postdeploy.environment import PRODUCTION
from rehearsal import matrix
from rehearsal.cases import BROWSER, BROWSER_BUNDLE, BUNDLE, Case, cases, replays, soak
from rehearsal.catalogue import FAULTS, TRAPS
from rehearsal.matrix import Ran, look, run_all, wrong_with

FAULT = Case("uk-prod", 1, (FAULTS["crash-loop"],))
BLIND = Case("uk-prod", 1, (FAULTS["pods-forbidden"],))
SOFT = Case("uk-prod", 1, (FAULTS["may-write"],))
TRAP = Case("uk-prod", 1, (TRAPS["evicted-leftovers"],))
HEALTHY = Case("uk-prod", 1)
AGAIN = Case("uk-prod", 1, (FAULTS["crash-loop"], FAULTS["may-write"]), again=True)
NOTED = Case("uk-prod", 1, (TRAPS["ephemeral-debug-container"],))
DEBUGGED = Ran(0, [{"id": "infra.images.debug", "verdict": "degraded"}, {"id": "x", "verdict": "passed"}], "")
GREEN = [{"id": "infra.pods.doomed", "verdict": "passed"}, {"id": "infra.batch.cronjob", "verdict": "not-applicable"}]


def ran(exit_code, *results, check="infra.pods.doomed"):
    return Ran(exit_code, [{"id": check, "verdict": each} for each in results], "the output")


@pytest.mark.parametrize(
    ("case", "run"),
    [
        (FAULT, ran(1, "passed", "failed")),
        (BLIND, ran(10, "unverified", check="infra.pods.ready")),
        (SOFT, ran(11, "degraded", check="infra.access.readonly")),
        (TRAP, Ran(0, GREEN, "")),
        (NOTED, DEBUGGED),
        (HEALTHY, Ran(0, GREEN, "")),
        (
            dataclasses.replace(HEALTHY, browser=False),
            ran(0, "unverified", check="journeys.brand.shown"),
        ),  # left out of the run, and so not verified
    ],
)
def test_run_as_the_catalogue_says_is_good(case, run):
    assert wrong_with(case, run) == ""


@pytest.mark.parametrize(
    ("case", "run", "why"),
    [
        (FAULT, ran(0, "passed"), "exit code 0 instead of 1"),
        (FAULT, ran(10, "failed"), "exit code 10 instead of 1"),
        (FAULT, ran(1, "failed", check="infra.pods.ready"), "says nothing instead of failed"),
        (FAULT, ran(1, "passed", "unverified"), "says passed, unverified instead of failed"),
        (SOFT, ran(0, "degraded", check="infra.access.readonly"), "exit code 0 instead of 11"),
        (SOFT, ran(11, "degraded"), "says nothing instead of degraded"),
        (BLIND, ran(1, "failed", check="infra.pods.ready"), "exit code 1 instead of 10"),
        (TRAP, ran(1, "failed"), "exit code 1 instead of 0"),
        (TRAP, ran(0, "flaky"), "not green: infra.pods.doomed flaky"),
        (HEALTHY, ran(0, "degraded"), "not green: infra.pods.doomed degraded"),
        (
            HEALTHY,
            ran(0, "unverified", check="journeys.brand.shown"),
            "not green: journeys.brand.shown unverified",
        ),
        (HEALTHY, Ran(0, [], ""), "left no results"),
        (HEALTHY, DEBUGGED, "not green: infra.images.debug degraded"),
        (HEALTHY, Ran(0, GREEN, "", "a secret is in the run folder: run.json"), "a secret is in the run folder"),
        (AGAIN, Ran(1, GREEN, "", "its replay says passed"), "its replay says passed"),
        (AGAIN, Ran(4, [], ""), "left no results"),
        (NOTED, Ran(0, GREEN, ""), "not reported as degraded: infra.images.debug"),
        (NOTED, Ran(0, [*DEBUGGED.results, {"id": "y", "verdict": "degraded"}], ""), "not green: y degraded"),
    ],
)
def test_run_that_is_otherwise_says_why(case, run, why):
    assert why in wrong_with(case, run)


def test_every_fault_every_trap_and_every_seed_has_its_run():
    wanted = cases(PRODUCTION, seeds=30)
    assert sorted(each.name for case in wanted for each in case.entries) == sorted([*FAULTS, *TRAPS])
    assert len([each for each in wanted if not each.entries]) == 30
    assert all(case.fault is None or len(case.entries) == 1 for case in wanted)
    assert {each.environment for each in wanted} == {*PRODUCTION, "stage"}
    assert all(each.only_in in ("", case.environment) for case in wanted for each in case.entries)


def test_every_fault_is_judged_again_in_thirty_runs_but_those_of_the_browser_whose_verdicts_are_carried():
    wanted = replays(PRODUCTION)
    of_others = [each.name for each in FAULTS.values() if each.tier != "journeys"]
    assert sorted(each.name for case in wanted for each in case.entries) == sorted(of_others)
    assert 25 <= len(wanted) <= 40
    assert all(case.options[:2] == ["-m", "verify and not journeys"] for case in wanted)
    assert wrong_with(AGAIN, ran(1, "failed")) == ""


def test_traps_that_share_a_run_need_the_same_environment_and_hold():
    found = [case for case in cases(PRODUCTION, seeds=0) if case.fault is None]
    assert all(len({(each.only_in, each.hold_s) for each in case.entries}) == 1 for case in found)
    assert max(len(case.entries) for case in found if not case.visits) <= BUNDLE
    assert max(len(case.entries) for case in found if case.visits) <= BROWSER_BUNDLE
    assert all(each.tier == BROWSER for case in found if case.visits for each in case.entries)


def test_faults_of_a_replay_that_differ_are_judged_again_one_by_one():
    pair = Case("uk-prod", 1, (FAULTS["crash-loop"], FAULTS["cronjob-suspended"]), again=True)
    assert all(each.again and len(each.entries) == 1 for each in pair.alone)


def test_traps_that_are_red_together_are_tried_one_by_one():
    pair = Case("uk-prod", 1, (TRAPS["evicted-leftovers"], TRAPS["ephemeral-debug-container"]))
    red, soft = Ran(1, GREEN, ""), DEBUGGED

    def only_the_first_is_red(case):
        return {2: red, 1: red if case.entries[0].name == "evicted-leftovers" else soft}[len(case.entries)]

    assert look(pair, only_the_first_is_red).case.name == "trap evicted-leftovers"
    assert (
        look(pair, lambda case: red if len(case.entries) == 2 else (soft if case.softens else Ran(0, GREEN, ""))).wrong
        == ""
    )


def test_soak_of_one_tier_runs_it_alone_and_minds_nothing_else():
    case = next(soak(PRODUCTION, 30, tier="journeys"))
    assert case.options[:2] == ["-m", "journeys"]
    others = {"id": "infra.pods.ready", "verdict": "unverified"}
    well, ill = ({"id": "journeys.brand.shown", "verdict": each} for each in ("passed", "failed"))
    assert wrong_with(case, Ran(0, [well, others], "")) == ""
    assert wrong_with(case, Ran(0, [ill, others], "")) == "not green: journeys.brand.shown failed"


def test_only_narrows_to_what_is_named():
    assert [each.name for each in cases(["uk-prod"], 30, ["crash-loop"])] == ["fault crash-loop"]
    assert [each.name for each in cases(["uk-prod"], 2, ["seeds"])] == ["healthy", "healthy"]


def test_case_can_be_typed_again():
    assert " ".join(FAULT.options) == "-m infra --env=uk-prod --rehearsal --seed 1 --fault crash-loop --hold 0"


def test_soak_is_a_hundred_healthy_rehearsals_with_different_seeds_in_every_environment():
    found = list(soak(PRODUCTION))
    assert len({each.seed for each in found}) == len(found) == 100
    assert {each.environment for each in found} == set(PRODUCTION)
    assert not any(each.entries for each in found)


def test_soak_can_be_of_any_number():
    assert len(list(soak(["uk-prod"], seeds=3))) == 3


def test_soft_fault_is_run_so_that_its_exit_code_tells():
    assert "--fail-on-soft" in SOFT.options
    assert "--fail-on-soft" not in [*FAULT.options, *BLIND.options, *TRAP.options, *HEALTHY.options]


def test_soak_ends_when_its_time_is_up():
    times = iter([0.0, 10.0, 30.0, 59.0, 61.0])
    assert len(list(soak(["uk-prod"], minutes=1, clock=lambda: next(times)))) == 3


def test_soak_takes_its_number_and_its_jobs_from_the_command_line(monkeypatch, capsys):
    monkeypatch.setattr(matrix.Suite, "__call__", lambda self, options: Ran(0, GREEN, ""))
    assert matrix.main(["--soak", "--seeds", "4", "--jobs", "2"]) == 0
    assert capsys.readouterr().out.splitlines()[-1] == "4 passed, 0 failed"


def test_all_runs_are_counted_and_each_has_its_line():
    lines = []
    passed, failed = run_all([FAULT, HEALTHY, TRAP], 2, lines.append, lambda case: Ran(0, GREEN, "x\nlast words"))
    assert (passed, failed) == (2, 1)
    assert len(lines) == 3
    wrong = next(each for each in lines if each.startswith("FAILED"))
    assert "pytest -m infra --env=uk-prod --rehearsal --seed 1 --fault crash-loop" in wrong
    assert "| last words" in wrong


def test_run_without_end_is_a_failure():
    def hangs(case):
        raise subprocess.TimeoutExpired("pytest", 180, output=b"so far")

    finding = look(HEALTHY, hangs)
    assert "no end" in finding.wrong
    assert finding.output == "so far"


def test_results_that_cannot_be_read_are_a_failure():
    def breaks(case):
        raise ValueError("Expecting value: line 1")

    assert "cannot be read" in look(HEALTHY, breaks).wrong


def test_nothing_is_begun_after_an_interruption():
    begun = []

    def interrupted(case):
        begun.append(case)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run_all([FAULT] * 9, 1, lambda line: None, interrupted)
    assert len(begun) == 1


@pytest.mark.parametrize(
    ("results", "code", "closing"), [(GREEN, 0, "1 passed, 0 failed"), ([], 1, "0 passed, 1 failed")]
)
def test_closing_line_and_exit_code(monkeypatch, capsys, results, code, closing):
    monkeypatch.setattr(matrix.Suite, "__call__", lambda self, options: Ran(0, results, ""))
    assert matrix.main(["--only", "evicted-leftovers", "--jobs", "1"]) == code
    assert capsys.readouterr().out.splitlines()[-1] == closing


def test_unknown_name_is_bad_usage_with_the_nearest_spelling(capsys):
    assert matrix.main(["--only", "crash-lop"]) == 4
    assert "Did you mean 'crash-loop'?" in capsys.readouterr().err


def test_run_of_the_suite_shares_compiled_modules_and_makes_no_report(tmp_path):
    variables = matrix.Suite(tmp_path).variables
    assert variables["POSTDEPLOY_REPORT"] == "0"
    assert variables["PYTHONPYCACHEPREFIX"] == str(tmp_path)


def test_whole_run_is_one_of_pytest_with_its_exit_code_output_and_results(tmp_path):
    suite = matrix.Suite(tmp_path / "cache")
    ran = suite(["-m", "infra", "--env=uk-prod", "--rehearsal", "--hold=0", "--fault=scaled-to-zero", "-k", "scale"])
    assert ran.exit_code == 1
    assert "failed" in {each["verdict"] for each in ran.results if each["id"] == "infra.rollout.scale"}
    assert "run folder: " in ran.output
    assert suite(["-m", "infra", "--env=nowhere", "--rehearsal"]).exit_code == 4


def test_only_what_shows_in_a_hold_is_given_one():
    assert Case("uk-prod", 1, (FAULTS["unready-in-hold"],)).options[-2:] == ["--hold", "2"]
    assert HEALTHY.options[-2:] == ["--hold", "0"]


def test_browser_is_used_where_it_can_tell_and_nowhere_else():
    faults = [each for each in cases(PRODUCTION, seeds=0) if each.fault]
    of_browser = [each for each in faults if each.fault.tier == "journeys"]
    assert all(each.options[2].startswith("journeys/test_") for each in of_browser)
    watched = Case("uk-prod", 1, (FAULTS["blank-page"],))
    assert watched.options[1:4] == ["journeys", "journeys/test_language.py", "journeys/test_watching.py"]
    trap = Case("uk-prod", 1, (TRAPS["third-party-blocked"],))
    assert (trap.options[1], TRAP.options[1]) == ("verify", "verify and not journeys")
    healthy = [each.options[1] for each in cases(PRODUCTION, seeds=30) if not each.entries]
    assert healthy.count("verify") == 3
    assert {each.options[1] for each in soak(PRODUCTION)} == {"verify"}

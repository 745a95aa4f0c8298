"""What the hooks hand over to: looking, noting each phase, the letters, the closing of the run folder, the summary."""

from __future__ import annotations

import gc
import signal
import sys
import time
import warnings
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from postdeploy import ending
from postdeploy.beginning import CannotBegin
from postdeploy.evidence.plan import touches
from postdeploy.outcome import judge_phase, tolerated
from postdeploy.run import Key, Run
from postdeploy.verdict import Verdict

RUN = pytest.StashKey[Run | None]()
KEY = pytest.StashKey[Key]()
SIGTERM = pytest.StashKey[Any]()

LETTERS = {
    Verdict.DEGRADED: ("degraded", "d", ("DEGRADED", {"yellow": True})),
    Verdict.FLAKY: ("flaky", "f", ("FLAKY", {"yellow": True})),
    Verdict.FAILED: ("failed", "F", ("FAILED", {"red": True})),
    Verdict.UNVERIFIED: ("unverified", "U", ("UNVERIFIED", {"yellow": True})),
    Verdict.NOT_APPLICABLE: ("not-applicable", "n", ("NOT APPLICABLE", {"blue": True})),
    Verdict.RESIDUE: ("residue", "R", ("RESIDUE", {"red": True})),
}
NEEDS = {
    "cluster": "cluster",
    "access": "cluster",
    "traffic": "cluster",
    "events": "cluster",
    "stability": "cluster",
    "guests": "cluster",
    "batch": "cluster",
    "logs": "logs",
    "web": "web",
    "identity": "cluster web",
    "change": "change",
}
"""Fixture to the looks it needs; a run without such a check never imports the client behind it."""
HARNESS = "harness error"
"""Begins the message of what is a bug of ours: there the way through the code is shown."""
EVERY_S = 10.0
"""How often a CI log gets a line while a rollout settles."""


class Progress:
    """A live line on a terminal; in a CI log a line every ten seconds, and the last one of each thing that is done."""

    def __init__(self, config: pytest.Config) -> None:
        self._reporter: Any = config.pluginmanager.get_plugin("terminalreporter")
        self._is_live = sys.stdout.isatty()
        self._last = float("-inf")
        self._held = ""

    def say(self, line: str) -> None:
        """Show a line of progress, or keep it until it is time for the next."""
        if self._reporter is None:
            return
        if self._is_live:
            width = self._reporter._tw.fullwidth - 1  # a line that wraps cannot be taken back
            self._reporter.rewrite(line[:width], erase=True)
        elif time.monotonic() - self._last >= EVERY_S:
            self._last, self._held = time.monotonic(), ""
            self._reporter.write_line(line)
        else:
            if self._held.partition(" ")[0] not in ("", line.partition(" ")[0]):
                self._reporter.write_line(self._held)
            self._held = line

    def end(self) -> None:
        """Leave the last line standing."""
        if self._reporter is not None and self._is_live:
            self._reporter.write_line("")
        elif self._held:
            self._reporter.write_line(self._held)


def look_or_plan(session: pytest.Session) -> object:
    """Before the first check: print the plan and end, or take every look the selected checks need."""
    run = session.config.stash[RUN]
    if run is None or session.config.option.collectonly:
        return None
    if run.options.plan:
        _print_plan(session, run)
        return True
    if run.began:
        _look(session, run)
    return None


def _look(session: pytest.Session, run: Run) -> None:
    names = {name for item in session.items for name in getattr(item, "fixturenames", ())}
    needed = {look for name in names & NEEDS.keys() for look in NEEDS[name].split()}
    progress = Progress(session.config)
    try:
        run.look(needed, progress.say)
    except CannotBegin as error:
        raise pytest.UsageError(str(error)) from error
    finally:
        progress.end()


def _print_plan(session: pytest.Session, run: Run) -> None:
    from postdeploy.evidence import catalogue, plan

    selected = {item.stash[KEY] for item in session.items if KEY in item.stash}
    planned = plan.planned(catalogue.load(), run.environment, run.today)
    reporter: Any = session.config.pluginmanager.get_plugin("terminalreporter")
    reporter.write_line("")
    reporter.write_line(touches([each for each in planned if each.key in selected], run.environment))


def stop_when_spent(session: pytest.Session) -> bool | None:
    """Before each check: a spent budget ends the run; what is left is unverified, not skipped."""
    run = session.config.stash[RUN]
    if run is None or not run.began or not run.deadline.over:
        return None
    run.stopped = f"the budget of {run.options.budget_s:g} s was spent"
    session.shouldstop = run.stopped
    return True


def carry_over(item: pytest.Item) -> None:
    """In a replay a journey is not made again: its verdict is the replayed run's."""
    run = item.config.stash[RUN]
    if run is not None and KEY in item.stash and item.get_closest_marker("journeys") and run.began:
        run.carry(item.stash[KEY])


def note(item: pytest.Item, call: pytest.CallInfo[Any]) -> None:
    """Put what a phase raised into the check's outcome, before pytest makes its report of it."""
    run = item.config.stash[RUN]
    if run is None or KEY not in item.stash:
        return
    outcome = run.outcome(item.stash[KEY])
    if call.when == "setup":
        outcome.started = datetime.fromtimestamp(call.start, UTC)
    outcome.duration_s += call.duration
    if call.excinfo is not None:
        verdict, message = judge_phase(call.excinfo.value)
        if not message.startswith(HARNESS):
            # Its message is all that is shown: nobody has to draw the way to it through the code.
            call.excinfo.traceback = type(call.excinfo.traceback)(())
        outcome.note(verdict, run.redactor.text(message))
        tolerated(outcome, run.environment.tolerances, run.today)
    outcome.finished = call.when == "teardown"
    if outcome.finished:
        for each in outcome.endings:
            each()
        item.user_properties.append(("verdict", outcome.verdict.value))


def conclude(item: pytest.Item, report: pytest.TestReport) -> pytest.TestReport:
    """Let every other reporter see our verdict, and the message instead of the path to it through our code."""
    run = item.config.stash[RUN]
    if run is None or KEY not in item.stash:
        return report
    outcome = run.outcome(item.stash[KEY])
    report.verdict = outcome.verdict  # type: ignore[attr-defined]
    _mask(report, run.redactor.text)
    if report.outcome != "failed":
        return report
    if outcome.verdict in (Verdict.PASSED, Verdict.DEGRADED, Verdict.FLAKY):
        report.outcome, report.longrepr = "passed", None
    elif outcome.verdict is Verdict.NOT_APPLICABLE:
        report.outcome, report.longrepr = "skipped", (str(item.path), 0, outcome.message)
    elif not outcome.message.startswith(HARNESS):
        report.longrepr = outcome.message
    return report


def _mask(report: pytest.TestReport, redact: Callable[[str], str]) -> None:
    """A terminal and a user's own --junitxml are published too: what a check printed, recorded or raised is masked."""
    report.sections = [(name, redact(text)) for name, text in report.sections]
    report.user_properties = [(name, redact(str(value))) for name, value in report.user_properties]
    if report.longrepr is not None and report.outcome == "failed":
        said = str(report.longrepr)
        if (masked := redact(said)) != said:
            report.longrepr = masked


class MaskedWarnings:
    """A warning is shown at the end of a run, in whatever words somebody's library chose."""

    def __init__(self, run: Run) -> None:
        self._run = run

    @pytest.hookimpl(tryfirst=True)
    def pytest_warning_recorded(self, warning_message: warnings.WarningMessage) -> None:
        """Mask the text before anybody counts or shows it."""
        said = str(warning_message.message)
        if self._run.began and (masked := self._run.redactor.text(said)) != said:
            warning_message.message = masked


def letter(report: Any) -> Any:
    """The category, letter and word of a check; phases that merely passed keep silent."""
    verdict = getattr(report, "verdict", None)
    if verdict not in LETTERS or (report.when != "call" and report.outcome == "passed"):
        return None
    return LETTERS[verdict]


def header(config: pytest.Config) -> list[str]:
    """Who is verified by what, at the top of every log."""
    run = config.stash[RUN]
    if run is None:
        return []
    kind = "replay of a saved run" if run.replayed else "REHEARSAL" if run.options.rehearsal else "live"
    lines = [f"postdeploy: {run.environment.name} ({run.environment.regulator}), {kind}"]
    if faults := run.options.faults_in(run.environment.name):
        lines.append(f"rehearsal bent by: {', '.join(faults)}")
    return lines


def close(session: pytest.Session, exitstatus: int) -> None:
    """Write the record, whatever happened, and end by the contract's exit codes."""
    run = session.config.stash[RUN]
    if run is None or not run.began:
        return
    before = [signal.signal(each, signal.SIG_IGN) for each in (signal.SIGINT, signal.SIGTERM)]
    try:
        if exitstatus == pytest.ExitCode.INTERRUPTED and not run.stopped:
            run.stopped = "the run was interrupted"
        run.acting.settle_up()
        if run.process is not None:
            run.process.dismiss()  # whatever was to be seen or undone, is: it ends while the record is written
        session.exitstatus = ending.end(run, exitstatus)
    finally:
        for each, handler in zip((signal.SIGINT, signal.SIGTERM), before, strict=True):
            signal.signal(each, handler)


def summarise(reporter: Any, config: pytest.Config) -> None:
    """The verdict and where its record is, below pytest's own lines."""
    run = config.stash[RUN]
    if run is None or not run.began:
        return
    reporter.section(ending.headline(run), sep="=")
    for line in ending.summary(run):
        reporter.write_line(line)


def release(config: pytest.Config) -> None:
    """Give everything back: the background loop, the stand-in, the signal handler."""
    run = config.stash.get(RUN, None)
    if run is None:
        return
    if run.began:
        run.source.close()
    if run.process is not None:
        run.process.stop()
    if SIGTERM in config.stash:
        signal.signal(signal.SIGTERM, config.stash[SIGTERM])
    gc.freeze()  # nothing is left to collect for: pytest would walk over all there is, twice

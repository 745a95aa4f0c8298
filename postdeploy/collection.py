"""From the command line and the collected items to what this run has selected."""

from __future__ import annotations

import gc
import shlex
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest

from postdeploy import ending, options
from postdeploy.beginning import CannotBegin
from postdeploy.environment import EnvironmentFileError, UnknownEnvironment, known
from postdeploy.evidence.allure_context import user_folder
from postdeploy.evidence.catalogue import FOLDERS, TIERS
from postdeploy.evidence.folder import ArchiveUnwritable
from postdeploy.options import Options
from postdeploy.replay import NotARunFolder
from postdeploy.reporting import KEY, RUN, MaskedWarnings
from postdeploy.run import Key, Run
from postdeploy.standin import StandinFailed

BAD_INPUT = (
    ArchiveUnwritable,
    CannotBegin,
    EnvironmentFileError,
    NotARunFolder,
    StandinFailed,
    UnknownEnvironment,
)
"""What a user can mend: said in one paragraph, exit code 4."""

NEW_OBJECTS = 20_000
"""That many may have come since the collector last looked for cycles: next to nothing of a run is in one."""
BROWSER = "journeys"
WATCH = "watch"
ONCE = "environment"
"""The family of one: such a check is not repeated."""

MARKS = {
    "verify": "everything that looks at or acts on an environment",
    "infra": "tier 1: what runs in the cluster",
    "endpoints": "tier 2: the public hosts",
    "audit": "who deployed, and whether that was allowed",
    "smoke": "tier 3: business through the API",
    "journeys": "tier 4: business in a browser",
    "mutates": "the check changes something in the environment",
    "check(id, over, owner, controls)": "what a test claims; `over` names the family of subjects it is repeated for",
}


def declare_marks(config: pytest.Config) -> None:
    """Register every mark of the suite."""
    for name, meaning in MARKS.items():
        config.addinivalue_line("markers", f"{name}: {meaning}")


def read_options(config: pytest.Config) -> Options:
    """The options, refused where they cannot be meant together. Raises UsageError."""
    asked = options.read_options(config)
    wrong = options.contradiction(asked, config.rootpath)
    if wrong:
        raise pytest.UsageError(wrong)
    return asked


def prepare(config: pytest.Config) -> Run | None:
    """The run the options ask for, or None where no environment is named. Raises UsageError."""
    asked = read_options(config)
    if not asked.environments and not asked.replay:
        return None
    refuse_xdist(config)
    gc.set_threshold(NEW_OBJECTS)
    try:
        run = Run.prepare(asked, config.rootpath)
    except BAD_INPUT as error:
        raise pytest.UsageError(str(error)) from error
    _report_by_verdict(config)
    config.pluginmanager.register(MaskedWarnings(run))
    own = getattr(config.option, "allure_report_dir", None)
    if own:
        config.option.allure_report_dir = user_folder(own, run.environment.name)
    # A module that does not import leaves its checks unverified and the others judged.
    config.option.continue_on_collection_errors = True
    if not (config.option.collectonly or asked.plan):
        run.start_standin()
    return run


def _report_by_verdict(config: pytest.Config) -> None:
    """Our summary names every finding with its cause, so pytest's own would only repeat their names."""
    if config.option.reportchars == "fE":
        config.option.reportchars = ""
    if config.option.tbstyle == "auto":
        config.option.tbstyle = "native"  # drawn for each failure, and needed only for errors of ours


def refuse_xdist(config: pytest.Config) -> None:
    """Two workers would look twice and act twice; the suite is concurrent by itself."""
    if getattr(config.option, "dist", "no") != "no" or getattr(config.option, "tx", None):
        raise pytest.UsageError(
            "A verification is one process: it is concurrent by itself, and two workers would act twice. "
            "Leave out -n, --dist and --tx (also in PYTEST_ADDOPTS)."
        )


def parametrize(metafunc: pytest.Metafunc) -> None:
    """Repeat a check for each subject its environment declares."""
    mark = metafunc.definition.get_closest_marker("check")
    over = mark.kwargs.get("over", ONCE) if mark else ONCE
    if over == ONCE:
        return
    run = metafunc.config.stash[RUN]
    subjects = run.environment.subjects(over) if run else {}
    metafunc.parametrize(over, [pytest.param(value, id=name) for name, value in subjects.items()])


def mark_by_folder(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Give each item of the suites its marks and its key, and leave out families that are empty here."""
    run = config.stash[RUN]
    if config.option.showfixtures or config.option.show_fixtures_per_test:
        return  # the manual of what a test can ask for needs no environment
    for item in tuple(items):
        tier = _tier(item, config.rootpath)
        if tier is None:
            continue
        item.add_marker("verify")
        item.add_marker(tier)
        if run is None:
            raise pytest.UsageError(
                f"Which environment? Add --env=NAME, one of: {', '.join(known(config.rootpath / 'environments'))}; "
                "or --env=all. (The unit tests need none: pytest tests.)"
            )
        key = _key(item, run)
        if key is None:
            items.remove(item)
        else:
            item.stash[KEY] = key
            if run.replayed and tier == BROWSER:
                vars(item)["fixturenames"] = []  # its verdict is carried over: nothing is set up
    # Cheap and read-only first: what acts on the world comes after what could forbid it, what judges all journeys last.
    items.sort(key=lambda each: (TIERS.index(_tier(each, config.rootpath) or TIERS[-1]), WATCH in _asks_for(each)))


def _asks_for(item: pytest.Item) -> list[str]:
    return getattr(item, "fixturenames", [])


def _tier(item: pytest.Item, root: Path) -> str | None:
    folder = item.path.parent.relative_to(root).as_posix() if item.path.is_relative_to(root) else ""
    return next((tier for place, tier in FOLDERS.items() if f"{folder}/".startswith(f"{place}/")), None)


def _key(item: pytest.Item, run: Run) -> Key | None:
    mark = item.get_closest_marker("check")
    if mark is None or not mark.args:
        raise pytest.UsageError(f"{item.nodeid} claims nothing: it needs @pytest.mark.check(id, over=…, owner=…).")
    over = mark.kwargs.get("over", ONCE)
    if over == ONCE:
        return str(mark.args[0]), run.environment.name
    subjects = tuple(run.environment.subjects(over))
    index: int = item.callspec.indices[over]  # type: ignore[attr-defined]
    return (str(mark.args[0]), subjects[index]) if subjects else None


def begin(session: pytest.Session) -> None:
    """Write the plan once it is known what is selected. Raises UsageError for what the user can mend."""
    config = session.config
    run: Run | None = config.stash[RUN]
    if run is None or config.option.collectonly or run.options.plan:
        return
    selected = {item.stash[KEY]: item.nodeid for item in session.items if KEY in item.stash}
    if not selected:
        return
    try:
        run.begin(selected, asked(config), broken_modules(session))
        record_allure(config, run)
        _leave_out(session, {each.key for each in run.plan if each.waiver})
        gc.freeze()  # modules, items and the plan stay to the end: no collection has to walk over them
    except BAD_INPUT as error:
        raise pytest.UsageError(str(error)) from error


def _leave_out(session: pytest.Session, waived: set[Key]) -> None:
    """What was waived is planned, selected and not run."""
    session.items[:] = [each for each in session.items if KEY not in each.stash or each.stash[KEY] not in waived]


def record_allure(config: pytest.Config, run: Run) -> None:
    """Fill the run folder's allure-results too, beside a user's own."""
    from postdeploy.evidence.allure import AllureRecorder

    run.recorder = AllureRecorder(
        run.folder.path / "allure-results",
        environment=run.environment.name,
        rehearsal=run.record.rehearsal,
        result_of=lambda nodeid: ending.result_of_node(run, nodeid),
        redact=run.redactor.text,
    )
    run.said += run.recorder.start(config)


def asked(config: pytest.Config) -> str:
    """What the user selected by, as it would be typed; empty when by nothing."""
    option = config.option
    parts = [
        f"{flag} {shlex.quote(given)}" for flag, given in (("-m", option.markexpr), ("-k", option.keyword)) if given
    ]
    for flag in ("deselect", "ignore", "ignore_glob"):
        parts += [f"--{flag.replace('_', '-')}={shlex.quote(str(each))}" for each in getattr(option, flag) or ()]
    # Both come from a plugin that may be switched off.
    parts += [f"--{flag}" for flag in ("lf", "stepwise") if getattr(option, flag, None)]
    return " ".join([*parts, *map(shlex.quote, option.file_or_dir)])


def broken_modules(session: pytest.Session) -> frozenset[str]:
    """Files of the suites that could not be collected, relative to the rootdir."""
    reporter: Any = session.config.pluginmanager.get_plugin("terminalreporter")
    errors: Iterable[Any] = reporter.stats.get("error", ()) if reporter else ()
    return frozenset(str(each.nodeid).partition("::")[0] for each in errors)

"""Every infrastructure check of the suite over one snapshot, through the same tests and facades as in a run."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import verify.infra
from postdeploy import fixtures
from postdeploy.cluster.objects import Snapshot
from postdeploy.environment import Environment
from postdeploy.options import Options
from postdeploy.outcome import Outcome, judge_phase
from postdeploy.run import Run
from postdeploy.verdict import Verdict

ONCE = "environment"
OPTIONS = Options(
    environments=(),
    release=None,
    digests=None,
    rehearsal=False,
    faults=(),
    seed=None,
    replay=None,
    plan=False,
    archive=Path(),
    state=None,
    budget_s=None,
    hold_s=None,
    parallel=1,
    fail_on_soft=False,
)


@dataclass(frozen=True)
class Check:
    """One test of the suite."""

    id: str
    over: str
    """The family of its subjects."""
    test: Callable[..., None]
    facades: Mapping[str, Callable[..., Any]]
    """The fixtures it asks for besides its subject."""


def checks() -> list[Check]:
    """Everything under verify/infra but the logs, which have a benchmark of their own."""
    return [
        _check(test, mark.args[0], mark.kwargs.get("over", ONCE))
        for module in _modules()
        for test in vars(module).values()
        for mark in getattr(test, "pytestmark", ())
        if mark.name == "check"
    ]


def _check(test: Callable[..., None], name: str, over: str) -> Check:
    asked = [each for each in inspect.signature(test).parameters if each != over]
    return Check(name, over, test, {each: inspect.unwrap(getattr(fixtures, each)) for each in asked})


def _modules() -> Iterator[ModuleType]:
    for each in pkgutil.iter_modules(set(verify.infra.__path__)):
        if each.name.startswith("test_") and each.name != "test_logs":
            yield importlib.import_module(f"verify.infra.{each.name}")


def judge(snapshot: Snapshot, environment: Environment, wanted: list[Check]) -> Counter[str]:
    """How many checks came to which verdict; none of them may fail."""
    run = Run(OPTIONS, Path(), environment)
    run.record = SimpleNamespace(release=snapshot.release)  # type: ignore[assignment]
    run.source = SimpleNamespace(digests={})  # type: ignore[assignment]
    run._seen["cluster"] = snapshot
    found: Counter[str] = Counter()
    for check in wanted:
        for name, subject in environment.subjects(check.over).items():
            outcome = Outcome(check.id, name, "")
            _call(check, subject, run, outcome)
            found[outcome.verdict] += 1
            if outcome.verdict is Verdict.FAILED:
                raise AssertionError(f"{check.id}[{name}] in a healthy environment: {outcome.message}")
    return found


def _call(check: Check, subject: object, run: Run, outcome: Outcome) -> None:
    """One test with its subject and its facades, as pytest calls it."""
    try:
        given = {name: facade(run, outcome) for name, facade in check.facades.items()}
        check.test(**given, **({check.over: subject} if check.over != ONCE else {}))
    except Exception as error:  # noqa: BLE001  a test ends in whatever its judgement is
        outcome.note(*judge_phase(error))

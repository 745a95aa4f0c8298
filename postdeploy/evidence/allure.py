"""Allure results of a run: what allure-pytest records, under our verdicts, and the planned checks it never saw."""

from __future__ import annotations

import copy
import hashlib
import os
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any
from uuid import uuid4

import allure_commons
import msgspec
import pytest
from allure_commons.logger import AllureFileLogger
from allure_commons.model2 import Label, Parameter, StatusDetails, TestResult
from allure_commons.types import LabelType

from postdeploy.evidence.allure_redaction import RedactingReporter, redact_details, redact_item
from postdeploy.evidence.catalogue import FAMILIES
from postdeploy.evidence.journal import Redact, as_is
from postdeploy.evidence.results import Key, Result
from postdeploy.verdict import Verdict

STATUS = {
    Verdict.PASSED: "passed",
    Verdict.DEGRADED: "passed",
    Verdict.FLAKY: "passed",
    Verdict.FAILED: "failed",
    Verdict.UNVERIFIED: "broken",
    Verdict.RESIDUE: "broken",
    Verdict.NOT_APPLICABLE: "skipped",
}
WITHOUT_PLUGIN = "allure-pytest is switched off: allure-results hold every verdict, but no steps and no attachments."
_OURS = frozenset(
    {LabelType.ID, LabelType.EPIC, LabelType.PARENT_SUITE, LabelType.SUITE, LabelType.SUB_SUITE, LabelType.SEVERITY}
    | {"owner", LabelType.HOST, LabelType.THREAD, "control"}
)
"""Labels we decide; host and thread of the runner say nothing about the product."""


class _Told(AllureFileLogger):
    """Writes what tells a reader something: three of four files of a run would say that a fixture was set up."""

    @allure_commons.hookimpl
    def report_container(self, container: Any) -> None:
        """Only fixtures with a step, an attachment, or an end of their own that was not good."""
        told = copy.copy(container)
        told.befores, told.afters = list(filter(_tells, container.befores)), list(filter(_tells, container.afters))
        if told.befores or told.afters:
            super().report_container(told)  # type: ignore[no-untyped-call]

    def _report_item(self, item: Any) -> None:
        """The same file as Allure's own, whole or absent like it, in half the time: Allure's JSON is slow."""
        path = f"{self._report_dir}/{item.file_pattern.format(prefix=uuid4())}"
        with open(f"{path}.tmp", "wb") as file:  # noqa: PTH123  a thousand times a run
            file.write(msgspec.json.encode(_told(item)))
        os.replace(f"{path}.tmp", path)  # noqa: PTH105  as above


def _told(value: Any) -> Any:
    """An item of Allure's as plain data, without what is empty."""
    if isinstance(value, str | int):
        return value
    if isinstance(value, list | tuple):
        return [_told(each) for each in value]
    return {name: _told(each) for name, each in vars(value).items() if each or each is False}


def _tells(fixture: Any) -> bool:
    return bool(fixture.steps or fixture.attachments or fixture.description or fixture.status not in (None, "passed"))


class AllureRecorder:
    """Fills a run folder's allure-results beside a user's own, from the plan to the last planned check."""

    def __init__(
        self,
        folder: Path,
        *,
        environment: str,
        rehearsal: bool,
        result_of: Callable[[str], Result | None],
        redact: Redact = as_is,
    ) -> None:
        """`result_of` gives our result of pytest's node id, once its last phase has been judged."""
        self.folder = folder
        self.rehearsal = rehearsal
        """May be set later: whether a cluster is a rehearsal's is known only once it was looked at."""
        self._environment = environment
        self._result_of = result_of
        self._redact = redact
        self._current: Result | None = None
        self._nodeid = ""
        self._reported: set[Key] = set()
        self._registered: list[tuple[Any, object]] = []

    def start(self, config: pytest.Config) -> list[str]:
        """Record from now on; returns what should be said about it."""
        commons = allure_commons.plugin_manager
        self._register(commons, self)
        self._register(commons, _Told(str(self.folder)))  # type: ignore[no-untyped-call]
        if not config.pluginmanager.hasplugin("allure_pytest"):
            return [WITHOUT_PLUGIN]
        from postdeploy.evidence.allure_listener import Listener

        listener = config.pluginmanager.get_plugin("allure_listener")
        if listener is None:
            listener = Listener(config)
            self._register(config.pluginmanager, listener, "allure_listener")
            self._register(commons, listener)
        listener.allure_logger = RedactingReporter(self._redact)
        self._register(config.pluginmanager, self)
        return []

    def begin_without_tests(self, *also: Path) -> None:
        """Record what is judged without a test, such as claims across environments; into further folders too."""
        commons = allure_commons.plugin_manager
        self._register(commons, self)
        for each in (self.folder, *also):
            self._register(commons, _Told(str(each)))  # type: ignore[no-untyped-call]

    def finish(self, results: Iterable[Result], at_ms: int) -> None:
        """Write one result for each planned check that no test reported, then stop."""
        try:
            for each in results:
                if each.key not in self._reported:
                    self._write(each, at_ms)
        finally:
            self.stop()

    def stop(self) -> None:
        """Leave the plugin managers as they were found; stopping twice is harmless."""
        while self._registered:
            manager, plugin = self._registered.pop()
            manager.unregister(plugin)

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_logstart(self, nodeid: str) -> None:
        """Tests run one after another, so the result reported next is this one's."""
        self._nodeid = nodeid

    @allure_commons.hookimpl(tryfirst=True)
    def report_result(self, result: TestResult) -> None:
        """Before any file is written: our verdict, identity and labels, and nothing secret."""
        known = self._current or self._result_of(self._nodeid)
        redact_item(result, self._redact)
        if known is None:
            result.parameters.extend(self._parameters())
            return
        self._reported.add(known.key)
        self._identify(result, known)
        _judge(result, known, self._redact)

    @allure_commons.hookimpl(tryfirst=True)
    def report_container(self, container: Any) -> None:
        """Fixtures carry messages and traces too."""
        for each in (*container.befores, *container.afters):
            redact_item(each, self._redact)

    @allure_commons.hookimpl(tryfirst=True)
    def report_globals(self, globals_item: Any) -> None:
        """So do errors outside of any test."""
        for each in globals_item.errors:
            redact_details(each, self._redact)

    def _parameters(self) -> list[Parameter]:
        """On every result: reports merged from several environments would else hide each other's failures."""
        known = [Parameter("environment", self._environment)]
        return [*known, Parameter("rehearsal", "true")] if self.rehearsal else known

    def _register(self, manager: Any, plugin: object, name: str | None = None) -> None:
        manager.register(plugin, name)
        self._registered.append((manager, plugin))

    def _write(self, result: Result, at_ms: int) -> None:
        start = int(result.started.timestamp() * 1000) if result.started else at_ms
        stop = start + int(result.duration_s * 1000)
        self._current = result
        try:
            written = TestResult(uuid=str(uuid4()), start=start, stop=stop)
            allure_commons.plugin_manager.hook.report_result(result=written)
        finally:
            self._current = None

    def _identify(self, result: TestResult, known: Result) -> None:
        """One identity per check, subject and environment, whether a test ran for it or not."""
        ours = [Parameter("subject", known.subject), *self._parameters()]
        names = {*FAMILIES, *(each.name for each in ours)}
        extra = [each for each in result.parameters if each.name not in names]
        for each in extra:
            each.excluded = True
        result.parameters = [*ours, *extra]
        result.name = f"{known.subject}: {known.title}"
        result.fullName = known.id
        result.testCaseId = _digest(known.id)
        result.historyId = _digest(known.id, *(each.value for each in ours))
        result.titlePath = [self._environment, known.tier, known.id]
        result.labels = [each for each in result.labels if each.name not in _OURS] + list(self._labels(known))

    def _labels(self, known: Result) -> Iterable[Label]:
        yield Label(LabelType.ID, known.id)
        yield Label(LabelType.EPIC, self._environment)
        yield Label(LabelType.PARENT_SUITE, known.tier)
        yield Label(LabelType.SUITE, self._environment)
        yield Label(LabelType.SUB_SUITE, known.id)
        yield Label("owner", known.owner)
        # What an auditor relies on weighs more than what only operators read.
        yield Label(LabelType.SEVERITY, "critical" if known.controls else "normal")
        yield from (Label("control", each) for each in known.controls)


def _judge(result: TestResult, known: Result, redact: Redact) -> None:
    """Our verdict as Allure's status; its own would call every error of ours a failure of the product."""
    result.status = "skipped" if known.waiver else STATUS[known.verdict]
    trace = result.statusDetails.trace if result.statusDetails else None
    result.statusDetails = None
    if known.verdict is Verdict.PASSED:
        return
    message = redact(known.message)
    # A claim that failed is its own message: pytest's trace then only says it again.
    tells_more = result.status in ("failed", "broken") and trace and not (message and trace.startswith(message))
    prefix = "" if known.waiver else f"{known.verdict}: "
    result.statusDetails = StatusDetails(
        message=message if message.startswith(prefix) else prefix + message,
        trace=trace if tells_more else None,
        flaky=known.verdict is Verdict.FLAKY or None,
        known=known.verdict is Verdict.DEGRADED or None,
    )


def _digest(*parts: str) -> str:
    return hashlib.md5("\n".join(parts).encode(), usedforsecurity=False).hexdigest()

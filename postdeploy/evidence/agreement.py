"""Whether the parts of a run folder tell one story: plan, results, record, JUnit, Allure."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import msgspec

from postdeploy.evidence.findings import Finding, State
from postdeploy.evidence.plan import Planned
from postdeploy.evidence.results import Result, counts
from postdeploy.evidence.run_record import RunRecord
from postdeploy.evidence.statements import sha256_of

PLAN, RESULTS, ALL = "plan.json", "results.json", "all"


def disagreements(folder: Path, record: RunRecord) -> Iterator[Finding]:
    """Each place where one file contradicts another; an unfinished run has made no results yet."""
    plan = _read(folder / PLAN, tuple[Planned, ...])
    results = _read(folder / RESULTS, tuple[Result, ...])
    if plan is None:
        yield Finding(PLAN, State.INCOMPLETE, "is missing or is no plan")
    elif record.plan_sha256 and sha256_of(folder / PLAN) != record.plan_sha256:
        yield Finding(PLAN, State.TAMPERED, "is not the plan that was committed to before the first look (run.json)")
    if record.finished is None:
        return
    if results is None:
        yield Finding(RESULTS, State.INCOMPLETE, "is missing or holds no results")
        return
    if plan is not None and [each.key for each in plan] != [each.key for each in results]:
        yield Finding(RESULTS, State.INCOMPLETE, _one_to_one(plan, results))
    yield from _early(record, results)
    if record.environment != ALL:  # whose record sums up its children's
        yield from _counted(record, results)
    yield from _shown(folder, results)


def _early(record: RunRecord, results: tuple[Result, ...]) -> Iterator[Finding]:
    early = [each for each in results if each.started is not None and each.started < record.started]
    for each in early[:1]:
        yield Finding(
            RESULTS, State.INCOMPLETE, f"{each.id}[{each.subject}] began before the run, so before its plan was written"
        )


def _counted(record: RunRecord, results: tuple[Result, ...]) -> Iterator[Finding]:
    said = (record.planned, record.executed, record.counts)
    found = (len(results), sum(each.executed for each in results), counts(results))
    if said != found:
        yield Finding("run.json", State.INCOMPLETE, f"counts {said}, but {RESULTS} holds {found}")


def _shown(folder: Path, results: tuple[Result, ...]) -> Iterator[Finding]:
    """Both reports show as many results as there are."""
    junit, allure = folder / "junit.xml", folder / "allure-results"
    if junit.is_file():
        try:
            shown = len(ET.parse(junit).getroot().findall(".//testcase"))  # noqa: S314  our own file, hashed above
        except ET.ParseError:
            shown = -1
        if shown != len(results):
            yield Finding("junit.xml", State.INCOMPLETE, _differs(shown, len(results)))
    if allure.is_dir():
        shown = len(list(allure.glob("*-result.json")))
        if shown != len(results):
            yield Finding("allure-results", State.INCOMPLETE, _differs(shown, len(results)))


def _differs(shown: int, expected: int) -> str:
    return f"shows {shown} results, {RESULTS} has {expected}" if shown >= 0 else "is no XML"


def _one_to_one(plan: tuple[Planned, ...], results: tuple[Result, ...]) -> str:
    planned, given = {each.key for each in plan}, {each.key for each in results}
    missing, strange = sorted(planned - given), sorted(given - planned)
    if missing:
        return f"has no result for {'['.join(missing[0])}] and {len(missing) - 1} more planned checks"
    if strange:
        return f"has a result for {'['.join(strange[0])}], which was not planned"
    return "is not in the order of the plan, or has a result twice"


def _read(path: Path, kind: Any) -> Any:
    try:
        return msgspec.json.decode(path.read_bytes(), type=kind)
    except (OSError, msgspec.MsgspecError):
        return None

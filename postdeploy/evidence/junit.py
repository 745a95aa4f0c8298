"""junit.xml, written from the results and not by pytest: unique names, one testcase per planned check, GitLab-safe."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import UTC
from xml.etree import ElementTree as ET

from postdeploy.evidence.catalogue import EVERY_TIER
from postdeploy.evidence.results import NOT_RUN, Result
from postdeploy.evidence.run_record import RunRecord
from postdeploy.verdict import Verdict

WHOLE_FILE = 4 * 1024 * 1024
"""Characters of messages in all: GitLab reads at most 30 MB of a file, and an ampersand is written as five bytes."""
LONGEST, SHORTEST = 16_384, 512
_ILLEGAL = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
CHILD = {
    Verdict.FAILED: "failure",
    Verdict.UNVERIFIED: "error",
    Verdict.RESIDUE: "error",
    Verdict.NOT_APPLICABLE: "skipped",
}
"""A verdict that is not here is a passed testcase; degraded and flaky say so in its system-out."""


def junit(record: RunRecord, results: Iterable[Result]) -> bytes:
    """The results as JUnit XML: one suite per tier."""
    known = tuple(results)
    limit = max(SHORTEST, min(LONGEST, WHOLE_FILE // max(1, len(known))))
    name = f"{record.environment} {record.release}" + (" REHEARSAL" if record.rehearsal else "")
    root = ET.Element("testsuites", {"name": name, **_totals(known)})
    del root.attrib["skipped"]  # the schema that readers share knows it of a suite alone
    for tier in EVERY_TIER:
        rows = tuple(each for each in known if each.tier == tier)
        if rows:
            root.append(_suite(record, tier, rows, limit))
    ET.indent(root)
    return b'<?xml version="1.0" encoding="utf-8"?>\n' + ET.tostring(root, encoding="unicode").encode() + b"\n"


def _suite(record: RunRecord, tier: str, results: tuple[Result, ...], limit: int) -> ET.Element:
    name = f"{record.environment}.{tier}" + (" (REHEARSAL)" if record.rehearsal else "")
    started = record.started.astimezone(UTC).isoformat(timespec="seconds")
    suite = ET.Element("testsuite", {"name": name, "timestamp": started, **_totals(results)})
    properties = ET.SubElement(suite, "properties")
    for key in ("run_id", "environment", "release", "scope", "rehearsal", "replay_of"):
        value = getattr(record, key)
        if value is not None:
            text = str(value).lower() if isinstance(value, bool) else _legal(str(value))
            ET.SubElement(properties, "property", {"name": key, "value": text})
    suite.extend(_case(record.environment, each, limit) for each in results)
    return suite


def _case(environment: str, result: Result, limit: int) -> ET.Element:
    about = {
        "classname": f"{environment}.{result.tier}",
        "name": _legal(f"{result.id}[{result.subject}]"),
        "time": f"{result.duration_s:.3f}",
    }
    case = ET.Element("testcase", about)
    message = _legal(result.message) or result.verdict.value
    child = _child(result)
    if child:
        kind = "waived" if result.waiver else "not run" if result.message.startswith(NOT_RUN) else result.verdict.value
        headline = message.partition("\n")[0][:300]
        ET.SubElement(case, child, {"type": kind, "message": headline}).text = _short(message, limit)
    if story := _story(result):
        ET.SubElement(case, "system-out").text = _short(_legal(story), limit // 4)
    return case


def _child(result: Result) -> str | None:
    """What was waived was not run, whatever its verdict says of the release."""
    return "skipped" if result.waiver else CHILD.get(result.verdict)


def _story(result: Result) -> str:
    """What a passed testcase would hide: that it passed only just, or only at last."""
    lines = []
    if result.verdict in (Verdict.DEGRADED, Verdict.FLAKY) and not result.waiver:
        lines.append(f"{result.verdict}: {result.message}")
    if len(result.attempts) > 1:
        lines += [f"{each.at.astimezone(UTC):%H:%M:%S} UTC {each.outcome}: {each.reason}" for each in result.attempts]
    return "\n".join(lines)


def _totals(results: tuple[Result, ...]) -> dict[str, str]:
    children = [_child(each) for each in results]
    return {
        "tests": str(len(results)),
        "failures": str(children.count("failure")),
        "errors": str(children.count("error")),
        "skipped": str(children.count("skipped")),
        "time": f"{sum(each.duration_s for each in results):.3f}",
    }


def _legal(text: str) -> str:
    """Without the characters that XML has no way to write."""
    return _ILLEGAL.sub("", text)


def _short(text: str, limit: int) -> str:
    """Beginning and end of a text that is too long, and how much is missing between."""
    if len(text) <= limit:
        return text
    head = limit * 3 // 4
    tail = limit - head
    return f"{text[:head]}\n… {len(text) - limit} characters left out, all of it is in results.json …\n{text[-tail:]}"

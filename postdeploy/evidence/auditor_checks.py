"""The part of auditor.html that shows checks: counts, what needs attention, what was not checked, and every result."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime
from html import escape
from itertools import groupby
from textwrap import dedent

from postdeploy.evidence.catalogue import EVERY_TIER
from postdeploy.evidence.results import NOT_RUN, WORST_FIRST, Result
from postdeploy.verdict import Verdict

URGENT = (Verdict.RESIDUE, Verdict.FAILED, Verdict.UNVERIFIED, Verdict.FLAKY, Verdict.DEGRADED)
LONGEST = 6_000
"""Characters of a message shown; all of it is in results.json."""


def counts_table(results: Iterable[Result]) -> str:
    """Planned, executed and each verdict that occurred or matters, per tier and in all."""
    known = tuple(results)
    columns: list[tuple[str, Callable[[Result], bool]]] = [
        ("planned", lambda each: True),
        ("executed", lambda each: each.executed),
        *((verdict.value, lambda each, verdict=verdict: each.verdict is verdict) for verdict in Verdict),
    ]
    names = "".join(f"<th>{name}</th>" for name, _ in columns)
    rows = [(tier, tuple(each for each in known if each.tier == tier)) for tier in EVERY_TIER]
    lines = []
    for label, chosen in [*((tier, rows) for tier, rows in rows if rows), ("all", known)]:
        cells = "".join(_count(name, sum(map(rule, chosen))) for name, rule in columns)
        lines.append(f"<tr><td>{label}</td>{cells}</tr>")
    body = "\n".join(lines)
    return f'<table class="counts"><thead><tr><th>tier</th>{names}</tr></thead>\n<tbody>\n{body}\n</tbody></table>'


def attention(results: Iterable[Result], version: str = "") -> list[str]:
    """Everything that ran and is not simply passed, gravest first."""
    urgent = [each for each in results if each.verdict in URGENT and not _not_run(each) and not each.waiver]
    if not urgent:
        return []
    urgent.sort(key=lambda each: WORST_FIRST.index(each.verdict))
    return ["<h2>What needs attention</h2>", *(_block(rows, version) for rows in _by_check(urgent))]


def not_checked(results: Iterable[Result], gaps: Iterable[str] = ()) -> list[str]:
    """What this run does not speak of, and the reason of each."""
    silent = sorted((each for each in results if _silent(each)), key=_reason)
    lines = ["<h2>What was not checked, why, and who accepted that</h2>"]
    for reason, rows in groupby(silent, key=_reason):
        group = list(rows)
        names = "\n".join(f"<li><code>{escape(each.id)}</code> {escape(each.subject)}</li>" for each in group)
        lines.append(f"<h4>{escape(reason or 'no reason given')} ({len(group)})</h4>")
        lines.append(f'<ul class="list columns">\n{names}\n</ul>')
    missing = list(gaps)
    if missing:
        lines.append("<h4>Could not be read</h4>")
        lines.append('<ul class="list">' + "\n".join(f"<li>{escape(each)}</li>" for each in missing) + "</ul>")
    if not silent and not missing:
        lines.append(paragraph("Nothing: every planned check was executed, and everything it needed could be read."))
    return lines


def every_check(results: Iterable[Result], version: str = "") -> Iterator[str]:
    """Every planned check with its verdict, grouped by tier and check; `version`: which version of the rules judged."""
    known = tuple(results)
    yield "<h2>Every check</h2>"
    for tier in EVERY_TIER:
        rows = [each for each in known if each.tier == tier]
        if rows:
            yield f"<h3>{tier} <small>{len(rows)} planned</small></h3>"
            yield from (_block(group, version) for group in _by_check(rows))


def chip(verdict: Verdict) -> str:
    """A verdict as a coloured word."""
    return f'<span class="chip {verdict.value}">{verdict.value}</span>'


def paragraph(text: str) -> str:
    """Text as a paragraph."""
    return f"<p>{escape(text)}</p>"


def moment(when: datetime | None) -> str:
    """A point in time, always with its zone."""
    return f"{when.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC" if when else '<span class="absent">not finished</span>'


def duration(started: datetime, finished: datetime | None) -> str:
    """How long something took."""
    return f"{(finished - started).total_seconds():.1f} s" if finished else '<span class="absent">not finished</span>'


def _by_check(results: Iterable[Result]) -> Iterator[list[Result]]:
    groups: dict[str, list[Result]] = {}
    for each in results:
        groups.setdefault(each.id, []).append(each)
    yield from groups.values()


def _block(rows: list[Result], version: str) -> str:
    first = rows[0]
    about = [f"<code>{escape(first.id)}</code>", f"owner {escape(first.owner)}"]
    if first.controls:
        about.append(f"evidence for {escape(', '.join(first.controls))}")
    about.append(f"runbook <code>{escape(first.runbook)}</code>")
    rule = next((each.nodeid.partition("::")[0] for each in rows if each.nodeid), "")
    if rule and version:
        about.append(f"judged by <code>{escape(rule)}</code> of {escape(version)}")
    body = "\n".join(map(_row, rows))
    return (
        f'<section class="check"><h4>{escape(first.title)}</h4><p>{" · ".join(about)}</p>\n'
        '<table><colgroup><col class="v"><col class="s"><col><col class="w"></colgroup>'
        "<thead><tr><th>verdict</th><th>subject</th><th>what was seen</th><th>when (UTC), how long</th></tr></thead>\n"
        f"<tbody>\n{body}\n</tbody></table></section>"
    )


def _row(result: Result) -> str:
    when = ""
    if result.started:
        when = f"{result.started.astimezone(UTC):%Y-%m-%d %H:%M:%S}, {result.duration_s:.3f} s"
    return (
        f'<tr><td>{chip(result.verdict)}</td><td class="subject">{escape(result.subject)}</td>'
        f'<td>{_message(result)}{_attempts(result)}</td><td class="when">{when}</td></tr>'
    )


def _message(result: Result) -> str:
    text = result.message
    if len(text) > LONGEST:
        text = f"{text[:LONGEST]}\n… {len(text) - LONGEST} more characters are in results.json"
    claim, _, rest = text.partition("\n")
    return (f'<p class="seen">{escape(claim)}</p>' if claim else "") + (
        f"<pre>{escape(dedent(rest))}</pre>" if rest else ""
    )


def _attempts(result: Result) -> str:
    if len(result.attempts) < 2:
        return ""
    lines = [
        f"<li>{each.at.astimezone(UTC):%H:%M:%S} {escape(each.outcome.value)} after {each.duration_s:.1f} s"
        f"{': ' + escape(each.reason) if each.reason else ''}</li>"
        for each in result.attempts
    ]
    return f'<ol class="attempts">{"".join(lines)}</ol>'


def _count(name: str, number: int) -> str:
    quiet = "" if number else ' class="zero"'
    return f'<td data-of="{name}"{quiet}>{number}</td>'


def _not_run(result: Result) -> bool:
    return result.message.startswith(NOT_RUN)


def _reason(result: Result) -> str:
    """Why, without the claim, which differs for every subject."""
    line = result.message.partition("\n")[0]
    return line.partition(f": {Verdict.NOT_APPLICABLE}: ")[2] or line


def _silent(result: Result) -> bool:
    return _not_run(result) or result.verdict is Verdict.NOT_APPLICABLE or result.waiver is not None

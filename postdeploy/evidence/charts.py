"""Charts as plain SVG, readable in colour, without it, and on paper."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from html import escape
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from postdeploy.evidence.ledger.standing import Week

BAR, GAP, HIGH = 9, 3, 26
GOOD, BAD, BLIND = "#1f7a43", "#b3261e", "#8a5a00"
SHAPES = {
    "passed": (10, GOOD, True),
    "degraded": (14, GOOD, True),
    "flaky": (14, GOOD, True),
    "failed": (HIGH, BAD, True),
    "residue": (HIGH, BAD, True),
}
"""Verdict to height, colour, and whether it is filled."""
BLIND_SHAPE = (18, BLIND, False)
CHART_WIDE, CHART_HIGH, LEFT, BELOW = 350, 120, 40, 18


def history(runs: Sequence[Mapping[str, Any]]) -> str:
    """A bar for each run, the newest to the right."""
    wide = max(len(runs), 1) * (BAR + GAP)
    bars = "".join(_bar(number, each) for number, each in enumerate(runs))
    said = f"{len(runs)} runs, {sum(each['verdict'] == 'failed' for each in runs)} of them failed"
    size = f'width="{wide}" height="{HIGH + 2}" viewBox="0 0 {wide} {HIGH + 2}"'
    return f'<svg {size} role="img" aria-label="{said}">{bars}</svg>'


def _bar(number: int, run: Mapping[str, Any]) -> str:
    high, colour, filled = SHAPES.get(run["verdict"], BLIND_SHAPE)
    dots = "" if run["scope"] == "full" else ' stroke-dasharray="2 2"'
    fill = colour if filled and run["scope"] == "full" else "none"
    title = f"{run['finished'][:16]} {run['release']}: {run['verdict']}, {run['scope']}"
    at = f'x="{number * (BAR + GAP) + 1}" y="{HIGH - high + 1}" width="{BAR - 2}" height="{high}"'
    return f'<rect {at} fill="{fill}" stroke="{colour}"{dots}><title>{escape(title)}</title></rect>'


def weeks(found: Sequence[Week]) -> str:
    """The share of flaky checks, a bar a week; a week without a run has a mark on the line instead."""
    top = max([each.share for each in found] + [0.001])
    step = (CHART_WIDE - LEFT) / max(len(found), 1)
    floor = CHART_HIGH - BELOW
    parts = [_axis(top, floor)]
    for number, each in enumerate(found):
        x, high = LEFT + number * step, each.share / top * (floor - 8)
        if each.runs:
            said = escape(f"week of {each.begins}: {each.share:.2%} of {each.executed} checks in {each.runs} runs")
            at = f'x="{x + 2:.1f}" y="{floor - max(high, 1):.1f}" width="{step - 4:.1f}" height="{max(high, 1):.1f}"'
            parts.append(f'<rect {at} fill="#1a4f9c"><title>{said}</title></rect>')
        else:
            parts.append(f'<circle cx="{x + step / 2:.1f}" cy="{floor}" r="1.5" fill="#9aa4b1"/>')
        if number % 6 == 0:
            parts.append(f'<text x="{x:.0f}" y="{CHART_HIGH - 3}">{each.begins[5:]}</text>')
    return (
        f'<svg width="{CHART_WIDE}" height="{CHART_HIGH}" viewBox="0 0 {CHART_WIDE} {CHART_HIGH}" role="img" '
        f'aria-label="{_words(found)}">{"".join(parts)}</svg>'
    )


def _axis(top: float, floor: int) -> str:
    line = f'<line x1="{LEFT}" y1="{floor}" x2="{CHART_WIDE}" y2="{floor}" stroke="#9aa4b1"/>'
    return f'{line}<text x="0" y="14">{top:.1%}</text><text x="0" y="{floor}">0 %</text>'


def _words(found: Iterable[Week]) -> str:
    known = [each for each in found if each.runs]
    worst = max(known, key=lambda each: each.share, default=None)
    return f"worst week: {worst.begins} with {worst.share:.2%}" if worst else "no run in these weeks"

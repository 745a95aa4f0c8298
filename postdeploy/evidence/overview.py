"""index.html: every environment at a glance, made from the ledger; without script, and nothing is fetched."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from html import escape
from pathlib import Path
from typing import Any
from urllib.parse import quote

from postdeploy.evidence import charts
from postdeploy.evidence.catalogue import TIERS
from postdeploy.evidence.controls import named
from postdeploy.evidence.ledger.audit import NOT_VERIFIED
from postdeploy.evidence.ledger.standing import Coverage, Overview, Standing, Tally, overview
from postdeploy.evidence.ledger.store import Store

CSS = Path(__file__).with_name("overview.css")
POLICY = "default-src 'none'; style-src 'unsafe-inline'"
MARKS = {"good": "✓", "bad": "✗", "blind": "?", "none": "-"}
"""What colour says is said by a sign as well: on paper, and for who cannot tell red from green."""
REPORTS = ("report.html", "auditor.html")


@dataclass(frozen=True)
class Where:
    """Where run folders are, as seen from the page."""

    archive: Path
    page: Path

    def link(self, run: Mapping[str, Any], name: str) -> str | None:
        """A relative link to a report that is really there."""
        there = self.archive / run["bundle"] / name
        return quote(os.path.relpath(there, self.page.parent)) if there.is_file() else None


def write(store: Store, archive: Path, target: Path, now: datetime, release: str | None = None) -> Overview:
    """Write the page, whole or not at all. Raises LedgerUnusable, OSError."""
    seen = overview(store, now, release)
    target.parent.mkdir(parents=True, exist_ok=True)
    made = target.with_name(f".{target.name}.{os.getpid()}.tmp")
    made.write_text(page(seen, Where(archive, target), store.shown), encoding="utf-8")
    made.replace(target)
    return seen


def page(seen: Overview, where: Where, place: str) -> str:
    """The whole page."""
    body = [*_head(seen, place), *_matrix(seen, where), *_history(seen), *_flakes(seen), *_controls(seen)]
    return "\n".join(
        [
            '<!doctype html><html lang="en"><head><meta charset="utf-8">',
            f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">',
            '<meta name="viewport" content="width=device-width, initial-scale=1">',
            f"<title>Verification of {escape(seen.release or 'releases')}</title>",
            f"<style>{CSS.read_text(encoding='utf-8')}</style></head><body>",
            *body,
            "</body></html>\n",
        ]
    )


def _head(seen: Overview, place: str) -> Iterator[str]:
    yield f"<h1>{escape(seen.release) or 'No release yet'}</h1>"
    yield f"<p class=soft>{seen.runs} runs in {escape(place)}; as of {seen.now:%Y-%m-%d %H:%M} UTC</p>"
    if seen.rehearsal:
        yield '<p class="banner">REHEARSALS: stand-ins were verified, this is no evidence of production</p>'
    digests = seen.digests
    if len(digests) == 1:
        (digest, count), *_ = digests.items()
        bits = f"<span class=mono>{escape(digest[7:19])}</span>"
        yield f"<p>Digest parity: {count} environment{'s' * (count > 1)} run the same bits {bits}</p>"
    elif digests:
        kinds = ", ".join(
            f"{count} of <span class=mono>{escape(each[7:19])}</span>" for each, count in digests.most_common()
        )
        yield f"<p class=bad>Digest parity: {len(digests)} different builds under one release: {kinds}</p>"
    waiting = [each.name for each in seen.standings if each.deployment and each.deployment["verdict"] == NOT_VERIFIED]
    if waiting:
        yield f"<p class=bad>NOT VERIFIED: the newest deployment of {escape(', '.join(waiting))}</p>"


def _matrix(seen: Overview, where: Where) -> Iterator[str]:
    tiers = [each for each in TIERS if any(each in standing.tiers(seen.release) for standing in seen.standings)]
    head = "".join(f"<th>{escape(each)}</th>" for each in ("environment", "deployed", "verdict", *tiers, "verified"))
    yield f"<section><h2>Environments by tier</h2><table class=stack><thead><tr>{head}</tr></thead><tbody>"
    for each in seen.standings:
        yield "".join(_row(each, seen, tiers, where))
    yield "</tbody></table></section>"


def _row(standing: Standing, seen: Overview, tiers: Sequence[str], where: Where) -> Iterator[str]:
    deployed, run = standing.deployment, standing.of_release(seen.release)
    live = deployed["release"] if deployed else "unknown"
    shown = escape(live) if live == seen.release else f"<span class=blind>{escape(live)}</span>"
    digest = (
        f' <span class="mono soft">{escape(deployed["digest"][7:15])}</span>' if deployed and deployed["digest"] else ""
    )
    verdict = run["verdict"] if run else NOT_VERIFIED
    kind = "good" if verdict in ("passed", "degraded", "flaky") else "bad" if run else "blind"
    yield f"<tr><th>{escape(standing.name)}</th>{_cell('deployed', shown + digest)}"
    yield _cell("verdict", f'<span class="verdict {kind}">{MARKS[kind]} {escape(verdict)}</span>')
    found = standing.tiers(seen.release)
    yield from (_cell(each, _tally(found.get(each))) for each in tiers)
    yield _cell("verified", f"{_ago(run['finished'], seen.now)} {_links(run, where)}" if run else "never")
    yield "</tr>"


def _cell(of: str, html: str) -> str:
    return f'<td data-of="{escape(of)}">{html}</td>'


def _tally(tally: Tally | None) -> str:
    if tally is None:
        return f"<span class=none>{MARKS['none']}</span>"
    bad, blind = tally.get("failed", 0) + tally.get("residue", 0), tally.get("unverified", 0)
    good = tally.get("passed", 0) + tally.get("degraded", 0) + tally.get("flaky", 0)
    parts = [(bad, "bad", "failed"), (blind, "blind", "unverified"), (good, "good", "")]
    said = [
        f"<span class={kind}>{MARKS[kind]} {count} {word}</span>".replace(" </", "</")
        for count, kind, word in parts
        if count
    ]
    return " ".join(said) or f"<span class=none>{MARKS['none']}</span>"


def _links(run: Mapping[str, Any], where: Where) -> str:
    found = {name.partition(".")[0]: where.link(run, name) for name in REPORTS}
    return " ".join(f'<a href="{escape(link)}">{name}</a>' for name, link in found.items() if link)


def _history(seen: Overview) -> Iterator[str]:
    yield "<section><h2>History</h2>"
    yield "<p class=soft>Newest to the right; tall: failed, hollow: unverified, dotted: of a part of the checks.</p>"
    yield "<div class=runs>"
    for each in seen.standings:
        yield f"<div>{escape(each.name)}</div><div>{charts.history(each.runs)}</div>"
    yield "</div></section>"


def _flakes(seen: Overview) -> Iterator[str]:
    yield "<section><h2>Flaky checks by week</h2>"
    yield "<p class=soft>Share of the executed checks that held only after a failed look.</p>"
    yield f"{charts.weeks(seen.weeks)}</section>"


def _controls(seen: Overview) -> Iterator[str]:
    names = [each.name for each in seen.standings]
    for quarter, coverage in seen.quarters.items():
        head = "".join(f"<th>{escape(each)}</th>" for each in names)
        yield f"<section><h2>Controls evidenced in {quarter}</h2><div class=wide><table>"
        yield f"<thead><tr><th>control</th>{head}</tr></thead><tbody>"
        yield from _coverage(coverage, names)
        yield "</tbody></table></div></section>"
    if seen.quarters:
        yield "<p class=soft>Verdicts of checks that carry the control, over the last run of each deployment.</p>"


def _coverage(coverage: Coverage, names: Iterable[str]) -> Iterator[str]:
    for control in sorted(coverage):
        where, what = named(control)
        cells = "".join(f"<td>{_covered(coverage[control].get(each))}</td>" for each in names)
        yield f"<tr><th>{escape(where)}<br><span class=soft>{escape(what)}</span></th>{cells}</tr>"


def _covered(counts: tuple[int, int, int] | None) -> str:
    if counts is None:
        return f"<span class=none>{MARKS['none']}</span>"
    pairs = zip(("good", "bad", "blind"), counts, strict=True)
    return " ".join(f"<span class={kind}>{MARKS[kind]} {count}</span>" for kind, count in pairs if count)


def _ago(moment: str, now: datetime) -> str:
    """How long ago, and when exactly."""
    then = datetime.fromisoformat(moment)
    seconds = max((now - then).total_seconds(), 0)
    for unit, size in (("d", 86400), ("h", 3600), ("min", 60)):
        if seconds >= size:
            return f'<span title="{then:%Y-%m-%d %H:%M} UTC">{seconds // size:.0f} {unit} ago</span>'
    return "just now"

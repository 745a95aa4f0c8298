"""auditor.html: the whole run on one page for a reader who has neither our tools nor a network; no script in it."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterable, Mapping
from functools import cache
from html import escape
from pathlib import Path

from postdeploy.evidence.auditor_checks import (
    attention,
    chip,
    counts_table,
    duration,
    every_check,
    moment,
    not_checked,
    paragraph,
)
from postdeploy.evidence.looks import Looks
from postdeploy.evidence.recipe import recipe
from postdeploy.evidence.results import Result
from postdeploy.evidence.run_record import RunRecord
from postdeploy.verdict import Verdict

MEANING = {
    Verdict.PASSED: "Every check that ran found what was expected.",
    Verdict.DEGRADED: "Every hard expectation that was checked holds; not everything is as it should be.",
    Verdict.FLAKY: "Every expectation holds, at least one of them only after a failed look.",
    Verdict.FAILED: "The product contradicts at least one expectation.",
    Verdict.UNVERIFIED: "Something could not be looked at, so this run does not say that the release is healthy.",
    Verdict.RESIDUE: "A clean-up failed: something of the verification itself is left in the environment.",
}


def auditor_page(
    record: RunRecord, results: Iterable[Result], looks: Looks | None = None, hashes: Mapping[str, str] | None = None
) -> str:
    """The page; `hashes` binds it to the files it was made from."""
    known, seen = tuple(results), looks or Looks()
    body = [
        *_banners(record),
        _verdict(record, known),
        "<h2>Who, what, when, and with which approval</h2>",
        _facts(_identity(record, seen)),
        "<h2>Planned and executed</h2>",
        counts_table(known),
        "<h2>What was looked at</h2>",
        _looks(seen),
        *attention(known, _version(record)),
        *not_checked(known, seen.gaps),
        *every_check(known, _version(record)),
        "<h2>What judged, and by which expectations</h2>",
        _facts(_judges(record, hashes or {})),
        *_check_it_yourself(record),
        _footer(record),
    ]
    return _document(record, "\n".join(body))


def _check_it_yourself(record: RunRecord) -> list[str]:
    """The recipe that needs nothing of ours, and what it cannot tell."""
    lines = ["<h2>How to check this folder without us</h2>"]
    for text, commands in recipe(signed=record.is_signed, stamped=bool(record.timestamps)):
        lines += [paragraph(text), f'<pre class="recipe">{escape(commands)}</pre>']
    if not record.is_signed:
        lines.append(
            paragraph(
                "The run was not signed: nothing proves who made this folder, or that all of it was not made anew."
            )
        )
    return lines


def _footer(record: RunRecord) -> str:
    return (
        f"<footer>All times are UTC. Made from results.json of run {escape(record.run_id)}, without script and without "
        "any call to another host. results.json is the record; this page shows it.</footer>"
    )


def _document(record: RunRecord, body: str) -> str:
    style = _style()
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    rehearsal = "REHEARSAL: " if record.rehearsal else ""
    title = f"{rehearsal}{record.verdict.value}: {record.release} in {record.environment}"
    policy = f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"
    return f"""<!DOCTYPE html>
<html lang="en-GB">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="{policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="referrer" content="no-referrer">
<title>{escape(title)}</title>
<style>{style}</style>
</head>
<body>
{body}
</body>
</html>
"""


@cache
def _style() -> str:
    return (Path(__file__).parent / "auditor.css").read_text(encoding="utf-8")


def _banners(record: RunRecord) -> list[str]:
    banners = []
    if record.rehearsal:
        banners.append(
            ("rehearsal", "REHEARSAL: a stand-in on one machine was verified. This is not evidence of production.")
        )
    if not record.is_full:
        banners.append(
            ("partial", f"PARTIAL SCOPE ({record.scope}): this run does not count as a verification of the release.")
        )
    if not record.is_signed:
        banners.append(("unsigned", "UNSIGNED: nothing proves who made this record."))
    if record.replay_of:
        banners.append(
            ("replay", f"REPLAY of {record.replay_of}: a saved observation was judged again, nothing was looked at.")
        )
    return [f'<div class="banner {kind}">{escape(text)}</div>' for kind, text in banners]


def _verdict(record: RunRecord, results: tuple[Result, ...]) -> str:
    applicable = [each for each in results if each.verdict is not Verdict.NOT_APPLICABLE]
    ran = sum(each.executed for each in applicable)
    sentence = (
        f"Release {record.release} in {record.environment}: {ran} of {len(applicable)} applicable checks were "
        f"executed. {_waived(results)}{MEANING.get(record.verdict, '')}"
    )
    return (
        f'<section class="verdict {record.verdict.value}"><h1>{escape(record.verdict.value.upper())}</h1>'
        f"<p>{escape(sentence)}</p></section>"
    )


def _waived(results: tuple[Result, ...]) -> str:
    """How many checks somebody allowed not to be run: a reader of the verdict has to know."""
    count = sum(each.waiver is not None for each in results)
    return (
        f"{count} {'were' if count > 1 else 'was'} waived, as is listed below with who accepted that. " if count else ""
    )


def _identity(record: RunRecord, looks: Looks) -> list[tuple[str, str]]:
    pipeline = record.pipeline
    return [
        ("Environment", escape(record.environment)),
        *((name[:1].upper() + name[1:], escape(value)) for name, value in looks.about.items()),
        ("Release", escape(record.release)),
        ("Run", f"<code>{escape(record.run_id)}</code>"),
        ("Started", moment(record.started)),
        ("Finished", moment(record.finished)),
        ("Took", duration(record.started, record.finished)),
        ("Scope", escape(record.scope)),
        ("Verdict", f"{chip(record.verdict)} exit code {record.exit_code}"),
        ("Run by", _or_absent(pipeline.actor)),
        ("Approved by", _or_absent(pipeline.approver)),
        ("Signed by", f"key <code>{escape(record.signing)}</code>" if record.is_signed else "UNSIGNED"),
        ("Timestamps by", escape(record.timestamps) or "nobody was asked"),
        ("Change ticket", _or_absent(pipeline.ticket)),
        ("Pipeline job", _job(record)),
        ("Pipeline commit", _or_absent(pipeline.commit)),
        ("Pipeline tag", _or_absent(pipeline.tag)),
    ]


def _judges(record: RunRecord, hashes: Mapping[str, str]) -> list[tuple[str, str]]:
    suite = record.suite
    state = {True: " with uncommitted changes", False: "", None: ""}[suite.dirty]
    return [
        ("Suite commit", f"<code>{escape(suite.commit)}</code>{state}"),
        ("Python", escape(suite.python)),
        ("Environment file", f"sha256 <code>{escape(suite.environment_sha256)}</code>"),
        ("Catalogue", f"sha256 <code>{escape(suite.catalogue_sha256)}</code>"),
        *((name, f"sha256 <code>{escape(digest)}</code>") for name, digest in hashes.items()),
        (
            "Packages",
            escape(", ".join(f"{name} {version}" for name, version in suite.packages.items())) or _or_absent(None),
        ),
    ]


def _version(record: RunRecord) -> str:
    """Which version of the rules judged, as it stands beside each of them."""
    changed = ", with uncommitted changes" if record.suite.dirty else ""
    return f"suite commit {record.suite.commit[:12]}{changed}"


def _facts(rows: list[tuple[str, str]]) -> str:
    cells = "\n".join(f"<div><dt>{escape(name)}</dt><dd>{value}</dd></div>" for name, value in rows)
    return f'<dl class="facts">\n{cells}\n</dl>'


def _or_absent(value: str | None) -> str:
    return escape(value) if value else '<span class="absent">not recorded</span>'


def _job(record: RunRecord) -> str:
    url = record.pipeline.url
    name = escape(record.pipeline.job or url or "")
    if url and url.startswith(("https://", "http://")):
        return f'<a href="{escape(url)}" rel="noreferrer">{name}</a>'
    return name or _or_absent(None)


def _looks(looks: Looks) -> str:
    lines = [paragraph(f"Waiting for the rollout: {looks.settled}." if looks.settled else "No rollout was waited for.")]
    lines += [paragraph(each) for each in looks.notes]
    if looks.gaps:
        lines.append(
            paragraph("What could not be read is listed under “What was not checked, why, and who accepted that”.")
        )
    return "\n".join(lines)

"""The three files beside Allure's results that tell a report which run it shows."""

from __future__ import annotations

from pathlib import Path

from postdeploy.evidence.folder import RunFolder
from postdeploy.evidence.run_record import RunRecord

FOLDER = "allure-results"
CATEGORIES = (
    {"name": "Failed: the product contradicts the expectation", "matchedStatuses": ["failed"]},
    {"name": "Residue: something of ours is left in the environment", "messageRegex": r"^residue:[\s\S]*"},
    {"name": "Not run: planned, and never looked at", "messageRegex": r"^unverified: not run[\s\S]*"},
    {"name": "Unverified: we could not look", "messageRegex": r"^unverified: (?!not run)[\s\S]*"},
    {"name": "Waived: somebody accepted that it was not run", "messageRegex": r"^waived until [\s\S]*"},
    {"name": "Degraded: a soft limit was missed", "messageRegex": r"^degraded:[\s\S]*"},
    {"name": "Flaky: passed after a failed look", "messageRegex": r"^flaky:[\s\S]*"},
    {"name": "Not applicable: declared absent here", "messageRegex": r"^not-applicable:[\s\S]*"},
)
"""Read by Java's and by JavaScript's regular expressions alike: Allure 2 matches whole messages, Allure 3 any part."""


def user_folder(given: str, environment: str) -> str:
    """A user's own --alluredir with the environment in its path: merged folders would hide each other's failures."""
    path = Path(given)
    return given if path.name == environment else str(path / environment)


def write_context(folder: RunFolder, record: RunRecord) -> None:
    """environment.properties, executor.json and categories.json of a finished run."""
    lines = (f"{name}={_property(value)}\n" for name, value in facts(record).items())
    folder.write_text(f"{FOLDER}/environment.properties", "".join(lines))
    folder.write_json(f"{FOLDER}/executor.json", _executor(record))
    folder.write_json(f"{FOLDER}/categories.json", CATEGORIES)


def facts(record: RunRecord) -> dict[str, str]:
    """What the head of a report says of its run."""
    known = {
        "Environment": record.environment,
        "Rehearsal": "yes: NOT evidence of production" if record.rehearsal else "",
        "Release": record.release,
        "Verdict": f"{record.verdict} (exit code {record.exit_code})",
        "Scope": record.scope if record.is_full else f"PARTIAL: {record.scope}",
        "Run": record.run_id,
        "Started": f"{record.started:%Y-%m-%dT%H:%M:%SZ}",
        "Finished": f"{record.finished:%Y-%m-%dT%H:%M:%SZ}" if record.finished else "",
        "Replay_of": record.replay_of or "",
        "Suite": record.suite.commit + (" (dirty)" if record.suite.dirty else ""),
        "Actor": record.pipeline.actor or "",
        "Approver": record.pipeline.approver or "",
        "Ticket": record.pipeline.ticket or "",
    }
    return {name: value for name, value in known.items() if value}


def _executor(record: RunRecord) -> dict[str, str]:
    url = record.pipeline.url
    known = {
        "name": "GitLab" if url else "postdeploy",
        "type": "gitlab" if url else "local",
        "buildName": record.pipeline.job or record.run_id,
        "buildUrl": url or "",
        "reportName": record.run_id,
    }
    return {name: value for name, value in known.items() if value}


def _property(value: str) -> str:
    """Java's properties know no line breaks and no characters beyond Latin-1 but as escapes."""
    flat = " ".join(value.split()).replace("\\", "\\\\")
    return "".join(each if each.isascii() else f"\\u{ord(each):04x}" for each in flat)

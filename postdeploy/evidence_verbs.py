"""The verbs of `postdeploy` for those who read evidence: verify it, show it, judge it again."""

from __future__ import annotations

import argparse
import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec

from postdeploy.evidence import archived, show, timestamps, trust, verifying
from postdeploy.evidence.findings import State
from postdeploy.evidence.folder import RunFolder
from postdeploy.evidence.run_record import RunRecord
from postdeploy.options import timestamp_mistake
from postdeploy.verdict import ExitCode

KEYS = "POSTDEPLOY_KEYS"


class CannotRead(Exception):
    """What the user named is no evidence, or no trust file."""


def verify_evidence(options: argparse.Namespace) -> tuple[str, int]:
    """A line for each finding; 0 all whole, 2 something incomplete, 3 something tampered with."""
    named = options.keys or os.environ.get(KEYS)
    reports: list[verifying.Report] = []
    try:
        keys = trust.read_trust(Path(named)) if named else None
        for each in options.runs:
            reports += archived.verify(Path(each), keys)
    except (trust.BadTrustFile, archived.NotEvidenceAtAll) as error:
        raise CannotRead(str(error)) from error
    text = verifying.to_json(reports) if options.json else "\n".join(line for each in reports for line in _lines(each))
    return text, int(max(each.state for each in reports))


def _lines(report: verifying.Report) -> Iterator[str]:
    record = report.record
    about = f" ({record.release} in {record.environment}: {record.verdict})" if record else ""
    rehearsal = ", a REHEARSAL" if record and record.rehearsal else ""
    yield f"{report.name}: {report.state.name}, {report.files} files{about}{rehearsal}"
    yield from (f"  {each}" for each in report.findings)
    yield from (f"  {each}" for each in report.notes)


def timestamp(options: argparse.Namespace) -> str:
    """Ask the authority that the run names, or another; what is there already stays. Raises CannotRead, NoTimestamp."""
    folder = Path(options.run).absolute()
    try:
        record = msgspec.json.decode((folder / "run.json").read_bytes(), type=RunRecord)
    except (OSError, msgspec.MsgspecError) as error:
        raise CannotRead(f"{options.run} is no run folder: run.json cannot be read ({error}).") from error
    url = options.url or record.timestamps
    if not url or (wrong := timestamp_mistake(url)):
        raise CannotRead(wrong if url else "Which authority? The run names none: add --url=https://HOST/PATH.")
    if not record.is_signed:
        raise CannotRead(f"{options.run} is not signed: there is no signature whose time could be proved.")
    if there := [each for each in timestamps.STAMPS if (folder / each).exists()]:
        raise CannotRead(f"{there[0]} is there already; a timestamp is never replaced.")
    try:
        timestamps.stamp(RunFolder(folder), url)
    except OSError as error:
        raise CannotRead(f"{options.run} cannot be written to: {error}.") from error
    return "\n".join(f"written: {folder / each}" for each in timestamps.STAMPS)


def show_run(options: argparse.Namespace) -> str:
    """What a run folder says of itself."""
    try:
        return show.show(Path(options.run))
    except show.Unreadable as error:
        raise CannotRead(str(error)) from error


def replay(options: argparse.Namespace, root: Path) -> int:
    """Judge a run again as `pytest --replay` does, and say whether it came to the same; the exit code is pytest's.

    It is 1 where pytest's would be 0 although a verdict differs.
    """
    folder = Path(options.run).absolute()
    if not (folder / "run.json").is_file():
        raise CannotRead(f"{options.run} is no run folder: there is no run.json in it.")
    for line in _alterations(folder):
        print(line, file=sys.stderr)
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-m", "verify", f"--replay={folder}"]
    with subprocess.Popen(
        [*command, *options.arguments], cwd=root, stdout=subprocess.PIPE, text=True, errors="replace"
    ) as again:
        assert again.stdout is not None  # noqa: S101  it was asked for
        said = []
        for line in again.stdout:
            said.append(line)
            sys.stdout.write(line)
            sys.stdout.flush()
    made = re.findall(r"^run folder: (.+)$", "".join(said), re.MULTILINE)
    if not made:
        return again.returncode
    lines = list(compare(folder, Path(made[-1])))
    print("\n".join(lines) or "the same verdict on every check")
    return int(ExitCode.FAILED) if lines and not again.returncode else again.returncode


def compare(before: Path, after: Path) -> Iterator[str]:
    """A line for each check whose verdict differs, and for a suite that is another one."""
    old, new = _verdicts(before), _verdicts(after)
    for check, subject in sorted(old.keys() | new.keys()):
        was, now = (each.get((check, subject), "not planned") for each in (old, new))
        if was != now:
            yield f"DIFFERS {check}[{subject}]: was {was}, is {now}"


def _verdicts(folder: Path) -> dict[tuple[str, str], str]:
    try:
        results: list[dict[str, Any]] = json.loads((folder / "results.json").read_bytes())
    except (OSError, ValueError):
        return {}
    return {(each["id"], each["subject"]): each["verdict"] for each in results}


def _alterations(folder: Path) -> Iterator[str]:
    """What was judged then may not be what is judged now."""
    report = verifying.verify_folder(folder)
    if report.state is State.TAMPERED:
        yield f"postdeploy: {folder} is not what it was, so this judges something else:"
        yield from (f"  {each}" for each in report.findings if each.state is State.TAMPERED)

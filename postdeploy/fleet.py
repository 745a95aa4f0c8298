"""Several environments: one child run each, some at a time, shown as one table and recorded by the parent."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import pytest

from postdeploy.environment import PRODUCTION, EnvironmentFileError, UnknownEnvironment, load
from postdeploy.evidence import run_record
from postdeploy.evidence.folder import ArchiveUnwritable, RunFolder, new_run_id
from postdeploy.evidence.results import counts, worst
from postdeploy.evidence.run_record import RunRecord
from postdeploy.options import ALL, Options, expected_release
from postdeploy.run import NO_RELEASE
from postdeploy.verdict import ExitCode

GRAVEST_FIRST = (12, 1, 10, 11, 4, 5, 0)
OWN = {"--env", "--parallel", "--junitxml", "--junit-xml", "--alluredir", "--archive"}
"""Options the parent gives its children itself."""
LAST_LINES = 15
"""Of a child that left no record."""
REHEARSAL_RELEASE = "rehearsal"
"""Stands in a run id where each child's stand-in brings a release of its own."""


@dataclass
class Child:
    """One environment's run."""

    environment: str
    exit_code: int = int(ExitCode.UNVERIFIED)
    seconds: float = 0.0
    output: str = ""
    record: RunRecord | None = None
    folder: Path | None = None
    process: subprocess.Popen[str] | None = field(default=None, repr=False)

    @property
    def row(self) -> tuple[str, ...]:
        """Its line of the table."""
        if self.record is None:
            return self.environment, f"no record (exit {self.exit_code})", "", "", "", f"{self.seconds:.1f} s", ""
        tally = self.record.counts
        bad, blind = tally["failed"] + tally["residue"], tally["unverified"]
        good = f"{tally['passed']} of {self.record.planned}"
        return (
            self.environment,
            str(self.record.verdict),
            str(bad),
            str(blind),
            good,
            f"{self.seconds:.1f} s",
            str(self.folder),
        )


def main(config: pytest.Config, options: Options) -> int:
    """Run every environment asked for; the exit code is the gravest of theirs. Raises UsageError before any starts."""
    names = _names(config, options)
    release = expected_release(options) or REHEARSAL_RELEASE
    if not options.rehearsal and release == REHEARSAL_RELEASE:
        raise pytest.UsageError(NO_RELEASE)
    started = datetime.now(UTC)
    try:
        folder = RunFolder.create(options.archive, ALL, new_run_id(started, release))
    except ArchiveUnwritable as error:
        raise pytest.UsageError(str(error)) from error
    children = [Child(each) for each in names]
    stopped = _run_all(children, config, options)
    code = gravest(each.exit_code for each in children)
    if stopped and code == ExitCode.VERIFIED:
        code = int(ExitCode.UNVERIFIED)
    _record(folder, children, release, started, code, config)
    _say(table(children))
    _say(f"exit code {code}; run folder: {folder.path}")
    return code


def _names(config: pytest.Config, options: Options) -> tuple[str, ...]:
    names = [name for each in options.environments for name in (PRODUCTION if each == ALL else (each,))]
    wrong = []
    for each in dict.fromkeys(names):
        try:
            load(each, config.rootpath / "environments")
        except (UnknownEnvironment, EnvironmentFileError) as error:
            wrong.append(str(error))
    if wrong:
        raise pytest.UsageError("\n".join(wrong))
    return tuple(dict.fromkeys(names))


def _run_all(children: Sequence[Child], config: pytest.Config, options: Options) -> bool:
    """Run them, `--parallel` at a time; an interruption is passed on, and every child still records how far it came."""
    stop = threading.Event()
    with _sigterm_as_interrupt(), ThreadPoolExecutor(options.parallel) as pool:
        try:
            _say(f"verifying {', '.join(each.environment for each in children)}, {options.parallel} at a time")
            wait([pool.submit(_run_one, each, config, options, stop) for each in children])
        except KeyboardInterrupt:
            stop.set()
            for each in children:
                _end(each)
    return stop.is_set()


def _end(child: Child) -> None:
    """Interrupt a running child, which still records how far it came."""
    if child.process is not None and child.process.poll() is None:
        child.process.send_signal(signal.SIGTERM)


def _run_one(child: Child, config: pytest.Config, options: Options, stop: threading.Event) -> None:
    if stop.is_set():
        return
    began = time.monotonic()
    child.process = subprocess.Popen(
        _command(child.environment, config, options),
        cwd=config.invocation_params.dir,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        start_new_session=True,  # a Ctrl-C reaches the parent, which passes it on once
    )
    if stop.is_set():  # it was being started while the others were ended
        _end(child)
    child.output, _ = child.process.communicate()
    child.exit_code, child.seconds = child.process.returncode, time.monotonic() - began
    child.folder = _folder_of(child.output)
    if child.folder is not None:
        with contextlib.suppress(OSError, msgspec.MsgspecError):
            child.record = msgspec.json.decode((child.folder / "run.json").read_bytes(), type=RunRecord)
    verdict = child.record.verdict if child.record else "no record"
    _say(f"  {child.environment}: {verdict} after {child.seconds:.1f} s (exit {child.exit_code})")
    if child.record is None:
        _say("\n".join(f"    {line}" for line in child.output.splitlines()[-LAST_LINES:]))


def _folder_of(output: str) -> Path | None:
    named = re.findall(r"^run folder: (.+)$", output, re.MULTILINE)
    return Path(named[-1]) if named else None


def _command(environment: str, config: pytest.Config, options: Options) -> list[str]:
    command = [sys.executable, "-m", "pytest", *_passed_on(config.invocation_params.args)]
    command += [f"--env={environment}", f"--archive={options.archive}"]
    if config.option.xmlpath:
        path = Path(config.option.xmlpath)
        command.append(f"--junitxml={path.with_name(f'{path.stem}-{environment}{path.suffix}')}")
    allure = getattr(config.option, "allure_report_dir", None)
    return [*command, f"--alluredir={allure}"] if allure else command


def _passed_on(arguments: Iterable[Any]) -> Iterator[str]:
    """The user's own arguments but for those the parent decides."""
    skip = False
    for each in map(str, arguments):
        name, equals, _ = each.partition("=")
        if skip:
            skip = False
        elif name in OWN:
            skip = not equals
        else:
            yield each


def gravest(codes: Iterable[int]) -> int:
    """The first code of the contract's list that any run returned; an unknown one (a crash) is unverified."""
    known = {code if code in GRAVEST_FIRST else int(ExitCode.UNVERIFIED) for code in codes}
    return next((code for code in GRAVEST_FIRST if code in known), int(ExitCode.NOTHING_SELECTED))


def table(children: Iterable[Child]) -> str:
    """All environments side by side."""
    head = ("environment", "verdict", "failed", "unverified", "passed", "time", "run folder")
    rows = [head, *(each.row for each in children)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(head))]
    padded = ([cell.ljust(width) for cell, width in zip(row, widths, strict=True)] for row in rows)
    return "\n".join("  ".join(row).rstrip() for row in padded)


def _record(
    folder: RunFolder, children: Sequence[Child], release: str, started: datetime, code: int, config: pytest.Config
) -> None:
    """The parent's own record: the sum of the children's, and what each printed."""
    records = [each.record for each in children if each.record]
    total: Counter[str] = Counter(counts(()))
    for record in records:
        total.update(record.counts)
    first = run_record.begin(
        run_id=folder.run_id,
        environment=ALL,
        release=", ".join(dict.fromkeys(each.release for each in records)) or release,
        scope=next((each.scope for each in records if not each.is_full), "full"),
        started=started,
        suite=run_record.describe_suite(config.rootpath, b""),
        pipeline=run_record.describe_pipeline(os.environ),
        planned=sum(each.planned for each in records),
        rehearsal=any(each.rehearsal for each in records),
    )
    whole = msgspec.structs.replace(
        first,
        verdict=worst(each.verdict for each in records) if len(records) == len(children) else first.verdict,
        exit_code=code,
        finished=datetime.now(UTC),
        counts=dict(total),
        executed=sum(each.executed for each in records),
    )
    folder.write_json("run.json", whole)
    folder.write_json("results.json", [])
    for each in children:
        folder.write_text(f"output/{each.environment}.log", each.output)


def _say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


@contextlib.contextmanager
def _sigterm_as_interrupt() -> Iterator[None]:
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)

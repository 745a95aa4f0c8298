"""Several environments: one child run each, some at a time, shown as one table and recorded by the parent."""

from __future__ import annotations

import contextlib
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import pytest

from postdeploy import parity
from postdeploy.beginning import NO_RELEASE
from postdeploy.environment import PRODUCTION, Environment, EnvironmentFileError, UnknownEnvironment, load
from postdeploy.evidence import closing, leaks
from postdeploy.evidence.folder import ArchiveUnwritable, RunFolder, new_run_id
from postdeploy.evidence.run_record import RunRecord
from postdeploy.evidence.signing import CannotSign, SigningKey, key_asked_for, key_is_named
from postdeploy.evidence.unfinished import Occupied, mark_unfinished
from postdeploy.fleet_record import Child, Whole, compare, table
from postdeploy.options import ALL, Options, expected_release
from postdeploy.redact import Redactor
from postdeploy.verdict import ExitCode, exit_code

GRAVEST_FIRST = (12, 1, 10, 11, 4, 5, 0)
OWN = {"--env", "--parallel", "--junitxml", "--junit-xml", "--alluredir", "--archive"}
"""Options the parent gives its children itself."""
LAST_LINES = 15
"""Of a child that left no record."""
REHEARSAL_RELEASE = "rehearsal"
"""Stands in a run id where each child's stand-in brings a release of its own."""


def main(config: pytest.Config, options: Options) -> int:
    """Run every environment asked for; the exit code is the gravest of theirs. Raises UsageError before any starts."""
    environments = _environments(config, options)
    release = expected_release(options) or REHEARSAL_RELEASE
    if not options.rehearsal and release == REHEARSAL_RELEASE:
        raise pytest.UsageError(NO_RELEASE)
    started, planned, key = datetime.now(UTC), parity.plan(environments), _signing_key(options)
    folder = _folder(options, new_run_id(started, release))
    occupied = Occupied(folder)
    closing.commit_plan(folder, planned)
    children = [Child(each.name) for each in environments]
    stopped = _run_all(children, config, options)
    findings = compare(children, environments, planned)
    _say("\n".join([table(children), *([parity.table(findings)] if findings else [])]))
    code = gravest([*(each.exit_code for each in children), *_of_parity(findings, options)])
    if stopped and code == ExitCode.VERIFIED:
        code = int(ExitCode.UNVERIFIED)
    redactor = Redactor(keep=leaks.harmless("\n".join(each.model_dump_json() for each in environments), ()))
    whole = Whole(folder, children, planned, findings, key, redactor, options.timestamps, options.ledger)
    lost, said = whole.record(release, started, code, config)
    occupied.release()
    costly = [each for each in lost if not each.startswith(closing.PENDING)]
    code = int(ExitCode.UNVERIFIED) if costly and code in (ExitCode.VERIFIED, ExitCode.SOFT) else code
    marked = mark_unfinished(options.archive, folder.run_id)
    unsigned = "" if key else " UNSIGNED"
    _say("\n".join([*marked, *lost, *said, f"exit code {code}{unsigned}", f"run folder: {folder.path}"]))
    return code


def _signing_key(options: Options) -> SigningKey | None:
    """The key of the parent's own folder, if one is named; whether a child may go without is the child's to say."""
    unsigned = options.unsigned or not key_is_named(options.sign_key)
    try:
        return key_asked_for(options.sign_key, options.sign_public_key, unsigned=unsigned)
    except CannotSign as error:
        raise pytest.UsageError(str(error)) from error


def _folder(options: Options, run_id: str) -> RunFolder:
    try:
        return RunFolder.create(options.archive, ALL, run_id)
    except ArchiveUnwritable as error:
        raise pytest.UsageError(str(error)) from error


def _of_parity(findings: Sequence[parity.Finding], options: Options) -> tuple[int, ...]:
    """What the claims across environments add; nothing where there was nothing to compare."""
    verdicts = [each.verdict for each in findings]
    return (int(exit_code(verdicts, fail_on_soft=options.fail_on_soft)),) if verdicts else ()


def _environments(config: pytest.Config, options: Options) -> tuple[Environment, ...]:
    names = [name for each in options.environments for name in (PRODUCTION if each == ALL else (each,))]
    found, wrong = [], []
    for each in dict.fromkeys(names):
        try:
            found.append(load(each, config.rootpath / "environments"))
        except (UnknownEnvironment, EnvironmentFileError) as error:
            wrong.append(str(error))
    if stray := options.aims.difference(names):
        wrong.append(
            f"--fault is aimed at {', '.join(sorted(stray))}, which is not among the environments of this run."
        )
    if wrong:
        raise pytest.UsageError("\n".join(wrong))
    return tuple(found)


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

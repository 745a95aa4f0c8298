"""What each verb of `postdeploy` does, given its options; returns the exit code. Raises BadInput, and Unverified."""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from postdeploy.verdict import ExitCode, Verdict, exit_code

if TYPE_CHECKING:
    from postdeploy.leftovers import Place

ROOT = Path(__file__).resolve().parents[1]
"""The checkout: the suites, the environments and the rehearsal lie beside this package."""


class BadInput(Exception):
    """What the user can mend: one paragraph, exit code 4."""


def ledger(options: argparse.Namespace) -> int:
    """Ask or mend the ledger."""
    from postdeploy import ledger_verbs

    options.does = getattr(ledger_verbs, options.does)
    try:
        text, code = ledger_verbs.answer(options, ROOT)
    except ledger_verbs.CannotDo as error:
        raise BadInput(str(error)) from error
    print(text)
    return code


def verify_evidence(options: argparse.Namespace) -> int:
    """Whole, incomplete, or tampered with."""
    from postdeploy import evidence_verbs

    try:
        text, code = evidence_verbs.verify_evidence(options)
    except evidence_verbs.CannotRead as error:
        raise BadInput(str(error)) from error
    print(text)
    return code


def timestamp(options: argparse.Namespace) -> int:
    """The timestamps of a signed run, asked for now; 10 when the authority gives none."""
    from postdeploy import evidence_verbs
    from postdeploy.evidence.timestamps import NoTimestamp

    try:
        print(evidence_verbs.timestamp(options))
    except evidence_verbs.CannotRead as error:
        raise BadInput(str(error)) from error
    except NoTimestamp as error:
        print(f"postdeploy: {error}", file=sys.stderr)
        return int(ExitCode.UNVERIFIED)
    return 0


def show(options: argparse.Namespace) -> int:
    """A run folder in a terminal."""
    from postdeploy import evidence_verbs

    try:
        print(evidence_verbs.show_run(options))
    except evidence_verbs.CannotRead as error:
        raise BadInput(str(error)) from error
    return 0


def replay(options: argparse.Namespace) -> int:
    """The same judgement over the same observation."""
    from postdeploy import evidence_verbs

    _in_checkout()
    try:
        return evidence_verbs.replay(options, ROOT)
    except evidence_verbs.CannotRead as error:
        raise BadInput(str(error)) from error


def judge(options: argparse.Namespace) -> int:
    """Verdicts over a dump; exit code 1 when something failed, 10 when something could not be judged."""
    from postdeploy.cluster import judge as tool

    try:
        judged = tool.judge_files(options.files)
    except tool.NotAnObject as error:
        raise BadInput(str(error)) from error
    print(tool.to_json(judged) if options.json else tool.render(judged))
    verdicts = {str(each.verdict) for each in judged}
    if "failed" in verdicts:
        return int(ExitCode.FAILED)
    return int(ExitCode.UNVERIFIED if verdicts & {"unverified", "pending"} else ExitCode.VERIFIED)


def scan_logs(options: argparse.Namespace) -> int:
    """Verdicts over log files; exit code 1 when one failed, 10 when one held nothing that can be judged."""
    from postdeploy.cluster.logs import files as tool

    try:
        scanned = tool.scan(options.files, since=options.since, baseline=options.baseline)
    except tool.Unreadable as error:
        raise BadInput(str(error)) from error
    print(tool.to_json(scanned) if options.json else tool.render(scanned))
    verdicts = {each.verdict for each in scanned}
    return int(exit_code(Verdict(each) for each in verdicts))


def plan(options: argparse.Namespace) -> int:
    """The catalogue over one environment."""
    from postdeploy.environment import load
    from postdeploy.evidence import catalogue as checks
    from postdeploy.evidence.plan import planned, touches
    from postdeploy.evidence.waivers import WaivesNothing

    environment = load(options.env)
    try:
        print(touches(planned(checks.load(), environment, datetime.now(UTC).date()), environment))
    except WaivesNothing as error:
        raise BadInput(str(error)) from error
    return 0


def browser(options: argparse.Namespace) -> int:
    """Whether there is one, and which; without one the line that installs it."""
    from postdeploy.browser.launching import Launcher

    with Launcher(options.browser_ws) as launcher:
        print(launcher.look())
    return 0


def record(options: argparse.Namespace) -> int:
    """Stay until the window is closed; 10 where there is no browser or no display."""
    from postdeploy import recorder
    from postdeploy.environment import load

    environment = load(options.env)
    _in_checkout()
    try:
        recorder.record(
            environment, ROOT, lambda line: print(line, flush=True), rehearsal=options.rehearsal, brand=options.brand
        )
    except KeyError:
        known = ", ".join(environment.brands)
        raise BadInput(f"{options.env} has no brand called {options.brand!r}; it has {known}.") from None
    return 0


def rehearse(options: argparse.Namespace) -> int:
    """Become the stand-in, so that signals and the one line of output are its own."""
    command = [sys.executable, "-m", "rehearsal", "--env", options.env]
    command += [part for name in options.fault for part in ("--fault", name)]
    for name in ("seed", "release", "dir", "motion", "rbac"):
        value = getattr(options, name)
        command += [f"--{name}", str(value)] if value is not None else []
    _in_checkout()
    os.execv(sys.executable, command)  # noqa: S606  there is no shell, and none is wanted


def listing(kind: str) -> Callable[[argparse.Namespace], int]:
    """The verb that lists faults or traps; the rehearsal is a program of its own, which this package never imports."""

    def listed(options: argparse.Namespace) -> int:
        command = [sys.executable, "-m", "rehearsal.catalogue", f"--{kind}", f"--env={options.env}"]
        _in_checkout()
        return subprocess.run([*command, "--json"] if options.json else command, check=False).returncode

    return listed


def journal(options: argparse.Namespace) -> int:
    """The open entries: a table, or a JSON list."""
    from postdeploy import leftovers

    place = _place(options)
    found = leftovers.entries(place)
    if options.json:
        print(json.dumps(found, indent=2))
        return 0
    for each in found:
        print(
            f"{each['since']}  {each['state']:<10} {each['amount']} {each['currency']}  {each['method']}  {each['key']}"
        )
        print("\n".join(f"    {each[name]}" for name in ("residue", "command") if each[name]))
    if not found:
        known = place.state if place.exists else f"there is no journal in {place.state}"
        print(f"nothing is open in {place.environment.name} ({known})")
    return 0


def sweep(options: argparse.Namespace) -> int:
    """Settle what is open; 12 while something stays."""
    from postdeploy import leftovers

    place = _place(options)
    if bool(options.settled) != bool(options.because.strip()):
        raise BadInput("--settled KEY needs --because TICKET beside it, and the other way round.")
    try:
        said = leftovers.settle_by_hand(place, options.settled, options.because) if options.settled else []
    except KeyError as error:
        raise BadInput(str(error.args[0])) from error
    ended = leftovers.Swept(ExitCode.VERIFIED, "\n".join(said)) if said else leftovers.sweep(place)
    if options.json:
        told = {"exit_code": int(ended.code), "said": ended.words, "open": leftovers.known_entries(place)}
        print(json.dumps(told, indent=2))
    else:
        print(ended.words)
    return int(ended.code)


def _place(options: argparse.Namespace) -> Place:
    from postdeploy.leftovers import Place
    from postdeploy.options import state_mistake

    if wrong := state_mistake(options.state, ROOT):
        raise BadInput(wrong)
    return Place.of(options.env, options.state, rehearsal=options.rehearsal, root=ROOT)


def catalogue(options: argparse.Namespace) -> int:
    """Every check id with its title, or the committed file brought in step."""
    from postdeploy.evidence import catalogue as checks

    try:
        found = checks.write(ROOT) if options.write else checks.scan(ROOT)
    except checks.CatalogueError as error:
        raise BadInput(str(error)) from error
    width = max(len(each.id) for each in found)
    for each in found:
        print(f"{each.id:<{width}}  {each.title}")
    return 0


def schema(options: argparse.Namespace) -> int:
    """The schema of the environment files, or the committed file brought in step."""
    from postdeploy.environment import schema as environment_schema

    if options.write:
        print(environment_schema.write_schema(ROOT / "environments"))
    else:
        print(environment_schema.text(), end="")
    return 0


def _in_checkout() -> None:
    """The rehearsal lies beside this package; a shell elsewhere must find it too."""
    if not (ROOT / "rehearsal").is_dir():
        raise BadInput("there is no rehearsal beside this installation of postdeploy: run it from a checkout.")
    os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, (str(ROOT), os.environ.get("PYTHONPATH"))))

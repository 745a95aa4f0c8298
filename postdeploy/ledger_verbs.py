"""The verbs of `postdeploy` over the ledger: ask it, check it, make it again, set it right."""

from __future__ import annotations

import argparse
import json
import os
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from postdeploy.booking import place_of
from postdeploy.evidence import trust
from postdeploy.evidence.ledger import audit as asking
from postdeploy.evidence.ledger import checking, copying, entering, events
from postdeploy.evidence.ledger.chain import Entry
from postdeploy.evidence.ledger.ledger import Ledger, Reading
from postdeploy.evidence.ledger.store import LedgerUnusable
from postdeploy.evidence.signing import CannotSign, key_asked_for, key_is_named
from postdeploy.evidence.worm import archiving
from postdeploy.evidence.worm.targets import CannotArchive, Target, open_target
from postdeploy.options import url_mistake

if TYPE_CHECKING:
    from postdeploy.evidence.ledger.checking import Checked

KEYS = "POSTDEPLOY_KEYS"
BAD = (LedgerUnusable, CannotSign, trust.BadTrustFile, asking.BadPeriod, copying.CannotExport, CannotArchive)
Said = tuple[str, int]
"""What to print, and the exit code."""


class CannotDo(Exception):
    """What the user asked for cannot be done as asked."""


def answer(options: argparse.Namespace, root: Path) -> Said:
    """Do what the verb says. Raises CannotDo with one paragraph."""
    does: Callable[[argparse.Namespace, Path], Said] = options.does
    try:
        return does(options, root)
    except BAD as error:
        raise CannotDo(str(error)) from error


def audit(options: argparse.Namespace, root: Path) -> Said:
    """The deployments of a period with what verified them, or a sample of them."""
    first, until = asking.period(options.first, options.last)
    ledger = _ledger(options, root)
    answer = asking.audit(ledger.store, asking.Asked(options.env, first, until, options.rehearsal))
    rows = None
    if options.what == "sample":
        if options.n is None or options.n < 1 or options.seed is None:
            raise CannotDo("A sample needs --n=COUNT and --seed=S, so that it can be drawn again.")
        rows = asking.sample(answer, options.n, options.seed)
    if options.json:
        return asking.to_json(answer, rows), 0
    if options.csv:
        return asking.to_csv(answer, rows), 0
    drawn = f"\nsample: {len(rows)} of {len(answer.rows)}, seed {options.seed}" if rows is not None else ""
    return asking.to_text(answer, rows) + drawn, 0


def verify(options: argparse.Namespace, root: Path) -> Said:
    """Whether the ledger is what was written: 0 whole, 2 incomplete, 3 tampered with."""
    named = options.keys or os.environ.get(KEYS)
    keys = trust.read_trust(Path(named)) if named else None
    archive = root / options.archive if options.archive else None
    held = archiving.anchors(open_target(options.anchors)) if options.anchors else ()
    checked = checking.check(_ledger(options, root), archive, keys, held)
    return _checked_json(checked) if options.json else "\n".join(_checked(checked, options)), int(checked.state)


def _checked(checked: Checked, options: argparse.Namespace) -> Iterator[str]:
    kinds = ", ".join(f"{count} {kind}" for kind, count in sorted(checked.kinds.items()))
    yield f"{checked.state.name}: {checked.head.seq} entries ({kinds or 'none'})"
    yield from (f"  {each}" for each in checked.findings)
    yield from (f"  {each}" for each in checked.notes)
    yield f"  head: entry {checked.head.seq}, {checked.head.entry_hash}"


def _checked_json(checked: Checked) -> str:
    findings = [{"place": each.path, "state": each.state.name.lower(), "what": each.what} for each in checked.findings]
    head = {"seq": checked.head.seq, "entry_hash": checked.head.entry_hash}
    told = {"state": checked.state.name.lower(), "head": head, "entries": dict(checked.kinds)}
    return json.dumps({**told, "findings": findings, "notes": checked.notes}, indent=2)


def rebuild(options: argparse.Namespace, root: Path) -> Said:
    """Enter every run folder of the archive that is not in yet; 2 where one cannot be, 3 where one was altered."""
    archive = root / (options.archive or "reports/archive")
    if not archive.is_dir():
        raise CannotDo(f"{archive} is no folder. Give the archive of run folders with --archive=DIR.")
    told = entering.rebuild(_ledger(options, root, writes=True), archive)
    lines = [f"{len(told.new)} runs entered, {told.again} were in already"]
    lines += [f"TAMPERED: {each}" for each in told.wrong] + [f"not ready: {each}" for each in told.unready]
    return "\n".join(lines), 3 if told.wrong else 2 if told.unready else 0


def export(options: argparse.Namespace, root: Path) -> Said:
    """A copy of the ledger in one file."""
    ledger, target = _ledger(options, root), Path(options.to)
    count = copying.export(ledger, target)
    return f"{count} entries written to {target}\n{copying.head_of(ledger)}", 0


def archive(options: argparse.Namespace, root: Path) -> Said:
    """Put closed runs and the ledger's head where nobody can change them; 2: one is not closed, 3: one differs."""
    if options.years < 1:
        raise CannotDo(f"--years {options.years} keeps nothing; give 1 or more.")
    there, target = root / (options.archive or "reports/archive"), open_target(options.to)
    if not there.is_dir():
        raise CannotDo(f"{there} is no folder. Give the archive of run folders with --archive=DIR.")
    told = archiving.archive(entering.run_folders(there), target, years=options.years, legal_hold=options.legal_hold)
    lines = [f"{len(told.new)} runs archived in {target.shown}, {told.again} were there already"]
    lines += [f"TAMPERED: {each}" for each in told.wrong] + [f"not ready: {each}" for each in told.unready]
    lines.append(_anchor(_ledger(options, root, writes=True), target, options.years))
    return "\n".join(lines), 3 if told.wrong else 2 if told.unready else 0


def _anchor(ledger: Ledger, target: Target, years: int) -> str:
    """The ledger's head beside the runs, and in the ledger the word that it is there."""
    head = ledger.head()
    if head.seq == 0:
        return "anchor: there is no ledger, so none was left"
    place = archiving.put_anchor(target, head, ledger.store.shown, datetime.now(UTC), years)
    ledger.append([events.anchor(head.seq, head.entry_hash, "write-once", place)])
    return f"anchor: entry {head.seq} in {place}"


def overview(options: argparse.Namespace, root: Path) -> Said:
    """index.html: every environment at a glance."""
    from postdeploy.evidence import overview as page

    archive = root / (options.archive or "reports/archive")
    target = Path(options.to) if options.to else archive.parent / "index.html"
    try:
        seen = page.write(_ledger(options, root).store, archive, target, datetime.now(UTC), options.release)
    except OSError as error:
        raise CannotDo(f"{target} cannot be written: {error.strerror or error}.") from error
    return f"{target}: {len(seen.standings)} environments, {seen.runs} runs, {seen.release or 'no release'}", 0


def retract(options: argparse.Namespace, root: Path) -> Said:
    """A run does not count as a verification any more."""
    ledger = _ledger(options, root, writes=True)
    environment, _, run = options.run.rpartition("/")
    with ledger.store.reading() as connection:
        if not environment or run not in Reading(ledger.store, connection).runs(environment):
            raise CannotDo(f"{options.run} is no run of the ledger. Write ENVIRONMENT/RUN_ID as the audit shows it.")
    made = ledger.append([events.retraction(run, environment, options.by, options.because)])
    return _entered(made, f"{options.run} was retracted before"), 0


def correct(options: argparse.Namespace, root: Path) -> Said:
    """One fact about a deployment was recorded wrongly; what was said before stays."""
    name, equals, value = options.set.partition("=")
    if name not in events.CORRECTABLE or not equals:
        raise CannotDo(f"--set takes FIELD=VALUE with one of {', '.join(events.CORRECTABLE)}. Nothing was entered.")
    ledger = _ledger(options, root, writes=True)
    with ledger.store.reading() as connection:
        reading = Reading(ledger.store, connection)
        if reading.deployment(options.deployment) is None:
            raise CannotDo(f"{options.deployment} is no deployment of the ledger; the audit shows their ids.")
        number = reading.corrections(options.deployment)
    if name.endswith("_at"):
        value = asking.period(value, None)[0]
    made = ledger.append([events.correction(options.deployment, name, value, options.by, options.because, number)])
    return _entered(made, ""), 0


def erase(options: argparse.Namespace, root: Path) -> Said:
    """Destroy the name behind a pseudonym; the chain holds pseudonyms alone, and still verifies."""
    ledger = _ledger(options, root, writes=True)
    with ledger.store.reading() as connection:
        actor = Reading(ledger.store, connection).actor(options.login)
    if actor is None:
        raise CannotDo("The ledger knows nobody of that login. Nothing was erased.")
    made = ledger.append([events.erasure(actor, options.by, options.because)])
    return f"{_entered(made, '')}\n{actor} has no name any more; run folders are not touched", 0


def _entered(made: tuple[Entry, ...], otherwise: str) -> str:
    return "\n".join(f"entry {each.seq}: {each.event_id}" for each in made) or otherwise


def _ledger(options: argparse.Namespace, root: Path, *, writes: bool = False) -> Ledger:
    if wrong := url_mistake(options.ledger, "--ledger"):
        raise CannotDo(wrong)
    archive = root / (options.archive or "reports/archive")
    place = place_of(options.ledger, archive, root, rehearsal=False)
    key = key_asked_for(None, None, unsigned=not key_is_named(None)) if writes else None
    return Ledger(place, key)

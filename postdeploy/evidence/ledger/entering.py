"""From run folders into the ledger: a run's own at its end, what an outage left out, or a whole archive again."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from postdeploy.evidence.folder import RunFolder
from postdeploy.evidence.ledger import folders
from postdeploy.evidence.ledger.chain import Entry, Head, stamp
from postdeploy.evidence.ledger.deployments import population
from postdeploy.evidence.ledger.events import Event, anchor
from postdeploy.evidence.ledger.folders import Altered, Facts, NotReady
from postdeploy.evidence.ledger.ledger import Ledger, Reading, Writing
from postdeploy.evidence.ledger.store import LedgerUnusable
from postdeploy.evidence.manifest import RECEIPT
from postdeploy.evidence.receipt import Receipt, read_receipt, write_receipt

CATCH_UP = 50
"""How many runs of an earlier outage a run enters beside itself; `postdeploy ledger rebuild` enters all."""


@dataclass
class Entered:
    """What came of entering run folders."""

    new: list[str] = field(default_factory=list)
    """Runs that were not in before, as ENVIRONMENT/RUN_ID."""
    again: int = 0
    """Runs that were in already, unchanged."""
    wrong: list[str] = field(default_factory=list)
    """A line for each folder that was altered: it is not entered, or not as it is now."""
    unready: list[str] = field(default_factory=list)
    """A line for each folder that is not closed."""
    left: int = 0
    """How many were not tried, for there were too many."""


def enter_run(ledger: Ledger, folder: RunFolder) -> tuple[Receipt, list[str]]:
    """Enter a run that was just closed, and what an outage kept out; the receipt is written, and lines to say returned.

    Whatever goes wrong costs the ledger's entry alone: the receipt says pending, and a later run enters it.
    """
    archive = folder.path.parent.parent
    try:
        missed = _missed(ledger, archive, folder.path)
        told = ingest(ledger, [*missed[:CATCH_UP], folder.path])
        told.left = max(0, len(missed) - CATCH_UP)
        lines = _said(told, f"{folder.path.parent.name}/{folder.path.name}")
        receipt = _receipt_of(ledger, folder.path) or _pending(folder, ledger, *(told.wrong or told.unready))
    except LedgerUnusable as error:
        receipt, lines = _pending(folder, ledger, str(error)), []
    except Exception as error:  # noqa: BLE001  whatever it is, the run's own evidence is made and stays
        receipt, lines = _pending(folder, ledger, f"{type(error).__name__}: {error}"), []
    finally:
        ledger.close()
    if receipt.status == "pending":
        lines.append(
            f"ledger: PENDING: {receipt.reason} The run's own evidence is whole; the next run, or "
            "`postdeploy ledger rebuild`, enters it."
        )
    try:
        write_receipt(folder, receipt)
    except OSError as error:
        lines.append(f"{RECEIPT} was not written: {error}")
    return receipt, lines


def ingest(
    ledger: Ledger, paths: Iterable[Path], batch: int = 100, say: Callable[[int], None] | None = None
) -> Entered:
    """Enter run folders in the order given, a batch in a transaction; each folder gets its receipt.

    Raises LedgerUnusable; batches before that stay.
    """
    told, waiting = Entered(), list(paths)
    for start in range(0, len(waiting), batch):
        now = waiting[start : start + batch]
        with ledger.store.writing() as connection:
            writing = Writing(ledger, connection)
            for path in now:
                _one(writing, path, told)
        if say is not None:
            say(min(start + batch, len(waiting)))
    return told


def rebuild(ledger: Ledger, archive: Path, say: Callable[[int], None] | None = None) -> Entered:
    """Enter every run folder of an archive that is not in yet, oldest first; receipts are written anew.

    Raises LedgerUnusable.
    """
    found = sorted(run_folders(archive), key=lambda each: each.name)
    told = ingest(ledger, found, say=say)
    for path in found:
        _renew(ledger, path, told)
    return told


def run_folders(archive: Path) -> Iterator[Path]:
    """Every folder of an archive that may be a run's: ENVIRONMENT/RUN_ID."""
    if not archive.is_dir():
        return
    for environment in archive.iterdir():
        if environment.is_dir():
            yield from (each for each in environment.iterdir() if each.is_dir() and not each.is_symlink())


def not_entered(folder: RunFolder, reason: str) -> None:
    """A run that belongs in no ledger says so."""
    write_receipt(folder, Receipt("not-entered", folder.run_id, "", reason=reason))


def head_now(ledger: Ledger) -> tuple[Head | None, str]:
    """The head for a run's record, so that its signature anchors the ledger; none, and why, where it cannot be read."""
    try:
        return ledger.head(), ""
    except LedgerUnusable as error:
        return None, f"ledger: {error}"
    finally:
        ledger.close()


def _one(writing: Writing, path: Path, told: Entered) -> None:
    try:
        facts = folders.read(path)
    except NotReady as error:
        told.unready.append(str(error))
        return
    except Altered as error:
        told.wrong.append(str(error))
        return
    if facts.record.replay_of:
        return  # it judges again what another run saw, and proves nothing new
    before = writing.known([folders.event_id(facts)])
    if before:
        told.again += 1
        (entry,) = before.values()
        if msgspec.json.decode(entry.payload)["manifest_sha256"] != facts.manifest_sha256:
            told.wrong.append(f"{path} has another manifest than {entry.place}: it was made anew after it was entered")
        return
    writing.enter(list(events_of(writing, facts)))
    told.new.append(facts.bundle)


def events_of(writing: Writing, facts: Facts) -> Iterator[Event]:
    """What a run tells, in this order: the anchor its record is, deployments, waivers used, the verification."""
    found = population(facts, writing)
    if facts.record.ledger is not None and facts.record.ledger.seq and facts.record.is_signed:
        yield anchor(facts.record.ledger.seq, facts.record.ledger.entry_hash, "signed-run", facts.bundle)
    yield from found.events
    yield from folders.waivers(facts)
    yield folders.verification(facts, found.verified)


def _missed(ledger: Ledger, archive: Path, but: Path) -> list[Path]:
    """The run folders of this environment that an outage kept out of the ledger, oldest first."""
    there = sorted(each for each in but.parent.iterdir() if each.is_dir() and not each.is_symlink() and each != but)
    if not ledger.store.is_made():
        return there
    with ledger.store.reading() as connection:
        known = Reading(ledger.store, connection).runs(but.parent.name)
    for each in [path for path in there if path.name in known][-CATCH_UP:]:
        _renew(ledger, each, Entered())
    return [each for each in there if each.name not in known and _is_due(each)]


def _is_due(folder: Path) -> bool:
    receipt = read_receipt(folder)
    return receipt is None or receipt.status == "pending"


def _renew(ledger: Ledger, path: Path, told: Entered) -> None:
    """A receipt that says pending, or was never written, although the run is in: killed between the two."""
    receipt = read_receipt(path)
    if receipt is not None and receipt.status != "pending":
        return
    found = _receipt_of(ledger, path)
    if found is None:
        return
    try:
        write_receipt(RunFolder(path), found)
    except OSError as error:  # an archive whose old runs cannot be written to any more
        told.unready.append(f"{path / RECEIPT} was not written: {error}")


def _receipt_of(ledger: Ledger, path: Path) -> Receipt | None:
    name = f"verification/{path.parent.name}/{path.name}"
    with ledger.store.reading() as connection:
        entry = Reading(ledger.store, connection).known([name]).get(name)
    return _receipt(entry, path, ledger) if entry is not None else None


def _receipt(entry: Entry, path: Path, ledger: Ledger) -> Receipt:
    return Receipt(
        status="entered",
        run_id=path.name,
        ledger=ledger.store.shown,
        manifest_sha256=msgspec.json.decode(entry.payload)["manifest_sha256"],
        seq=entry.seq,
        event_id=entry.event_id,
        entry_hash=entry.entry_hash,
        prev_hash=entry.prev_hash,
        recorded_at=entry.recorded_at,
    )


def _pending(folder: RunFolder, ledger: Ledger, reason: str = "it is not known why.", *_: str) -> Receipt:
    at = stamp(datetime.now(UTC))
    return Receipt("pending", folder.run_id, ledger.store.shown, recorded_at=at, reason=reason)


def _said(told: Entered, mine: str) -> list[str]:
    caught_up = [each for each in told.new if each != mine]
    lines = [f"ledger: {len(caught_up)} earlier runs that were pending are entered now"] if caught_up else []
    lines += [f"ledger: not entered: {each}" for each in told.wrong]
    if told.left:
        lines.append(f"ledger: {told.left} more runs are not in it: postdeploy ledger rebuild enters them")
    return lines

"""Whether a ledger is what was written: chain, derived tables, signatures, and what others hold of it."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path

import msgspec

from postdeploy.evidence.findings import Finding, State
from postdeploy.evidence.ledger.chain import Entry, Head, broken
from postdeploy.evidence.ledger.entering import run_folders
from postdeploy.evidence.ledger.events import Kind
from postdeploy.evidence.ledger.inside import inside
from postdeploy.evidence.ledger.ledger import Ledger, Reading
from postdeploy.evidence.manifest import MANIFEST, RECEIPT
from postdeploy.evidence.receipt import read_receipt
from postdeploy.evidence.statements import sha256_of
from postdeploy.evidence.trust import Trusted, find


@dataclass
class Checked:
    """What was found out about a ledger."""

    head: Head
    findings: list[Finding] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    kinds: Mapping[str, int] = field(default_factory=dict)

    @property
    def state(self) -> State:
        """The gravest finding decides."""
        return max((each.state for each in self.findings), default=State.WHOLE)


@dataclass(frozen=True)
class Held:
    """The hash of an entry, as somebody outside of the ledger holds it."""

    head: Head
    holder: str


class Carrier(msgspec.Struct, frozen=True):
    """Of a run's record what it says of the ledger."""

    ledger: Head | None = None


def check(
    ledger: Ledger,
    archive: Path | None = None,
    keys: Sequence[Trusted] | None = None,
    anchors: Iterable[Held] = (),
) -> Checked:
    """Everything that can be checked with what is given; what was not given is said. Raises LedgerUnusable."""
    with ledger.store.reading() as connection:
        entries = tuple(Reading(ledger.store, connection).entries())
        derived = list(inside(ledger.store, connection, entries))
    told = Checked(Head(entries[-1].seq, entries[-1].entry_hash) if entries else Head())
    told.kinds = Counter(each.event_type for each in entries)
    told.findings += broken(entries)
    told.findings += derived
    held = [*_carried(entries), *anchors, *(_outside(archive) if archive else ())]
    told.findings += _against(entries, held)
    told.findings += _altered_receipts(entries, archive) if archive else ()
    told.findings += _bundles(entries, archive) if archive else ()
    told.findings += _signatures(entries, keys) if keys is not None else ()
    told.notes += _notes(entries, archive, keys, len(held))
    return told


def _carried(entries: Iterable[Entry]) -> Iterator[Held]:
    """Heads that later entries carry: each was in a run's record, where there was a signature under it."""
    for each in entries:
        if each.event_type == Kind.VERIFICATION:
            try:
                told = json.loads(each.payload)["ledger_head"]
            except (ValueError, KeyError):
                continue
            if told:
                yield Held(Head(told["seq"], told["entry_hash"]), f"the record of the run in entry {each.seq}")


def _outside(archive: Path) -> Iterator[Held]:
    """What run folders hold: the receipt of each run, and the head in its record, which its signature binds."""
    for path in run_folders(archive):
        name = f"{path.parent.name}/{path.name}"
        receipt = read_receipt(path)
        if receipt is not None and receipt.status == "entered":
            yield Held(Head(receipt.seq, receipt.entry_hash), f"the receipt of {name}")
        try:
            carried = msgspec.json.decode((path / "run.json").read_bytes(), type=Carrier).ledger
        except (OSError, msgspec.MsgspecError):
            continue  # verify-evidence says what is wrong with the folder
        if carried is not None:
            yield Held(carried, f"the record of {name}")


def _altered_receipts(entries: Iterable[Entry], archive: Path) -> Iterator[Finding]:
    """A receipt says what the entry it names says; one whose hash differs is reported as an anchor already."""
    there = {each.entry_hash: each for each in entries}
    for path in run_folders(archive):
        receipt = read_receipt(path)
        entry = there.get(receipt.entry_hash) if receipt is not None else None
        if receipt is None or entry is None:
            continue
        names = ("seq", "event_id", "prev_hash", "recorded_at")
        wrong = [name for name in names if getattr(receipt, name) != getattr(entry, name)]
        if entry.event_id != f"verification/{path.parent.name}/{path.name}":
            wrong.append("run")
        if wrong:
            place = f"{path.parent.name}/{path.name}/{RECEIPT}"
            yield Finding(place, State.TAMPERED, f"says another {', '.join(wrong)} than entry {entry.seq}")


def _against(entries: Sequence[Entry], held: Iterable[Held]) -> Iterator[Finding]:
    there = {each.seq: each.entry_hash for each in entries}
    newest = max(there, default=0)
    said: set[int] = set()
    for each in sorted(held, key=lambda each: each.head.seq):
        seq = each.head.seq
        if seq == 0 or seq in said or there.get(seq) == each.head.entry_hash:
            continue
        said.add(seq)
        gone = f"is gone: the ledger ends at {newest}" if seq > newest else "is missing"
        what = f"is another one than {each.holder} says" if seq in there else f"{gone}, but {each.holder} has it"
        yield Finding(f"entry {seq}", State.TAMPERED, what)


def _bundles(entries: Iterable[Entry], archive: Path) -> Iterator[Finding]:
    """Each run's folder is the one that was entered; one that lies elsewhere is incomplete, not wrong."""
    for each in entries:
        if each.event_type != Kind.VERIFICATION:
            continue
        try:
            told = json.loads(each.payload)
            path = archive / told["bundle"] / MANIFEST
        except (ValueError, KeyError):
            continue
        if not path.is_file():
            yield Finding(each.place, State.INCOMPLETE, f"its run folder {told['bundle']} is not in {archive}")
        elif sha256_of(path) != told["manifest_sha256"]:
            yield Finding(each.place, State.TAMPERED, f"{path} is not the manifest that was entered")


def _signatures(entries: Iterable[Entry], keys: Sequence[Trusted]) -> Iterator[Finding]:
    from securesystemslib.exceptions import UnverifiedSignatureError, VerificationError
    from securesystemslib.signer import Signature

    for each in entries:
        trusted = find(keys, each.key_id) if each.key_id else None
        if not each.key_id:
            yield Finding(each.place, State.INCOMPLETE, "is not signed: nothing proves that a run of ours entered it")
        elif trusted is None:
            yield Finding(each.place, State.TAMPERED, f"is signed by {each.key_id[:12]}…, no key of the trust file")
        else:
            try:
                trusted.public.verify_signature(Signature(each.key_id, each.signature), each.signed_text)
            except (UnverifiedSignatureError, VerificationError, ValueError):
                yield Finding(each.place, State.TAMPERED, f"its signature is not one of {trusted.name or each.key_id}")


def _notes(entries: Sequence[Entry], archive: Path | None, keys: Sequence[Trusted] | None, held: int) -> Iterator[str]:
    for before, each in pairwise(entries):
        if each.recorded_at < before.recorded_at:
            behind = f"entry {each.seq} says {each.recorded_at}, entry {before.seq} {before.recorded_at}"
            yield f"a clock was behind: {behind}"
    if archive is None:
        yield "RECEIPTS NOT CHECKED: give --archive=DIR; without them nobody knows whether the newest entries are gone"
    if keys is None:
        yield "SIGNATURES NOT CHECKED: give --keys=keys.json"
    yield f"{held} hashes held outside of the ledger were compared"

"""Run folders and the ledger's head into a place that is written to once."""

from __future__ import annotations

import hashlib
import io
import tarfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec

from postdeploy.evidence.ledger.chain import Head
from postdeploy.evidence.ledger.checking import Held
from postdeploy.evidence.ledger.folders import Altered, NotReady, read
from postdeploy.evidence.manifest import RECEIPT
from postdeploy.evidence.receipt import read_receipt
from postdeploy.evidence.worm.targets import CannotArchive, Keep, Target

YEARS = 7
"""FCA six, MiFID five to seven, SOX seven: what covers them."""
ANCHORS = "anchors"


class Kept(msgspec.Struct, frozen=True):
    """The archive's manifest of one run, `ENVIRONMENT/RUN_ID.json`, beside its tar file."""

    run_id: str
    environment: str
    release: str
    tar: str
    size: int
    sha256: str
    manifest_sha256: str
    retain_until: datetime
    legal_hold: bool


class Anchor(msgspec.Struct, frozen=True):
    """The ledger's head at some moment, `anchors/SEQ.json`."""

    seq: int
    entry_hash: str
    ledger: str
    at: datetime


@dataclass
class Archived:
    """What came of it."""

    new: list[str] = field(default_factory=list)
    again: int = 0
    wrong: list[str] = field(default_factory=list)
    """What is there is something else, or what is here was altered."""
    unready: list[str] = field(default_factory=list)


def archive(folders: Iterable[Path], target: Target, *, years: int = YEARS, legal_hold: bool = False) -> Archived:
    """Put every closed run there that is not; one that is there already has to be the same. Raises CannotArchive."""
    told = Archived()
    for path in sorted(folders):
        try:
            facts = read(path)
        except NotReady as error:
            told.unready.append(str(error))
            continue
        except Altered as error:
            told.wrong.append(str(error))
            continue
        ended = facts.record.finished or facts.record.started
        _one(path, facts.bundle, Keep(after(ended, years), legal_hold), target, told, _about(facts.record))
    return told


def after(moment: datetime, years: int) -> datetime:
    """So many years later; the 29th of February ends with the month."""
    try:
        return moment.astimezone(UTC).replace(year=moment.year + years)
    except ValueError:
        return moment.astimezone(UTC).replace(year=moment.year + years, day=28)


def _about(record: Any) -> dict[str, str]:
    return {"run_id": record.run_id, "environment": record.environment, "release": record.release}


def _one(path: Path, bundle: str, keep: Keep, target: Target, told: Archived, about: dict[str, str]) -> None:
    packed = pack(path)
    name, sha = f"{bundle}.tar", hashlib.sha256(packed).hexdigest()
    is_new = target.put(name, packed, keep)
    if not is_new and target.sha256(name) != sha:
        told.wrong.append(f"{target.shown}/{name} is there and is another one than {path}")
        return
    manifest = hashlib.sha256((path / "manifest.json").read_bytes()).hexdigest()
    kept = Kept(
        **about,
        tar=name,
        size=len(packed),
        sha256=sha,
        manifest_sha256=manifest,
        retain_until=keep.until,
        legal_hold=keep.legal_hold,
    )
    target.put(f"{bundle}.json", msgspec.json.format(msgspec.json.encode(kept), indent=2) + b"\n", keep)
    receipt = read_receipt(path)
    if receipt is not None and receipt.status == "entered":
        target.put(f"{bundle}.receipt.json", (path / RECEIPT).read_bytes(), keep)
    if is_new:
        told.new.append(bundle)
    else:
        told.again += 1


def pack(path: Path) -> bytes:
    """A run folder as a tar file that is the same whenever it is made; the receipt, which comes later, is not in it."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.PAX_FORMAT) as packed:
        for each in sorted(path.rglob("*")):
            name = each.relative_to(path).as_posix()
            if each.is_symlink() or not each.is_file() or name == RECEIPT:
                continue
            data = each.read_bytes()
            info = tarfile.TarInfo(f"{path.name}/{name}")
            info.size, info.mode = len(data), 0o444
            packed.addfile(info, io.BytesIO(data))
    return out.getvalue()


def put_anchor(target: Target, head: Head, ledger: str, now: datetime, years: int = YEARS) -> str:
    """Leave the ledger's head there; one of the same number stays as it was. Raises CannotArchive."""
    name = f"{ANCHORS}/{head.seq:012d}.json"
    anchor = Anchor(head.seq, head.entry_hash, ledger, now)
    target.put(name, msgspec.json.encode(anchor) + b"\n", Keep(after(now, years)))
    return f"{target.shown}/{name}"


def anchors(target: Target) -> Iterator[Held]:
    """Every head that was left there. Raises CannotArchive."""
    for name in target.names(ANCHORS):
        try:
            found = msgspec.json.decode(target.read(name), type=Anchor)
        except msgspec.MsgspecError as error:
            raise CannotArchive(f"{target.shown}/{name} is no anchor: {error}.") from error
        yield Held(Head(found.seq, found.entry_hash), f"the anchor {target.shown}/{name}")

"""receipt.json: the ledger's answer to a run, made last of all and therefore outside of what the run signed."""

from __future__ import annotations

import hashlib
from pathlib import Path

import msgspec

from postdeploy.evidence.folder import RunFolder
from postdeploy.evidence.manifest import RECEIPT, NotEvidence


class Receipt(msgspec.Struct, frozen=True):
    """The ledger's answer, which is an anchor as well: it lies outside of the ledger."""

    status: str
    """entered, pending, or not-entered."""
    run_id: str
    ledger: str
    """Where it is, without a password."""
    manifest_sha256: str = ""
    seq: int = 0
    event_id: str = ""
    entry_hash: str = ""
    prev_hash: str = ""
    recorded_at: str = ""
    reason: str = ""
    sha256: str = ""
    """Over the other fields: tells damage. Who altered it on purpose is told by the ledger."""


def write_receipt(folder: RunFolder, receipt: Receipt) -> None:
    """Write it with its own hash. Raises OSError."""
    folder.write_json(RECEIPT, msgspec.structs.replace(receipt, sha256=_hash(receipt)))


def read_receipt(folder: Path) -> Receipt | None:
    """The receipt in a run folder, without its own hash; none where there is none that can be read."""
    try:
        return msgspec.structs.replace(msgspec.json.decode((folder / RECEIPT).read_bytes(), type=Receipt), sha256="")
    except (OSError, msgspec.MsgspecError):
        return None


def intact_receipt(folder: Path) -> Receipt:
    """The receipt, which has to be byte for byte what we would write. Raises NotEvidence, OSError."""
    data = (folder / RECEIPT).read_bytes()
    try:
        receipt = msgspec.json.decode(data, type=Receipt)
    except msgspec.MsgspecError as error:
        raise NotEvidence(f"is no receipt: {error}") from error
    if msgspec.json.format(msgspec.json.encode(receipt), indent=2) + b"\n" != data:
        raise NotEvidence("is not in the form in which it was written")
    if receipt.sha256 != _hash(receipt):
        raise NotEvidence("is not what was written: its own hash says otherwise")
    return receipt


def _hash(receipt: Receipt) -> str:
    return hashlib.sha256(msgspec.json.encode(msgspec.structs.replace(receipt, sha256=""))).hexdigest()

"""attestations/: the signed statements as DSSE envelopes, written in one canonical form and read back strictly."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from postdeploy.evidence.folder import RunFolder
from postdeploy.evidence.manifest import ATTESTATIONS
from postdeploy.evidence.results import Result
from postdeploy.evidence.run_record import RunRecord
from postdeploy.evidence.signing import SigningKey
from postdeploy.evidence.statements import TEST_RESULT, VERIFICATION, Image, statements

if TYPE_CHECKING:
    from securesystemslib.dsse import Envelope

PAYLOAD_TYPE = "application/vnd.in-toto+json"
FILES = {
    f"{ATTESTATIONS}/test-result.dsse.json": TEST_RESULT,
    f"{ATTESTATIONS}/deployment-verification.dsse.json": VERIFICATION,
}
"""Each file with the type of the predicate that is in it."""


class NotAnAttestation(Exception):
    """The file is not an envelope as we write it."""


@dataclass(frozen=True)
class Attestation:
    """An envelope with the statement inside; nothing of it is believed before the signature is."""

    envelope: Envelope
    statement: dict[str, Any]
    keyid: str


def attest(
    folder: RunFolder, record: RunRecord, results: Iterable[Result], images: Iterable[Image], key: SigningKey
) -> None:
    """Sign both statements and write their envelopes; the manifest is already there."""
    import rfc8785
    from securesystemslib.dsse import Envelope

    signed = {}
    made = statements(folder.path, record, results, images)
    for name, kind in FILES.items():
        envelope = Envelope(rfc8785.dumps(made[kind]), PAYLOAD_TYPE, {})
        envelope.sign(key.signer)
        signed[name] = rfc8785.dumps(envelope.to_dict()) + b"\n"
    for name, data in signed.items():  # both or, but for a kill between the two, none
        folder.write_bytes(name, data)


def read_attestation(path: Path) -> Attestation:
    """The envelope of a file, which has to be byte for byte what we would write. Raises NotAnAttestation, OSError."""
    import rfc8785
    from securesystemslib.dsse import Envelope

    data = path.read_bytes()
    try:
        plain = json.loads(data)
        if rfc8785.dumps(plain) + b"\n" != data:
            raise NotAnAttestation("it is not in the canonical form (RFC 8785) in which it was written")
        for text in (plain["payload"], *(each["sig"] for each in plain["signatures"])):
            if base64.b64encode(base64.b64decode(text, validate=True)).decode() != text:
                raise NotAnAttestation("its base64 is not in the canonical form in which it was written")
        envelope = Envelope.from_dict(deepcopy(plain))
        (keyid,) = envelope.signatures
        statement = json.loads(envelope.payload)
        if rfc8785.dumps(statement) != envelope.payload:
            raise NotAnAttestation("its payload is not in canonical form (RFC 8785)")
    except NotAnAttestation:
        raise
    except Exception as error:
        raise NotAnAttestation(f"it is no DSSE envelope with one signature ({type(error).__name__})") from error
    if envelope.payload_type != PAYLOAD_TYPE:
        raise NotAnAttestation(f"its payload is {envelope.payload_type}, expected {PAYLOAD_TYPE}")
    return Attestation(envelope, statement, keyid)

"""A canary is found in whatever form it is archived, by a search that knows nothing of how secrets are masked."""

from __future__ import annotations

import base64
import gzip
import io
import json
import zipfile

import pytest

from rehearsal import canaries
from rehearsal.canaries import MARK, found, secret


def zipped(data: bytes) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("trace.network", data)
    return buffer.getvalue()


RAW = secret("session", 24).encode()
FORMS = {
    "plain": RAW,
    "json": json.dumps({"a": RAW.decode()}).encode(),
    "hex": RAW.hex().encode(),
    **{f"base64 {offset}": base64.b64encode(b"x" * offset + RAW) for offset in range(3)},
    "basic": base64.b64encode(b"user:" + RAW),
    "gzip": gzip.compress(b"before " + RAW),
    "zip": zipped(b"before " + RAW),
    "zip in base64 in a page": b"<a href='data:;base64," + base64.b64encode(zipped(b"x" * 300 + RAW)) + b"'>",
}


@pytest.mark.parametrize("data", FORMS.values(), ids=FORMS.keys())
def test_it_sings_in_every_form(tmp_path, data):
    (tmp_path / "file").write_bytes(b"before " + data if not data.startswith((b"\x1f\x8b", b"PK")) else data)
    assert [each.partition(" ")[0] for each in found(tmp_path)] == ["file"]


def test_it_sings_in_a_files_name(tmp_path):
    (tmp_path / f"{MARK}.txt").write_text("nothing")
    assert found(tmp_path) == ["a file's name"]


def test_a_masked_folder_is_silent(tmp_path):
    (tmp_path / "file").write_text("[redacted] canary canary-crm Zw4 " + "QUJD" * 100)
    (tmp_path / "file.gz").write_bytes(gzip.compress(b"[redacted]"))
    assert found(tmp_path) == []


def test_no_two_secrets_are_alike_and_each_is_marked():
    assert secret() != secret()
    assert secret("feed").startswith(f"{canaries.MARK}-feed-")

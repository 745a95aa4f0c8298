"""No secret leaves in a trace: the session's headers are cut out by name, and any other hit is found."""

from __future__ import annotations

import base64
import io
import json
import zipfile
from urllib.parse import quote

import pytest

from postdeploy.browser.scrubbing import leaks, without_credentials, without_hidden_values
from postdeploy.redact import MASK, Redactor

CANARY = "c4n@ry/secret+"
REDACTOR = Redactor([CANARY])


def trace(**members: str | bytes) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members.items():
            archive.writestr(name.replace("_", "."), data)
    return buffer.getvalue()


def requested(**more: object) -> str:
    headers = [{"name": "Cookie", "value": f"client_session={CANARY}"}, {"name": "Accept", "value": "*/*"}]
    answer = {"headers": [{"name": "set-cookie", "value": CANARY}], "cookies": [{"name": "s", "value": CANARY}]}
    snapshot = {"request": {"headers": headers, "cookies": [{"name": "s", "value": CANARY}]}, "response": answer}
    return json.dumps({"type": "resource-snapshot", "snapshot": {**snapshot, **more}})


def test_cookies_are_cut_out_by_name_and_the_rest_stays() -> None:
    clean = without_credentials(trace(trace_network=f"{requested()}\n{requested()}", resources_sha1_png=b"\x89PNG\xff"))
    assert leaks(clean, REDACTOR) == ""
    with zipfile.ZipFile(io.BytesIO(clean)) as archive:
        lines = [json.loads(each) for each in archive.read("trace.network").splitlines()]
        assert archive.read("resources.sha1.png") == b"\x89PNG\xff"
    assert len(lines) == 2
    assert {"name": "Accept", "value": "*/*"} in lines[0]["snapshot"]["request"]["headers"]


@pytest.mark.parametrize(
    "form", [CANARY, quote(CANARY, safe=""), base64.b64encode(CANARY.encode()).decode(), json.dumps(CANARY)]
)
@pytest.mark.parametrize("member", ["trace_trace", "trace_network", "resources_page_html", "trace_stacks"])
def test_secret_anywhere_else_is_found_in_every_encoding(member: str, form: str) -> None:
    clean = without_credentials(trace(**{member: f'{{"text": "typed {form}"}}', "other_json": "{}"}))
    assert leaks(clean, REDACTOR) == "1 secret of this run"


def test_hidden_fields_of_a_page_are_emptied_wherever_the_page_is() -> None:
    field = f'<input type="hidden" name="csrfmiddlewaretoken" value="{CANARY}">'
    assert without_hidden_values(f"<p>x{field}".encode()) == f"<p>x{field}".replace(f'"{CANARY}"', MASK).encode()
    filled = {"type": "hidden", "__playwright_value_": CANARY}
    said = f"<main>{field}</main>"
    snapshot = json.dumps({"html": ["INPUT", {"type": "hidden", "value": CANARY}], "more": ["INPUT", filled, said]})
    assert leaks(without_credentials(trace(trace_trace=snapshot, resources_page_html=field)), REDACTOR) == ""


def test_secret_among_bytes_that_are_no_text_is_found() -> None:
    assert leaks(trace(resources_x_bin=b"\x00\xff" + CANARY.encode() + b"\xfe"), REDACTOR) == "1 secret of this run"


def test_page_source_is_read_as_it_is() -> None:
    assert leaks(f"<p>{CANARY}</p>".encode(), REDACTOR) == "1 secret of this run"
    assert leaks(b"<p>nothing</p>", REDACTOR) == ""


def test_archive_that_cannot_be_read_is_not_archived() -> None:
    assert leaks(b"PK\x03\x04 and no more", REDACTOR) == "members that cannot be read"

"""Nothing that must not be archived is: masked where it can be, taken out of the folder where it cannot."""

from __future__ import annotations

import base64
import gzip
import io
import json
import tarfile
import zipfile
from urllib.parse import quote

import msgspec
import pytest

from postdeploy.evidence import gate, packed, run_record
from postdeploy.evidence.closing import Extras, close, commit_plan
from postdeploy.evidence.leaks import harmless, mask_json, mask_text, scan
from postdeploy.evidence.results import complete
from postdeploy.redact import Redactor
from tests.evidence.makers import ran

CANARY = 'canary "7/ä&secret'
JWT = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl"
PEM = "-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2VwBCIEIA==\n-----END PRIVATE KEY-----"
FORMS = {
    "plain": CANARY,
    "url": quote(CANARY, safe=""),
    "json": json.dumps(CANARY)[1:-1],
    "base64": base64.b64encode(CANARY.encode()).decode(),
    "base64 after one byte": base64.b64encode(b"x" + CANARY.encode()).decode(),
    "base64 after two bytes": base64.b64encode(b"xy" + CANARY.encode()).decode(),
}
OTHERS = {
    "token (JWT)": JWT,
    "private key": PEM,
    "card number": "4111 1111 1111 1111",
    "IBAN": "GB82 WEST 1234 5698 7654 32",
    "e-mail address": "jane.doe@client.example",
}


@pytest.fixture
def redactor() -> Redactor:
    return Redactor([CANARY])


@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS.keys())
def test_the_runs_own_secret_is_found_and_masked_in_every_form(redactor, form):
    text = f"before {form} after"
    masked, found = mask_text(text, redactor)
    assert found == {"own secret": 1}
    assert form not in masked
    assert not scan(masked.encode(), redactor)


@pytest.mark.parametrize(("rule", "text"), OTHERS.items(), ids=OTHERS.keys())
def test_what_looks_like_a_secret_or_a_person_is_masked_and_counted_by_rule(redactor, rule, text):
    masked, found = mask_text(f"seen: {text}, twice: {text}, ends", redactor)
    assert found == {rule: 2}
    assert masked == "seen: [redacted], twice: [redacted], ends"


def test_addresses_between_quotation_marks_are_masked_and_counted_one_by_one(redactor):
    masked, found = mask_text('{"to":"jane.doe@client.example","cc":["x","j@client.example"],"@":1.5}', redactor)
    assert masked == '{"to":"[redacted]","cc":["x","[redacted]"],"@":1.5}'
    assert found == {"e-mail address": 2}


@pytest.mark.parametrize(
    "healthy",
    [
        '{"uid": "42587726-1111-4111-8111-411111111111", "resourceVersion": "242587726"}',
        '{"seconds": 0.4111111111111111}',
        '{"uuid": "41111111-1111-4008-8111-4a1111111111"}',
        "411ffff1-ab11-4111-1111-111111111111-result.json",
        "4111 1111 1111 1112",
        "GB00 WEST 1234 5698 7654 32",
        "registry.example/crm@sha256:" + "4" * 64,
        '{"start": 1764044756599, "stop": 1764044759804}',
    ],
)
def test_numbers_and_names_of_a_healthy_run_stay(redactor, healthy):
    assert mask_text(healthy, redactor) == (healthy, {})


def test_the_account_and_the_approver_are_part_of_the_record():
    keep = harmless('{"account": "synthetic-uk-01@northgate.example"}', ("approver@northgate.example", None))
    text = "synthetic-uk-01@northgate.example approver@northgate.example client@northgate.example"
    masked, _ = mask_text(text, Redactor(keep=keep))
    assert masked == "synthetic-uk-01@northgate.example approver@northgate.example [redacted]"


def test_json_stays_json_even_where_a_card_number_is_a_number(redactor):
    masked, found = mask_json('{"pan": 4111111111111111, "ok": true, "n": 7}', redactor)
    assert json.loads(masked) == {"pan": "[redacted]", "ok": True, "n": 7}
    assert found == {"card number": 1}


def tarred(members: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for name, data in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    return buffer.getvalue()


def test_a_tar_file_is_looked_through_and_never_masked_as_if_it_were_text(folder, redactor):
    harmless_tape = tarred({"a.txt": b"nothing"})
    folder.write_bytes("traces/harmless.tar", harmless_tape)
    folder.write_bytes("traces/leaking.tar.gz", gzip.compress(tarred({"a.txt": CANARY.encode()})))
    found = gate.sift(folder, redactor)
    assert (folder.path / "traces/harmless.tar").read_bytes() == harmless_tape
    assert [(each.path, each.rule) for each in found.withdrawn] == [("traces/leaking.tar.gz", "own secret")]


def test_what_is_too_large_to_be_looked_through_is_taken_out(folder, redactor, monkeypatch):
    monkeypatch.setattr(packed, "LARGEST", 1000)
    folder.write_bytes("bomb.gz", gzip.compress(b" " * 1001))
    folder.write_bytes("bomb.zip", zipped({"a": b" " * 1001}))
    folder.write_bytes("fits.gz", gzip.compress(b" " * 1000))
    found = gate.sift(folder, redactor)
    assert {(each.path, each.rule) for each in found.withdrawn} == {
        ("bomb.gz", gate.UNKNOWN),
        ("bomb.zip", gate.UNKNOWN),
    }
    assert (folder.path / "fits.gz").is_file()


def test_a_file_whose_name_leaks_is_taken_out_and_not_named(folder):
    canary = "canary-7f3a9c"
    folder.write_text(f"traces/{canary}.txt", "nothing")
    found = gate.sift(folder, Redactor([canary]))
    assert not list((folder.path / "traces").iterdir())
    assert [(each.path, each.rule) for each in found.withdrawn] == [("traces/[redacted].txt", "own secret")]


def test_what_is_learnt_in_the_run_is_masked_from_then_on_but_no_one_time_code():
    redactor = Redactor(["hunter2-hunter2"])
    token = "c2Vzc2lvbi10b2tlbi1vZi10aGUtYXBp"
    redactor.learn(token, "482913")
    assert redactor.text(f"{token} at 20:00:00.482913 hunter2-hunter2") == "[redacted] at 20:00:00.482913 [redacted]"


def test_the_record_that_is_written_again_after_the_gate_is_masked_like_the_first(folder, record, plan, monkeypatch):
    from postdeploy.evidence import manifest

    monkeypatch.setattr(manifest, "write_manifest", lambda _: 1 / 0)
    commit_plan(folder, plan)
    results = complete(plan, [ran(each) for each in plan])
    leaking = run_record.finish(msgspec.structs.replace(record, scope="full"), results, 0)
    leaking = msgspec.structs.replace(leaking, pipeline=run_record.Pipeline(job="canary-7f3a9c"))
    done = close(folder, leaking, plan, results, Extras(redactor=Redactor(["canary-7f3a9c"]), report=False))
    assert done.record.exit_code == 10
    for name in ("run.json", "auditor.html"):
        text = (folder.path / name).read_text()
        assert "canary" not in text
        assert "[redacted]" in text


def zipped(members: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return buffer.getvalue()


def test_archive_members_are_masked_and_the_rest_of_the_archive_stays(folder, redactor):
    trace = zipped({"trace.network": f"password={CANARY}".encode(), "page.png": b"\x89PNG\xff\x00"})
    folder.write_bytes("traces/trace.zip", trace)
    folder.write_bytes("observation/cluster.json.gz", gzip.compress(json.dumps({"a": CANARY, "b": 1}).encode()))
    masked = gate.sift(folder, redactor).masked
    assert {(each.path, each.rule) for each in masked} == {
        ("traces/trace.zip", "own secret"),
        ("observation/cluster.json.gz", "own secret"),
    }
    with zipfile.ZipFile(folder.path / "traces/trace.zip") as archive:
        assert archive.read("page.png") == b"\x89PNG\xff\x00"
        assert archive.read("trace.network") == b"password=[redacted]"
    saved = json.loads(gzip.decompress((folder.path / "observation/cluster.json.gz").read_bytes()))
    assert saved == {"a": "[redacted]", "b": 1}
    assert gate.withdraw(folder, redactor) == []


@pytest.mark.parametrize("inner", [f"user:{CANARY}", JWT, json.dumps({"mail": OTHERS["e-mail address"]})])
def test_a_leak_in_the_base64_inside_html_takes_the_page_out(folder, redactor, inner):
    data = base64.b64encode(f"some text before, {inner}, and after".encode()).decode()
    folder.write_text("report.html", f'<script>d("data/results.json","{data}")</script>')
    folder.write_text("auditor.html", "<p>fine</p>")
    (withdrawn,) = gate.withdraw(folder, redactor)
    assert withdrawn.path == "report.html"
    assert [each.name for each in folder.path.iterdir()] == ["auditor.html"]


def test_a_pages_own_program_may_hold_any_digits_but_not_our_secret(folder, redactor):
    drawing = base64.b64encode(b'path("M136 222c-12 3-21 10-26 16 5-5 12-9 22-12 4111 1111 1111 1111 10-2")').decode()
    folder.write_text("report.html", f'<script src="data:text/javascript;base64,{drawing}"></script>')
    assert gate.withdraw(folder, redactor) == []
    leaking = base64.b64encode(f"const p = '{CANARY}'; // and some more text".encode()).decode()
    folder.write_text("report.html", f'<script src="data:text/javascript;base64,{leaking}"></script>')
    assert [each.rule for each in gate.withdraw(folder, redactor)] == ["own secret"]


@pytest.mark.parametrize("data", [b"\x1f\x8bnot gzip", b"PK\x03\x04not zip", b"\xff\xfe\x00"])
def test_what_only_looks_like_an_archive_is_kept_and_read_as_bytes(folder, redactor, data):
    folder.write_bytes("raw/it", data)
    assert gate.sift(folder, redactor).masked == ()
    assert gate.withdraw(folder, redactor) == []
    folder.write_bytes("raw/it", data + CANARY.encode("latin-1"))
    folder.write_bytes("raw/it", data + base64.b64encode(CANARY.encode()))
    assert [each.path for each in gate.withdraw(folder, redactor)] == ["raw/it"]


def test_a_leak_costs_the_verdict_is_said_and_counted_and_never_quoted(folder, record, plan):
    commit_plan(folder, plan)
    folder.write_bytes("raw/picture.png", b"\x89PNG\xff" + base64.b64encode(CANARY.encode()))
    folder.write_text("raw/body.txt", f"seen {CANARY} once")
    results = complete(plan, [ran(each) for each in plan])
    extras = Extras(redactor=Redactor([CANARY]), report=False)
    done = close(folder, run_record.finish(record, results, 0), plan, results, extras)
    assert done.lines == ["leak scan: raw/picture.png still held own secret (1) and was taken out of the run folder"]
    assert (done.record.verdict, done.record.exit_code) == ("unverified", 10)
    assert not (folder.path / "raw/picture.png").exists()
    said = json.loads((folder.path / "redactions.json").read_bytes())
    assert said["withdrawn"] == [{"path": "raw/picture.png", "rule": "own secret", "count": 1}]
    assert said["masked"] == [{"path": "raw/body.txt", "rule": "own secret", "count": 1}]
    for each in folder.path.rglob("*"):
        if each.is_file():
            assert not scan(each.read_bytes(), extras.redactor), each

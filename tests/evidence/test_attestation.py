"""What is signed is what others can check: with securesystemslib alone, by the printed recipe."""

from __future__ import annotations

import html
import json
import re
import subprocess

import pytest
from securesystemslib.dsse import Envelope
from securesystemslib.exceptions import VerificationError
from securesystemslib.signer import SSlibKey

from postdeploy.evidence import attestation, run_record
from postdeploy.evidence.attestation import FILES, NotAnAttestation, read_attestation
from postdeploy.evidence.closing import Extras, close, commit_plan
from postdeploy.evidence.results import complete
from postdeploy.evidence.signing import CannotSign, key_asked_for, open_key
from postdeploy.evidence.statements import sha256_of
from postdeploy.evidence.trust import BadTrustFile, read_trust
from postdeploy.verdict import Verdict
from tests.evidence.makers import ran


def statement(closed, name):
    return read_attestation(closed.path / f"attestations/{name}.dsse.json").statement


@pytest.mark.parametrize("name", FILES)
def test_securesystemslib_alone_verifies_the_envelopes(closed, keys, name):
    from cryptography.hazmat.primitives.serialization import load_pem_public_key

    public = SSlibKey.from_crypto(load_pem_public_key(keys.public.read_bytes()))
    plain = json.loads((closed.path / name).read_bytes())
    Envelope.from_dict(json.loads(json.dumps(plain))).verify([public], threshold=1)
    forged = Envelope.from_dict(plain)
    forged.payload = forged.payload.replace(b"FAILED", b"PASSED").replace(b'"failed"', b'"passed"')
    with pytest.raises(VerificationError):
        forged.verify([public], threshold=1)


def recipe_of(closed):
    page = (closed.path / "auditor.html").read_text()
    return [html.unescape(each) for each in re.findall(r'<pre class="recipe">(.*?)</pre>', page, re.DOTALL)]


def follow(closed, keys, tmp_path, **more):
    """Run what auditor.html prints, to the letter but for the name of the folder."""
    scratch = tmp_path / "scratch"
    scratch.mkdir(exist_ok=True)
    script = "\n".join(recipe_of(closed)).replace("RUN_FOLDER", str(closed.path))
    variables = {"PATH": "/usr/bin:/bin", "PUBLIC_KEY": str(keys.public), "TMPDIR": str(scratch), "LC_ALL": "C", **more}
    done = subprocess.run(["bash", "-c", script], env=variables, capture_output=True, text=True, check=False)
    return done.stdout + done.stderr


def test_the_printed_recipe_finds_an_untouched_folder_in_order(closed, keys, tmp_path):
    assert len(recipe_of(closed)) == 3
    said = follow(closed, keys, tmp_path)
    assert "every file is as it was" in said
    assert "nothing was added" in said
    assert said.count("Signature Verified Successfully") == 2
    assert said.count("is about these hashes") == 2


def test_the_printed_recipe_finds_a_changed_file_an_added_one_and_a_forged_signature(closed, keys, tmp_path):
    (closed.path / "junit.xml").write_text("<testsuites/>")
    (closed.path / "extra.txt").write_text("")
    forged = closed.path / "attestations/test-result.dsse.json"
    payload = json.loads(forged.read_bytes())["payload"]
    forged.write_text(forged.read_text().replace(payload[100:104], "AAAA", 1))
    said = follow(closed, keys, tmp_path)
    assert "junit.xml: FAILED" in said
    assert "every file is as it was" not in said
    assert "extra.txt" in said
    assert "nothing was added" not in said
    assert said.count("Signature Verified Successfully") == 1


def test_the_statements_name_the_images_observed_and_the_manifest(closed):
    for name in ("test-result", "deployment-verification"):
        subject = {each["name"]: each["digest"]["sha256"] for each in statement(closed, name)["subject"]}
        assert subject == {
            "manifest.json": sha256_of(closed.path / "manifest.json"),
            "SHA256SUMS": sha256_of(closed.path / "SHA256SUMS"),
            "registry.example/crm": "d" * 64,
        }


def test_test_result_lists_passes_and_failures_and_counts_nothing_else_as_passed(closed):
    predicate = statement(closed, "test-result")["predicate"]
    assert predicate["result"] == "FAILED"
    assert predicate["failedTests"] == ["infra.images.tag[crm-api]"]
    assert predicate["passedTests"] == [
        "infra.images.tag[crm-web]", "endpoints.health.status[northgate.example]", "smoke.login.token[uk-prod]",
    ]  # fmt: skip
    assert [each["name"] for each in predicate["configuration"]] == [
        "plan.json", "environment.json", "postdeploy/catalogue.json",
    ]  # fmt: skip


def test_deployment_verification_says_what_was_not_checked(closed):
    predicate = statement(closed, "deployment-verification")["predicate"]
    assert (predicate["verdict"], predicate["environment"], predicate["exitCode"]) == ("failed", "uk-prod", 1)
    assert [each["id"] for each in predicate["notChecked"]] == ["infra.batch.cronjob"]
    assert predicate["planSha256"] == sha256_of(closed.path / "plan.json")


@pytest.mark.parametrize(
    ("verdicts", "scope", "result"),
    [
        ((Verdict.PASSED,) * 4, "full", "PASSED"),
        ((Verdict.PASSED, Verdict.DEGRADED, Verdict.PASSED, Verdict.PASSED), "full", "WARNED"),
        ((Verdict.PASSED,) * 4, "-m infra", "FAILED"),
        ((Verdict.PASSED,) * 3, "full", "FAILED"),
    ],
)
def test_a_partial_or_incomplete_run_is_never_passed(folder, record, plan, keys, verdicts, scope, result):
    import msgspec

    key = keys.open()
    commit_plan(folder, plan)
    ran_checks = [plan[0], plan[1], plan[3], plan[4]]
    results = complete(plan, [ran(entry, verdict) for entry, verdict in zip(ran_checks, verdicts, strict=False)])
    code = 0 if len(verdicts) == 4 else 10
    begun = msgspec.structs.replace(record, scope=scope, signing=key.keyid)
    close(folder, run_record.finish(begun, results, code), plan, results, Extras(key=key, report=False))
    assert statement(folder, "test-result")["predicate"]["result"] == result


def test_an_envelope_written_in_any_other_way_is_not_ours(closed):
    path = closed.path / "attestations/test-result.dsse.json"
    path.write_text(json.dumps(json.loads(path.read_bytes()), indent=1))
    with pytest.raises(NotAnAttestation, match="canonical"):
        read_attestation(path)


def test_a_signature_that_fails_at_the_end_costs_the_verdict_and_no_evidence(folder, record, plan, keys, monkeypatch):
    import msgspec

    def refuses(*_: object) -> None:
        raise OSError("the vault is sealed")

    monkeypatch.setattr(attestation, "attest", refuses)
    key = keys.open()
    commit_plan(folder, plan)
    results = complete(plan, [ran(each) for each in plan])
    begun = msgspec.structs.replace(record, signing=key.keyid)
    done = close(folder, run_record.finish(begun, results, 0), plan, results, Extras(key=key, report=False))
    assert done.lines == ["attestations was not written: the vault is sealed"]
    assert (done.record.verdict, done.record.exit_code, done.record.signing) == ("unverified", 10, "unsigned")
    assert json.loads((folder.path / "run.json").read_bytes())["verdict"] == "unverified"
    page = (folder.path / "auditor.html").read_text()
    assert "the vault is sealed" in page
    assert "UNVERIFIED" in page
    subprocess.run(["sha256sum", "--quiet", "-c", "SHA256SUMS"], cwd=folder.path, check=True)


# --- keys --------------------------------------------------------------------------------------------------------


def test_neither_a_key_nor_unsigned_is_refused_and_unsigned_has_to_be_said():
    with pytest.raises(CannotSign, match="or say --unsigned"):
        key_asked_for(None, None, unsigned=False, variables={})
    assert key_asked_for(None, None, unsigned=True, variables={}) is None
    assert key_asked_for(None, None, unsigned=False, variables={"POSTDEPLOY_UNSIGNED": "1"}) is None


def test_the_key_comes_from_the_option_then_from_the_variable(keys):
    asked = {"POSTDEPLOY_SIGNING_KEY": f"file2:{keys.private}", "POSTDEPLOY_UNSIGNED": "1"}
    assert key_asked_for(None, None, unsigned=False, variables=asked).keyid == keys.open().keyid


@pytest.mark.parametrize("content", ["", "-----BEGIN PRIVATE KEY-----\nc2VjcmV0\n-----END PRIVATE KEY-----\n"])
def test_a_key_that_cannot_sign_is_refused_without_quoting_it(tmp_path, content):
    path = tmp_path / "key.pem"
    path.write_text(content)
    with pytest.raises(CannotSign, match="openssl genpkey -algorithm ed25519") as refused:
        open_key(str(path))
    assert "c2VjcmV0" not in str(refused.value)
    with pytest.raises(CannotSign, match="No such file"):
        open_key(str(tmp_path / "nowhere.pem"))


def test_a_uri_needs_its_public_key_and_a_public_key_of_another_pair_is_refused(keys, tmp_path):
    from tests.evidence.signed import make_keys

    with pytest.raises(CannotSign, match="POSTDEPLOY_SIGNING_PUBLIC_KEY"):
        open_key("awskms:alias/postdeploy")
    other = tmp_path / "other"
    other.mkdir()
    with pytest.raises(CannotSign, match="cannot be used"):
        open_key(str(keys.private), str(make_keys(other).public))


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"not_before": "2026-01-01T00:00:00"}, "has no time zone"),
        ({"public_key": "no key"}, "is not the PEM of a public key"),
        ({"colour": "red"}, "is not a trust file"),
    ],
)
def test_a_trust_file_that_cannot_be_used_says_where(keys, change, said):
    with pytest.raises(BadTrustFile, match=said):
        read_trust(keys.trust(**change))


def test_a_trust_file_that_is_not_there_says_so(tmp_path):
    with pytest.raises(BadTrustFile, match="cannot be read"):
        read_trust(tmp_path / "keys.json")

"""A run folder that was altered in any way is reported, and the place is named; one that was not is whole."""

from __future__ import annotations

import json
import os
import re
import shutil
import tarfile

import msgspec
import pytest

from postdeploy.evidence import archived
from postdeploy.evidence.attestation import FILES
from postdeploy.evidence.closing import Extras, close, commit_plan
from postdeploy.evidence.findings import State
from postdeploy.evidence.folder import RunFolder
from postdeploy.evidence.ledger.chain import Head
from postdeploy.evidence.manifest import write_manifest
from postdeploy.evidence.receipt import Receipt, write_receipt
from postdeploy.evidence.results import complete
from postdeploy.evidence.run_record import RunRecord, finish
from postdeploy.evidence.statements import sha256_of
from postdeploy.evidence.trust import read_trust
from postdeploy.evidence.unfinished import MARK
from postdeploy.evidence.verifying import verify_folder
from tests.evidence.signed import make_keys
from tests.evidence.tampering import ALTERATIONS, files, snapshot


def found(report) -> set[str]:
    return {each.path for each in report.findings}


def test_an_untouched_folder_is_whole_and_names_its_signer(closed, keys):
    report = verify_folder(closed.path, read_trust(keys.trust()))
    assert (report.state, report.findings) == (State.WHOLE, [])
    assert report.notes == ["signed by verify of uk-prod"]


def test_without_keys_the_hashes_are_checked_and_the_rest_is_said(closed):
    report = verify_folder(closed.path)
    assert report.state is State.WHOLE
    assert report.notes == ["SIGNATURE NOT CHECKED: give --keys=keys.json (docs/auditors.md)"]


@pytest.mark.parametrize("alteration", ALTERATIONS, ids=lambda each: each.__name__)
def test_every_alteration_of_every_file_is_reported_and_located(closed, keys, alteration, tmp_path):
    trusted = read_trust(keys.trust())
    names = files(closed.path)
    assert len(names) >= 12
    for name in names:
        copy = tmp_path / "copy"
        shutil.copytree(closed.path, copy)
        touched = alteration(copy, name)
        report = verify_folder(copy, trusted)
        assert report.state is not State.WHOLE, name
        assert touched & found(report), (name, report.findings)
        shutil.rmtree(copy)


def test_checking_changes_nothing(closed, keys):
    before = snapshot(closed.path)
    verify_folder(closed.path, read_trust(keys.trust()))
    assert snapshot(closed.path) == before


def test_a_verdict_made_good_with_new_hashes_is_betrayed_by_the_signature(closed, keys):
    path = closed.path / "run.json"
    path.write_text(path.read_text().replace('"failed",', '"passed",', 1).replace('"exit_code": 1', '"exit_code": 0'))
    write_manifest(closed)
    report = verify_folder(closed.path, read_trust(keys.trust()))
    assert report.state is State.TAMPERED
    assert "is not the one that attestations/test-result.dsse.json was signed over" in str(report.findings)


def test_a_folder_signed_anew_by_somebody_else_is_tampered_with(closed, keys, tmp_path):
    stranger = tmp_path / "stranger"
    stranger.mkdir()
    report = verify_folder(closed.path, read_trust(make_keys(stranger).trust()))
    assert report.state is State.TAMPERED
    assert found(report) == set(FILES)
    assert "no key of the trust file" in str(report.findings[0])


@pytest.mark.parametrize(
    ("change", "state", "reason"),
    [
        ({"environments": ["cy-prod"]}, State.TAMPERED, "the key signs for cy-prod, not for uk-prod"),
        ({"environments": ["*"]}, State.WHOLE, ""),
        ({"not_before": "2027-01-01T00:00:00Z"}, State.TAMPERED, "outside the key's validity"),
        ({"not_after": "2026-11-22T20:00:08Z"}, State.TAMPERED, "outside the key's validity"),
        ({"revoked_at": "2026-11-22T20:00:09Z", "revoked_because": "lost"}, State.TAMPERED, "revoked at .*lost"),
        ({"revoked_at": "2026-11-23T00:00:00Z"}, State.INCOMPLETE, "no timestamp authority confirms it"),
    ],
)
def test_a_key_counts_where_and_while_it_is_trusted(closed, keys, change, state, reason):
    report = verify_folder(closed.path, read_trust(keys.trust(**change)))
    assert report.state is state
    assert all(re.search(reason, each.what) for each in report.findings)


def test_attestations_lost_with_the_end_of_the_run_are_incomplete(closed):
    shutil.rmtree(closed.path / "attestations")
    report = verify_folder(closed.path)
    assert report.state is State.INCOMPLETE
    assert found(report) == set(FILES)


def test_a_link_is_found_and_not_followed(closed):
    (closed.path / "junit.xml").unlink()
    (closed.path / "junit.xml").symlink_to("/etc/passwd")
    (finding,) = verify_folder(closed.path).findings
    assert (finding.path, finding.state) == ("junit.xml", State.TAMPERED)
    assert finding.what.startswith("is a symbolic link")


def test_what_moved_says_where_its_content_came_from(closed):
    (closed.path / "junit.xml").rename(closed.path / "renamed.xml")
    said = {each.path: each.what for each in verify_folder(closed.path).findings}
    assert "its content is that of junit.xml" in said["renamed.xml"]


def test_an_unfinished_run_is_incomplete_and_says_how_far_it_came(folder, record):
    folder.write_text("plan.json", "[]\n")
    folder.write_json("run.json", record)
    report = verify_folder(folder.path)
    assert report.state is State.INCOMPLETE
    assert "the run never ended; it came as far as the record's beginning" in str(report.findings)


def test_a_mark_of_an_unfinished_run_has_no_place_in_a_closed_one(closed):
    (closed.path / MARK).write_text("{}")
    assert (verify_folder(closed.path).state, found(verify_folder(closed.path))) == (State.TAMPERED, {MARK})


@pytest.mark.parametrize("alteration", ALTERATIONS, ids=lambda each: each.__name__)
def test_an_altered_receipt_is_located_where_there_was_a_ledger(folder, record, plan, alteration):
    commit_plan(folder, plan)
    results = complete(plan, ())
    led = msgspec.structs.replace(record, ledger=Head(0, ""))
    close(folder, finish(led, results, 10), plan, results, Extras(report=False))
    write_receipt(folder, Receipt("entered", folder.run_id, "ledger.sqlite", seq=7, entry_hash="e" * 64))
    assert verify_folder(folder.path).state is State.WHOLE
    assert alteration(folder.path, "receipt.json") & found(verify_folder(folder.path))


def test_a_timestamp_in_an_unsigned_folder_was_added(folder, record, plan):
    commit_plan(folder, plan)
    results = complete(plan, ())
    close(folder, finish(record, results, 10), plan, results, Extras(report=False))
    folder.write_text("attestations/test-result.dsse.json.tsr", "")
    assert found(verify_folder(folder.path)) == {"attestations/test-result.dsse.json.tsr"}


def test_results_that_are_not_those_of_the_plan_are_named(closed):
    results = json.loads((closed.path / "results.json").read_bytes())
    closed.write_json("results.json", results[1:])
    write_manifest(closed)
    assert "has no result for infra.images.tag[crm-web" in str(verify_folder(closed.path).findings)


def test_a_manifest_that_leads_out_of_the_folder_is_not_followed(closed):
    entries = json.loads((closed.path / "manifest.json").read_bytes())
    entries.append({"path": "../outside", "size": 1, "sha256": "0" * 64})
    closed.write_json("manifest.json", entries)
    assert "is no name of a file inside a run folder" in str(verify_folder(closed.path).findings)


# --- tar files ---------------------------------------------------------------------------------------------------


def tar(closed: RunFolder, path, mode="w:gz"):
    with tarfile.open(path, mode) as archive:
        archive.add(closed.path, arcname=f"uk-prod/{closed.run_id}")
    return path


def test_a_tar_file_is_verified_like_the_folder(closed, keys, tmp_path):
    (report,) = archived.verify(tar(closed, tmp_path / "run.tgz"), read_trust(keys.trust()))
    assert report.state is State.WHOLE
    assert report.name.endswith(f"run.tgz:uk-prod/{closed.run_id}")


def test_a_truncated_tar_file_is_tampered_with(closed, tmp_path):
    path = tar(closed, tmp_path / "run.tgz")
    os.truncate(path, path.stat().st_size // 2)
    assert max(each.state for each in archived.verify(path)) is State.TAMPERED


def test_a_file_twice_and_a_link_in_a_tar_file_are_found(closed, tmp_path):
    path = tar(closed, tmp_path / "run.tar", "w")
    with tarfile.open(path, "a") as archive:
        archive.add(closed.path / "plan.json", arcname=f"uk-prod/{closed.run_id}/run.json")
        link = tarfile.TarInfo(f"uk-prod/{closed.run_id}/link")
        link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
        archive.addfile(link)
    (report,) = archived.verify(path)
    assert {"is in the tar file twice", "is a link or a device: no evidence of ours holds one"} <= {
        each.what for each in report.findings
    }


def test_a_tar_file_without_a_run_is_incomplete_and_a_wrong_path_is_a_question(tmp_path):
    with tarfile.open(tmp_path / "empty.tar", "w"):
        pass
    (report,) = archived.verify(tmp_path / "empty.tar")
    assert report.state is State.INCOMPLETE
    with pytest.raises(archived.NotEvidenceAtAll, match="is no run folder"):
        list(archived.verify(tmp_path))
    with pytest.raises(archived.NotEvidenceAtAll, match="does not exist"):
        list(archived.verify(tmp_path / "nowhere"))


def test_an_unsigned_folder_is_whole_says_so_and_proves_nothing_to_a_trust_file(folder, record, plan, keys):
    commit_plan(folder, plan)
    results = complete(plan, ())
    close(folder, finish(record, results, 10), plan, results, Extras(report=False))
    assert msgspec.json.decode((folder.path / "run.json").read_bytes(), type=RunRecord).signing == "unsigned"
    report = verify_folder(folder.path)
    assert (report.state, report.notes[0].partition(":")[0]) == (State.WHOLE, "UNSIGNED")
    assert verify_folder(folder.path, read_trust(keys.trust())).state is State.INCOMPLETE


def receipt_of(closed: RunFolder, **change) -> None:
    about = {"manifest_sha256": sha256_of(closed.path / "manifest.json"), "seq": 2, "entry_hash": "e" * 64}
    receipt = Receipt("entered", closed.run_id, "ledger.sqlite", **about)
    write_receipt(closed, msgspec.structs.replace(receipt, **change))


def test_a_receipt_is_noted_and_has_to_be_about_this_manifest(closed):
    receipt_of(closed)
    report = verify_folder(closed.path)
    assert (report.state, report.notes[-1].partition(" of")[0]) == (State.WHOLE, "entry 2")
    for change in ({"manifest_sha256": "f" * 64}, {"run_id": "another"}):
        receipt_of(closed, **change)
        assert [each.path for each in verify_folder(closed.path).findings] == ["receipt.json"]
    (closed.path / "receipt.json").write_text("{")
    assert [each.path for each in verify_folder(closed.path).findings] == ["receipt.json"]


def test_a_pending_receipt_is_said_and_the_folder_is_whole(closed):
    receipt_of(closed, status="pending", reason="the database is gone")
    report = verify_folder(closed.path)
    assert report.state is State.WHOLE
    assert "ledger: pending: the database is gone" in report.notes

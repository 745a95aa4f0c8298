"""What is archived stays as it was put there: in a folder, and in a bucket with Object Lock on a real server."""

from __future__ import annotations

import io
import json
import secrets
import tarfile
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import boto3
import pytest
from botocore.exceptions import ClientError

from postdeploy import cli
from postdeploy.evidence.findings import State
from postdeploy.evidence.ledger.chain import Head
from postdeploy.evidence.ledger.checking import check
from postdeploy.evidence.ledger.entering import enter_run, run_folders
from postdeploy.evidence.ledger.ledger import Ledger
from postdeploy.evidence.worm.archiving import after, anchors, archive, pack, put_anchor
from postdeploy.evidence.worm.targets import CannotArchive, open_target
from tests.evidence.ledger.runs import Archive


@pytest.fixture(scope="module")
def s3() -> Iterator[str]:
    """An object store of our own, by HTTP."""
    from moto.server import ThreadedMotoServer

    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    with pytest.MonkeyPatch.context() as patch:
        for name, value in {
            "AWS_ENDPOINT_URL": f"http://{host}:{port}",
            "AWS_ACCESS_KEY_ID": "testing",
            "AWS_SECRET_ACCESS_KEY": "testing",
            "AWS_DEFAULT_REGION": "eu-west-2",
        }.items():
            patch.setenv(name, value)
        yield "s3"
    server.stop()


@pytest.fixture
def bucket(s3) -> str:
    name = f"evidence-{secrets.token_hex(6)}"
    where = {"LocationConstraint": "eu-west-2"}
    boto3.client("s3").create_bucket(Bucket=name, ObjectLockEnabledForBucket=True, CreateBucketConfiguration=where)
    return name


@pytest.fixture(params=["folder", "bucket"])
def place(request, tmp_path) -> str:
    if request.param == "folder":
        return str(tmp_path / "kept")
    found: str = request.getfixturevalue("bucket")
    return f"s3://{found}/verification"


@pytest.fixture
def runs(tmp_path) -> Archive:
    return Archive(tmp_path / "archive")


def put(runs: Archive, place: str, **how):
    return archive(run_folders(runs.path), open_target(place), **how)


def test_every_closed_run_is_archived_once_with_its_retention(runs, place):
    first, second = runs.run(), runs.run()
    assert put(runs, place).new == [f"uk-prod/{each.run_id}" for each in (first, second)]
    told = put(runs, place)
    assert (told.new, told.again, told.wrong) == ([], 2, [])
    target = open_target(place)
    kept = json.loads(target.read(f"uk-prod/{first.run_id}.json"))
    ended = json.loads((first.path / "run.json").read_bytes())["finished"]
    assert kept["retain_until"][:4] == str(int(ended[:4]) + 7)
    assert kept["sha256"] == target.sha256(f"uk-prod/{first.run_id}.tar")
    with tarfile.open(fileobj=io.BytesIO(target.read(f"uk-prod/{first.run_id}.tar"))) as packed:
        assert f"{first.run_id}/manifest.json" in packed.getnames()


def test_a_run_made_anew_is_reported_and_what_is_kept_stays(runs, place):
    from postdeploy.evidence.manifest import write_manifest

    run = runs.run()
    put(runs, place)
    before = open_target(place).sha256(f"uk-prod/{run.run_id}.tar")
    run.write_json("run.json", json.loads((run.path / "run.json").read_bytes()) | {"verdict": "failed"})
    write_manifest(run)
    told = put(runs, place)
    assert "is another one than" in told.wrong[0]
    assert open_target(place).sha256(f"uk-prod/{run.run_id}.tar") == before


def test_an_altered_or_open_run_is_not_archived(runs, place):
    altered, still_open = runs.run(), runs.run()
    (altered.path / "results.json").write_text("[]")
    (still_open.path / "SHA256SUMS").unlink()
    told = put(runs, place)
    assert (told.new, len(told.wrong), len(told.unready)) == ([], 1, 1)


def test_the_object_cannot_be_removed_replaced_or_released_before_its_day(runs, bucket):
    run = runs.run()
    put(runs, f"s3://{bucket}/x", legal_hold=True)
    client, key = boto3.client("s3"), f"x/uk-prod/{run.run_id}.tar"
    head = client.head_object(Bucket=bucket, Key=key)
    assert (head["ObjectLockMode"], head["ObjectLockLegalHoldStatus"]) == ("COMPLIANCE", "ON")
    assert head["ObjectLockRetainUntilDate"] > datetime.now(UTC) + timedelta(days=6 * 365)
    version = head["VersionId"]
    with pytest.raises(ClientError, match="AccessDenied"):
        client.delete_object(Bucket=bucket, Key=key, VersionId=version, BypassGovernanceRetention=True)
    with pytest.raises(ClientError, match="PreconditionFailed"):
        client.put_object(Bucket=bucket, Key=key, Body=b"other", IfNoneMatch="*")


def test_a_bucket_without_object_lock_is_refused(s3):
    where = {"LocationConstraint": "eu-west-2"}
    boto3.client("s3").create_bucket(Bucket="no-lock-here", CreateBucketConfiguration=where)
    with pytest.raises(CannotArchive, match="no Object Lock"):
        open_target("s3://no-lock-here/x")


@pytest.mark.parametrize(
    ("wrong", "why"), [("s3://", "names no bucket"), ("gs://bucket", "neither a folder"), ("s3://not-there", "NoSuch")]
)
def test_what_is_no_place_is_said_in_one_paragraph(s3, wrong, why):
    with pytest.raises(CannotArchive, match=why):
        open_target(wrong)


def test_the_newest_entry_that_is_gone_is_found_by_the_anchor_alone(runs, place, tmp_path):
    import sqlite3

    ledger = Ledger(str(tmp_path / "ledger.sqlite"))
    for _ in range(2):
        enter_run(ledger, runs.run())
    target = open_target(place)
    put_anchor(target, ledger.head(), "x", datetime.now(UTC))
    assert check(ledger, anchors=anchors(target)).state is State.WHOLE
    with sqlite3.connect(tmp_path / "ledger.sqlite") as plain:
        for (name,) in plain.execute("select name from sqlite_master where type = 'trigger'").fetchall():
            plain.execute(f"drop trigger {name}")
        for table in ("ledger_event", "ledger_verification"):
            plain.execute(f"delete from {table} where seq = 3")
    (found,) = (each for each in check(ledger, anchors=anchors(target)).findings if each.path == "entry 3")
    assert "is gone: the ledger ends at 2" in found.what


def test_an_anchor_is_never_written_over(place):
    target = open_target(place)
    put_anchor(target, Head(3, "a" * 64), "x", datetime.now(UTC))
    put_anchor(target, Head(3, "b" * 64), "x", datetime.now(UTC))
    assert [each.head for each in anchors(target)] == [Head(3, "a" * 64)]


def test_a_run_is_packed_the_same_each_time_and_without_its_receipt(runs):
    run = runs.run()
    before = pack(run.path)
    (run.path / "receipt.json").write_text("{}")
    (run.path / "run.json").touch()
    assert pack(run.path) == before


def test_seven_years_from_a_leap_day_is_the_end_of_february():
    assert after(datetime(2028, 2, 29, tzinfo=UTC), 7) == datetime(2035, 2, 28, tzinfo=UTC)


def test_the_command_archives_runs_and_leaves_the_head(runs, tmp_path, capsys):
    run = runs.run()
    enter_run(Ledger(str(runs.path / "ledger.sqlite")), run)
    kept = tmp_path / "kept"
    assert cli.main(["archive", f"--archive={runs.path}", f"--to={kept}"]) == 0
    said = capsys.readouterr().out
    assert "1 runs archived" in said
    assert "anchor: entry 2" in said
    assert cli.main(["ledger", "verify", f"--archive={runs.path}", f"--anchors={kept}"]) == 0
    assert "WHOLE: 3 entries (1 anchor, 1 deployment, 1 verification)" in capsys.readouterr().out
    assert cli.main(["archive", f"--archive={Path(tmp_path) / 'nowhere'}", f"--to={kept}"]) == 4

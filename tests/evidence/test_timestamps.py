"""When a signature existed is an authority's word, not ours: it outlives the key, and `openssl ts` agrees."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from datetime import UTC, datetime, timedelta

import msgspec
import pytest

from postdeploy import cli
from postdeploy.evidence import run_record
from postdeploy.evidence.attestation import FILES
from postdeploy.evidence.closing import Extras, close, commit_plan
from postdeploy.evidence.findings import State
from postdeploy.evidence.results import complete
from postdeploy.evidence.timestamps import STAMPS, NoTimestamp, post, stamp
from postdeploy.evidence.trust import BadTrustFile, read_trust
from postdeploy.evidence.verifying import verify_folder
from tests.evidence.authority import authority, make_authority
from tests.evidence.makers import ran
from tests.evidence.signed import IMAGES
from tests.evidence.tampering import ALTERATIONS, swap
from tests.evidence.test_attestation import follow, recipe_of


@pytest.fixture(scope="module")
def tsa(tmp_path_factory):
    with authority(tmp_path_factory.mktemp("tsa") / "authority") as it:
        yield it


@pytest.fixture
def run(folder, record, plan, keys):
    """A run that ended just now and asked the authority of that address."""

    def run(url: str, **change):
        key = keys.open()
        started = datetime.now(UTC) - timedelta(seconds=9)
        begun = msgspec.structs.replace(record, signing=key.keyid, timestamps=url, started=started)
        begun = msgspec.structs.replace(begun, plan_sha256=commit_plan(folder, plan))
        results = complete(plan, [msgspec.structs.replace(ran(each), started=started) for each in plan])
        done = run_record.finish(begun, results, 0, datetime.now(UTC))
        extras = Extras(key=key, images=IMAGES, timestamps=url, report=False)
        return close(folder, msgspec.structs.replace(done, **change), plan, results, extras)

    return run


@pytest.fixture
def trust(keys, tsa):
    """The trust file with this authority in it, and with changes to the key."""

    def trust(root=tsa.root, **change):
        path = keys.trust(**change)
        whole = json.loads(path.read_bytes())
        whole["timestamp_authorities"] = [{"name": "Test TSA", "certificates": root.read_text()}]
        path.write_text(json.dumps(whole))
        return read_trust(path)

    return trust


def test_a_run_asks_for_a_timestamp_of_each_envelope_and_openssl_agrees(run, tsa, folder, trust):
    assert run(tsa.url).lines == []
    for name in FILES:
        beside = ("-in", f"{name}.tsr", "-CAfile", str(tsa.root))
        command = ["openssl", "ts", "-verify", "-data", name, *beside]
        said = subprocess.run(command, cwd=folder.path, capture_output=True, text=True, check=False)
        assert "Verification: OK" in said.stdout, said.stderr
    report = verify_folder(folder.path, trust())
    assert (report.state, report.findings) == (State.WHOLE, [])
    assert [note.partition(" ")[2] for note in report.notes if note.startswith("signed")] == ["by verify of uk-prod"]
    assert any(re.fullmatch(r"seen at .*Z by Test TSA", note) for note in report.notes)


def test_the_printed_recipe_proves_the_time_without_us(run, tsa, folder, keys, tmp_path):
    run(tsa.url)
    assert len(recipe_of(folder)) == 4
    said = follow(folder, keys, tmp_path, AUTHORITY=str(tsa.root))
    assert said.count("Verification: OK") == 2
    assert said.count("Time stamp: ") == 2
    assert "nothing was added" in said


def test_what_was_signed_before_the_key_was_stolen_counts_only_with_a_timestamp(run, tsa, folder, trust):
    run(tsa.url)
    later = (datetime.now(UTC) + timedelta(hours=1)).isoformat()
    assert verify_folder(folder.path, trust(revoked_at=later)).state is State.WHOLE
    for each in STAMPS:
        (folder.path / each).unlink()
    unproved = verify_folder(folder.path, trust(revoked_at=later))
    assert unproved.state is State.INCOMPLETE
    assert {each.path for each in unproved.findings} == {*FILES, *STAMPS}


def test_a_thief_who_dates_a_run_back_is_betrayed_by_the_authority(run, tsa, folder, trust):
    yesterday = datetime.now(UTC) - timedelta(days=1)
    run(tsa.url, finished=yesterday, started=yesterday - timedelta(minutes=1))
    report = verify_folder(folder.path, trust(revoked_at=(yesterday + timedelta(hours=1)).isoformat()))
    assert report.state is State.TAMPERED
    assert "after the key was revoked" in str(report.findings)


def test_a_run_whose_clock_is_ahead_of_the_authoritys_is_not_proved(run, tsa, folder, trust):
    run(tsa.url, finished=datetime.now(UTC) + timedelta(minutes=5))
    report = verify_folder(folder.path, trust())
    assert {each.path for each in report.findings} == set(STAMPS)
    assert "before the run ended" in report.findings[0].what


@pytest.mark.parametrize("alteration", [each for each in ALTERATIONS if each is not swap], ids=lambda it: it.__name__)
def test_a_timestamp_that_was_altered_is_located(run, tsa, folder, trust, tmp_path, alteration):
    run(tsa.url)
    for name in STAMPS:
        copy = tmp_path / "copy"
        shutil.copytree(folder.path, copy)
        touched = alteration(copy, name)
        report = verify_folder(copy, trust())
        assert touched & {each.path for each in report.findings}, (name, report.findings)
        shutil.rmtree(copy)


def test_swapped_timestamps_are_those_of_something_else_even_without_a_trust_file(run, tsa, folder):
    run(tsa.url)
    first, second = ((folder.path / each).read_bytes() for each in STAMPS)
    (folder.path / STAMPS[0]).write_bytes(second)
    (folder.path / STAMPS[1]).write_bytes(first)
    assert "is the timestamp of something else" in str(verify_folder(folder.path).findings)


def test_another_authoritys_word_does_not_count(run, tsa, folder, trust, tmp_path):
    run(tsa.url)
    make_authority(tmp_path / "stranger")
    report = verify_folder(folder.path, trust(root=tmp_path / "stranger/root.pem"))
    assert report.state is State.TAMPERED
    assert {each.path for each in report.findings} == set(STAMPS)


def test_without_an_authority_in_the_trust_file_it_is_said_that_nobody_looked(run, tsa, folder, keys):
    run(tsa.url)
    report = verify_folder(folder.path, read_trust(keys.trust()))
    assert report.state is State.WHOLE
    assert any(note.startswith("TIMESTAMP NOT CHECKED") for note in report.notes)


def test_an_authority_that_is_away_costs_no_verdict_and_is_asked_again_later(run, tsa, folder, trust, capsys):
    done = run("http://127.0.0.1:9/tsr")
    assert [line.partition(":")[0] for line in done.lines] == ["timestamp pending"]
    assert done.record.exit_code == 0
    pending = verify_folder(folder.path, trust())
    assert (pending.state, {each.path for each in pending.findings}) == (State.INCOMPLETE, set(STAMPS))
    assert cli.main(["timestamp", str(folder.path)]) == 10
    assert cli.main(["timestamp", str(folder.path), f"--url={tsa.url}"]) == 0
    assert verify_folder(folder.path, trust()).state is State.WHOLE
    assert cli.main(["timestamp", str(folder.path), f"--url={tsa.url}"]) == 4
    assert "is there already" in capsys.readouterr().err


@pytest.mark.parametrize("reply", [b"", b"<html>", b"0\x03\x02\x01\x02"])
def test_an_answer_that_is_no_timestamp_is_not_kept(closed, tsa, reply):
    tsa.reply = reply
    try:
        with pytest.raises(NoTimestamp, match="answered with no timestamp"):
            stamp(closed, tsa.url)
    finally:
        tsa.reply = None
    assert not [each for each in STAMPS if (closed.path / each).exists()]


def test_a_timestamp_that_was_made_for_somebody_else_is_not_kept(closed, tsa):
    stamp(closed, tsa.url)
    replayed = (closed.path / STAMPS[0]).read_bytes()
    with pytest.raises(NoTimestamp, match="the timestamp of something else"):
        stamp(closed, tsa.url, post=lambda *_: replayed)


def test_only_http_is_spoken():
    with pytest.raises(NoTimestamp, match="is no http address"):
        post("file:///etc/passwd", b"")


def test_an_authority_without_a_root_is_no_authority(keys):
    path = keys.trust()
    whole = json.loads(path.read_bytes()) | {"timestamp_authorities": [{"name": "x", "certificates": "nothing"}]}
    path.write_text(json.dumps(whole))
    with pytest.raises(BadTrustFile, match=r"timestamp_authorities\[0\].certificates holds no root"):
        read_trust(path)


@pytest.mark.parametrize(
    "typed", [["timestamp", "/nowhere"], ["timestamp", "RUN"], ["timestamp", "RUN", "--url=ftp://x"]]
)
def test_the_command_says_what_it_misses(closed, typed, capsys):
    assert cli.main([str(closed.path) if each == "RUN" else each for each in typed]) == 4
    assert capsys.readouterr().err

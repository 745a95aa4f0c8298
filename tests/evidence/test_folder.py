from __future__ import annotations

import json
import re
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest

from postdeploy.environment import Settle
from postdeploy.evidence.folder import ArchiveUnwritable, RunFolder, new_run_id

NOW = datetime(2026, 11, 22, 21, 0, 5, tzinfo=timezone(timedelta(hours=1)))


def test_run_id_is_utc_release_and_a_token_of_its_own():
    assert new_run_id(NOW, "v2026.47.1", "abcdef") == "20261122T200005Z-v2026.47.1-abcdef"
    assert re.fullmatch(r"20261122T200005Z-v1-[0-9a-f]{6}", new_run_id(NOW, "v1"))
    assert new_run_id(NOW, "v1") != new_run_id(NOW, "v1")


@pytest.mark.parametrize(
    ("release", "safe"),
    [
        ("feature/x y", "feature-x-y"),
        ("../../etc", "etc"),
        ("", "no-release"),
        ("é", "no-release"),
        ("v" * 99, "v" * 60),
    ],
)
def test_a_release_becomes_a_harmless_part_of_a_file_name(release, safe):
    assert new_run_id(NOW.astimezone(UTC), release, "t") == f"20261122T200005Z-{safe}-t"


def test_folder_is_made_below_archive_and_environment(tmp_path):
    folder = RunFolder.create(tmp_path / "deep" / "archive", "uk-prod", "run")
    assert folder.path == tmp_path / "deep" / "archive" / "uk-prod" / "run"
    assert folder.path.is_dir()
    assert folder.run_id == "run"
    assert repr(folder) == f"<run folder {folder.path}>"


def test_a_folder_is_never_used_twice(tmp_path):
    RunFolder.create(tmp_path, "uk-prod", "run")
    with pytest.raises(ArchiveUnwritable, match="is already there"):
        RunFolder.create(tmp_path, "uk-prod", "run")


def test_an_unwritable_archive_says_which_and_what_to_do(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(ArchiveUnwritable, match=r"Not a directory.*nothing was looked at.*--archive"):
        RunFolder.create(tmp_path / "file" / "archive", "uk-prod", "run")


def test_json_is_written_readable_and_complete(folder):
    path = folder.write_json("deep/value.json", {"when": NOW, "settle": Settle(), "text": "é"})
    assert path == folder.path / "deep" / "value.json"
    assert json.loads(path.read_text(encoding="utf-8"))["settle"]["every_s"] == 2.0
    assert path.read_text(encoding="utf-8").endswith("\n}\n")


def test_a_failed_write_leaves_the_old_content_and_nothing_else(folder, monkeypatch):
    folder.write_text("run.json", "old")

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(OSError, match="No space left"):
        folder.write_text("run.json", "new")
    assert [each.name for each in folder.path.iterdir()] == ["run.json"]
    assert (folder.path / "run.json").read_text() == "old"


@pytest.mark.parametrize("name", ["/etc/passwd", "../run.json", "a/../../b", ""])
def test_nothing_is_written_outside_of_the_folder(folder, name):
    with pytest.raises(ValueError, match="inside a run folder"):
        folder.write_text(name, "")


def test_a_value_that_is_no_data_is_refused(folder):
    with pytest.raises(NotImplementedError, match="PosixPath"):
        folder.write_json("x.json", Path("/"))

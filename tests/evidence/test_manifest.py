from __future__ import annotations

import json
import os
import subprocess

import pytest

from postdeploy.evidence.manifest import NotEvidence, write_manifest


def test_every_file_is_hashed_but_those_made_from_the_manifest(folder):
    for name in ("run.json", "observation/cluster.json.gz", "receipt.json", "attestations/a.json", "manifest.json"):
        folder.write_text(name, name)
    entries = write_manifest(folder)
    assert [each.path for each in entries] == ["observation/cluster.json.gz", "run.json"]
    assert entries[1].size == len("run.json")
    assert json.loads((folder.path / "manifest.json").read_bytes())[1]["path"] == "run.json"


def test_sha256sum_agrees_and_notices_a_change(folder):
    folder.write_text("run.json", "{}")
    folder.write_text("allure-results/a b-result.json", "[]")
    write_manifest(folder)
    check = ["sha256sum", "--check", "--strict", "SHA256SUMS"]
    assert subprocess.run(check, cwd=folder.path, check=False, capture_output=True).returncode == 0
    (folder.path / "run.json").write_text("{ }")
    assert subprocess.run(check, cwd=folder.path, check=False, capture_output=True).returncode == 1


def test_the_same_folder_always_gives_the_same_manifest(folder):
    folder.write_text("b", "2")
    folder.write_text("a", "1")
    assert write_manifest(folder) == write_manifest(folder)


def test_links_pipes_and_names_that_sha256sum_rewrites_are_refused(folder):
    (folder.path / "link").symlink_to("/etc/passwd")
    with pytest.raises(NotEvidence, match="link is a symbolic link"):
        write_manifest(folder)
    (folder.path / "link").unlink()
    os.mkfifo(folder.path / "pipe")
    with pytest.raises(NotEvidence, match="not a regular file"):
        write_manifest(folder)
    (folder.path / "pipe").unlink()
    (folder.path / "new\nline").write_text("")
    with pytest.raises(NotEvidence, match="sha256sum would write differently"):
        write_manifest(folder)

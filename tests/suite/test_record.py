"""`postdeploy record` opens the pages of a rehearsal in a window, and says what to do where there is none to open."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator

import pytest

from tests.browsers import needs_browser
from tests.runs import ROOT, variables

RECORD = [sys.executable, "-m", "postdeploy.cli", "record", "--env", "uk-prod", "--rehearsal"]


@pytest.fixture
def display() -> Iterator[str]:
    """A display of its own."""
    needs_browser()
    if not shutil.which("Xvfb"):
        if os.environ.get("CI"):
            pytest.fail("no Xvfb: the CI installs one (need Xvfb xvfb)")
        pytest.skip("no Xvfb here: apt-get install xvfb")
    read, write = os.pipe()
    command = ["Xvfb", "-displayfd", str(write), "-screen", "0", "1280x900x24"]
    server = subprocess.Popen(command, pass_fds=[write], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    os.close(write)
    with os.fdopen(read) as told:
        number = told.readline().strip()
    yield f":{number}"
    server.terminate()
    server.wait(10)


def test_recorder_opens_the_front_page_and_stays(display: str) -> None:
    process = subprocess.Popen(
        RECORD, cwd=ROOT, env=variables({"DISPLAY": display}), stdout=subprocess.PIPE, text=True, bufsize=1
    )
    assert process.stdout is not None
    try:
        line = process.stdout.readline()
        assert line.startswith("recording at https://northgate.example/en-GB/ in browser "), line
        assert line.endswith("; close the window to end\n")
        assert process.poll() is None
    finally:
        process.terminate()
        process.communicate(timeout=20)


def test_without_a_display_it_says_so_in_a_line() -> None:
    needs_browser()
    ended = subprocess.run(
        RECORD, cwd=ROOT, env=variables({"DISPLAY": ""}), capture_output=True, text=True, timeout=60, check=False
    )
    assert ended.returncode == 10
    assert ended.stderr.startswith("postdeploy: the browser ")
    assert len(ended.stderr.splitlines()) == 1


def test_unknown_brand_is_bad_usage() -> None:
    ended = subprocess.run(
        [*RECORD, "--brand", "nope"], cwd=ROOT, env=variables(), capture_output=True, text=True, timeout=60, check=False
    )
    assert (ended.returncode, "no brand called 'nope'; it has northgate" in ended.stderr) == (4, True)

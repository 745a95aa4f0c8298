"""A browser is used where it is named: a real server of Playwright's, and an address where nobody listens."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from postdeploy.browser.finding import PROGRAMS
from postdeploy.browser.launching import Launcher
from postdeploy.verdict import Unverified
from tests.browsers import needs_browser


@pytest.fixture
def server(tmp_path: Path) -> Iterator[str]:
    """A Playwright server with the machine's browser; its address."""
    needs_browser()
    program = next(filter(None, map(shutil.which, PROGRAMS)))
    config = {"executablePath": program, "headless": True, "args": ["--no-sandbox"], "port": 0, "wsPath": "grid"}
    (tmp_path / "config.json").write_text(json.dumps(config), encoding="utf-8")
    command = [sys.executable, "-m", "playwright", "launch-server", "--browser", "chromium"]
    process = subprocess.Popen(
        [*command, "--config", str(tmp_path / "config.json")], stdout=subprocess.PIPE, text=True, start_new_session=True
    )
    assert process.stdout is not None
    yield process.stdout.readline().strip()
    os.killpg(process.pid, signal.SIGTERM)  # the server is a child of what was started, and outlives it
    process.wait(20)


def test_remote_browser_opens_a_page(server: str) -> None:
    with Launcher(server) as launcher:
        browser = launcher.launch({"headless": True, "slow_mo": 0.0, "args": []})
        page = browser.new_context().new_page()
        page.set_content("<h1>here</h1>")
        assert page.inner_text("h1") == "here"
        assert str(launcher.found) == f"remote browser {server}"
        browser.close()


def test_remote_browser_that_is_not_there_is_unverified(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BROWSER_WS_URL", "ws://127.0.0.1:1/grid")
    with (
        Launcher() as launcher,
        pytest.raises(Unverified, match=r"the remote browser ws://127\.0\.0\.1:1/grid does not"),
    ):
        launcher.launch({})

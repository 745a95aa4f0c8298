"""Which browser is used, and that its absence says how to get one."""

from __future__ import annotations

from pathlib import Path

import pytest

from postdeploy.browser.finding import Found, find
from postdeploy.verdict import Unverified


@pytest.fixture
def own(tmp_path: Path) -> Path:
    program = tmp_path / "chrome"
    program.touch()
    return program


def nowhere(name: str) -> None:
    return None


def test_one_that_was_named_comes_before_all_others(own: Path) -> None:
    assert find(own, "ws://grid:3000", {}) == Found("remote", "ws://grid:3000")
    assert find(own, None, {"BROWSER_WS_URL": "ws://grid"}) == Found("remote", "ws://grid")


def test_playwrights_own_comes_before_the_machines(own: Path) -> None:
    assert find(own, None, {}, which=lambda name: f"/usr/bin/{name}") == Found("own", str(own))


def test_the_machines_is_used_where_playwright_has_none(tmp_path: Path) -> None:
    chrome = {"google-chrome": "/usr/bin/google-chrome"}.get
    assert find(tmp_path / "absent", None, {}, which=chrome) == Found("system", "/usr/bin/google-chrome")


def test_none_at_all_is_unverified_with_the_line_that_installs_one() -> None:
    with pytest.raises(Unverified, match=r"playwright install chromium.*apt-get install chromium.*--browser-ws"):
        find(None, None, {}, which=nowhere)

"""Whether there is a browser for the tests that need one: where the CI runs them, its absence is a failure."""

from __future__ import annotations

import os
import shutil

import pytest

from postdeploy.browser.finding import PROGRAMS


def needs_browser() -> None:
    """Skip on a developer's machine without a browser; fail in the CI, which has to bring one."""
    if any(map(shutil.which, PROGRAMS)):
        return
    if os.environ.get("CI"):
        pytest.fail("no browser: the CI installs one (need chromium chromium)")
    pytest.skip("no browser here: apt-get install chromium")

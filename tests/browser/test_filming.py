"""Journeys are filmed where Playwright's own ffmpeg is, and where it works: where it is, its browser's path tells."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from postdeploy.browser.filming import NO_FFMPEG, REMOTE, has_ffmpeg, why_not
from postdeploy.browser.finding import Found

SYSTEM = Found("system", "/usr/bin/chromium")


class Camera:
    """A browser whose contexts write so many bytes, or raise."""

    def __init__(self, writes: bytes = b"film", error: Exception | None = None) -> None:
        self.writes, self.error, self.closed = writes, error, 0

    def new_context(self, record_video_dir: str) -> Camera:
        self.folder = Path(record_video_dir)
        return self

    def new_page(self) -> None:
        if self.error:
            raise self.error

    def close(self) -> None:
        self.closed += 1
        (self.folder / "page.webm").write_bytes(self.writes)


def camera(**given: Any) -> Any:
    return Camera(**given)


@pytest.fixture
def own(tmp_path: Path) -> Path:
    """Where Playwright's browser would be, beside an ffmpeg."""
    (tmp_path / "ffmpeg-1013").mkdir()
    (tmp_path / "ffmpeg-1013" / "ffmpeg-linux").touch()
    return tmp_path / "chromium-1255" / "chrome-linux64" / "chrome"


def test_ffmpeg_is_sought_beside_the_browser_that_is_or_would_be_playwrights(own: Path, tmp_path: Path) -> None:
    assert has_ffmpeg(own)
    assert not has_ffmpeg(tmp_path / "elsewhere" / "chromium-1255" / "chrome-linux64" / "chrome")
    assert not has_ffmpeg(Path("/usr/bin/firefox"))


def test_browser_is_filmed_where_a_film_was_made_when_it_was_tried(own: Path) -> None:
    made = camera()
    assert why_not(made, SYSTEM, own) == ""
    assert (made.closed, made.folder.exists()) == (1, False)


def test_nothing_is_tried_without_an_ffmpeg_or_in_a_remote_browser(own: Path, tmp_path: Path) -> None:
    assert why_not(camera(error=AssertionError()), SYSTEM, tmp_path / "empty" / "chromium-1" / "chrome") == NO_FFMPEG
    assert why_not(camera(error=AssertionError()), Found("remote", "ws://grid"), own) == REMOTE


def test_ffmpeg_of_another_version_fails_no_journey(own: Path) -> None:
    made = camera(error=RuntimeError("Executable doesn't exist at ffmpeg-1014\n╔════╗"))
    assert why_not(made, SYSTEM, own) == "Playwright cannot film here: Executable doesn't exist at ffmpeg-1014"
    assert made.closed == 1


def test_ffmpeg_that_writes_nothing_is_none(own: Path) -> None:
    assert why_not(camera(writes=b""), SYSTEM, own) == "Playwright's ffmpeg writes nothing here"

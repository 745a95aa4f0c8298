"""Whether journeys can be filmed: Playwright does so where it has its own ffmpeg, which comes with its own browser."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from postdeploy.browser.finding import Found

if TYPE_CHECKING:
    from playwright.sync_api import Browser

REMOTE = "a remote browser keeps its recordings to itself"
NO_FFMPEG = "Playwright has no ffmpeg here, get it by: python -m playwright install ffmpeg"
FOREIGN = "the browser was not launched by us"


def has_ffmpeg(own: Path) -> bool:
    """Whether something lies where Playwright keeps its ffmpeg: beside the browser that is, or would be, its own."""
    kept = next((each.parent for each in own.parents if each.name.startswith("chromium")), None)
    return kept is not None and any(kept.glob("ffmpeg-*/ffmpeg*"))


def why_not(browser: Browser, found: Found, own: Path) -> str:
    """Why nothing can be filmed in this browser, for people; empty where it can.

    It is tried once, for one of another version is no ffmpeg to Playwright, and would fail each journey's page.
    """
    if found.kind == "remote":
        return REMOTE
    if not has_ffmpeg(own):
        return NO_FFMPEG
    with tempfile.TemporaryDirectory(prefix="postdeploy-film-") as folder:
        try:
            context = browser.new_context(record_video_dir=folder)
            try:
                context.new_page()
            finally:
                context.close()
        except Exception as error:  # noqa: BLE001  whatever it is, journeys are made without a film
            return f"Playwright cannot film here: {str(error).strip().partition(chr(10))[0]}"
        made = any(each.stat().st_size for each in Path(folder).glob("*.webm"))
    return "" if made else "Playwright's ffmpeg writes nothing here"

"""What a browser journey leaves in the Allure report: its steps in its own words, pictures, files."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress

MEDIA = {
    "webp": "image/webp",
    "png": "image/png",
    "html": "text/html",
    "txt": "text/plain",
    "zip": "application/zip",
    "webm": "video/webm",
}
"""By the ending of a file."""


@contextmanager
def step(words: str) -> Iterator[None]:
    """One step of whatever test is running; what fails in it fails in the report too."""
    import allure

    with allure.step(words):
        yield


def attach(data: bytes, name: str, kind: str) -> None:
    """Attach a file to the step, or the test, that is running; outside of one nothing happens."""
    import allure

    with suppress(Exception):
        allure.attach(data, name, MEDIA[kind], kind)

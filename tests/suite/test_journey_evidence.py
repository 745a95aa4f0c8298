"""What a journey leaves when its set-up or its teardown fails, and when it is filmed: one whole run of a changed copy.

Playwright's ffmpeg is the machine's own here, else a program of one line that keeps what it is sent: JPEGs in Matroska.
"""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path

import playwright
import pytest

from tests.browsers import needs_browser
from tests.examples import checkout
from tests.runs import Ended, run
from tests.suite.test_journeys import SIGN_IN, attached, results

BREAKING = '''
"""Pages that break: one while it is set up, one while it is given back; and one that never answers."""

import pytest


@pytest.fixture
def longest_journey(request, longest_journey):
    return 5 if "face" in request.function.__name__ else longest_journey


@pytest.fixture
def page(page, request, shop):
    name = request.function.__name__
    if "face" in name:
        page.goto(f"/{shop.locale}/legal/terms")
        page.evaluate("() => { for (;;); }")
    if "finds" in name:
        page.goto(f"/{shop.locale}/legal/terms")
        raise RuntimeError("the set-up broke")
    yield page
    if "menu" in name:
        page.goto(f"/{shop.locale}/history")
        raise RuntimeError("the teardown broke")
'''
KEEPS_ALL = '#!/bin/sh\nfor last; do :; done\nexec cat >"$last"\n'
CHOSEN = "signs_in or (northgate and (face or finds or menu or cookie))"
HANGS = "journeys.brand.shown"
SET_UP, TEARDOWN, WELL = "journeys.instrument.found", "journeys.language.spoken", "journeys.cookies.dismissed"
MATROSKA = b"\x1aE\xdf\xa3"


def with_ffmpeg(folder: Path) -> Path:
    """A folder of Playwright's browsers in which there is an ffmpeg, and nothing else."""
    listed = Path(playwright.__file__).parent / "driver" / "package" / "browsers.json"
    revision = next(
        each["revision"] for each in json.loads(listed.read_bytes())["browsers"] if each["name"] == "ffmpeg"
    )
    program = folder / f"ffmpeg-{revision}" / f"ffmpeg-{'mac' if sys.platform == 'darwin' else 'linux'}"
    program.parent.mkdir(parents=True)
    if real := shutil.which("ffmpeg"):
        program.symlink_to(real)
    else:
        program.write_text(KEEPS_ALL, encoding="utf-8")
        program.chmod(0o755)
    return folder


@pytest.fixture(scope="module")
def breaking(tmp_path_factory: pytest.TempPathFactory) -> Ended:
    needs_browser()
    root = checkout(tmp_path_factory.mktemp("checkout"))
    (root / "journeys/conftest.py").write_text(BREAKING, encoding="utf-8")
    return run(
        *("-m", "journeys", "-k", CHOSEN, "--env=uk-prod", "--rehearsal", "--fault=web-code-refused"),
        archive=tmp_path_factory.mktemp("archive"),
        cwd=root,
        env={"PYTHONPATH": str(root), "PLAYWRIGHT_BROWSERS_PATH": str(with_ffmpeg(tmp_path_factory.mktemp("ffmpeg")))},
    )


def kept(ended: Ended, check: str) -> dict[str, bytes]:
    """The files that hang at a check itself, by name without its bracket; its steps have their own."""
    (result,) = (each for each in results(ended, check) if each.get("attachments"))
    folder = ended.folder / "allure-results"
    return {each["name"].partition(" (")[0]: (folder / each["source"]).read_bytes() for each in result["attachments"]}


@pytest.mark.parametrize(("check", "shown"), [(SET_UP, b"Northgate"), (TEARDOWN, b"<caption>")])
def test_what_breaks_around_a_journey_keeps_all_that_explains_it(breaking: Ended, check: str, shown: bytes) -> None:
    assert breaking.of(check) >= {"unverified"}, breaking.output
    files = kept(breaking, check)
    assert {"what the client saw last", "DOM", "requests", "trace", "video"} <= set(files)
    assert shown in files["DOM"]
    assert b"https://northgate.example/en-GB/" in files["requests"]
    assert files["video"].startswith(MATROSKA)
    assert files["trace"].startswith(b"PK")


def test_set_up_that_broke_says_where_the_page_was(breaking: Ended) -> None:
    assert b"/legal/terms 200" in kept(breaking, SET_UP)["requests"]
    assert "the set-up broke" in breaking.messages(SET_UP)[0] + breaking.messages(SET_UP)[1]


def test_teardown_that_broke_is_not_green_though_the_journey_was(breaking: Ended) -> None:
    assert any("the teardown broke" in each for each in breaking.messages(TEARDOWN))
    assert b"/history 200" in kept(breaking, TEARDOWN)["requests"]


def test_journey_that_waits_for_ever_is_ended_and_said_and_costs_no_other_one(breaking: Ended) -> None:
    """Playwright's `evaluate` has no time-out: without an end from outside the Verify job would have none either."""
    assert breaking.of(HANGS) >= {"unverified"}
    said = breaking.messages(HANGS)
    assert any("the journey was not over after 5 s, so its pages were ended" in each for each in said), said
    assert b"/legal/terms 200" in kept(breaking, HANGS)["requests"]
    assert breaking.of(WELL) >= {"passed"}


def test_journey_that_types_a_password_is_neither_filmed_nor_traced_and_says_so(breaking: Ended) -> None:
    assert breaking.of(SIGN_IN) == {"failed"}
    files = kept(breaking, SIGN_IN)
    assert {"what the client saw last", "DOM", "requests"} <= set(files)
    assert not {"video", "trace"} & set(files)
    said = files["video, not made"].decode()
    assert said == "a password and a code are typed in this journey, so neither a video nor a trace of it is made."


def test_journey_that_went_well_leaves_no_video(breaking: Ended) -> None:
    assert breaking.of(WELL) >= {"passed"}
    videos = list((breaking.folder / "allure-results").glob("*.webm"))
    assert len(videos) == len((HANGS, SET_UP, TEARDOWN))
    assert not [name for each in results(breaking, WELL) for name in attached(each) if name.startswith("video")]

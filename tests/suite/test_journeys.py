"""The browser tier as a user runs it: green, red with its evidence, and unverified without a browser."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.browsers import needs_browser
from tests.runs import Ended, run

JOURNEYS = ("-m", "journeys", "--env=uk-prod", "--rehearsal")
SIGN_IN, SIGN_OUT = "journeys.signin.opened", "journeys.signout.ended"


def results(ended: Ended, check: str) -> list[dict]:
    """Allure's results of a check."""
    found = (json.loads(each.read_bytes()) for each in (ended.folder / "allure-results").glob("*-result.json"))
    return [each for each in found if each["fullName"] == check]


def attached(result: dict) -> list[str]:
    """The names of everything attached to a result and its steps."""
    below = [name for step in result.get("steps", ()) for name in attached(step)]
    return [each["name"] for each in result.get("attachments", ())] + below


def everything(folder: Path) -> Iterator[tuple[str, bytes]]:
    """Every file of a run folder, and every member of its archives."""
    for path in folder.rglob("*"):
        if path.suffix == ".zip":
            with zipfile.ZipFile(path) as archive:
                yield from ((f"{path.name}!{name}", archive.read(name)) for name in archive.namelist())
        elif path.is_file():
            yield path.name, path.read_bytes()


@pytest.fixture(scope="module")
def healthy(tmp_path_factory: pytest.TempPathFactory) -> Ended:
    needs_browser()
    return run(*JOURNEYS, "-k", "signs", archive=tmp_path_factory.mktemp("archive"))


@pytest.fixture(scope="module")
def broken(tmp_path_factory: pytest.TempPathFactory) -> Ended:
    needs_browser()
    env = {"PLAYWRIGHT_BROWSERS_PATH": str(tmp_path_factory.mktemp("empty"))}
    archive = tmp_path_factory.mktemp("archive")
    return run(*JOURNEYS, "-k", "signs", "--fault=web-logout-keeps", archive=archive, env=env)


def test_client_signs_in_and_out(healthy: Ended) -> None:
    assert healthy.code == 0, healthy.output
    assert healthy.of(SIGN_IN) == healthy.of(SIGN_OUT) == {"passed"}


def test_each_step_is_in_the_report_in_the_words_of_the_journey_with_a_small_picture(healthy: Ended) -> None:
    (result,) = results(healthy, SIGN_IN)
    steps = [each["name"] for each in result["steps"] if each["name"] in attached(each)]
    assert steps == ["give name and password", "give the one-time code"]
    pictures = list((healthy.folder / "allure-results").glob("*.webp"))
    assert len(pictures) == 4
    assert all(0 < each.stat().st_size <= 200_000 for each in pictures)


def test_success_keeps_pictures_alone(healthy: Ended) -> None:
    assert not list((healthy.folder / "allure-results").glob("*.zip"))


def test_failure_keeps_what_explains_it(broken: Ended) -> None:
    assert broken.code == 1, broken.output
    assert broken.of(SIGN_OUT) == {"failed"}
    (result,) = results(broken, SIGN_OUT)
    names = attached(result)
    assert {"what the client saw last", "DOM", "requests"} <= set(names)
    assert any(each.startswith("trace") for each in names)
    (message,) = broken.messages(SIGN_OUT)
    assert message.startswith("A client who signs out is signed out")
    assert "where to look: step 'try to see the account again' at https://northgate.example/en-GB/account" in message


def test_without_ffmpeg_the_film_strip_is_in_the_video_s_place_and_that_is_said(broken: Ended) -> None:
    (result,) = results(broken, SIGN_OUT)
    (said,) = (each["source"] for each in result["attachments"] if each["name"] == "video, not made")
    assert (broken.folder / "allure-results" / said).read_text(encoding="utf-8") == (
        "Playwright has no ffmpeg here, get it by: python -m playwright install ffmpeg. "
        "The film strip of the trace is in its place."
    )
    assert any(name.endswith(".jpeg") for name, _ in everything(broken.folder) if ".zip!" in name)


def test_no_session_is_in_any_member_of_the_trace_and_requests_are(broken: Ended) -> None:
    found = dict(everything(broken.folder))
    network = b"".join(data for name, data in found.items() if name.endswith("trace.network"))
    assert b"/en-GB/account" in network
    assert b"client_session=" not in network


def test_replay_carries_the_verdicts_over_and_says_so(broken: Ended, tmp_path: Path) -> None:
    again = run("-m", "journeys", f"--replay={broken.folder}", archive=tmp_path, env={"PATH": "/nowhere"})
    assert again.code == broken.code, again.output
    assert again.verdicts[SIGN_IN, "uk-prod"] == "passed"
    assert again.verdicts[SIGN_OUT, "uk-prod"] == "failed"
    run_id = broken.record["run_id"]
    assert all(each.startswith(f"carried from {run_id}: ") for each in again.messages(SIGN_IN))


def test_without_a_browser_the_tier_is_unverified_and_says_how_to_get_one(tmp_path: Path) -> None:
    env = {"PATH": "/nowhere", "PLAYWRIGHT_BROWSERS_PATH": str(tmp_path)}
    ended = run(*JOURNEYS, "-k", "signs", archive=tmp_path / "archive", env=env)
    assert ended.code == 10, ended.output
    assert ended.of(SIGN_IN) == {"unverified"}
    assert "apt-get install chromium" in ended.messages(SIGN_IN)[0]

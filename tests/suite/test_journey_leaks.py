"""No secret of a run is in anything that its failing journeys leave: traces, DOM, requests, videos, messages, logs.

One whole run in which signing in fails, a deposit fails after it was sent, a session is lost in mid-journey, and a
page tells everybody its session in every encoding. The searches share nothing with what masks and withholds.
"""

from __future__ import annotations

import base64
from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import quote

import pytest

from rehearsal import canaries
from tests.browsers import needs_browser
from tests.examples import checkout
from tests.runs import RELEASE, Ended, run
from tests.standin import standin
from tests.suite.test_journey_evidence import kept, with_ffmpeg
from tests.suite.test_journeys import SIGN_IN, everything

FAULTS = ("deposit-fails-on-its-way", "session-lost-on-the-way")
DEPOSIT, LOST = "journeys.deposit.shown", "journeys.language.spoken"
LEAKING = '''
"""A page that tells its session: in the page, to the console and in the path of a request, in every encoding."""

import pytest

TELL = """token => {
  const packed = ["", "x", "xy"].map(each => btoa(each + token));
  const forms = [token, encodeURIComponent(`{"token": "${token}"}`), ...packed];
  for (const form of forms) {
    document.querySelector("main, body").append(form);
    console.error(form);
    fetch(`/assets/${encodeURIComponent(form)}`).catch(() => null);
  }
}"""


@pytest.fixture
def client(client, session, request):
    yield client
    if "menu" in request.function.__name__:
        client.page.evaluate(TELL, session.token.get_secret_value())
        client.page.wait_for_load_state("networkidle")
'''


@dataclass(frozen=True)
class Leaking:
    """The run, and what the accounts of its stand-in are opened with."""

    ended: Ended
    secrets: tuple[str, ...]


@pytest.fixture(scope="module")
def leaking(tmp_path_factory: pytest.TempPathFactory) -> Leaking:
    needs_browser()
    root = checkout(tmp_path_factory.mktemp("checkout"))
    (root / "journeys/conftest.py").write_text(LEAKING, encoding="utf-8")
    with standin(faults=FAULTS) as stand:
        accounts = stand.extension["accounts"].values()
        secrets = (stand.token, *(str(each[name]) for each in accounts for name in ("password", "totp")))
        ended = run(
            *("-m", "journeys", "-k", "signs_in or (deposits and card) or (menu and northgate)"),
            *("--env=uk-prod", f"--release={RELEASE}"),
            archive=tmp_path_factory.mktemp("archive"),
            cwd=root,
            env={
                "KUBECONFIG": str(stand.kubeconfig),
                "PYTHONPATH": str(root),
                "PLAYWRIGHT_BROWSERS_PATH": str(with_ffmpeg(tmp_path_factory.mktemp("ffmpeg"))),
                "POSTDEPLOY_REPORT": "1",
            },
        )
    return Leaking(ended, secrets)


def forms(secret: str) -> Iterator[bytes]:
    """A secret as it may stand in a file: plain, for a URL, and what base64 makes of it at each offset."""
    yield from (secret.encode(), quote(secret, safe="").encode())
    for offset in range(3):
        whole = base64.b64encode(b"\0" * offset + secret.encode())
        yield whole[(0, 2, 3)[offset] : len(whole) // 4 * 4 - 4]


def test_journeys_failed_as_they_were_meant_to(leaking: Leaking) -> None:
    assert leaking.ended.code == 1, leaking.ended.output
    assert "failed" in leaking.ended.of(SIGN_IN) & leaking.ended.of(DEPOSIT) & leaking.ended.of(LOST)


def test_no_secret_is_in_any_file_or_member(leaking: Leaking) -> None:
    members = list(everything(leaking.ended.folder))
    assert {"trace.trace", "trace.network"} <= {name.partition("!")[2] for name, _ in members}
    assert all(len(each) > 8 for each in leaking.secrets)
    needles = [form for each in leaking.secrets for form in forms(each)]
    assert [name for name, data in members if any(each in data for each in needles)] == []


def test_no_canary_sings_however_deep_it_is_packed(leaking: Leaking) -> None:
    assert canaries.found(leaking.ended.folder) == []


def test_trace_of_what_sent_money_is_kept_without_what_opened_the_session(leaking: Leaking) -> None:
    files = kept(leaking.ended, DEPOSIT)
    assert {"DOM", "trace", "video"} <= set(files)
    network = b"".join(data for name, data in everything(leaking.ended.folder) if name.endswith("!trace.network"))
    assert b'"method":"POST","url":"https://northgate.example/en-GB/deposit"' in network
    assert b'"name":"cookie","value":"[redacted]"' in network.lower()


def test_files_of_a_page_that_tells_its_session_are_withheld_and_the_run_says_so(leaking: Leaking) -> None:
    files = kept(leaking.ended, LOST)
    assert {"DOM, withheld", "trace, withheld"} <= set(files)
    assert not {"DOM", "trace"} & set(files)
    assert "trace was withheld: it holds " in leaking.ended.output

"""The stand-in as a process: what it says, what it writes, and that it never stays behind."""

from __future__ import annotations

import signal
import stat
import subprocess
import sys

import pytest

from tests.standin import ROOT, standin


def test_it_says_where_it_serves(stand, environment):
    served = (
        *environment.hosts,
        *environment.registry.hosts,
        environment.logs.loki.host,
        environment.change.gitlab.host,
    )
    assert set(stand.urls) == {"kubernetes", *(f"https://{host}" for host in served)}
    assert all(url.startswith("https://127.0.0.1:") for url in stand.urls.values())
    assert (stand.said["environment"], stand.said["release"], stand.said["seed"]) == ("uk-prod", "v2026.47.1", 1)


def test_only_its_owner_can_read_the_kubeconfig(stand):
    assert stat.S_IMODE(stand.kubeconfig.stat().st_mode) == 0o600


def test_the_kubeconfig_says_that_it_leads_to_a_rehearsal(stand, environment):
    assert stand.config["current-context"] == environment.cluster.context
    assert set(stand.extension) == {
        *("environment", "release", "seed", "faults", "hosts", "ca", "password", "accounts", "commit"),
        *("places", "resolvers", "moment", "feed_token", "issuer", "job"),
    }
    assert set(stand.extension["accounts"]) == {account.login for _, account in environment.api.accounts}
    gitlab = environment.change.gitlab.host
    served = {*environment.hosts, *environment.registry.hosts, environment.logs.loki.host, gitlab}
    assert set(stand.extension["hosts"]) == served


def test_it_ends_when_its_parent_closes_the_pipe():
    with standin("za-prod") as stand:
        stand.process.stdin.close()
        assert stand.process.wait(timeout=10) == 0


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_ends_on_a_signal(number):
    with standin("mt-prod") as stand:
        stand.process.send_signal(number)
        assert stand.process.wait(timeout=10) == 0


@pytest.mark.parametrize(
    ("arguments", "said"), [(["--env", "uk-prd"], "uk-prod"), (["--env", "uk-prod", "--fault", "nope"], "nope")]
)
def test_what_it_does_not_know_is_refused_in_one_line(arguments, said):
    done = subprocess.run(
        [sys.executable, "-m", "rehearsal", *arguments],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert done.returncode == 4
    assert said in done.stderr
    assert "Traceback" not in done.stderr

"""A stand-in is recognised in a kubeconfig whoever started it, and nothing else is."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from postdeploy.standin import StandinFailed, StandinProcess, contexts, kubeconfig_paths, read_standin

EXTENSION = {
    "environment": "uk-prod",
    "release": "v1",
    "seed": 3,
    "faults": ["crash-loop"],
    "hosts": {"a.example": "127.0.0.1:1"},
    "ca": "PEM",
    "password": "hunter2hunter2",
}


def kubeconfig(path: Path, name: str = "postdeploy-rehearsal") -> Path:
    cluster = {"server": "https://127.0.0.1:1", "extensions": [{"name": name, "extension": EXTENSION}]}
    content = {
        "clusters": [{"name": "c", "cluster": cluster}, {"name": "d", "cluster": {"server": "https://b.example"}}],
        "contexts": [
            {"name": "uk", "context": {"cluster": "c", "user": "u"}},
            {"name": "real", "context": {"cluster": "d", "user": "u"}},
        ],
    }
    path.write_text(json.dumps(content), encoding="utf-8")
    return path


def test_standin_is_read_from_the_cluster_of_the_context(tmp_path: Path) -> None:
    standin = read_standin(kubeconfig(tmp_path / "config"), "uk")
    assert standin is not None
    assert (standin.environment, standin.seed, standin.hosts) == ("uk-prod", 3, {"a.example": "127.0.0.1:1"})


def test_standin_says_how_its_public_side_is_reached_and_at_which_moment(tmp_path: Path, monkeypatch) -> None:
    more = {
        "places": {"203.0.113.10 443": "127.0.0.1 4443"},
        "resolvers": ["127.0.0.1 5353"],
        "moment": "2026-11-25T12:00:00+00:00",
        "feed_token": "t0k3n-t0k3n",
    }
    for name, value in more.items():
        monkeypatch.setitem(EXTENSION, name, value)
    standin = read_standin(kubeconfig(tmp_path / "config"), "uk")
    assert standin is not None
    assert (standin.places, standin.resolvers) == (more["places"], ("127.0.0.1 5353",))
    assert standin.moment == datetime(2026, 11, 25, 12, tzinfo=UTC)
    assert standin.feed_token.get_secret_value() == "t0k3n-t0k3n"
    monkeypatch.setitem(EXTENSION, "moment", "some day")
    assert read_standin(kubeconfig(tmp_path / "config"), "uk") is None


def test_standins_secrets_are_not_printed(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setitem(EXTENSION, "feed_token", "hunter2hunter3")
    assert "hunter2" not in repr(read_standin(kubeconfig(tmp_path / "config"), "uk"))


@pytest.mark.parametrize("context", ["real", "unknown"])
def test_another_context_of_the_same_file_is_no_standin(tmp_path: Path, context: str) -> None:
    assert read_standin(kubeconfig(tmp_path / "config"), context) is None


def test_foreign_extension_is_no_standin(tmp_path: Path) -> None:
    assert read_standin(kubeconfig(tmp_path / "config", "client.authentication.k8s.io/exec"), "uk") is None


@pytest.mark.parametrize("content", ["", "[]", "a: [", "contexts: null", "contexts: [1]", "contexts: 3"])
def test_unreadable_kubeconfig_knows_no_context(tmp_path: Path, content: str) -> None:
    path = tmp_path / "config"
    path.write_text(content, encoding="utf-8")
    assert contexts(path) == ()
    assert read_standin(path, "uk") is None
    assert contexts(tmp_path / "nowhere") == ()


def test_every_file_of_kubeconfig_counts() -> None:
    assert kubeconfig_paths({"KUBECONFIG": "/a:/b"}) == (Path("/a"), Path("/b"))
    assert kubeconfig_paths({}) == (Path.home() / ".kube" / "config",)


def test_standin_that_refuses_says_why_and_leaves_nothing(tmp_path: Path) -> None:
    process = StandinProcess.start("no-such-env", root=Path(__file__).parents[1])
    with pytest.raises(StandinFailed, match="no-such-env"):
        process.ready()
    process.stop()
    assert not process.folder.exists()

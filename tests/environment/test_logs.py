"""What may be declared of logs, and what is refused with a word on how to write it."""

from __future__ import annotations

from pathlib import Path

import pytest

from postdeploy.environment import load
from postdeploy.environment.files import EnvironmentFileError
from tests.environment.test_environment_errors import BASE

WRITTEN = """
logs:
  errors_per_minute: {soft: 1.0, hard: 10.0}
  limits: {web: {soft: 2.0, hard: 20.0}}
  ready: {web: "Listening at"}
  loki: {host: loki.example}
log_suppressions:
  - {template: "stale 1", most: 5, component: web, owner: me, reason: T-1, expires: 2027-01-31}
"""


@pytest.fixture
def written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    def write(text: str) -> Path:
        folder = tmp_path / "environments"
        folder.mkdir(exist_ok=True)
        (folder / "base.yaml").write_text(BASE + text, encoding="utf-8")
        (folder / "here.yaml").write_text("country: GB\n", encoding="utf-8")
        return folder

    return write


def test_limits_hold_for_all_but_those_with_their_own(written):
    logs = load("here", written(WRITTEN)).logs
    assert (logs.rate("db").hard, logs.rate("web").hard) == (10.0, 20.0)


def test_nothing_need_be_declared(written):
    logs = load("here", written("")).logs
    assert (logs.loki, logs.streams, logs.streams_per_node) == (None, 64, 4)


@pytest.mark.parametrize(
    ("right", "wrong", "said"),
    [
        ("soft: 1.0, hard: 10.0", "soft: 11.0, hard: 10.0", "logs.errors_per_minute.soft: expected at most hard"),
        ("limits: {web:", "limits: {wbe:", "logs.limits.wbe: expected a component of this environment"),
        ("ready: {web:", "ready: {nobody:", "logs.ready.nobody: expected a component of this environment"),
        ("{host: loki.example}", "{host: https://loki.example}", "logs.loki.host: expected a host name"),
        (
            "loki: {host: loki.example}",
            "loki: {host: loki.example}\n  cloud_logging: {project: p, cluster: c}",
            "logs.cloud_logging: expected one of loki and cloud_logging",
        ),
        ("most: 5, ", "", "log_suppressions[0]: missing: expected a ceiling"),
        ('template: "stale 1", ', "", "log_suppressions[0]: missing: expected a template or an exception"),
        ("component: web", "component: wbe", "log_suppressions[0].component: expected a component"),
        ("expires: 2027-01-31", "expires: soon", "log_suppressions[0].expires"),
    ],
)
def test_what_cannot_be_meant_is_refused(written, right, wrong, said):
    with pytest.raises(EnvironmentFileError) as raised:
        load("here", written(WRITTEN.replace(right, wrong)))
    assert any(each.partition(": ")[2].startswith(said) or said in each for each in raised.value.findings)

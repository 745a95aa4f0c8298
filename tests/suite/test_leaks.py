"""Canaries planted wherever a run meets text from outside are found nowhere in what it leaves."""

from __future__ import annotations

import base64
import json
import shutil
from pathlib import Path
from urllib.parse import quote

import pytest

from postdeploy.evidence.leaks import EMAIL, scan
from postdeploy.redact import Redactor
from tests.runs import RELEASE, ROOT, run
from tests.standin import standin

JWT = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJjYW5hcnkifQ.Y2FuYXJ5LXNpZ25hdHVyZQ"
CARD, IBAN, MAIL = "5555 5555 5555 4444", "GB82WEST12345698765432", "canary.client@mail.example"
PLANTED = """
import json, logging, os, sys, warnings
import allure, pytest

CANARIES = json.loads(os.environ["CANARIES"])

@pytest.mark.check("smoke.instruments.listed", over="account", owner="trading")
@pytest.mark.parametrize("planted", ["nothing"], ids=CANARIES[:1])
def test_every_instrument_is_offered(account, planted, record_property):
    for number, text in enumerate(CANARIES):
        print(text)
        print(text, file=sys.stderr)
        logging.getLogger("client").error("answered: %s", text)
        warnings.warn(text)
        record_property(f"seen {number}", text)
        allure.attach(text, name=text, attachment_type=allure.attachment_type.TEXT)
        allure.attach(json.dumps({"body": text}), name="body", attachment_type=allure.attachment_type.JSON)
        allure.dynamic.description(text)
        allure.dynamic.parameter("url", f"https://host.example/?q={text}")
        with allure.step(f"step over {text}"):
            pass
    raise AssertionError("\\n".join(CANARIES))
"""


@pytest.fixture
def leaking_checkout(tmp_path: Path) -> Path:
    """The suites with one check that leaks in every way a check can."""
    root = tmp_path / "checkout"
    for folder in ("environments", "verify", "smoke"):
        shutil.copytree(ROOT / folder, root / folder, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("conftest.py", "pyproject.toml"):
        shutil.copy(ROOT / name, root / name)
    (root / "smoke/test_instruments.py").write_text(PLANTED, encoding="utf-8")
    return root


def forms(secret: str) -> list[str]:
    return [
        secret,
        quote(secret, safe=""),
        json.dumps(secret)[1:-1],
        *(base64.b64encode(b"x" * offset + secret.encode()).decode() for offset in range(3)),
        f"https://user:{quote(secret, safe='')}@host.example/",
        f"Authorization: Basic {base64.b64encode(f'user:{secret}'.encode()).decode()}",
    ]


def test_what_a_check_leaks_in_every_way_is_nowhere_in_the_run_folder(leaking_checkout: Path, tmp_path: Path) -> None:
    with standin("uk-prod") as stand:
        password = str(stand.extension["password"])
        canaries = [*forms(password), JWT, CARD, IBAN, MAIL]
        ended = run(
            *("-m", "smoke", "--env=uk-prod", f"--release={RELEASE}", "--hold=0"),
            archive=tmp_path / "archive",
            cwd=leaking_checkout,
            env={"KUBECONFIG": str(stand.kubeconfig), "CANARIES": json.dumps(canaries), "POSTDEPLOY_REPORT": "1"},
        )
        token = stand.token
    assert ended.code == 1, ended.output
    assert "taken out" not in ended.output
    assert "UserWarning: [redacted]" in ended.output
    assert f"UserWarning: {password}" not in ended.output
    kept = {match[0] for match in EMAIL.finditer((ended.folder / "environment.json").read_text(encoding="utf-8"))}
    redactor = Redactor([password, token], keep=kept)
    names = [each for each in ended.folder.rglob("*") if each.is_file()]
    assert {"auditor.html", "junit.xml", "postdeploy.log", "results.json"} <= {each.name for each in names}
    assert {each.name: found for each in names if (found := scan(each.read_bytes(), redactor))} == {}
    assert (ended.folder / "results.json").read_text(encoding="utf-8").count("[redacted]") >= len(canaries)

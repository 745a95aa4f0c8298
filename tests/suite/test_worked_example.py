"""The worked example of docs/smoke.md does what it says, piece by piece as it is printed there."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.runs import ROOT, run, variables

NEW_FILE = re.compile(r"new file `(?P<path>[\w/.]+)`.*?```python\n(?P<text>.*?)```", re.S)
HEADING = re.compile(r"```markdown\n(?P<text>.*?)```", re.S)
COPIED = ("postdeploy", "rehearsal", "environments", "verify", "smoke", "docs")


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A copy of this checkout with the example's pieces in it."""
    root, page = tmp_path / "checkout", (ROOT / "docs/smoke.md").read_text(encoding="utf-8")
    for folder in COPIED:
        shutil.copytree(ROOT / folder, root / folder, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("conftest.py", "pyproject.toml"):
        shutil.copy(ROOT / name, root / name)
    pieces = {each["path"]: each["text"] for each in NEW_FILE.finditer(page)}
    assert len(pieces) == 3
    for path, text in pieces.items():
        assert not (root / path).exists()
        (root / path).write_text(text, encoding="utf-8")
    enter(root / "rehearsal/catalogue.py")
    heading = HEADING.search(page)
    assert heading
    with (root / "docs/runbook.md").open("a", encoding="utf-8") as runbook:
        runbook.write(f"\n{heading['text']}")
    write = "from pathlib import Path; from postdeploy.evidence import catalogue as c; c.write(Path('.'))"
    subprocess.run([sys.executable, "-c", write], cwd=root, env=variables({"PYTHONPATH": str(root)}), check=True)
    return root


def enter(catalogue: Path) -> None:
    """Enter the fault's module in TOPICS, as the text asks for."""
    text = catalogue.read_text(encoding="utf-8")
    text = text.replace("from rehearsal import (\n", "from rehearsal import (\n    faults_calendar,\n", 1)
    text = text.replace("TOPICS = (\n", "TOPICS = (\n    faults_calendar,\n", 1)
    catalogue.write_text(text, encoding="utf-8")


def test_example_is_green_and_its_fault_turns_it_red(checkout: Path, tmp_path: Path) -> None:
    arguments = ("-m", "smoke", "-k", "calendar", "--env=uk-prod", "--rehearsal")
    env = {"PYTHONPATH": str(checkout)}
    green = run(*arguments, archive=tmp_path / "green", cwd=checkout, env=env)
    assert green.code == 0, green.output
    assert green.of("smoke.calendar.ahead") == {"passed"}
    assert "the next one is 2" in green.messages("smoke.calendar.ahead")[0]
    red = run(*arguments, "--fault=calendar-ends", archive=tmp_path / "red", cwd=checkout, env=env)
    assert red.code == 1, red.output
    assert "0 days, all of them past" in red.messages("smoke.calendar.ahead")[0]

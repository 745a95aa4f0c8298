"""Worked examples of the documentation: their pieces are taken as they are printed, into a copy of the checkout."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

from tests.runs import ROOT, variables

NEW_FILE = re.compile(r"new file `(?P<path>[\w/.]+)`.*?```python\n(?P<text>.*?)```", re.S)
HEADING = re.compile(r"```markdown\n(?P<text>.*?)```", re.S)
COPIED = ("postdeploy", "rehearsal", "environments", "verify", "smoke", "journeys", "docs")


def pieces(page: str) -> dict[str, str]:
    """Path to content of every new file that a page of the documentation asks for."""
    text = (ROOT / page).read_text(encoding="utf-8")
    return {each["path"]: each["text"] for each in NEW_FILE.finditer(text)}


def checkout(root: Path) -> Path:
    """A copy of this checkout, to be changed."""
    for folder in COPIED:
        shutil.copytree(ROOT / folder, root / folder, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("conftest.py", "pyproject.toml"):
        shutil.copy(ROOT / name, root / name)
    return root


def checkout_with(page: str, root: Path) -> Path:
    """A copy of this checkout with a page's pieces in it: files, fault in TOPICS, heading in the runbook."""
    checkout(root)
    for path, text in pieces(page).items():
        assert not (root / path).exists()
        (root / path).write_text(text, encoding="utf-8")
        if path.startswith("rehearsal/"):
            _enter(root / "rehearsal/catalogue.py", Path(path).stem)
    heading = HEADING.search((ROOT / page).read_text(encoding="utf-8"))
    assert heading
    with (root / "docs/runbook.md").open("a", encoding="utf-8") as runbook:
        runbook.write(f"\n{heading['text']}")
    write = "from pathlib import Path; from postdeploy.evidence import catalogue as c; c.write(Path('.'))"
    subprocess.run([sys.executable, "-c", write], cwd=root, env=variables({"PYTHONPATH": str(root)}), check=True)
    return root


def _enter(catalogue: Path, module: str) -> None:
    """Enter the fault's module in TOPICS, as the text asks for."""
    text = catalogue.read_text(encoding="utf-8")
    text = text.replace("from rehearsal import (\n", f"from rehearsal import (\n    {module},\n", 1)
    text = text.replace("TOPICS = (\n", f"TOPICS = (\n    {module},\n", 1)
    catalogue.write_text(text, encoding="utf-8")

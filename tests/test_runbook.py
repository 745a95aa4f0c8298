"""The runbook has a heading for each check id, and none for a check that is gone."""

from __future__ import annotations

import re
from pathlib import Path

from postdeploy import parity
from postdeploy.evidence import catalogue

ROOT = Path(__file__).parents[1]


def test_runbook_and_catalogue_are_in_step() -> None:
    page = (ROOT / "docs/runbook.md").read_text(encoding="utf-8")
    assert sorted(re.findall(r"^## (\S+)$", page, re.MULTILINE)) == sorted(
        each.id for each in (*catalogue.scan(ROOT), *parity.CHECKS)
    )

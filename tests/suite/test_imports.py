"""A run that needs no browser, database or Kubernetes does not pay for importing their clients."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.runs import RELEASE, ROOT, variables

CLIENTS = ("kubernetes", "aiohttp", "playwright", "sqlalchemy", "httpx")
PROBE = f"""
import sys, pytest
code = pytest.main(sys.argv[1:])
print("loaded:", *sorted(set({CLIENTS!r}) & set(sys.modules)))
sys.exit(code)
"""


def loaded(*arguments: str, plugins: bool = True) -> set[str]:
    # respx, a plugin of the tests, imports httpx by itself.
    command = [sys.executable, "-c", PROBE, "-p", "no:cacheprovider", "-p", "no:respx", *arguments]
    said = subprocess.run(command, cwd=ROOT, env=variables(), capture_output=True, text=True, check=True).stdout
    return set(said.splitlines()[-1].removeprefix("loaded:").split())


def test_run_over_the_endpoints_imports_no_kubernetes_client(tmp_path: Path) -> None:
    # One check holds the hosts against the cluster, and is left out here.
    arguments = ("-m", "endpoints", "-k", "not cluster", "--env=uk-prod", "--rehearsal", f"--archive={tmp_path}")
    # The ledger is opened when everything is judged and signed: its import delays no look.
    assert loaded(*arguments) == {"httpx", "sqlalchemy"}


@pytest.mark.parametrize("look", ["--plan", "--collect-only"])
def test_planning_imports_no_client_at_all(look: str) -> None:
    assert loaded("-m", "verify", "--env=uk-prod", f"--release={RELEASE}", look) == set()

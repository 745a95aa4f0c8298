"""What a newcomer and the CI type first: the Makefile, the lockfiles, and what they may fetch."""

import json
import os
import re
import shutil
import subprocess
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
LOCK = tomllib.loads((ROOT / "uv.lock").read_text(encoding="utf-8"))
ALLURE = json.loads((ROOT / "tools/allure/package-lock.json").read_text(encoding="utf-8"))
PYPI = "https://pypi.org/simple"
SCRIPTS = ["Makefile", ".ci/run", ".gitlab-ci.yml", ".pre-commit-config.yaml", "tools/get_uv.py"]
FAKE_UV = """#!/bin/sh
echo "$*" >> calls
mkdir -p .venv/bin
ln -sf /bin/false .venv/bin/python
"""


@pytest.fixture
def checkout(tmp_path):
    """A checkout in which `uv` only notes what it was asked; `make` in it."""
    for name in ("Makefile", "pyproject.toml", "uv.lock", "tools/get_uv.py", "tools/allure/package-lock.json"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, tmp_path / name)
    fake = tmp_path / "bin" / "uv"
    fake.parent.mkdir()
    fake.write_text(FAKE_UV)
    fake.chmod(0o755)

    def make(*arguments, **environ):
        (tmp_path / "calls").write_text("")
        done = subprocess.run(
            ["make", *arguments],
            cwd=tmp_path,
            env={"PATH": f"{fake.parent}:{os.environ['PATH']}"} | environ,
            capture_output=True,
            text=True,
            check=False,
        )
        return done.returncode, done.stdout + done.stderr, (tmp_path / "calls").read_text().splitlines()

    return make


def test_make_alone_prints_the_targets(checkout):
    code, said, calls = checkout()
    described = re.findall(r"^([a-z]+):.*## ", (ROOT / "Makefile").read_text(), re.MULTILINE)
    assert (code, calls) == (0, [])
    assert {"setup", "rehearsal", "test", "matrix", "lint"} <= set(described)
    assert re.findall(r"^  make (\S+)", said, re.MULTILINE) == described


def test_every_target_for_people_is_phony_and_described():
    text = (ROOT / "Makefile").read_text()
    phony = re.search(r"^\.PHONY: (.*)", text, re.MULTILINE)[1].split()
    assert phony == re.findall(r"^([a-z]+):.*## ", text, re.MULTILINE)


def test_a_second_setup_asks_for_nothing(checkout, tmp_path):
    assert checkout("setup")[2] != []
    assert checkout("setup") == (0, "", [])


@pytest.mark.parametrize("name", ["uv.lock", "pyproject.toml"])
def test_what_is_installed_follows_the_lockfile(checkout, tmp_path, name):
    checkout("setup")
    stamp = (tmp_path / ".venv" / ".run").stat().st_mtime
    os.utime(tmp_path / name, (stamp + 1, stamp + 1))
    assert checkout("setup")[2] != []


def test_a_rehearsal_installs_without_the_dev_group_and_removes_nothing(checkout):
    calls = checkout("setup")[2]
    assert all(each.startswith("sync --frozen --inexact ") for each in calls)
    assert not any("dev" in each for each in calls)


def test_no_allure_is_said_in_one_line_and_fails_nothing(checkout):
    code, said, _ = checkout("setup")
    assert code == 0
    assert said.startswith("Allure is not installed, so no report.html will be made")
    assert len(said.splitlines()) == 1


def test_behind_a_mirror_everything_comes_from_the_mirror_with_the_locked_hashes(checkout):
    calls = checkout("setup", PIP_INDEX_URL="https://mirror.example/simple")[2]
    assert not any(each.startswith("sync") for each in calls)
    assert any(each.startswith("pip install") and "--require-hashes" in each for each in calls)


def test_the_public_index_needs_no_detour(checkout):
    calls = checkout("setup", PIP_INDEX_URL=PYPI + "/")[2]
    assert all(each.startswith("sync") for each in calls)


def test_uv_lock_is_in_step_with_pyproject():
    uv = shutil.which("uv") or shutil.which(ROOT / ".uv" / "uv")
    assert uv, "no uv: run the tests by `make test`"
    command = [uv, "lock", "--check", "--offline", "--default-index", PYPI, "--quiet"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{done.stderr}\nRun: make lock"


def test_uv_lock_names_the_public_index_alone():
    sources = [each["source"] for each in LOCK["package"] if each["name"] != "postdeploy"]
    assert all(each == {"registry": PYPI} for each in sources)


def test_uv_lock_has_a_hash_for_every_file():
    files = [file for each in LOCK["package"] for file in [*each.get("wheels", []), each.get("sdist")] if file]
    assert files
    assert all(file["hash"].startswith("sha256:") for file in files)


def test_allure_lock_has_an_address_and_a_hash_for_every_package():
    packages = [each for path, each in ALLURE["packages"].items() if path]
    assert packages
    assert all(each["integrity"].startswith("sha512-") for each in packages)
    assert all(each["resolved"].startswith("https://registry.npmjs.org/") for each in packages)


def test_the_package_is_built_by_the_uv_that_is_pinned():
    get_uv = (ROOT / "tools/get_uv.py").read_text()
    pinned = re.search(r'^VERSION = "(.*)"', get_uv, re.MULTILINE)[1]
    assert PYPROJECT["build-system"]["requires"][0].startswith(f"uv_build>={pinned},")


def test_a_verify_run_installs_without_dev_tools():
    assert PYPROJECT["tool"]["uv"]["default-groups"] == []
    named = {re.match(r"[\w.-]+", each)[0] for each in PYPROJECT["project"]["dependencies"]}
    assert named.isdisjoint({"ruff", "mypy", "pytest-xdist", "pytest-cov", "respx", "hypothesis"})


def test_the_plugin_is_not_switched_on_for_every_pytest_of_the_machine():
    assert "entry-points" not in PYPROJECT["project"]


@pytest.mark.parametrize("name", SCRIPTS)
def test_no_install_script_of_a_third_party_is_run(name):
    text = (ROOT / name).read_text(encoding="utf-8").replace("need curl curl\n", "")  # the tests compare with it
    assert not re.search(r"\b(curl|wget)\b|\|\s*(ba)?sh\b|install\.sh|get-pip|astral\.sh", text)


def test_npm_runs_no_script_of_a_package():
    commands = re.findall(r"npm-cli\.js.*", (ROOT / "Makefile").read_text())
    assert commands
    assert all("ci --ignore-scripts" in each for each in commands)


def test_no_python_is_ever_downloaded():
    assert "export UV_PYTHON_DOWNLOADS := never" in (ROOT / "Makefile").read_text()
    assert PYPROJECT["tool"]["uv"]["python-downloads"] == "never"

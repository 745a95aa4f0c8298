"""Whole runs of the suite, each in a process of its own that begins where all of them would: with its libraries loaded.

Importing pytest and the clients takes half of what a rehearsal costs, and hundreds of runs import the very same. A
server that has loaded them, and nothing of ours, forks for each run; from there on it is `pytest -m verify …` itself.
"""

from __future__ import annotations

import json
import multiprocessing
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from multiprocessing.context import ForkServerContext
from pathlib import Path

from rehearsal import canaries

ROOT = Path(__file__).parents[1]
RUN_TAKES_AT_MOST_S = 180.0
UNNEEDED = ("hypothesispytest", "xdist", "pytest_cov", "respx")
"""Plugins of the harness's own tests, which a Verify run does without."""
LIBRARIES = (
    *("pytest", "_pytest.assertion.rewrite", "allure_pytest.plugin", "allure_pytest.listener", "loguru"),
    *("aiohttp", "kubernetes.aio.client", "kubernetes.aio.config", "httpx", "anyio.from_thread"),
    *("anyio._backends._asyncio", "msgspec", "pydantic_settings", "ruamel.yaml", "cryptography.x509"),
    *("dns.asyncresolver", "websockets.asyncio.client", "h2.connection", "jsonschema"),
    *("sqlalchemy", "sqlalchemy.dialects.sqlite", "pyotp", "playwright.sync_api"),
)
"""What nearly every run imports, and is not ours."""


@dataclass(frozen=True)
class Ran:
    """What one whole run came to."""

    exit_code: int
    results: list[dict[str, str]]
    output: str
    evidence: str = ""
    """What is wrong with the run folder itself: a secret in it, another verdict in its replay; empty: nothing."""


class Suite:
    """The suite as a pipeline would run it, as cheaply as that can be."""

    def __init__(self, cache: Path, *, replays: bool = False) -> None:
        """`cache`: where all runs share their compiled modules, whatever the user's own setting for them is.

        `replays`: judge each run again, by a clock that is a year ahead.
        """
        self.replays = replays
        # A report nobody opens is most of a run's time, and compiling the suite each time much of the rest.
        self.variables = {"POSTDEPLOY_REPORT": "0", "PYTHONPYCACHEPREFIX": str(cache), "PYTHONDONTWRITEBYTECODE": ""}
        self._context: ForkServerContext = multiprocessing.get_context("forkserver")
        self._context.set_forkserver_preload([*LIBRARIES])

    def __call__(self, options: Sequence[str]) -> Ran:
        """One whole run, into an archive of its own that goes with it. Raises subprocess.TimeoutExpired."""
        with tempfile.TemporaryDirectory(prefix="matrix-") as archive:
            said = Path(archive) / "output"
            own = [f"--archive={archive}", f"--state={archive}/.state", "-o", f"cache_dir={archive}/.cache"]
            arguments = [*self.arguments(options), *own]
            process = self._context.Process(target=_pytest, args=(arguments, self.variables, str(said)))
            process.start()
            process.join(RUN_TAKES_AT_MOST_S)
            output = said.read_text(encoding="utf-8", errors="replace") if said.is_file() else ""
            if process.exitcode is None:
                process.kill()
                process.join()
                raise subprocess.TimeoutExpired("pytest", RUN_TAKES_AT_MOST_S, output=output.encode())
            found = sorted(Path(archive).glob("*/*/results.json"))
            results = json.loads(found[0].read_text(encoding="utf-8")) if found else []
            wrong = self._wrong_with(found[0].parent, results, options) if found else ""
        return Ran(process.exitcode, results, output, wrong)

    def _wrong_with(self, folder: Path, results: Sequence[Mapping[str, str]], options: Sequence[str]) -> str:
        """What an auditor must not meet, a year later: a secret, or a replay that comes to something else."""
        if sung := canaries.found(folder):
            return f"a secret is in the run folder: {', '.join(sung)}"
        return self._replayed(folder, results, options) if self.replays else ""

    def _replayed(self, folder: Path, results: Sequence[Mapping[str, str]], options: Sequence[str]) -> str:
        """How a replay of the folder differs, by a clock that is a year ahead."""
        archive = folder.parent / "again"
        tier = list(options[:2])  # the tier that ran is the tier that is judged again
        arguments = [*self.arguments([*tier, f"--replay={folder}"]), f"--archive={archive}", "-p", "no:cacheprovider"]
        said = archive.with_suffix(".output")
        process = self._context.Process(target=_a_year_later, args=(arguments, self.variables, str(said)))
        process.start()
        process.join(RUN_TAKES_AT_MOST_S)
        if process.exitcode is None:
            process.kill()
            process.join()
        made = next(archive.glob("*/*/results.json"), None)
        if made is None:
            return f"its replay left no results (exit code {process.exitcode})"
        again = {(each["id"], each["subject"]): each["verdict"] for each in json.loads(made.read_bytes())}
        differ = [each for each in results if again.get((each["id"], each["subject"])) != each["verdict"]]
        return ", ".join(
            f"its replay says {again.get((each['id'], each['subject']))} of {each['id']}[{each['subject']}], "
            f"not {each['verdict']}"
            for each in differ[:3]
        )

    @staticmethod
    def arguments(options: Sequence[str]) -> list[str]:
        """What follows `pytest` on the command line."""
        unneeded = [part for each in UNNEEDED for part in ("-p", f"no:{each}")]
        return [*options, "--tb=no", *unneeded]


def _a_year_later(arguments: Sequence[str], variables: Mapping[str, str], said: str) -> None:
    """The same by a clock that is a year ahead."""
    import time_machine

    time_machine.travel(datetime.now(UTC) + timedelta(days=366)).start()
    _pytest(arguments, variables, said)


def _pytest(arguments: Sequence[str], variables: Mapping[str, str], said: str) -> None:
    """The forked process: its standard streams as a pipeline gives them, and pytest's own main."""
    os.chdir(ROOT)
    os.environ.update(variables)
    with Path(said).open("wb") as output, Path(os.devnull).open("rb") as nothing:
        for stream, number in ((nothing, 0), (output, 1), (output, 2)):
            os.dup2(stream.fileno(), number)
    sys.stdin, sys.stdout, sys.stderr = (
        os.fdopen(number, mode, buffering=1, closefd=False) for number, mode in ((0, "r"), (1, "w"), (2, "w"))
    )
    import pytest

    code = pytest.main([*arguments])
    sys.stdout.flush()
    os._exit(int(code))

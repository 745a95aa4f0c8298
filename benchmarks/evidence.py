"""`python -m benchmarks.evidence`: what evidence costs beside Allure's rendering, what it notices, what a kill leaves.

Three figures over real rehearsals of uk-prod, each with its promise; exit code 1 where one is broken.
"""

from __future__ import annotations

import os
import random
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import msgspec

from postdeploy.environment import load
from postdeploy.evidence import gate, report
from postdeploy.evidence.attestation import attest
from postdeploy.evidence.findings import State
from postdeploy.evidence.folder import RunFolder
from postdeploy.evidence.leaks import harmless
from postdeploy.evidence.manifest import write_manifest
from postdeploy.evidence.results import Result
from postdeploy.evidence.run_record import RunRecord
from postdeploy.evidence.signing import SigningKey
from postdeploy.evidence.trust import Trusted, read_trust
from postdeploy.evidence.unfinished import MARK, is_closed, mark_unfinished
from postdeploy.evidence.verifying import verify_folder
from postdeploy.redact import Redactor
from tests.evidence.signed import Keys, make_keys
from tests.evidence.tampering import ALTERATIONS, SEALS, at_once, files, snapshot

ROOT = Path(__file__).parents[1]
MOST_S = 3.0


def main() -> int:
    kills = int(sys.argv[1]) if len(sys.argv) > 1 else 50
    with tempfile.TemporaryDirectory(prefix="postdeploy-bench-") as scratch:
        place = Path(scratch)
        keys = make_keys(place)
        began = time.monotonic()
        run = rehearse(place / "archive", f"--sign-key={keys.private}")
        took = time.monotonic() - began
        kept = [cost(run, keys.open()), tampering(run, keys, place), killed(kills, took, place)]
    return 0 if all(kept) else 1


def command(archive: Path, *more: str) -> list[str]:
    base = [
        sys.executable,
        "-m",
        "pytest",
        "-p",
        "no:cacheprovider",
        "-m",
        "verify and not journeys",
        "--env=uk-prod",
        "--rehearsal",
    ]
    return [*base, "--hold=0", f"--archive={archive}", *more]


def rehearse(archive: Path, *more: str) -> Path:
    variables = os.environ | {"POSTDEPLOY_REPORT": "0"}
    subprocess.run(command(archive, *more), cwd=ROOT, env=variables, capture_output=True, check=True)
    return next((archive / "uk-prod").iterdir())


def cost(run: Path, key: SigningKey) -> bool:
    """Masking, leak scan of everything with report.html, manifest and signatures, beside Allure's rendering."""
    copy = RunFolder(run.with_name("copy"))
    shutil.copytree(run, copy.path)
    record = msgspec.json.decode((run / "run.json").read_bytes(), type=RunRecord)
    results = msgspec.json.decode((run / "results.json").read_bytes(), type=tuple[Result, ...])
    redactor = Redactor(["benchmark-secret-1", "benchmark-secret-2"], keep=harmless(environment_of(record), ()))
    start = time.monotonic()
    try:
        report.render(copy, record)
    except report.NoReport as error:
        print(f"report.html is not there ({error}): the cost is measured without it")
    rendered = time.monotonic() - start
    start = time.monotonic()
    rendered_files = ["report.html"] if (copy.path / "report.html").is_file() else []
    found = gate.sift(copy, redactor, gate.files(copy, but=rendered_files))
    withdrawn = [*found.withdrawn, *gate.withdraw(copy, redactor, rendered_files)]
    write_manifest(copy)
    attest(copy, record, results, (), key)
    took = time.monotonic() - start
    shutil.rmtree(copy.path)
    ratio = took / rendered
    print(f"evidence: {took:.2f} s for {len(files(run))} files, {ratio:.2f} of Allure's rendering ({rendered:.2f} s)")
    return took <= MOST_S and not withdrawn


def environment_of(record: RunRecord) -> str:
    return load(record.environment).model_dump_json()


def tampering(run: Path, keys: Keys, place: Path) -> bool:
    """Every alteration of every file: those the manifest binds all at once for each kind, the seals one by one."""
    trusted = read_trust(keys.trust())
    bound = [name for name in files(run) if not name.startswith(SEALS)]
    seals = [name for name in files(run) if name.startswith(SEALS)]
    located = made = 0
    for alteration in ALTERATIONS:
        for names in (bound, *([name] for name in seals)):
            copy = place / "altered"
            shutil.copytree(run, copy)
            expected = at_once(copy, names, alteration) if names is bound else alteration(copy, *names)
            located += len(expected & {each.path for each in verify_folder(copy, trusted).findings})
            made += len(expected)
            shutil.rmtree(copy)
    print(f"tampering: {located} of {made} altered files located ({len(ALTERATIONS)} kinds, {len(files(run))} files)")
    return located == made and whole(run, trusted)


def whole(run: Path, trusted: tuple[Trusted, ...]) -> bool:
    return verify_folder(run, trusted).state is State.WHOLE


def killed(count: int, took: float, place: Path) -> bool:
    """SIGKILL at random moments of a run: what was written stays, the folder says so, and it is marked."""
    draw = random.Random(8)  # the moments, not the kills, are repeatable
    honest = marked = begun = 0
    for number in range(count):
        archive = place / f"killed-{number}"
        process = subprocess.Popen(command(archive), cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            process.wait(draw.uniform(0.1, 1.1) * took)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        for dead in (archive / "uk-prod").glob("*"):
            ended, before = process.returncode == 0, snapshot(dead)
            begun += not ended
            state = verify_folder(dead).state
            mark_unfinished(archive, "the-next-run")
            after = snapshot(dead)
            intact = all(after.get(name) == digest for name, digest in before.items())
            closed = is_closed(dead)
            honest += not ended and intact and state is not State.TAMPERED
            marked += not ended and (closed or (dead / MARK).is_file())
        shutil.rmtree(archive, ignore_errors=True)
    print(
        f"kills: {count}, of which {begun} had a folder: {honest} honest and intact, {marked} marked or already closed"
    )
    return honest == marked == begun


if __name__ == "__main__":
    sys.exit(main())

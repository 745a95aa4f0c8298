"""run.json: who verified what, when, where, with which approval and which version of the checks."""

from __future__ import annotations

import hashlib
import platform
import subprocess
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path

import msgspec

from postdeploy.evidence.catalogue import FILE, catalogue_sha256
from postdeploy.evidence.ledger.chain import Head
from postdeploy.evidence.results import Result, counts, worst
from postdeploy.evidence.signing import UNSIGNED
from postdeploy.verdict import ExitCode, Verdict

PACKAGES = (
    "aiohttp",
    "allure-pytest",
    "anyio",
    "axe-playwright-python",
    "cronsim",
    "cryptography",
    "dnspython",
    "httpx",
    "jsonschema",
    "hyperscan",
    "kubernetes",
    "loguru",
    "msgspec",
    "playwright",
    "psutil",
    "pydantic",
    "pydantic-settings",
    "pyjwt",
    "pyotp",
    "pytest",
    "rfc3161-client",
    "rfc8785",
    "ruamel.yaml",
    "sniffio",
    "sqlalchemy",
    "securesystemslib",
    "tenacity",
    "trustme",
    "websockets",
)
"""The direct dependencies, whose versions can change what a check sees."""


class Suite(msgspec.Struct, frozen=True):
    """Which version of the checks judged, and by which expectations."""

    commit: str
    """Commit of the checkout, or "unknown"."""
    dirty: bool | None
    """Whether the checkout differed from its commit; none when unknown."""
    environment_sha256: str
    catalogue_sha256: str
    python: str
    packages: dict[str, str]


class Pipeline(msgspec.Struct, frozen=True):
    """Who ran it and with which approval, as the CI says; nothing else of its variables is kept."""

    url: str | None = None
    job: str | None = None
    commit: str | None = None
    tag: str | None = None
    actor: str | None = None
    approver: str | None = None
    ticket: str | None = None
    id: str | None = None
    project: str | None = None
    created: str | None = None
    approved_at: str | None = None


VARIABLES = {
    "url": ("CI_JOB_URL", "CI_PIPELINE_URL"),
    "job": ("CI_JOB_NAME",),
    "commit": ("CI_COMMIT_SHA",),
    "tag": ("CI_COMMIT_TAG",),
    "actor": ("GITLAB_USER_LOGIN",),
    "approver": ("POSTDEPLOY_APPROVER",),
    "ticket": ("POSTDEPLOY_TICKET",),
    "id": ("CI_PIPELINE_ID",),
    "project": ("CI_PROJECT_PATH",),
    "created": ("CI_PIPELINE_CREATED_AT",),
    "approved_at": ("POSTDEPLOY_APPROVED_AT",),
}
"""Where each field of the pipeline comes from: the first variable that is set."""


class RunRecord(msgspec.Struct, frozen=True):
    """The record of one run."""

    run_id: str
    environment: str
    release: str
    verdict: Verdict
    exit_code: int
    scope: str
    """The selecting expression, or "full"; a partial scope never counts as a verification of the release."""
    rehearsal: bool
    replay_of: str | None
    started: datetime
    finished: datetime | None
    suite: Suite
    pipeline: Pipeline
    counts: dict[str, int]
    planned: int
    executed: int
    plan_sha256: str = ""
    """Hash of plan.json, which was written before the first look."""
    signing: str = UNSIGNED
    """Id of the key that signs the evidence, or "unsigned"."""
    timestamps: str = ""
    """Authority that was asked when the signatures were made; none where nobody was to be asked."""
    ledger: Head | None = None
    """The newest entry of the ledger when the run ended; none where it could not be read."""

    @property
    def is_signed(self) -> bool:
        """Whether attestations/ belong to it."""
        return self.signing != UNSIGNED

    @property
    def is_full(self) -> bool:
        """Whether everything planned was selected."""
        return self.scope == "full"


def begin(
    *,
    run_id: str,
    environment: str,
    release: str,
    scope: str,
    started: datetime,
    suite: Suite,
    pipeline: Pipeline,
    planned: int,
    rehearsal: bool = False,
    replay_of: str | None = None,
    plan_sha256: str = "",
    signing: str = UNSIGNED,
    timestamps: str = "",
) -> RunRecord:
    """The record as it stands when the plan is written: unverified, so a run that is killed says so."""
    return RunRecord(
        run_id=run_id,
        environment=environment,
        release=release,
        verdict=Verdict.UNVERIFIED,
        exit_code=int(ExitCode.UNVERIFIED),
        scope=scope,
        rehearsal=rehearsal,
        replay_of=replay_of,
        started=started,
        finished=None,
        suite=suite,
        pipeline=pipeline,
        counts=counts(()),
        planned=planned,
        executed=0,
        plan_sha256=plan_sha256,
        signing=signing,
        timestamps=timestamps,
    )


def finish(record: RunRecord, results: Iterable[Result], exit_code: int, finished: datetime | None = None) -> RunRecord:
    """The record of a run that came to its end."""
    known = tuple(results)
    return msgspec.structs.replace(
        record,
        verdict=_overall(known, exit_code),
        exit_code=int(exit_code),
        finished=finished or datetime.now(UTC),
        counts=counts(known),
        executed=sum(each.executed for each in known),
    )


def unproven(record: RunRecord) -> RunRecord:
    """The record of a good run whose evidence could not be made: what cannot be proved did not happen."""
    if record.exit_code not in (ExitCode.VERIFIED, ExitCode.SOFT):
        return record
    return msgspec.structs.replace(record, verdict=Verdict.UNVERIFIED, exit_code=int(ExitCode.UNVERIFIED))


def describe_suite(root: Path, environment_json: bytes, catalogue: Path = FILE) -> Suite:
    """The version of the checks in `root`, and hashes of what they expect."""
    commit, dirty = _checkout(root)
    return Suite(
        commit=commit,
        dirty=dirty,
        environment_sha256=hashlib.sha256(environment_json).hexdigest(),
        catalogue_sha256=catalogue_sha256(catalogue),
        python=platform.python_version(),
        packages=dict(_versions()),
    )


def describe_pipeline(variables: Mapping[str, str]) -> Pipeline:
    """The allow-listed facts of the CI; a variable that is not listed never reaches a record."""
    return Pipeline(
        **{
            field: next((variables[name] for name in names if variables.get(name)), None)
            for field, names in VARIABLES.items()
        }
    )


def _overall(results: tuple[Result, ...], exit_code: int) -> Verdict:
    """The run's verdict never says more than its exit code does."""
    match exit_code:
        case ExitCode.RESIDUE:
            return Verdict.RESIDUE
        case ExitCode.FAILED:
            return Verdict.FAILED
        case ExitCode.VERIFIED | ExitCode.SOFT:
            good = (Verdict.PASSED, Verdict.DEGRADED, Verdict.FLAKY)
            return worst(each.verdict for each in results if each.verdict in good)
        case _:
            return Verdict.UNVERIFIED


def _checkout(root: Path) -> tuple[str, bool | None]:
    """Commit and dirtiness in one call of git; a wheel, a tarball or a checkout of somebody else's is "unknown"."""
    command = ["git", "-C", str(root), "status", "--porcelain=v2", "--branch"]
    try:
        said = subprocess.run(command, capture_output=True, text=True, timeout=10, check=True).stdout
    except (OSError, subprocess.SubprocessError):
        return "unknown", None
    commit = next((line.split()[2] for line in said.splitlines() if line.startswith("# branch.oid ")), "unknown")
    dirty = any(not line.startswith("#") for line in said.splitlines())
    return ("unknown" if commit == "(initial)" else commit), dirty


def _versions() -> Iterable[tuple[str, str]]:
    for name in ("postdeploy", *PACKAGES):
        try:
            yield name, metadata.version(name)
        except metadata.PackageNotFoundError:
            continue

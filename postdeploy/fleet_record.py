"""What the run over several environments leaves: its children side by side, what differs, and a folder of its own."""

from __future__ import annotations

import json
import os
import subprocess
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
import pytest

from postdeploy import observations, parity
from postdeploy.beginning import CannotBegin, read_digests
from postdeploy.booking import Book, place_of
from postdeploy.environment import Environment
from postdeploy.evidence import closing, run_record
from postdeploy.evidence.allure_context import FOLDER, user_folder
from postdeploy.evidence.closing import Extras
from postdeploy.evidence.folder import RunFolder
from postdeploy.evidence.looks import Looks
from postdeploy.evidence.plan import Planned
from postdeploy.evidence.results import complete, counts, worst
from postdeploy.evidence.run_record import RunRecord
from postdeploy.evidence.signing import UNSIGNED, SigningKey
from postdeploy.evidence.statements import sha256_of
from postdeploy.options import ALL
from postdeploy.readings import Seen
from postdeploy.redact import Redactor
from postdeploy.run import DIGESTS_FILE
from postdeploy.verdict import ExitCode, Unverified

if TYPE_CHECKING:
    from postdeploy.evidence.allure import AllureRecorder

NOT_COMPARED = "no environment's infrastructure was looked at"


@dataclass
class Child:
    """One environment's run."""

    environment: str
    exit_code: int = int(ExitCode.UNVERIFIED)
    seconds: float = 0.0
    output: str = ""
    record: RunRecord | None = None
    folder: Path | None = None
    process: subprocess.Popen[str] | None = field(default=None, repr=False)

    @property
    def row(self) -> tuple[str, ...]:
        """Its line of the table."""
        if self.record is None:
            return self.environment, f"no record (exit {self.exit_code})", "", "", "", f"{self.seconds:.1f} s", ""
        tally = self.record.counts
        bad, blind = tally["failed"] + tally["residue"], tally["unverified"]
        good = f"{tally['passed']} of {self.record.planned}"
        return (
            self.environment,
            str(self.record.verdict),
            str(bad),
            str(blind),
            good,
            f"{self.seconds:.1f} s",
            str(self.folder),
        )


def compare(
    children: Sequence[Child], environments: Sequence[Environment], planned: Sequence[Planned]
) -> tuple[parity.Finding, ...]:
    """The claims over what the children saved; none where not one of them was asked to look at its cluster."""
    seen = [_seen(child, environment) for child, environment in zip(children, environments, strict=True)]
    if any(each.snapshot for each in seen) or any(map(_looked, children)):
        return parity.judge((each for each in planned if each.applicable), seen)
    return ()


def _seen(child: Child, environment: Environment) -> Seen:
    """What a child saved of its cluster, or why there is nothing."""
    if child.folder is None or child.record is None:
        return Seen(environment, "", None, f"its run left no record (exit {child.exit_code})")
    release, digests = child.record.release, child.folder / DIGESTS_FILE
    try:
        snapshot = observations.load("cluster", child.folder)
        accepted = read_digests(digests) if digests.is_file() else {}
    except (Unverified, CannotBegin) as error:
        return Seen(environment, release, None, str(error).replace("the replayed run", "its run"))
    return Seen(environment, release, snapshot, digests=accepted)


def _looked(child: Child) -> bool:
    """Whether a check of the infrastructure tier ran in it at all."""
    if child.folder is None:
        return False
    try:
        results = json.loads((child.folder / closing.RESULTS).read_bytes())
        return any(each["tier"] == "infra" and each["started"] for each in results)
    except (OSError, ValueError, KeyError, TypeError):
        return False


@dataclass(frozen=True)
class Whole:
    """Everything that the parent's own folder is made from."""

    folder: RunFolder
    children: Sequence[Child]
    planned: Sequence[Planned]
    findings: Sequence[parity.Finding]
    key: SigningKey | None = None
    redactor: Redactor = field(default_factory=Redactor)
    timestamps: str = ""
    ledger: str | None = None
    """As --ledger said."""

    def record(self, release: str, started: datetime, code: int, config: pytest.Config) -> tuple[list[str], list[str]]:
        """Write the folder: the sum of the children's records and the claims across.

        What could not be written, which costs a good verdict, and what the ledger says, which does not.
        """
        finished = datetime.now(UTC)
        judged = parity.results(self.findings, finished)
        why = {each.key: NOT_COMPARED for each in self.planned} if not judged else None
        results = complete(self.planned, judged, why)
        records = [each.record for each in self.children if each.record]
        total: Counter[str] = Counter(counts(results))
        for each in records:
            total.update(each.counts)
        verdicts = [*(each.verdict for each in records), *(each.verdict for each in judged if judged)]
        first = self._begin(records, release, started, config)
        whole = msgspec.structs.replace(
            first,
            verdict=worst(verdicts) if len(records) == len(self.children) else first.verdict,
            exit_code=code,
            finished=finished,
            counts=dict(total),
            executed=sum(each.executed for each in records) + len(judged),
        )
        for child in self.children:
            self.folder.write_text(f"output/{child.environment}.log", child.output)
        extras = Extras(
            looks=self._looks(),
            allure=self._allure(config, rehearsal=whole.rehearsal),
            redactor=self.redactor,
            key=self.key,
            timestamps=whole.timestamps,
            report=False,
        )
        archive, said = self.folder.path.parent.parent, list[str]()
        book = Book(place_of(self.ledger, archive, config.rootpath, rehearsal=whole.rehearsal), self.key)
        whole = book.carried(whole, said)
        _, lost = closing.close(self.folder, whole, self.planned, results, extras)
        return [*lost, *self._junit(config)], [*said, *book.enter(self.folder)]

    def _allure(self, config: pytest.Config, *, rehearsal: bool) -> AllureRecorder:
        """Writes the claims across into our folder, and into the one the user asked for, beside the children's."""
        from postdeploy.evidence.allure import AllureRecorder

        own = self.folder.path / FOLDER
        recorder = AllureRecorder(own, environment=ALL, rehearsal=rehearsal, result_of=lambda _: None)
        given = getattr(config.option, "allure_report_dir", None)
        recorder.begin_without_tests(*([Path(user_folder(given, ALL))] if given else []))
        return recorder

    def _begin(self, records: Sequence[RunRecord], release: str, started: datetime, config: pytest.Config) -> RunRecord:
        return run_record.begin(
            run_id=self.folder.run_id,
            environment=ALL,
            release=", ".join(dict.fromkeys(each.release for each in records)) or release,
            scope=next((each.scope for each in records if not each.is_full), "full"),
            started=started,
            suite=run_record.describe_suite(config.rootpath, b""),
            pipeline=run_record.describe_pipeline(os.environ),
            planned=sum(each.planned for each in records) + len(self.planned),
            rehearsal=any(each.rehearsal for each in records),
            plan_sha256=sha256_of(self.folder.path / closing.PLAN),
            signing=self.key.keyid if self.key else UNSIGNED,
            timestamps=self.timestamps if self.key else "",
        )

    def _looks(self) -> Looks:
        """Which runs were compared: each is a record of its own, with the observation that was compared here."""
        return Looks(
            settled="not waited for: what each environment's own run saved was compared",
            notes=tuple("  ".join(filter(None, each.row)) for each in self.children),
        )

    def _junit(self, config: pytest.Config) -> list[str]:
        """The claims across in the file the user asked for, beside the children's."""
        path = Path(config.option.xmlpath) if config.option.xmlpath else None
        made = self.folder.path / "junit.xml"
        if path is None or not made.is_file():
            return []
        try:
            path.with_name(f"{path.stem}-{ALL}{path.suffix}").write_bytes(made.read_bytes())
        except OSError as error:
            return [f"--junitxml was not written: {error}"]
        return []


def table(children: Iterable[Child]) -> str:
    """All environments side by side."""
    head = ("environment", "verdict", "failed", "unverified", "passed", "time", "run folder")
    rows = [head, *(each.row for each in children)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(head))]
    padded = ([cell.ljust(width) for cell, width in zip(row, widths, strict=True)] for row in rows)
    return "\n".join("  ".join(row).rstrip() for row in padded)

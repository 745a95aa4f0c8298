"""Archived evidence as it is found: run folders, or tar files of them, unpacked where nothing can be overwritten."""

from __future__ import annotations

import tarfile
import tempfile
import zlib
from collections.abc import Iterator
from pathlib import Path

from postdeploy.evidence.findings import Finding, State
from postdeploy.evidence.trust import Trust
from postdeploy.evidence.verifying import Report, verify_folder

SIGNS = ("run.json", "plan.json", "manifest.json", "results.json", "SHA256SUMS")
"""One of these makes a folder a run folder, even one that lost most of itself."""


class NotEvidenceAtAll(Exception):
    """Neither a run folder nor a tar file of one."""


def verify(path: Path, keys: Trust | None = None) -> Iterator[Report]:
    """A report for the run folder, or for each in the tar file. Raises NotEvidenceAtAll."""
    if path.is_dir():
        if not _is_run_folder(path):
            raise NotEvidenceAtAll(
                f"{path} is no run folder: none of {', '.join(SIGNS)} is in it. Give a folder such as "
                "reports/archive/uk-prod/RUN_ID, or a tar file of it."
            )
        yield verify_folder(path, keys)
    elif path.is_file():
        yield from _verify_tar(path, keys)
    else:
        raise NotEvidenceAtAll(f"{path} does not exist. Give a run folder or a tar file of one.")


def _verify_tar(path: Path, keys: Trust | None) -> Iterator[Report]:
    with tempfile.TemporaryDirectory(prefix="postdeploy-evidence-") as scratch:
        root = Path(scratch)
        findings = _unpack(path, root)
        folders = [root] if _is_run_folder(root) else _run_folders(root)
        for folder in folders:
            report = verify_folder(folder, keys, name=f"{path}:{folder.relative_to(root).as_posix()}")
            report.findings += findings
            yield report
        if not folders:
            none = Finding(path.name, State.INCOMPLETE, "there is no run folder in it")
            yield Report(str(path), findings=[*findings, none])


def _unpack(path: Path, root: Path) -> list[Finding]:
    """Every member but what would lead out of the folder; what is wrong with the archive itself."""
    findings: list[Finding] = []
    seen: set[str] = set()
    try:
        with tarfile.open(path) as archive:
            for member in archive:
                name = member.name.removeprefix("./")
                if not (member.isreg() or member.isdir()):
                    findings.append(
                        Finding(name, State.TAMPERED, "is a link or a device: no evidence of ours holds one")
                    )
                elif member.isreg() and name in seen:
                    findings.append(Finding(name, State.TAMPERED, "is in the tar file twice"))
                else:
                    archive.extract(member, root, filter="data")
                seen.add(name)
    except tarfile.FilterError as error:
        findings.append(Finding(path.name, State.TAMPERED, f"would write outside of its folder: {error}"))
    except (tarfile.TarError, EOFError, zlib.error, OSError) as error:
        findings.append(Finding(path.name, State.TAMPERED, f"cannot be read to its end: {error}"))
    return findings


def _is_run_folder(path: Path) -> bool:
    return any((path / name).is_file() for name in SIGNS)


def _run_folders(root: Path) -> list[Path]:
    """The outermost folders that are run folders."""
    found = sorted({each.parent for name in SIGNS for each in root.rglob(name)})
    return [each for each in found if not any(other != each and each.is_relative_to(other) for other in found)]

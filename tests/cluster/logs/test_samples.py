"""Real logs with labels, which are no part of this repository: given by `LOG_SAMPLES=FOLDER`, or found beside it."""

from __future__ import annotations

import csv
import os
from pathlib import Path

import pytest

from postdeploy.cluster.logs.files import Scanned, scan

HERE = Path(__file__).resolve()


def folder() -> Path | None:
    """The folder with `LABELS.tsv`; None on a machine that has no samples."""
    given = os.environ.get("LOG_SAMPLES")
    places = [Path(given)] if given else [each / "shared/samples/logs" for each in HERE.parents]
    return next((each for each in places if (each / "LABELS.tsv").is_file()), None)


def labels() -> list[dict[str, str]]:
    found = folder()
    if found is None:
        return []
    with (found / "LABELS.tsv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file, delimiter="\t"))


@pytest.fixture(scope="module")
def scanned() -> dict[str, Scanned]:
    found = folder()
    assert found is not None, "LOG_SAMPLES names a folder without LABELS.tsv"
    return {Path(each.file).name: each for each in scan(str(found / row["file"]) for row in labels())}


@pytest.mark.skipif(folder() is None and "LOG_SAMPLES" not in os.environ, reason="no samples on this machine")
def test_the_verdict_equals_the_label_wherever_that_is_certain(scanned):
    sure = {row["file"]: row["should_fail"] == "yes" for row in labels() if "?" not in row["should_fail"]}
    assert sure
    assert {name: scanned[name].verdict for name in sure} == {
        name: "failed" if fails else "passed" for name, fails in sure.items()
    }


@pytest.mark.skipif(folder() is None and "LOG_SAMPLES" not in os.environ, reason="no samples on this machine")
def test_the_counts_equal_the_labels(scanned):
    said = {row["file"]: (int(row["critical"]), int(row["error"])) for row in labels()}
    assert {name: (each.critical, each.error) for name, each in scanned.items()} == said

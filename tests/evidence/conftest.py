from __future__ import annotations

import pytest

from postdeploy.evidence import run_record
from postdeploy.evidence.folder import RunFolder
from postdeploy.evidence.plan import Planned
from tests.evidence.makers import STARTED, planned


@pytest.fixture
def plan() -> tuple[Planned, ...]:
    return (
        planned("infra.images.tag", controls=("DORA-9.4e",)),
        planned("infra.images.tag", "crm-api", controls=("DORA-9.4e",)),
        planned("infra.batch.cronjob", "uk-prod", applicable=False),
        planned("endpoints.health.status", "northgate.example"),
        planned("smoke.login.token", "uk-prod"),
    )


@pytest.fixture
def folder(tmp_path) -> RunFolder:
    return RunFolder.create(tmp_path / "archive", "uk-prod", "20261122T200000Z-v1-abcdef")


@pytest.fixture
def suite() -> run_record.Suite:
    return run_record.Suite("c" * 40, False, "e" * 64, "a" * 64, "3.11.7", {"pytest": "9.2.0"})


@pytest.fixture
def record(folder, suite, plan) -> run_record.RunRecord:
    return run_record.begin(
        run_id=folder.run_id,
        environment="uk-prod",
        release="v2026.47.1",
        scope="full",
        started=STARTED,
        suite=suite,
        pipeline=run_record.Pipeline(),
        planned=len(plan),
    )

from __future__ import annotations

import gzip
from datetime import timedelta

import msgspec
import pytest

from postdeploy.evidence import run_record
from postdeploy.evidence.closing import Extras, close, commit_plan
from postdeploy.evidence.folder import RunFolder
from postdeploy.evidence.journal import open_log
from postdeploy.evidence.plan import Planned
from postdeploy.evidence.results import complete
from postdeploy.verdict import Verdict
from tests.evidence.makers import STARTED, planned, ran
from tests.evidence.signed import IMAGES, Keys, make_keys


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


@pytest.fixture
def keys(tmp_path) -> Keys:
    place = tmp_path / "keys"
    place.mkdir()
    return make_keys(place)


@pytest.fixture
def closed(folder, record, plan, keys) -> RunFolder:
    """A run folder as a finished run leaves it: of a few files, signed."""
    key = keys.open()
    digest = commit_plan(folder, plan)
    folder.write_text("environment.json", '{"name": "uk-prod"}\n')
    folder.write_bytes("observation/cluster.json.gz", gzip.compress(b'{"pods": []}', mtime=0))
    log = open_log(folder)
    log.event("run began")
    begun = msgspec.structs.replace(record, plan_sha256=digest, signing=key.keyid)
    results = complete(plan, [ran(plan[0]), ran(plan[1], Verdict.FAILED, "it is not so"), ran(plan[3]), ran(plan[4])])
    done = run_record.finish(begun, results, 1, STARTED + timedelta(seconds=9))
    extras = Extras(key=key, images=IMAGES, journal=log, report=False)
    assert close(folder, done, plan, results, extras).lines == []
    return folder

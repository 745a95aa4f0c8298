"""Batch work belongs to this release: the migration ran, the schedules are as declared."""

import pytest


@pytest.mark.check("infra.batch.migration", over="migration", owner="database", controls=["DORA-9.4e", "RTS-17.1"])
def test_migration_of_this_release_completed(migration, cluster):
    """The migration Job of this very release has completed."""
    completed = cluster.migration(migration)
    assert completed.holds, completed.why


@pytest.mark.check("infra.batch.cronjob", over="cronjob", owner="platform", controls=["DORA-9.4e"])
def test_cronjob_is_on_the_release_and_scheduled(cronjob, cluster):
    """The CronJob exists, is suspended only where declared, and its next run uses the release."""
    schedule = cluster.cronjob(cronjob)
    assert schedule.holds, schedule.why


@pytest.mark.check("infra.batch.schedule", over="cronjob", owner="platform", controls=["DORA-9.4e"])
def test_cronjob_keeps_its_schedule(cronjob, batch):
    """The CronJob is on its declared schedule, not overdue, and has succeeded before."""
    schedule = batch.schedule(cronjob)
    assert schedule.holds, schedule.why


@pytest.mark.check("infra.batch.old-code", owner="release", controls=["DORA-9.4e"])
def test_no_job_of_old_code_still_runs(batch):
    """No Job of an earlier release still runs beside this one."""
    old_code = batch.old_code()
    assert old_code.holds, old_code.why

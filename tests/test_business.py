"""Where a run keeps its state, and by what it is told apart from others."""

from __future__ import annotations

from pathlib import Path

import pytest

from postdeploy.business import options_of, origin_of, state_of

ROOT, OWN = Path("/checkout"), Path("/tmp/rehearsal-1")
URL = "postgresql://me@db/x"


@pytest.mark.parametrize(
    ("given", "rehearsal", "private", "where"),
    [
        (None, False, None, "/checkout/reports/state"),
        (None, True, None, "/checkout/reports/state/rehearsal/uk-prod"),
        (None, True, OWN, "/tmp/rehearsal-1"),
        ("mine", True, OWN, "/checkout/mine/rehearsal/uk-prod"),
        ("/mine", False, None, "/mine"),
        (URL, True, OWN, URL),
    ],
)
def test_a_rehearsals_state_lies_beside_and_a_broken_ones_is_private_unless_it_is_given(
    given, rehearsal, private, where
):
    assert state_of(given, ROOT, "uk-prod", rehearsal=rehearsal, private=private) == where


def test_retries_of_one_pipeline_spend_as_one_and_other_runs_each_for_itself():
    first, retry = (origin_of("uk-prod", "v1", run, {"CI_PIPELINE_ID": "77"}) for run in ("run-1", "run-2"))
    assert first.pipeline == retry.pipeline == "77"
    assert origin_of("uk-prod", "v1", "run-3", {}).pipeline == "run-3"


def test_the_command_that_settles_finds_the_same_journal():
    options = options_of("my state", rehearsal=True)
    assert origin_of("uk-prod", "v1", "run", {}, options).command == (
        "postdeploy sweep --env uk-prod --state='my state' --rehearsal"
    )
    assert origin_of("uk-prod", "v1", "run", {}).command == "postdeploy sweep --env uk-prod"

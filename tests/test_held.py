"""What spends money is held by what went wrong before it, and says the part of it that explains the rest."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from postdeploy.acting import Acting
from postdeploy.outcome import Outcome
from postdeploy.verdict import Verdict


def held(*ended: tuple[str, Verdict]) -> str:
    outcomes = {}
    for check, verdict in ended:
        made = outcomes[check, "uk-prod"] = Outcome(check, "uk-prod", "")
        made.note(verdict, "seen")
        made.finished = True
    run: Any = SimpleNamespace(outcomes=outcomes, broken=())
    return Acting(run).red()


@pytest.mark.parametrize(
    ("ended", "said"),
    [
        ([("infra.events.warnings", Verdict.FAILED)], "infra.events.warnings[uk-prod] is failed"),
        (
            [("infra.events.warnings", Verdict.FAILED), ("infra.release.live", Verdict.FAILED)],
            "infra.release.live[uk-prod] and 1 more is failed",
        ),
        (
            [("infra.release.live", Verdict.UNVERIFIED), ("infra.pods.ready", Verdict.FAILED)],
            "infra.pods.ready[uk-prod] and 1 more is failed",
        ),
        ([("infra.events.warnings", Verdict.PASSED), ("smoke.login.opened", Verdict.FAILED)], ""),
    ],
    ids=["alone", "the layer to blame", "what is wrong before what was not seen", "nothing before it"],
)
def test_what_spends_money_says_the_check_that_explains_why_it_is_held(ended, said):
    assert held(*ended) == said

"""The first journey of docs/journeys.md does what it says, piece by piece as it is printed there."""

from __future__ import annotations

from pathlib import Path

from tests.browsers import needs_browser
from tests.examples import checkout_with, pieces
from tests.runs import run

PAGE = "docs/journeys.md"
CHECK = "journeys.terms.opened"


def test_first_journey_is_green_its_fault_turns_it_red_and_its_trap_does_not(tmp_path: Path) -> None:
    needs_browser()
    checkout = checkout_with(PAGE, tmp_path / "checkout")
    arguments = ("journeys", "-k", "opens_the_terms", "--env=uk-prod", "--rehearsal")
    env = {"PYTHONPATH": str(checkout)}
    green = run(*arguments, archive=tmp_path / "green", cwd=checkout, env=env)
    assert green.code == 0, green.output
    subjects = {subject for check, subject in green.verdicts if check == CHECK}
    assert (green.of(CHECK), "cambria-invest.example cy-GB" in subjects) == ({"passed"}, True)
    red = run(*arguments, "--fault=terms-link-astray", archive=tmp_path / "red", cwd=checkout, env=env)
    assert red.code == 1, red.output
    assert red.messages(CHECK)[0].startswith("A client opens the terms from the foot of the front page: failed: ")
    assert "step 'follow the link at the foot of the page'" in red.messages(CHECK)[0]
    odd = run(*arguments, "--fault=terms-link-counted", archive=tmp_path / "odd", cwd=checkout, env=env)
    assert (odd.code, odd.of(CHECK)) == (0, {"passed"}), odd.output


def test_what_qa_writes_for_a_journey_is_two_files_and_little(tmp_path: Path) -> None:
    written = {path: len(text.splitlines()) for path, text in pieces(PAGE).items()}
    of_qa = {path: lines for path, lines in written.items() if path.startswith("journeys/")}
    assert len(of_qa) == 2
    assert sum(of_qa.values()) <= 40
    assert set(written) - set(of_qa) == {"rehearsal/faults_terms.py"}

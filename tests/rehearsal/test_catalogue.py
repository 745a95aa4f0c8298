"""The catalogue of faults and traps is complete, and its listings are stable for programs."""

from __future__ import annotations

import json

import pytest

from postdeploy.environment import PRODUCTION
from postdeploy.evidence import catalogue as checks
from rehearsal import catalogue
from rehearsal.catalogue import FAULTS, TRAPS, UnknownFault, find, listing, main
from rehearsal.entry import fault
from rehearsal.faults import apply
from tests.rehearsal.judged import Rehearsal

EVERY = [*FAULTS.values(), *TRAPS.values()]
WITHOUT_FAULT = {"infra.tolerances.current"}
"""It looks at the environment's own file, which a rehearsal does not change."""


def test_there_are_enough_of_both():
    assert len(FAULTS) >= 15
    assert len(TRAPS) >= 10


def test_every_check_of_the_suite_has_a_fault_that_turns_it_red():
    known = {each.id for each in checks.load()}
    assert known - WITHOUT_FAULT <= {each.catches for each in FAULTS.values()}


def test_every_browser_check_has_a_trap_that_leaves_it_green():
    known = {each.id for each in checks.load() if each.id.startswith("journeys.")}
    assert known == {each.catches for each in TRAPS.values() if each.tier == "journeys"}


@pytest.mark.parametrize("entry", EVERY, ids=lambda each: each.name)
def test_entry_names_a_check_that_exists_and_says_what_is_the_matter(entry):
    assert entry.catches in {each.id for each in checks.load()}
    assert entry.description.endswith(".")
    assert entry.name == entry.name.lower()
    assert "_" not in entry.name


@pytest.mark.parametrize(("option", "kind", "count"), [("--faults", "fault", FAULTS), ("--traps", "trap", TRAPS)])
def test_json_listing_has_exactly_the_agreed_keys(capsys, option, kind, count):
    assert main([option, "--json", "--env=stage"]) == 0
    rows = json.loads(capsys.readouterr().out)
    assert rows == listing(kind, "stage")
    assert len(rows) == len([each for each in count.values() if each.only_in in ("", "stage")])
    assert {tuple(row) for row in rows} == {("name", "tier", "catches", "verdict")}


def test_table_for_people_says_what_each_fault_does(capsys):
    assert main(["--faults", "--env", "stage"]) == 0
    out = capsys.readouterr().out
    assert all(each.description in out for each in FAULTS.values() if each.only_in in ("", "stage"))


@pytest.mark.parametrize("kind", ["fault", "trap"])
def test_what_is_listed_without_an_environment_can_be_had_in_every_one(kind):
    names = {each["name"] for each in listing(kind)}
    assert names < {each["name"] for each in listing(kind, "stage")}
    assert all(find(name, environment).only_in == "" for name in names for environment in PRODUCTION)


def test_listing_is_needed_of_one_kind():
    with pytest.raises(SystemExit):
        main([])


def test_unknown_name_offers_the_nearest_and_changes_nothing():
    rehearsal = Rehearsal()
    before = rehearsal.world.version
    with pytest.raises(UnknownFault, match="Did you mean 'crash-loop'"):
        apply(["cronjob-suspended", "crashloop"], rehearsal.world, rehearsal.brokerage)
    assert rehearsal.world.version == before


def test_traps_are_found_by_name_like_faults():
    assert find("evicted-leftovers").verdict == "passed"


def test_two_of_one_name_are_refused():
    def crash_loop(scene):
        """Another one."""

    with pytest.raises(ValueError, match="crash-loop"):
        fault("infra.pods.doomed")(crash_loop)


def test_infra_comes_first():
    tiers = [each.tier for each in FAULTS.values()]
    assert tiers == sorted(tiers, key=catalogue.TIERS.index)

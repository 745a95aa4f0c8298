from __future__ import annotations

import re
from datetime import date
from decimal import Decimal

import pytest
from pydantic import ValidationError

from postdeploy.environment import PRODUCTION, Environment, known, load
from postdeploy.environment import files as environment_files
from postdeploy.environment.files import merge
from postdeploy.environment.flux import Flux

COMMIT = "0123456789abcdef0123456789abcdef01234567"
JURISDICTIONS = {
    "uk-prod": ("FCA", "GBP", "GB"),
    "cy-prod": ("CySEC", "EUR", "CY"),
    "mt-prod": ("MFSA", "EUR", "MT"),
    "hk-prod": ("SFC", "HKD", "HK"),
    "sg-prod": ("MAS", "SGD", "SG"),
    "ae-prod": ("SCA", "AED", "AE"),
    "za-prod": ("FSCA", "ZAR", "ZA"),
}


@pytest.fixture(scope="module")
def uk() -> Environment:
    return load("uk-prod")


def pods(environment: Environment) -> int:
    return sum(each.replicas for each in environment.components.values() if each.kind not in ("Job", "CronJob"))


def test_production_comes_first_among_the_known():
    assert known() == (*PRODUCTION, "load", "stage")
    assert known() == environment_files.known()


@pytest.mark.parametrize("name", PRODUCTION)
def test_each_jurisdiction_has_its_regulator_and_currency(name):
    environment = load(name)
    assert (environment.regulator, environment.currency, environment.country) == JURISDICTIONS[name]
    assert environment.currency in {each.currency for each in environment.deposits.values()}


@pytest.mark.parametrize("name", known())
def test_each_environment_has_the_true_scale(name):
    environment = load(name)
    kinds = [each.kind for each in environment.components.values()]
    queues = [each for each in environment.components if each.startswith("crm-celery-")]
    assert len(queues) == 6
    assert len([each for each in environment.components if each.startswith("pg-")]) == 3
    assert kinds.count("CronJob") >= 4
    assert (kinds.count("Job"), kinds.count("DaemonSet")) == (1, 1)
    assert any(each.suspended for each in environment.components.values())
    assert len(environment.brands) >= 10
    assert len(environment.deposits) >= (1 if name == "load" else 2)
    assert 50 <= pods(environment) <= 90
    assert all(host.endswith(".example") for host in environment.hosts)


def test_no_two_environments_share_a_cluster_or_a_host():
    environments = [load(name) for name in known()]
    assert len({each.cluster.context for each in environments}) == len(environments)
    assert len({each.cluster.kube_system_uid for each in environments}) == len(environments)
    hosts = [host for each in environments for host in each.hosts]
    assert len(set(hosts)) == len(hosts)


def test_a_part_takes_over_its_key_and_its_environments_values(uk):
    assert uk.components["crm-web"].name == "crm-web"
    assert uk.deposits["card"].method == "card"
    assert uk.deposits["card"].currency == "GBP"
    assert uk.brands["kestrel"].legal_entity == uk.legal_entity
    assert (uk.brands["cambria"].locale, uk.brands["kestrel"].locale) == ("cy-GB", "en-GB")
    assert uk.brands["oakmere"].legal_entity == "Oakmere Wealth Ltd"


def test_money_is_exact(uk):
    assert uk.deposits["card"].amount == Decimal("10.00")
    assert str(uk.deposits["card"].amount) == "10.00"


def test_the_databases_are_pinned_and_the_release_is_not(uk):
    assert uk.components["pg-ledger"].tag == "16.6"
    assert uk.components["pg-ledger"].update_strategy == "OnDelete"
    released = {each.group for each in uk.components.values() if each.tag is None}
    assert released == {"crm", "crm-script"}


def test_a_loaded_environment_never_changes(uk):
    with pytest.raises(ValidationError, match="frozen"):
        uk.country = "FR"
    with pytest.raises(TypeError):
        uk.components["extra"] = uk.components["crm-web"]
    with pytest.raises(TypeError):
        del uk.brands["kestrel"]


def test_an_environment_survives_its_own_json(uk):
    assert Environment.model_validate_json(uk.model_dump_json()) == uk


def test_what_is_no_map_is_refused_as_such():
    with pytest.raises(ValidationError, match="Environment"):
        Environment.model_validate(["uk-prod"])
    with pytest.raises(ValidationError, match="components"):
        Environment.model_validate({"components": 3})


@pytest.mark.parametrize(
    ("over", "count"),
    [
        ("environment", 1),
        ("component", 24),
        ("workload", 17),
        ("cronjob", 6),
        ("migration", 1),
        ("service", 4),
        ("kustomization", 4),
        ("helmrelease", 3),
        ("imagepolicy", 2),
        ("progressive", 0),
    ],
)
def test_checks_are_parametrised_over_families(uk, over, count):
    assert len(uk.subjects(over)) == count


def test_families_that_are_no_components(uk):
    assert set(uk.subjects("image")) == {each.image for each in uk.components.values()}
    assert tuple(uk.subjects("host")) == uk.hosts
    assert uk.subjects("account") == {"synthetic-uk-01@northgate.example": uk.api}
    with pytest.raises(ValueError, match="'planet'"):
        uk.subjects("planet")


def test_what_stands_around_a_component_is_declared_for_it_alone(uk):
    assert set(uk.subjects("autoscaled")) == {"crm-web", "crm-api", "crm-admin"}
    assert {name: each.public for name, each in uk.subjects("entry").items()} == {
        "crm-web": "ingress",
        "crm-api": "gateway",
    }
    assert [each.service for each in uk.components.values() if each.kind == "CronJob"] == [None] * 6


def test_namespaces_and_hosts_follow_from_the_parts(uk):
    assert uk.namespaces == ("crm", "crm-data", "observability")
    assert uk.hosts[-2:] == ("api.uk.northgate.example", "crl.uk.northgate.example")
    assert uk.secure_hosts == uk.hosts[:-1]


@pytest.mark.parametrize(("today", "count"), [(date(2027, 1, 31), 0), (date(2027, 2, 1), 1), (date(2027, 4, 1), 4)])
def test_an_acceptance_holds_through_its_last_day(uk, today, count):
    assert len(uk.expired(today)) == count


def test_maps_merge_lists_replace_and_null_removes():
    base = {"a": {"x": 1, "y": [1, 2]}, "b": 2, "c": {"z": 1}, "d": 4}
    overlay = {"a": {"y": [3], "w": {"n": None, "m": 1}}, "b": None, "c": 5, "d": {"k": 1}, "e": None}
    assert merge(base, overlay) == {"a": {"x": 1, "y": [3], "w": {"m": 1}}, "c": 5, "d": {"k": 1}}
    assert base == {"a": {"x": 1, "y": [1, 2]}, "b": 2, "c": {"z": 1}, "d": 4}


def test_an_overlay_can_remove_a_deposit_method():
    assert tuple(load("load").deposits) == ("card",)


def flux(revision: str, **more: str) -> Flux:
    return Flux(namespace="flux-system", source="crm", revision=revision, **more)


@pytest.mark.parametrize(
    ("form", "commit", "seen", "fits"),
    [
        ("{tag}@sha1:{commit}", None, f"v1@sha1:{COMMIT}", True),
        ("{tag}@sha1:{commit}", COMMIT, f"v1@sha1:{COMMIT}", True),
        ("{tag}@sha1:{commit}", COMMIT[:7], f"v1@sha1:{COMMIT}", True),
        ("{tag}@sha1:{commit}", "fffffff", f"v1@sha1:{COMMIT}", False),
        ("{tag}@sha1:{commit}", None, f"v2@sha1:{COMMIT}", False),
        ("{tag}@sha1:{commit}", None, f"v1@sha256:{COMMIT}{COMMIT[:24]}", False),
        ("{tag}@sha1:{commit}", None, f"sha1:{COMMIT}", False),
        ("{tag}@sha1:{commit}", None, "v1", False),
        ("{tag}@sha1:{commit}", None, "", False),
        ("refs/tags/{tag}@sha1:{commit}", None, f"refs/tags/v1@sha1:{COMMIT}", True),
        ("main@sha1:{commit}", COMMIT, f"main@sha1:{COMMIT}", True),
        ("main@sha1:{commit}", COMMIT, f"v1@sha1:{COMMIT}", False),
        ("sha1:{commit}", COMMIT, f"sha1:{COMMIT}", True),
        ("{tag}@sha256:{commit}", None, f"v1@sha256:{COMMIT}{COMMIT[:24]}", True),
    ],
)
def test_a_release_maps_to_a_flux_revision(form, commit, seen, fits):
    assert flux(form).expected_revision("v1", commit).matches(seen) is fits


@pytest.mark.parametrize(
    ("form", "commit", "says"),
    [
        ("{tag}@sha1:{commit}", None, True),
        ("main@sha1:{commit}", None, False),
        ("main@sha1:{commit}", COMMIT, True),
        ("sha1:{commit}", None, False),
    ],
)
def test_a_branch_without_a_commit_says_nothing_of_the_release(form, commit, says):
    assert flux(form).expected_revision("v1", commit).names_release is says


def test_the_hash_of_an_oci_artifact_is_no_commit():
    seen = f"latest@sha256:{'e' * 64}"
    expected = flux("latest@sha256:{commit}", source_kind="OCIRepository").expected_revision("v1", "c" * 40)
    assert (expected.matches(seen), expected.names_release) == (True, False)
    assert (
        not flux("latest@sha256:{commit}", source_kind="OCIRepository").expected_revision("v1", "c" * 64).matches(seen)
    )


def test_an_expected_revision_reads_as_flux_shows_it():
    assert str(flux("{tag}@sha1:{commit}").expected_revision("v1")) == "v1@sha1:…"
    assert str(flux("sha1:{commit}").expected_revision("v1", "abcdef0")) == "sha1:abcdef0"


@pytest.mark.parametrize("commit", ["", "HEAD", "abc", COMMIT.upper()])
def test_a_commit_must_be_one(commit):
    with pytest.raises(ValueError, match=re.escape(repr(commit))):
        flux("{tag}@sha1:{commit}").expected_revision("v1", commit)

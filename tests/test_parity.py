"""What is the same everywhere holds; what differs is named with the environment it is in; what is unknown is said."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest

from postdeploy import parity
from postdeploy.cluster.objects import FluxObject, Gap
from postdeploy.environment import Component
from postdeploy.readings import Seen
from postdeploy.verdict import Verdict
from tests.cluster import build
from tests.cluster.build import OLD, OTHER, RELEASE, REPO, SCRIPT

NAMES = ("uk-prod", "cy-prod", "mt-prod")
FLUX = {"namespace": "flux-system", "source": "crm", "revision": "{tag}@sha1:{commit}"}
WEB = build.component(group="crm")
NIGHTLY = build.component("CronJob", "nightly", image=SCRIPT, group="crm-script", schedule="0 2 * * *", replicas=1)
STARTED = datetime(2026, 11, 20, 10, 0, tzinfo=UTC)


def seen(name: str, *raw: Any, over: tuple[Component, ...] = (WEB, NIGHTLY), **more: Any) -> Seen:
    """One environment in which the release is live, unless these objects say otherwise."""
    objects = raw or (*build.whole(), build.cronjob())
    declared = build.environment(*over, flux=FLUX, name=name)
    return Seen(declared, RELEASE, msgspec.structs.replace(build.snapshot(*objects), **more))


def blind(name: str, why: str = "its run left no record (exit -9)") -> Seen:
    return Seen(seen(name).environment, RELEASE, None, why)


def findings(*environments: Seen) -> dict[tuple[str, str], parity.Finding]:
    planned = parity.plan([each.environment for each in environments])
    applicable = [each for each in planned if each.applicable]
    return {each.planned.key: each for each in parity.judge(applicable, environments)}


def release_of(tag: str) -> tuple[Any, ...]:
    """Everything on one tag."""
    image = f"{REPO}:{tag}"
    pods = (build.pod(f"web-2-{each}", spec={"containers": build.containers(image)}) for each in "abc")
    spec = {"spec": {"template": build.template(image)}}
    return (build.deployment(**spec), build.replicaset(**spec), *pods, build.cronjob(image=f"{SCRIPT}:{tag}"))


def pushed_again() -> tuple[Any, ...]:
    """The release from another push: every pod runs other bits."""
    status = {"status": {"containerStatuses": [build.ran(imageID=f"{REPO}@{OTHER}")]}}
    pods = (build.pod(f"web-2-{each}", **status) for each in "abc")
    return (build.deployment(), build.replicaset(), *pods, build.cronjob())


TAG, DIGEST = ("parity.release.tag", "web"), ("parity.images.digest", REPO)
SKEW, LAG = ("parity.lockstep.skew", parity.GROUPS), ("parity.flux.lag", "GitRepository/crm")


def test_one_release_everywhere_holds() -> None:
    found = findings(*map(seen, NAMES))
    verdicts = {key: each.verdict for key, each in found.items()}
    assert {verdicts[key] for key in (TAG, DIGEST, SKEW)} == {Verdict.PASSED}
    assert set(verdicts.values()) == {Verdict.PASSED, Verdict.NOT_APPLICABLE}
    assert parity.table(list(found.values())).count("\n") == 0


def test_outlier_is_named_and_the_others_are_not() -> None:
    tag = findings(seen("uk-prod"), seen("cy-prod", *release_of(OLD)), seen("mt-prod"))[TAG]
    assert (tag.verdict, tag.most, tag.outliers) == (Verdict.FAILED, RELEASE, {"cy-prod": OLD})
    assert tag.judgement.seen == f"2 of 3 have it right: {RELEASE}; cy-prod: {OLD}"
    assert f"mt-prod: {RELEASE}" in tag.judgement.where
    assert tag.judgement.cause


def test_without_a_majority_every_environment_is_named() -> None:
    tag = findings(seen("uk-prod"), seen("cy-prod", *release_of(OLD)))[TAG]
    assert (tag.verdict, tag.most, set(tag.outliers)) == (Verdict.FAILED, "", {"uk-prod", "cy-prod"})


def test_other_bits_under_the_same_tag_are_found_across_though_each_environment_agrees_with_itself() -> None:
    found = findings(seen("uk-prod"), seen("cy-prod", *pushed_again()), seen("mt-prod"))
    assert found[TAG].verdict is Verdict.PASSED
    assert (found[DIGEST].verdict, set(found[DIGEST].outliers)) == (Verdict.FAILED, {"cy-prod"})


def test_another_release_is_no_other_push() -> None:
    found = findings(seen("uk-prod"), seen("cy-prod", *release_of(OLD)), seen("mt-prod"))
    assert found[DIGEST].verdict is Verdict.PASSED
    assert (
        found[DIGEST].judgement.claim == f"{REPO} is the same in uk-prod, mt-prod"
    )  # no word of what was not compared


def test_pods_whose_bits_no_node_reports_are_no_agreement() -> None:
    pods = (build.pod(f"web-2-{each}", status={"containerStatuses": [build.ran(imageID="")]}) for each in "abc")
    there = seen("cy-prod", build.deployment(), build.replicaset(), *pods, build.cronjob())
    digest = findings(seen("uk-prod"), there, seen("mt-prod"))[DIGEST]
    assert digest.verdict is Verdict.UNVERIFIED
    assert "cy-prod: no node reports a digest (imageID)" in digest.judgement.seen


def test_image_id_and_manifest_cannot_be_compared() -> None:
    status = {"status": {"containerStatuses": [build.ran(imageID=OTHER)]}}
    pods = (build.pod(f"web-2-{each}", **status) for each in "abc")
    there = seen("cy-prod", build.deployment(), build.replicaset(), *pods, build.cronjob())
    digest = findings(seen("uk-prod"), there, seen("mt-prod"))[DIGEST]
    assert digest.verdict is Verdict.UNVERIFIED


def test_digests_that_the_build_accepts_are_one_build() -> None:
    accepted = {REPO: frozenset({build.DIGEST, OTHER})}
    both = [Seen(each.environment, RELEASE, each.snapshot, digests=accepted) for each in _two_pushes()]
    assert findings(*both)[DIGEST].verdict is Verdict.PASSED
    assert findings(*_two_pushes())[DIGEST].verdict is Verdict.FAILED


def _two_pushes() -> tuple[Seen, Seen]:
    return seen("uk-prod"), seen("cy-prod", *pushed_again())


def test_halves_on_two_releases_are_wrong_even_where_all_environments_agree() -> None:
    half = (*build.whole(), build.cronjob(image=f"{SCRIPT}:{OLD}"))
    skew = findings(*(seen(each, *half) for each in NAMES))[SKEW]
    assert (skew.verdict, set(skew.outliers)) == (Verdict.FAILED, set(NAMES))
    assert skew.judgement.seen.startswith("none of 3 have it right")


def test_component_that_was_never_applied_is_an_outlier() -> None:
    tag = findings(seen("uk-prod"), seen("cy-prod", build.cronjob()), seen("mt-prod"))[TAG]
    assert tag.outliers == {"cy-prod": "absent"}


# --- what is not known -----------------------------------------------------------------------------------------------


def test_child_without_an_observation_leaves_every_claim_unverified() -> None:
    found = findings(seen("uk-prod"), blind("cy-prod"), seen("mt-prod"))
    assert {found[key].verdict for key in (TAG, DIGEST, SKEW)} == {Verdict.UNVERIFIED}
    assert found[TAG].judgement.seen == "nothing is known of cy-prod: its run left no record (exit -9)"


def test_contradiction_stands_although_another_environment_is_unknown() -> None:
    tag = findings(seen("uk-prod"), seen("cy-prod", *release_of(OLD)), blind("mt-prod"))[TAG]
    assert tag.verdict is Verdict.FAILED
    assert "mt-prod: its run left no record" in tag.judgement.where


def test_what_one_run_could_not_read_is_unverified_here_too() -> None:
    gaps = tuple(Gap(each, "crm", "403 Forbidden") for each in ("deployments", "pods"))
    found = findings(seen("uk-prod"), seen("cy-prod", build.cronjob(), gaps=gaps), seen("mt-prod"))
    assert {found[key].verdict for key in (TAG, DIGEST, SKEW)} == {Verdict.UNVERIFIED}


def test_what_one_environment_alone_declares_is_not_applicable() -> None:
    lone = build.component("Deployment", "only-here", group="crm")
    here, there = seen("uk-prod", over=(WEB, NIGHTLY, lone)), seen("cy-prod")
    planned = {each.subject: each.applicable for each in parity.plan([here.environment, there.environment])}
    assert (planned["only-here"], planned["web"]) == (False, True)


def test_what_is_pinned_is_no_part_of_the_release() -> None:
    pinned = build.component("StatefulSet", "db", tag="16.6")
    planned = parity.plan([seen(each, over=(WEB, pinned)).environment for each in NAMES])
    assert "db" not in {each.subject for each in planned}


# --- Flux ------------------------------------------------------------------------------------------------------------


def source(revision: str = f"{RELEASE}@sha1:{'a' * 40}", minutes: float = 0.0) -> tuple[FluxObject, ...]:
    since = (STARTED + timedelta(minutes=minutes)).isoformat()
    artifact = {"revision": revision, "lastUpdateTime": since}
    value = {"kind": "GitRepository", "metadata": {"name": "crm"}, "status": {"artifact": artifact}}
    return (msgspec.convert(value, FluxObject, strict=False),)


def test_lag_is_told_in_seconds() -> None:
    lag = findings(*(seen(name, flux=source(minutes=number)) for number, name in enumerate(NAMES)))[LAG]
    assert lag.verdict is Verdict.PASSED
    assert lag.judgement.seen.endswith("came to all within 120 s: to uk-prod first, to mt-prod last")


def test_lag_beyond_an_hour_degrades() -> None:
    lag = findings(seen("uk-prod", flux=source()), seen("cy-prod", flux=source(minutes=61)))[LAG]
    assert lag.verdict is Verdict.DEGRADED


def test_another_revision_is_an_outlier() -> None:
    old = source(f"{OLD}@sha1:{'b' * 40}", minutes=-10000)
    lag = findings(seen("uk-prod", flux=source()), seen("cy-prod", flux=old), seen("mt-prod", flux=source()))[LAG]
    assert (lag.verdict, set(lag.outliers)) == (Verdict.FAILED, {"cy-prod"})


def test_observations_without_flux_have_nothing_to_compare() -> None:
    assert findings(*map(seen, NAMES))[LAG].verdict is Verdict.NOT_APPLICABLE


# --- the record ------------------------------------------------------------------------------------------------------


def test_each_finding_is_a_result_of_the_contracts_form() -> None:
    found = findings(seen("uk-prod"), seen("cy-prod", *release_of(OLD)), seen("mt-prod"))
    results = {each.key: each for each in parity.results(found.values(), STARTED)}
    tag = results[TAG]
    assert (tag.tier, tag.nodeid, tag.runbook) == ("parity", None, "docs/runbook.md#parityreleasetag")
    assert tag.message.partition("\n")[0].endswith(f"failed: 2 of 3 have it right: {RELEASE}; cy-prod: {OLD}")
    assert results[SKEW].attempts[0].outcome is results[SKEW].verdict


def test_table_shows_outliers_only_with_their_digests_cut_short() -> None:
    text = parity.table(list(findings(seen("uk-prod"), seen("cy-prod", *pushed_again()), seen("mt-prod")).values()))
    assert "cy-prod: sha256:bbbbbbbbbbbb…" in text
    assert "parity.release.tag" not in text
    assert text.splitlines()[-1].startswith("parity: ")


@pytest.mark.parametrize("check", parity.CHECKS, ids=lambda each: each.id)
def test_every_check_has_a_cause_an_owner_and_a_title(check: Any) -> None:
    assert check.id in parity.CAUSES
    assert check.owner
    assert check.title.endswith(".")

"""Bits: what runs is one of the digests that mean the build; agreement is claimed where nobody tells."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from postdeploy.cluster.claims import ClusterClaims
from postdeploy.cluster.objects_images import DigestSet
from postdeploy.cluster.snapshot import load, save
from postdeploy.verdict import State
from tests.cluster import build
from tests.cluster.build import DIGEST, OLD, OTHER, RELEASE, REPO, ran

CONFIG, PLATFORM, FOREIGN = (f"sha256:{letter * 64}" for letter in "cdf")
KNOWN = DigestSet(REPO, RELEASE, DIGEST, (PLATFORM,), (CONFIG,))
PARTLY = replace(KNOWN, configs=(), reason="no answer")
AWAY = DigestSet(REPO, RELEASE, reason="503 Service Unavailable")


def judged(*ids, sets=(KNOWN,), digests=None):
    pods = [
        build.pod(f"web-2-{number}", status={"containerStatuses": [ran(imageID=each)]})
        for number, each in enumerate(ids)
    ]
    seen = replace(build.snapshot(build.deployment(), build.replicaset(), *pods), digest_sets=tuple(sets))
    seen = load(save(seen))
    return ClusterClaims(seen, build.environment(build.component()), RELEASE, digests).image_digest(REPO)


@pytest.mark.parametrize(
    "image_id",
    [
        f"{REPO}@{DIGEST}",
        f"{REPO}@{PLATFORM}",
        f"mirror.example/fork@{PLATFORM}",
        f"docker-pullable://{REPO}@{DIGEST}",
        f"docker://{CONFIG}",
        CONFIG,
        CONFIG.removeprefix("sha256:"),
    ],
)
def test_every_form_of_every_digest_of_the_set_passes(image_id):
    judgement = judged(image_id)
    assert judgement.state is State.PASSED
    assert "accepted by the registry" in judgement.seen


def test_index_on_one_node_and_platform_or_configuration_on_others_is_one_build():
    assert judged(f"{REPO}@{DIGEST}", f"{REPO}@{PLATFORM}", CONFIG).state is State.PASSED


@pytest.mark.parametrize("image_id", [f"{REPO}@{FOREIGN}", FOREIGN])
def test_digest_outside_the_set_fails_though_all_pods_agree(image_id):
    judgement = judged(image_id, image_id)
    assert judgement.state is State.FAILED
    assert FOREIGN in judgement.where


def test_digest_of_another_release_is_named():
    sets = (KNOWN, DigestSet(REPO, OLD, OTHER))
    assert f"those of {OLD}" in judged(f"{REPO}@{OTHER}", sets=sets).seen
    named = judged(f"{REPO}@{OTHER}", sets=(), digests={f"{REPO}:{RELEASE}": {DIGEST}, f"{REPO}:{OLD}": {OTHER}})
    assert f"those of {OLD}" in named.seen


def test_set_with_a_hole_fails_nobody():
    assert judged(f"{REPO}@{PLATFORM}", sets=(PARTLY,)).state is State.PASSED
    assert judged(CONFIG, sets=(PARTLY,)).state is State.UNVERIFIED


def test_registry_that_is_away_leaves_agreement_and_says_so():
    judgement = judged(f"{REPO}@{FOREIGN}", f"{REPO}@{FOREIGN}", sets=(AWAY,))
    assert judgement.state is State.PASSED
    assert "503" in judgement.seen
    assert "compared with each other alone" in judgement.seen


def test_disagreement_is_unverified_while_the_registry_is_away_for_it_may_be_an_index_and_its_platform():
    judgement = judged(f"{REPO}@{DIGEST}", f"{REPO}@{OTHER}", sets=(AWAY,))
    assert judgement.state is State.UNVERIFIED
    assert "503" in judgement.seen
    assert judged(f"{REPO}@{DIGEST}", f"{REPO}@{OTHER}", sets=()).state is State.FAILED


def test_build_that_names_its_index_is_completed_by_the_registry():
    named = {REPO: frozenset({DIGEST})}
    assert judged(f"{REPO}@{PLATFORM}", CONFIG, digests=named).state is State.PASSED
    assert judged(f"{REPO}@{PLATFORM}", sets=(), digests=named).state is State.FAILED


def test_build_comes_before_a_registry_that_names_another_one():
    named = {REPO: frozenset({OTHER})}
    assert judged(f"{REPO}@{OTHER}", digests=named).state is State.PASSED
    assert judged(f"{REPO}@{DIGEST}", digests=named).state is State.FAILED


def test_image_id_that_the_build_does_not_name_cannot_be_compared():
    judgement = judged(CONFIG, sets=(), digests={REPO: frozenset({DIGEST})})
    assert judgement.state is State.UNVERIFIED
    assert "configuration" in judgement.cause


def test_image_pinned_by_digest_is_known_by_the_registry():
    raw = [build.deployment(spec={"template": build.template(f"{REPO}@{PLATFORM}")}), build.replicaset()]
    seen = replace(build.snapshot(*raw), digest_sets=(KNOWN,))
    claims = ClusterClaims(seen, build.environment(build.component()), RELEASE)
    assert claims.image_tag(build.component()).holds
    raw[0] = build.deployment(spec={"template": build.template(f"{REPO}@{FOREIGN}")})
    seen = replace(build.snapshot(*raw), digest_sets=(KNOWN,))
    assert ClusterClaims(seen, build.environment(build.component()), RELEASE).image_tag(build.component()).state is (
        State.FAILED
    )

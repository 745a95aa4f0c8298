"""The tag is read from specs, the digest from imageID in any of its forms, and never from status.image."""

from __future__ import annotations

import pytest

from postdeploy.cluster.images import Digest, ImageRef, declared, digest_of, parse, running
from postdeploy.cluster.objects import Gap
from postdeploy.verdict import State
from tests.cluster import build
from tests.cluster.build import DIGEST, OLD, OTHER, RELEASE, REPO, SCRIPT, claims, component, merge, ran, seen

BARE = "sha256:" + "c" * 64


@pytest.mark.parametrize(
    ("image", "expected"),
    [
        ("nginx", ImageRef("docker.io/library/nginx")),
        ("bitnami/redis:7.4", ImageRef("docker.io/bitnami/redis", "7.4")),
        ("docker.io/nginx:1", ImageRef("docker.io/library/nginx", "1")),
        ("index.docker.io/library/nginx:1", ImageRef("docker.io/library/nginx", "1")),
        ("localhost:5000/app", ImageRef("localhost:5000/app")),
        ("localhost/app:1", ImageRef("localhost/app", "1")),
        (f"{REPO}:{RELEASE}@{DIGEST}", ImageRef(REPO, RELEASE, DIGEST)),
        (f"{REPO}@{DIGEST}", ImageRef(REPO, "", DIGEST)),
    ],
)
def test_reference_is_taken_apart(image, expected):
    assert parse(image) == expected


@pytest.mark.parametrize(
    ("image", "version", "text"),
    [
        (f"{REPO}:{RELEASE}@{DIGEST}", RELEASE, f"{REPO}:{RELEASE}@{DIGEST}"),
        (f"{REPO}@{DIGEST}", DIGEST, f"{REPO}@{DIGEST}"),
        (REPO, "latest", REPO),
    ],
)
def test_reference_says_its_version(image, version, text):
    assert (parse(image).version, str(parse(image))) == (version, text)


@pytest.mark.parametrize(
    ("image_id", "expected"),
    [
        (f"{REPO}@{DIGEST}", Digest(DIGEST)),
        (f"docker-pullable://{REPO}@{DIGEST}", Digest(DIGEST)),
        (f"mirror.example/other@{DIGEST}", Digest(DIGEST)),
        (DIGEST, Digest(DIGEST, is_config=True)),
        (f"docker://{DIGEST}", Digest(DIGEST, is_config=True)),
        (DIGEST.removeprefix("sha256:"), Digest(DIGEST, is_config=True)),
        ("", None),
        (f"{REPO}:{RELEASE}", None),
    ],
)
def test_image_id_of_any_runtime_gives_its_digest(image_id, expected):
    assert digest_of(image_id) == expected


def test_digest_of_another_kind_is_told_apart_in_messages():
    assert "image id" in str(Digest(DIGEST, is_config=True))
    assert "image id" not in str(Digest(DIGEST))


def test_injected_containers_are_known_by_what_the_template_does_not_have():
    template = seen(build.deployment()).spec.template
    spec = {"containers": [*build.containers(), {"name": "istio-proxy", "image": "mesh:1"}]}
    pod = seen(build.pod(spec=spec, status={"containerStatuses": [ran(), ran("istio-proxy", imageID=f"mesh@{OTHER}")]}))
    assert running([pod], declared(template, REPO)) == {("web", ImageRef(REPO, RELEASE), Digest(DIGEST)): [pod]}


def tag(*raw, over=(), **more):
    part = next(iter(over), component())
    return claims(*raw, over=over, **more).image_tag(part)


def test_release_in_template_and_pods_passes():
    assert tag(*build.whole()).state is State.PASSED


def test_old_tag_in_the_template_fails_and_is_not_final():
    raw = build.deployment(spec={"template": build.template(f"{REPO}:{OLD}")})
    judgement = tag(raw, build.replicaset())
    assert (judgement.state, judgement.doomed) == (State.FAILED, False)
    assert OLD in judgement.seen
    assert "spec.template" in judgement.where


def test_old_tag_in_an_init_container_fails():
    init = [{"name": "wait-for-db", "image": f"{REPO}:{OLD}"}]
    raw = build.deployment(spec={"template": {"spec": {"initContainers": init}}})
    assert "wait-for-db" in tag(raw, build.replicaset()).seen


def test_old_tag_in_one_pod_fails():
    stray = build.pod("web-2-d", spec={"containers": build.containers(f"{REPO}:{OLD}")})
    judgement = tag(*build.whole(), stray)
    assert judgement.state is State.FAILED
    assert "web-2-d" in judgement.seen


def test_image_of_another_repository_fails():
    raw = build.deployment(spec={"template": build.template(f"registry.example/fork/crm:{RELEASE}")})
    assert "no container of its template runs" in tag(raw).seen


def test_template_without_containers_fails():
    assert tag(build.deployment(spec={"template": {"spec": {"containers": []}}})).state is State.FAILED


def test_status_image_is_not_read():
    assert tag(*build.whole(), build.pod("web-2-d", status={"containerStatuses": [ran(image=f"{REPO}:{OLD}")]})).holds


def test_sidecar_declared_with_another_image_is_no_part_of_the_release():
    both = [*build.containers(), {"name": "exporter", "image": "exporter:1"}]
    assert tag(build.deployment(spec={"template": {"spec": {"containers": both}}}), build.replicaset()).holds


def test_pinned_component_is_held_to_its_own_tag():
    pinned = component(tag="7.4.1")
    raw = build.deployment(spec={"template": build.template(f"{REPO}:7.4.1")})
    assert tag(raw, build.replicaset(), over=(pinned,)).holds
    assert tag(build.deployment(), over=(pinned,)).state is State.FAILED


def test_digest_alone_names_no_release_without_the_build_digests():
    raw = [build.deployment(spec={"template": build.template(f"{REPO}@{DIGEST}")}), build.replicaset()]
    assert tag(*raw).state is State.UNVERIFIED
    assert tag(*raw, digests={REPO: frozenset({DIGEST})}).holds
    assert tag(*raw, digests={f"{REPO}:{RELEASE}": frozenset({OTHER})}).state is State.FAILED


@pytest.mark.parametrize(
    ("digest", "state", "told"),
    [(DIGEST, State.PASSED, ""), (OTHER, State.FAILED, f"and that digest is {OLD}"), ("sha256:c", State.FAILED, "")],
)
def test_a_node_pulls_by_the_digest_whatever_tag_stands_beside_it(digest, state, told):
    part = component("CronJob", "nightly", image=SCRIPT)
    known = {f"{SCRIPT}:{RELEASE}": frozenset({DIGEST}), f"{SCRIPT}:{OLD}": frozenset({OTHER})}
    raw = build.cronjob(image=f"{SCRIPT}:{RELEASE}@{digest}")
    found = tag(raw, over=(part,), digests=known)
    assert found.state is state
    assert told in found.seen
    assert tag(raw, over=(part,)).state is State.PASSED


def test_other_images_of_the_release_are_held_to_it_wherever_they_run():
    init = [{"name": "sync", "image": f"{SCRIPT}:{OLD}"}]
    raw = build.deployment(spec={"template": {"spec": {"initContainers": init}}})
    parts = (component(group="crm"), component("CronJob", "nightly", image=SCRIPT, group="crm-script"))
    assert "sync" in tag(raw, build.replicaset(), over=parts).seen
    assert lockstep(raw, build.cronjob(), over=parts).state is State.FAILED
    assert tag(raw, build.replicaset()).holds  # no part of the release here
    pinned = (component(tag=RELEASE), parts[1])
    assert tag(raw, build.replicaset(), over=pinned).holds


def test_tag_of_a_cronjob_is_in_its_job_template():
    part = component("CronJob", "nightly", image=SCRIPT)
    assert tag(build.cronjob(), over=(part,)).holds
    judgement = tag(build.cronjob(image=f"{SCRIPT}:{OLD}"), over=(part,))
    assert judgement.state is State.FAILED
    assert "spec.jobTemplate" in judgement.where


def test_tag_of_a_job_is_that_of_its_newest():
    part = component("Job", "migrate")
    assert tag(build.job(), over=(part,)).holds
    assert tag(build.job(image=f"{REPO}:{OLD}"), over=(part,)).state is State.FAILED
    assert tag(over=(part,)).state is State.UNVERIFIED


def test_pods_that_could_not_be_read_leave_the_tag_unverified():
    assert tag(*build.whole(), gaps=(Gap("pods", "crm", "403"),)).state is State.UNVERIFIED


def bits(*raw, image=REPO, **more):
    return claims(*raw, **more).image_digest(image)


def with_id(name, image_id, **more):
    return build.pod(name, status={"containerStatuses": [ran(imageID=image_id)]}, **more)


def test_one_digest_in_all_pods_passes():
    assert bits(*build.whole()).state is State.PASSED


def test_same_tag_with_two_digests_fails_and_lists_the_outlier():
    judgement = bits(*build.whole(), with_id("web-2-d", f"{REPO}@{OTHER}"))
    assert judgement.state is State.FAILED
    assert "web-2-d" in judgement.where


def test_same_digest_under_a_mirror_passes():
    assert bits(*build.whole(), with_id("web-2-d", f"docker-pullable://mirror.example/crm@{DIGEST}")).holds


def test_image_id_beside_a_manifest_digest_cannot_be_compared():
    raw = [*build.whole(), with_id("web-2-d", BARE)]
    assert bits(*raw).state is State.UNVERIFIED
    assert bits(*raw, digests={REPO: frozenset({DIGEST, BARE})}).holds


def test_index_and_platform_digest_pass_when_both_are_accepted():
    raw = [*build.whole(), with_id("web-2-d", f"{REPO}@{OTHER}")]
    assert bits(*raw, digests={REPO: frozenset({DIGEST, OTHER})}).holds


def test_digest_that_the_build_did_not_make_fails():
    judgement = bits(*build.whole(), digests={f"{REPO}:{RELEASE}": frozenset({OTHER})})
    assert judgement.state is State.FAILED
    assert DIGEST in judgement.where


def test_two_image_ids_fail():
    other = "sha256:" + "d" * 64
    raw = [build.deployment(), build.replicaset(), with_id("web-2-a", BARE), with_id("web-2-b", other)]
    assert bits(*raw).state is State.FAILED


def test_container_that_has_not_started_is_pending():
    raw = [*build.whole(), build.unready(build.waiting("ContainerCreating"), name="web-2-d")]
    assert bits(*raw).state is State.PENDING


def test_pods_of_an_old_revision_do_not_count():
    old = with_id("web-1-a", f"{REPO}@{OTHER}", owner=("ReplicaSet", "uid-web-1"))
    assert bits(*build.whole(), build.replicaset("web-1", "1"), old).holds


def test_pods_with_another_tag_are_the_business_of_the_tag():
    other = with_id("web-2-d", f"{REPO}@{OTHER}", spec={"containers": build.containers(f"{REPO}:{OLD}")})
    assert bits(*build.whole(), other).holds


def test_jobs_count_with_the_workloads():
    parts = (component(), component("Job", "migrate"))
    done = merge(
        with_id("migrate-x", f"{REPO}@{OTHER}", owner=("Job", "uid-migrate")), {"status": {"phase": "Succeeded"}}
    )
    assert bits(*build.whole(), build.job(), done, over=parts).state is State.FAILED


def test_job_pod_that_never_got_an_image_does_not_keep_us_waiting():
    parts = (component(), component("Job", "migrate"))
    dead = with_id("migrate-x", "", owner=("Job", "uid-migrate"))
    assert bits(*build.whole(), build.job(), merge(dead, {"status": {"phase": "Failed"}}), over=parts).holds


def test_image_without_a_pod_is_pending_for_workloads_only():
    assert bits(build.deployment(), build.replicaset()).state is State.PENDING
    part = component("CronJob", "nightly", image=SCRIPT)
    assert bits(build.cronjob(), image=SCRIPT, over=(part,)).state is State.NOT_APPLICABLE


def test_pinned_images_are_compared_tag_by_tag():
    first, second = component("StatefulSet", "db", tag="16.4"), component("StatefulSet", "log", tag="16.3")
    raw = [
        build.statefulset("db"),
        build.statefulset("log"),
        build.member(0, spec={"containers": build.containers(f"{REPO}:16.4")}),
        build.member(
            0,
            "log-2",
            "log",
            spec={"containers": build.containers(f"{REPO}:16.3")},
            status={"containerStatuses": [ran(imageID=f"{REPO}@{OTHER}")]},
        ),
    ]
    assert bits(*raw, over=(first, second)).state is State.PASSED


@pytest.mark.parametrize("resource", ["pods", "replicasets", "deployments"])
def test_digest_over_what_could_not_be_read_is_unverified(resource):
    assert bits(*build.whole(), gaps=(Gap(resource, "", "time-out"),)).state is State.UNVERIFIED


GROUPS = (component(group="crm"), component("CronJob", "nightly", image=SCRIPT, group="crm-script"))


def lockstep(*raw, over=GROUPS, **more):
    return claims(*raw, over=over, **more).lockstep()


def test_groups_on_one_tag_pass():
    assert lockstep(build.deployment(), build.cronjob()).state is State.PASSED


def test_groups_on_two_tags_fail_and_name_both():
    judgement = lockstep(build.deployment(), build.cronjob(image=f"{SCRIPT}:{OLD}"))
    assert judgement.state is State.FAILED
    assert OLD in judgement.seen
    assert "crm-script: nightly" in judgement.where


def test_group_with_a_member_that_is_not_there_is_pending():
    assert lockstep(build.deployment()).state is State.PENDING


def test_group_that_could_not_be_read_is_unverified():
    assert lockstep(build.deployment(), gaps=(Gap("cronjobs", "crm", "403"),)).state is State.UNVERIFIED


def test_environment_without_groups_is_in_lockstep():
    assert lockstep(build.deployment(), over=(component(),)).holds

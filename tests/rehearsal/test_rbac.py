"""docs/rbac.yaml is enough for a whole run and has nothing to spare; the rehearsal enforces it as a cluster does."""

from __future__ import annotations

import copy
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from postdeploy.cluster.access_claims import AccessClaims
from postdeploy.environment import PRODUCTION, load
from postdeploy.verdict import State
from rehearsal import rbac
from rehearsal.__main__ import main
from rehearsal.rbac import NotRbac, Rule, granted
from tests.rehearsal.judged import RELEASE, Rehearsal
from tests.runs import run
from tests.standin import Stand, standin

FILE = Path(__file__).parents[2] / "docs/rbac.yaml"
OBJECTS = [each for each in YAML(typ="safe", pure=True).load_all(FILE.read_text(encoding="utf-8")) if each]
ROLES = [number for number, each in enumerate(OBJECTS) if each["kind"] in ("Role", "ClusterRole")]
BINDINGS = [number for number, each in enumerate(OBJECTS) if each["kind"].endswith("Binding")]
RULES = [(role, number) for role in ROLES for number in range(len(OBJECTS[role]["rules"]))]
UK = load("uk-prod")
BARE = Rehearsal(environment=UK)
SEEN = BARE.snapshot()


def claims(rules: tuple[Rule, ...], environment: Any = UK) -> AccessClaims:
    from msgspec.structs import replace

    rehearsal = BARE if environment is UK else Rehearsal(environment=environment)
    rehearsal.world.settings.rbac = rules
    return AccessClaims(replace(SEEN, access=rehearsal._access()), environment, RELEASE)


@pytest.mark.parametrize("name", PRODUCTION)
def test_file_is_enough_everywhere_and_grants_no_write(name: str) -> None:
    found = claims(rbac.read(FILE), load(name))
    assert (found.read().state, found.readonly().state) == (State.PASSED, State.PASSED), found.read().why


@pytest.mark.parametrize(("role", "number"), RULES)
def test_no_rule_can_be_spared(role: int, number: int) -> None:
    without = copy.deepcopy(OBJECTS)
    del without[role]["rules"][number]
    assert claims(granted(without)).read().state is State.UNVERIFIED


@pytest.mark.parametrize("number", BINDINGS)
def test_no_binding_can_be_spared(number: int) -> None:
    assert claims(granted([*OBJECTS[:number], *OBJECTS[number + 1 :]])).read().state is State.UNVERIFIED


def test_no_verb_and_no_resource_can_be_spared() -> None:
    spare = [what for what, objects in _without_one() if claims(granted(objects)).read().state is State.PASSED]
    assert spare == []


def _without_one() -> Iterator[tuple[str, list[Any]]]:
    for role, number in RULES:
        for key in ("verbs", "resources"):
            for each in OBJECTS[role]["rules"][number][key]:
                without = copy.deepcopy(OBJECTS)
                without[role]["rules"][number][key].remove(each)
                yield f"{OBJECTS[role]['metadata']['name']}: {OBJECTS[role]['rules'][number]} without {each}", without


def test_what_is_missing_is_named_with_its_place() -> None:
    place = next(each for each in BINDINGS if OBJECTS[each]["metadata"].get("namespace") == "crm-data")
    seen = claims(granted([*OBJECTS[:place], *OBJECTS[place + 1 :]])).read().seen
    assert "cronjobs.batch" in seen
    assert re.search("in crm-data(;|$)", seen)
    assert "observability" not in seen


def test_a_role_that_nothing_binds_grants_nothing() -> None:
    assert granted([each for each in OBJECTS if not each["kind"].endswith("Binding")]) == ()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("kind: RoleBinding\nmetadata: {name: a, namespace: b}\nroleRef: {kind: Role, name: c}\n", "Role c"),
        ("kind: Role\nrules: []\n", "metadata"),
        ("- a list", "cannot be enforced"),
        ("{", "cannot be enforced"),
    ],
)
def test_a_file_that_makes_no_sense_is_refused(tmp_path: Path, text: str, said: str) -> None:
    file = tmp_path / "rbac.yaml"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(NotRbac, match=said):
        rbac.read(file)


def test_a_file_that_is_not_there_is_bad_usage(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--env", "uk-prod", "--rbac", str(tmp_path / "nothing.yaml")]) == 4
    assert "cannot be enforced as RBAC" in capsys.readouterr().err


# --- enforced --------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def stand() -> Iterator[Stand]:
    with standin("uk-prod", rbac=FILE) as found:
        yield found


def test_whole_run_with_nothing_but_these_rights_is_green(stand: Stand, tmp_path: Path) -> None:
    ended = run(
        *("-m", "infra", "--env=uk-prod", f"--release={RELEASE}", "--hold=0.2"),
        archive=tmp_path,
        env={"KUBECONFIG": str(stand.kubeconfig)},
    )
    assert ended.code == 0, ended.output
    assert ended.of("infra.access.read") == ended.of("infra.access.readonly") == {"passed"}
    assert "not read:" not in ended.output


def test_kubectl_meets_the_same_borders(stand: Stand, new_kubectl: Any) -> None:
    kubectl = new_kubectl(stand)
    assert kubectl("get", "pods", "-n", "crm", "-o", "name")
    assert kubectl("get", "namespace", "kube-system", "-o", "name")
    for beyond in (["nodes"], ["pods", "-A"], ["namespaces"], ["namespace", "crm"], ["deploy", "-n", "kube-system"]):
        assert "forbidden" in kubectl.run("get", *beyond).stderr, beyond


def test_kubectl_is_told_the_same_as_it_meets(stand: Stand, new_kubectl: Any) -> None:
    kubectl = new_kubectl(stand)
    assert kubectl("auth", "can-i", "get", "pods", "-n", "crm").strip() == "yes"
    assert kubectl("auth", "can-i", "get", "pods", "--subresource=log", "-n", "crm").strip() == "yes"
    for beyond in (["get", "pods", "-A"], ["get", "pods", "-n", "flux-system"], ["delete", "pods", "-n", "crm"]):
        assert kubectl.run("auth", "can-i", *beyond).stdout.strip() == "no", beyond
    listed = {name: kubectl("auth", "can-i", "--list", "-n", name) for name in ("crm", "flux-system")}
    assert "cronjobs.batch" in listed["crm"]
    assert "kustomizations" not in listed["crm"]
    assert "kustomizations.kustomize.toolkit.fluxcd.io" in listed["flux-system"]

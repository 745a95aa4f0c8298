"""What the rehearsal's user may do, by the matching rules of RBAC: all reads, or what a file of bindings grants."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from rehearsal.kinds import KINDS, Obj

READS = ("get", "list", "watch")
UNSERVED = (
    ("storage.k8s.io", "storageclasses"),
    ("networking.k8s.io", "ingresses"),
    ("gateway.networking.k8s.io", "gateways"),
    ("gateway.networking.k8s.io", "httproutes"),
    ("argoproj.io", "rollouts"),
    ("flagger.app", "canaries"),
    ("source.toolkit.fluxcd.io", "ocirepositories"),
    ("image.toolkit.fluxcd.io", "imagepolicies"),
)
"""An authorizer knows nothing of what is served: a reader of everything may read these as well."""


@dataclass(frozen=True)
class Rule:
    """One rule, in force in one namespace or everywhere."""

    verbs: tuple[str, ...]
    groups: tuple[str, ...]
    resources: tuple[str, ...]
    names: tuple[str, ...] = ()
    """The only objects it holds for; none: for all."""
    namespace: str = ""
    """Empty: everywhere, and for what lies in no namespace."""

    def allows(self, verb: str, group: str, resource: str, namespace: str, name: str) -> bool:
        """Whether it grants a request."""
        sub = resource.partition("/")[2]
        return (
            self.namespace in ("", namespace)
            and not {"*", verb}.isdisjoint(self.verbs)
            and not {"*", group}.isdisjoint(self.groups)
            and not {"*", resource, f"*/{sub}" if sub else resource}.isdisjoint(self.resources)
            and (not self.names or name in self.names)
        )

    @property
    def row(self) -> Obj:
        """The rule as a rules review lists it."""
        found: Obj = {"verbs": list(self.verbs), "apiGroups": list(self.groups), "resources": list(self.resources)}
        return found | ({"resourceNames": list(self.names)} if self.names else {})


EVERYTHING = (
    *(Rule(READS, (kind.group,), (kind.plural,)) for kind in KINDS),
    *(Rule(READS, (group,), (plural,)) for group, plural in dict.fromkeys(UNSERVED)),
    Rule(("get",), ("",), ("pods/log",)),
)
"""A reader of everything but secrets: what a rehearsal grants unless told otherwise."""
ANYBODY = (
    Rule(("create",), ("authorization.k8s.io",), ("selfsubjectaccessreviews", "selfsubjectrulesreviews")),
    Rule(("create",), ("authentication.k8s.io",), ("selfsubjectreviews",)),
)
"""The ClusterRole system:basic-user: every authenticated user may ask about itself."""


class NotRbac(ValueError):
    """A file of bindings that cannot be enforced as it is."""


def read(path: Path) -> tuple[Rule, ...]:
    """The rules that the bindings of a file put in force; a role that nothing binds grants nothing. Raises NotRbac."""
    from ruamel.yaml import YAML
    from ruamel.yaml.error import YAMLError

    try:
        with path.open(encoding="utf-8") as file:
            return granted([each for each in YAML(typ="safe", pure=True).load_all(file) if each])
    except (OSError, YAMLError, KeyError, TypeError, AttributeError) as error:
        raise NotRbac(f"{path} cannot be enforced as RBAC: {error or type(error).__name__}") from error


def granted(objects: Sequence[Obj]) -> tuple[Rule, ...]:
    """The same of objects that are already parsed; whoever is bound is taken to be us."""
    roles = {_key(each["kind"], each["metadata"]): each.get("rules") or () for each in objects if _is_role(each)}
    return tuple(rule for each in objects if each["kind"].endswith("Binding") for rule in _bound(each, roles))


def _is_role(obj: Obj) -> bool:
    return obj["kind"] in ("Role", "ClusterRole")


def _key(kind: str, meta: Obj) -> tuple[str, str, str]:
    return kind, meta.get("namespace", "") if kind == "Role" else "", meta["name"]


def _bound(binding: Obj, roles: dict[tuple[str, str, str], Iterable[Obj]]) -> Iterator[Rule]:
    namespace = binding["metadata"]["namespace"] if binding["kind"] == "RoleBinding" else ""
    refers = binding["roleRef"]
    key = _key(refers["kind"], {"name": refers["name"], "namespace": namespace})
    if key not in roles:
        raise NotRbac(f"{binding['kind']} {binding['metadata']['name']} refers to {key[0]} {key[2]}, which is not here")
    if not binding.get("subjects"):
        return
    for rule in roles[key]:
        names = tuple(rule.get("resourceNames") or ())
        verbs, groups, resources = (tuple(rule[each]) for each in ("verbs", "apiGroups", "resources"))
        yield Rule(verbs, groups, resources, names, namespace)

"""What the stand-in serves, as kubectl asks for it: aggregated in one answer, or group by group."""

from __future__ import annotations

from rehearsal.kinds import KINDS, Kind, Obj

AGGREGATED = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList"
VERBS = ["get", "list", "watch"]
# Sub-resources and reviews that clients look for; they are no objects of the store.
REVIEWS = (
    ("selfsubjectaccessreviews", "SelfSubjectAccessReview"),
    ("selfsubjectrulesreviews", "SelfSubjectRulesReview"),
)


def versions() -> list[tuple[str, str]]:
    """Every group and version that is served, the core group first."""
    return list(dict.fromkeys([*((each.group, each.version) for each in KINDS), ("authorization.k8s.io", "v1")]))


def aggregated(*, core: bool) -> Obj:
    """Everything in one document: the core group, or all others."""
    groups = []
    for group, version in versions():
        if (group == "") is core:
            resources = [_aggregated(each) for each in KINDS if (each.group, each.version) == (group, version)]
            if group == "authorization.k8s.io":
                resources = [_review(plural, kind) for plural, kind in REVIEWS]
            parts = [{"version": version, "resources": resources, "freshness": "Current"}]
            groups.append({"metadata": {"name": group, "creationTimestamp": None}, "versions": parts})
    head = {"kind": "APIGroupDiscoveryList", "apiVersion": "apidiscovery.k8s.io/v2", "metadata": {}}
    return head | {"items": groups}


def core_versions(address: str) -> Obj:
    """The versions of the core group."""
    served = [{"clientCIDR": "0.0.0.0/0", "serverAddress": address}]
    return {"kind": "APIVersions", "versions": ["v1"], "serverAddressByClientCIDRs": served}


def groups() -> Obj:
    """Every other group."""
    found = [group(name, version) for name, version in versions() if name]
    return {"kind": "APIGroupList", "apiVersion": "v1", "groups": found}


def group(name: str, version: str) -> Obj:
    """One group."""
    one = {"groupVersion": f"{name}/{version}", "version": version}
    return {"kind": "APIGroup", "apiVersion": "v1", "name": name, "versions": [one], "preferredVersion": one}


def resources(name: str, version: str) -> Obj:
    """The resources of one group, in the older form."""
    found = [_plain(each) for each in KINDS if (each.group, each.version) == (name, version)]
    if (name, version) == ("", "v1"):
        found.append({"name": "pods/log", "singularName": "", "namespaced": True, "kind": "Pod", "verbs": ["get"]})
    if name == "authorization.k8s.io":
        shape = {"singularName": "", "namespaced": False, "verbs": ["create"]}
        found += [{"name": plural, "kind": kind} | shape for plural, kind in REVIEWS]
    whole = f"{name}/{version}" if name else version
    return {"kind": "APIResourceList", "apiVersion": "v1", "groupVersion": whole, "resources": found}


def _plain(kind: Kind) -> Obj:
    found: Obj = {"name": kind.plural, "singularName": kind.name.lower(), "namespaced": kind.namespaced}
    found |= {"kind": kind.name, "verbs": VERBS, "shortNames": list(kind.short)}
    return found | ({"categories": ["all"]} if kind.everyday else {})


def _aggregated(kind: Kind) -> Obj:
    whole = {"group": kind.group, "version": kind.version, "kind": kind.name}
    found: Obj = {"resource": kind.plural, "responseKind": whole, "singularResource": kind.name.lower(), "verbs": VERBS}
    found |= {"scope": "Namespaced" if kind.namespaced else "Cluster", "shortNames": list(kind.short)}
    if kind.name == "Pod":
        found["subresources"] = [{"subresource": "log", "responseKind": whole, "verbs": ["get"]}]
    return found | ({"categories": ["all"]} if kind.everyday else {})


def _review(plural: str, kind: str) -> Obj:
    whole = {"group": "authorization.k8s.io", "version": "v1", "kind": kind}
    found: Obj = {"resource": plural, "responseKind": whole, "singularResource": kind.lower(), "verbs": ["create"]}
    return found | {"scope": "Cluster"}

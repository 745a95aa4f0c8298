"""What an identity could do beyond looking: change anything, enter a pod, read a secret, become somebody else."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator

from postdeploy.cluster.objects_access import Right, Rule
from postdeploy.environment import Environment

READS = ("get", "list", "watch")
WRITES = ("create", "update", "patch", "delete")
CHANGED = (("", "pods"), ("apps", "deployments"), ("apps", "statefulsets"), ("batch", "jobs"))
"""What an identity that is more than a reader can do harm with first."""
ENTRANCES = (
    "pods/exec",
    "pods/attach",
    "pods/portforward",
    "pods/ephemeralcontainers",
    "pods/proxy",
    "services/proxy",
    "nodes/proxy",
)
"""What leads into a pod: the first ones do so by a GET as well, which is how a websocket begins."""
CLOSED = frozenset({"secrets", *ENTRANCES} - {"pods/ephemeralcontainers"})
"""Of these even reading is more than looking."""
ABOUT_ITSELF = frozenset(
    {
        ("authorization.k8s.io", "selfsubjectaccessreviews"),
        ("authorization.k8s.io", "selfsubjectrulesreviews"),
        ("authentication.k8s.io", "selfsubjectreviews"),
    }
)
"""What every authenticated user may create, which creates nothing."""
RBAC = "rbac.authorization.k8s.io"
BECOMES = frozenset({"impersonate", "bind", "escalate"})

ASKED = (
    *((verb, group, plural) for group, plural in CHANGED for verb in WRITES),
    *((verb, "", "secrets") for verb in READS),
    *(("create", "", each) for each in ("pods/exec", "pods/attach", "pods/portforward", "pods/eviction")),
    ("get", "", "pods/exec"),
    ("patch", "", "pods/ephemeralcontainers"),
    ("deletecollection", "", "pods"),
    ("patch", "apps", "deployments/scale"),
    ("patch", "apps", "daemonsets"),
    ("patch", "batch", "cronjobs"),
    ("patch", "autoscaling", "horizontalpodautoscalers"),
    ("patch", "networking.k8s.io", "ingresses"),
    *(("patch", "", each) for each in ("services", "configmaps")),
    ("patch", "helm.toolkit.fluxcd.io", "helmreleases"),
    ("patch", "kustomize.toolkit.fluxcd.io", "kustomizations"),
    ("create", RBAC, "rolebindings"),
    ("create", "", "serviceaccounts/token"),
    ("impersonate", "", "serviceaccounts"),
)
"""Verb, group and resource of what is asked for one by one, where no list of rules is complete."""


def unwanted(environment: Environment) -> tuple[Right, ...]:
    """Rights that a verifier must not have, to be asked for one by one in every namespace that is looked at."""
    places = dict.fromkeys((*environment.namespaces, environment.flux.namespace))
    return tuple(Right(verb, plural, group, place) for place in places for verb, group, plural in ASKED)


def harmful(rules: Iterable[Rule], namespace: str) -> Iterator[Right]:
    """Every right of these rules that is more than looking, be it for one named object."""
    for rule in rules:
        granted = itertools.product(rule.verbs, rule.api_groups, rule.resources, rule.resource_names or ("",))
        for verb, group, resource, name in granted:
            if verb not in READS and not (verb == "create" and (group, resource) in ABOUT_ITSELF):
                yield Right(verb, resource, group, namespace, name)
            elif group in ("", "*"):
                yield from (Right(verb, each, "", namespace, name) for each in sorted(_opened(resource)))


def _opened(resource: str) -> Iterator[str]:
    """What is closed even to a reader, and this opens."""
    for each in CLOSED:
        sub = each.partition("/")[2]
        if resource in ("*", each) or (sub and resource == f"*/{sub}"):
            yield each


def gravity(right: Right) -> tuple[int, str, str]:
    """Sorts what does most harm first."""
    ranks = (
        "*" in (right.verb, right.resource),
        right.resource == "secrets",
        right.resource in ENTRANCES or right.resource.partition("/")[2] in ("exec", "attach", "proxy"),
        right.group == RBAC or right.verb in BECOMES or right.resource == "serviceaccounts/token",
        (right.group, right.resource.partition("/")[0]) in CHANGED,
        True,
    )
    return ranks.index(True), right.whole, right.namespace

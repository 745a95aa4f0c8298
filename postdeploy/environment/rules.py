"""Rules between the fields of an environment file, over its merged data as written.

They run beside the models' own validation, not after it, so that one attempt shows every error of a file.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any

from postdeploy.environment import web_rules
from postdeploy.environment.currencies import decimals
from postdeploy.environment.forms import FORMS
from postdeploy.environment.wording import Finding, hint

UPDATES = {
    "Deployment": ("RollingUpdate", "Recreate"),
    "StatefulSet": ("RollingUpdate", "OnDelete"),
    "DaemonSet": ("RollingUpdate", "OnDelete"),
}


def contradictions(name: str, data: Mapping[str, Any]) -> list[Finding]:
    """What cannot be true together; values of a wrong type are left to the models."""
    rules = (
        _identity,
        _components,
        _deposits,
        _decimals,
        _spending,
        _accounts,
        _hosts,
        _journeys,
        _suppressions,
        _restart_budgets,
        _settle,
        web_rules.contradictions,
        _logs,
        _change,
        _log_suppressions,
    )
    return [*(finding for rule in rules for finding in rule(data)), *_tolerances(name, data)]


def _map(data: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    value = data.get(key)
    return value if isinstance(value, Mapping) else {}


def _maps(data: Mapping[str, Any], key: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
    return ((name, value) for name, value in _map(data, key).items() if isinstance(value, Mapping))


def _list(data: Mapping[str, Any], key: str) -> Iterator[tuple[int, Mapping[str, Any]]]:
    value = data.get(key)
    return (
        (index, each)
        for index, each in enumerate(value if isinstance(value, list) else [])
        if isinstance(each, Mapping)
    )


def _identity(data: Mapping[str, Any]) -> Iterator[Finding]:
    identities = ("server", "ca_sha256", "kube_system_uid")
    if isinstance(data.get("cluster"), Mapping) and not any(_map(data, "cluster").get(each) for each in identities):
        expected = "expected at least one of server, ca_sha256 and kube_system_uid beside the context"
        yield Finding(("cluster",), f"{expected}: any kubeconfig can call a context so")


def _components(data: Mapping[str, Any]) -> Iterator[Finding]:
    listed = _map(data, "flux").get("helm_releases")
    releases = listed if isinstance(listed, list) else []
    for name, part in _maps(data, "components"):
        for key, text in _component(part):
            yield Finding(("components", name, key), text)
        hook = part.get("hook_of")
        if isinstance(hook, str) and hook not in releases:
            text = f"expected one of flux.helm_releases, found '{hook}'{hint(hook, releases)}"
            yield Finding(("components", name, "hook_of"), text)


def _component(part: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    kind, update = part.get("kind"), part.get("update_strategy", "RollingUpdate")
    if kind == "CronJob" and not part.get("schedule"):
        yield "schedule", "missing: a CronJob needs a schedule, such as '30 5 * * *'"
    for key in ("schedule", "suspended"):
        if kind in ("Job", *UPDATES) and part.get(key):
            yield key, f"only a CronJob has it, this is a {kind}"
    if kind in UPDATES and update in ("Recreate", "OnDelete") and update not in UPDATES[kind]:
        yield "update_strategy", f"expected {' or '.join(UPDATES[kind])} for a {kind}, found '{update}'"
    if part.get("progressive") and kind != "Deployment":
        yield "progressive", f"only a Deployment is delivered progressively, this is a {kind}"
    if part.get("replicas") == 0 and part.get("may_be_zero") is not True and kind in ("Deployment", "StatefulSet"):
        yield "replicas", "0 needs 'may_be_zero: true' beside it"
    if part.get("hook_of") and kind != "Job":
        yield "hook_of", f"only a Job is a hook, this is a {kind}"
    yield from _traffic(part)
    if part.get("tag") and part.get("group"):
        yield "tag", "pinned, although its group follows the release: expected one of tag and group"


def _traffic(part: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    kind = part.get("kind")
    if kind in ("Job", "CronJob"):
        for key in ("service", "autoscaled", "public"):
            if part.get(key):
                yield key, f"only what runs all the time has it, this is a {kind}"
    elif part.get("public") and not part.get("service"):
        yield "public", "needs 'service' beside it: an entry leads to a Service"
    if part.get("autoscaled") and kind == "DaemonSet":
        yield "autoscaled", "expected a Deployment or a StatefulSet, a DaemonSet has a pod for each node"


def _journeys(data: Mapping[str, Any]) -> Iterator[Finding]:
    listed = _map(data, "journeys").get("brands")
    brands = [str(name) for name, _ in _maps(data, "brands")]
    visited = listed if isinstance(listed, list) else []
    named: list[tuple[tuple[str | int, ...], Any]] = [
        (("journeys", "brands", index), name) for index, name in enumerate(visited)
    ]
    named += [
        (("console_suppressions", index, "brand"), each.get("brand"))
        for index, each in _list(data, "console_suppressions")
    ]
    for where, name in named:
        if isinstance(name, str) and name not in brands:
            yield Finding(where, f"expected a brand of this environment, found '{name}'{hint(name, brands)}")


def _deposits(data: Mapping[str, Any]) -> Iterator[Finding]:
    offered = data.get("currencies")
    accepted = [data.get("currency"), *(offered if isinstance(offered, list) else [])]
    for name, part in _maps(data, "deposits"):
        currency = part.get("currency")
        if isinstance(currency, str) and currency not in accepted:
            listed = ", ".join(str(each) for each in accepted)
            yield Finding(
                ("deposits", name, "currency"),
                f"expected a currency of this environment ({listed}), found '{currency}'",
            )


def _decimals(data: Mapping[str, Any]) -> Iterator[Finding]:
    """An amount has no smaller coin than its currency: JPY none, KWD a thousandth."""
    for name, part in _maps(data, "deposits"):
        currency = part.get("currency", data.get("currency"))
        for key in ("amount", "fee"):
            written = part.get(key)
            if isinstance(written, str) and isinstance(currency, str):
                places = len(written.partition(".")[2].rstrip("0"))
                if places > decimals(currency):
                    text = f"expected at most {decimals(currency)} decimals in {currency}, found '{written}'"
                    yield Finding(("deposits", name, key), text)


def _spending(data: Mapping[str, Any]) -> Iterator[Finding]:
    spending = _map(_map(data, "business"), "spending")
    where = ("business", "spending")
    reserve, flight = spending.get("reserve_s", 60), spending.get("in_flight_s", 60)
    if isinstance(reserve, int | float) and isinstance(flight, int | float) and reserve < flight:
        text = f"expected at least in_flight_s ({flight:g}), found {reserve:g}: undoing waits for what may still arrive"
        yield Finding((*where, "reserve_s"), text)
    modes: list[tuple[tuple[str, ...], Any]] = [(where, spending.get("mode"))]
    modes += [(("deposits", name), part.get("mode")) for name, part in _maps(data, "deposits")]
    for place, mode in modes:
        if mode == "penny" and not spending.get("consent"):
            yield Finding((*place, "mode"), "penny needs 'consent' in business.spending: the PSP's and treasury's")
    for currency, limits in _maps(spending, "ceilings"):
        rungs = [(key, limits.get(key)) for key in ("call", "run", "day")]
        if all(isinstance(value, str) and re.fullmatch(FORMS["money"][0], value) for _, value in rungs):
            amounts = [Decimal(str(value)) for _, value in rungs]
            if amounts != sorted(amounts):
                text = "expected call <= run <= day: a wider ceiling below a narrower one is never reached"
                yield Finding((*where, "ceilings", currency), text)


def _accounts(data: Mapping[str, Any]) -> Iterator[Finding]:
    """One account in two roles would lock itself out, or read itself."""
    accounts = _map(_map(data, "api"), "accounts")
    for key in ("login", "id"):
        first: dict[str, str] = {}
        for role, part in _maps({"accounts": accounts}, "accounts"):
            value = part.get(key)
            if isinstance(value, str) and value in first:
                text = f"expected an account of its own, '{value}' is that of {first[value]}"
                yield Finding(("api", "accounts", role, key), text)
            elif isinstance(value, str):
                first[value] = role


def _hosts(data: Mapping[str, Any]) -> Iterator[Finding]:
    first: dict[str, str] = {}
    written: list[tuple[tuple[str, ...], Any]] = [
        (("brands", name, "host"), part.get("host")) for name, part in _maps(data, "brands")
    ]
    written.append((("api", "host"), _map(data, "api").get("host")))
    written += [(("sites", name, "host"), part.get("host")) for name, part in _maps(data, "sites")]
    for name, part in _maps(data, "brands"):
        former = part.get("aliases")
        written += [(("brands", name, "aliases"), each) for each in (former if isinstance(former, list) else ())]
    for where, host in written:
        if isinstance(host, str) and host in first:
            yield Finding(where, f"expected a host of its own, '{host}' is that of {first[host]}")
        elif isinstance(host, str):
            first[host] = ".".join(where)


def _strangers(data: Mapping[str, Any], key: str) -> Iterator[Finding]:
    """Entries of a list that name a component which is not declared."""
    components = tuple(_map(data, "components"))
    for index, each in _list(data, key):
        component = each.get("component")
        if isinstance(component, str) and component not in components:
            text = f"expected a component of this environment, found '{component}'{hint(component, components)}"
            yield Finding((key, index, "component"), text)


def _restart_budgets(data: Mapping[str, Any]) -> Iterator[Finding]:
    yield from _strangers(data, "restart_budgets")
    kinds = {name: part.get("kind") for name, part in _maps(data, "components")}
    for index, each in _list(data, "restart_budgets"):
        component = each.get("component")
        kind = kinds.get(component) if isinstance(component, str) else None
        if kind in ("Job", "CronJob"):
            text = f"expected a workload that keeps running, '{component}' is a {kind}: its own retries are its budget"
            yield Finding(("restart_budgets", index, "component"), text)


def _suppressions(data: Mapping[str, Any]) -> Iterator[Finding]:
    yield from _strangers(data, "suppressions")
    for key in ("suppressions", "console_suppressions"):
        for index, each in _list(data, key):
            message = each.get("message")
            if isinstance(message, str):
                try:
                    re.compile(message)
                except re.error as error:
                    yield Finding((key, index, "message"), f"expected a regular expression, found '{message}': {error}")


def _change(data: Mapping[str, Any]) -> Iterator[Finding]:
    ticket = _map(data, "change").get("ticket")
    if isinstance(ticket, str):
        try:
            re.compile(ticket)
        except re.error as error:
            yield Finding(("change", "ticket"), f"expected a regular expression, found '{ticket}': {error}")


def _logs(data: Mapping[str, Any]) -> Iterator[Finding]:
    logs, components = _map(data, "logs"), tuple(_map(data, "components"))
    for key in ("limits", "ready"):
        for name in _map(logs, key):
            if name not in components:
                text = f"expected a component of this environment, found '{name}'{hint(str(name), components)}"
                yield Finding(("logs", key, name), text)
    limits: list[tuple[tuple[str, ...], Mapping[str, Any]]] = [
        (("logs", "errors_per_minute"), _map(logs, "errors_per_minute"))
    ]
    limits += [(("logs", "limits", name), part) for name, part in _maps(logs, "limits")]
    for where, part in limits:
        soft, hard = part.get("soft", 5.0), part.get("hard", 60.0)
        if isinstance(soft, int | float) and isinstance(hard, int | float) and soft > hard:
            yield Finding((*where, "soft"), f"expected at most hard ({hard}), found {soft}")
    if logs.get("loki") and logs.get("cloud_logging"):
        yield Finding(("logs", "cloud_logging"), "expected one of loki and cloud_logging, found both")


def _log_suppressions(data: Mapping[str, Any]) -> Iterator[Finding]:
    yield from _strangers(data, "log_suppressions")
    for index, each in _list(data, "log_suppressions"):
        if not (each.get("template") or each.get("exception")):
            yield Finding(("log_suppressions", index), "missing: expected a template or an exception")
        if each.get("most") is None and each.get("most_per_minute") is None:
            text = "missing: expected a ceiling, most or most_per_minute: what is accepted is accepted up to a number"
            yield Finding(("log_suppressions", index), text)


def _settle(data: Mapping[str, Any]) -> Iterator[Finding]:
    budget, every = (_map(data, "settle").get(key, default) for key, default in (("budget_s", 600), ("every_s", 2)))
    if isinstance(budget, int | float) and isinstance(every, int | float) and every > budget:
        yield Finding(("settle", "every_s"), f"expected at most budget_s ({budget}), found {every}")


def _tolerances(name: str, data: Mapping[str, Any]) -> Iterator[Finding]:
    components, api = _map(data, "components"), _map(data, "api")
    images = [part.get("image") for _, part in _maps(data, "components")]
    hosts = [part.get("host") for key in ("brands", "sites") for _, part in _maps(data, key)]
    subjects = [
        each
        for each in (name, *components, *images, *hosts, *_delivery(data), *_clients(data), api.get("host"))
        if isinstance(each, str)
    ]
    for index, each in _list(data, "tolerances"):
        subject = each.get("subject")
        if isinstance(subject, str) and subject not in subjects:
            expected = "expected a component, image, host, account, deposit method or Flux object of this environment"
            expected += ", or its name"
            yield Finding(("tolerances", index, "subject"), f"{expected}; found '{subject}'{hint(subject, subjects)}")


def _clients(data: Mapping[str, Any]) -> Iterator[Any]:
    """The account and the deposit methods that checks are about."""
    yield _map(_map(_map(data, "api"), "accounts"), "trader").get("login")
    yield from _map(data, "deposits")


def _delivery(data: Mapping[str, Any]) -> Iterator[Any]:
    """The names of the Flux objects that checks are about."""
    for key in ("kustomizations", "helm_releases", "image_policies"):
        names = _map(data, "flux").get(key)
        yield from names if isinstance(names, list) else ()

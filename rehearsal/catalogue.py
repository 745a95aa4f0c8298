"""The faults and traps a rehearsal knows: `python -m rehearsal.catalogue --faults|--traps [--json]`."""

from __future__ import annotations

import argparse
import difflib
import json
import sys
from collections.abc import Sequence
from typing import Literal

from rehearsal import (
    faults_access,
    faults_api,
    faults_around,
    faults_audit,
    faults_batch,
    faults_bits,
    faults_business,
    faults_client,
    faults_content,
    faults_edge,
    faults_flux,
    faults_images,
    faults_logs,
    faults_money,
    faults_pods,
    faults_progressive,
    faults_rollout,
    faults_schedule,
    faults_smoke,
    faults_stability,
    faults_traffic,
    faults_watched,
    faults_web,
    traps_access,
    traps_api,
    traps_audit,
    traps_batch,
    traps_bits,
    traps_business,
    traps_client,
    traps_events,
    traps_flux,
    traps_images,
    traps_logs,
    traps_pages,
    traps_parity,
    traps_pods,
    traps_rollout,
    traps_schedule,
    traps_stability,
    traps_traffic,
    traps_web,
)
from rehearsal.entry import REGISTER, Entry

TOPICS = (
    *(faults_bits, faults_schedule, traps_bits, traps_schedule),
    *(faults_rollout, faults_pods, faults_images, faults_batch, faults_web, faults_api, faults_access),
    *(traps_rollout, traps_pods, traps_images, traps_batch, traps_api, traps_access, traps_parity),
    *(faults_stability, traps_stability),
    *(faults_flux, faults_progressive, traps_flux),
    *(faults_logs, traps_logs),
    *(faults_traffic, faults_around, traps_traffic, traps_events),
    *(faults_edge, faults_content, faults_smoke, traps_web),
    *(faults_business, faults_money, traps_business),
    *(faults_client, faults_watched, traps_client, traps_pages),
    *(faults_audit, traps_audit),
)
"""Importing them is what fills the register."""

TIERS = ("infra", "endpoints", "audit", "smoke", "journeys")


def _listed(kind: str) -> dict[str, Entry]:
    found = [each for each in REGISTER.values() if each.kind == kind]
    return {each.name: each for each in sorted(found, key=lambda e: (TIERS.index(e.tier), e.catches, e.name))}


FAULTS = _listed("fault")
TRAPS = _listed("trap")


class UnknownFault(Exception):
    """There is no fault or trap of that name; the message offers the nearest spelling."""


def find(name: str, environment: str = "") -> Entry:
    """Return the fault or trap of a name, whatever its kind; refused where that environment lacks what it needs."""
    entry = REGISTER.get(name)
    if entry is not None:
        if environment and entry.only_in not in ("", environment):
            raise UnknownFault(f"{name} needs what only {entry.only_in} declares: use --env={entry.only_in}.")
        return entry
    near = difflib.get_close_matches(name, REGISTER, n=1)
    hint = f" Did you mean {near[0]!r}?" if near else ""
    raise UnknownFault(
        f"No fault or trap is called {name!r}.{hint} `postdeploy faults` and `postdeploy traps` list them."
    )


def known_in(kind: Literal["fault", "trap"], environment: str = "") -> list[Entry]:
    """The faults or the traps of an environment; without one, those that every environment can have."""
    entries = (FAULTS if kind == "fault" else TRAPS).values()
    return [each for each in entries if each.only_in in ("", environment)]


def listing(kind: Literal["fault", "trap"], environment: str = "") -> list[dict[str, str]]:
    """Faults or traps as `{name, tier, catches, verdict}`, in the order of the catalogue."""
    return [each.row for each in known_in(kind, environment)]


def table(kind: Literal["fault", "trap"], environment: str = "") -> str:
    """Faults or traps for people, with what each of them does."""
    entries = known_in(kind, environment)
    wide = max(len(each.name) for each in entries)
    checks = max(len(each.catches) for each in entries)
    return "\n".join(
        f"{each.name:<{wide}}  {each.catches:<{checks}}  {each.verdict:<10}  {each.description}" for each in entries
    )


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the faults or the traps, for people or as JSON."""
    parser = argparse.ArgumentParser(prog="python -m rehearsal.catalogue", description=__doc__)
    which = parser.add_mutually_exclusive_group(required=True)
    which.add_argument("--faults", dest="kind", action="store_const", const="fault", help="what a rehearsal can break")
    which.add_argument("--traps", dest="kind", action="store_const", const="trap", help="what is odd but healthy")
    parser.add_argument("--json", action="store_true", help="for programs: [{name, tier, catches, verdict}]")
    parser.add_argument("--env", default="", metavar="NAME", help="also those that only this environment can have")
    options = parser.parse_args(arguments)
    chosen = (options.kind, options.env)
    text = json.dumps(listing(*chosen), indent=2) if options.json else table(*chosen)
    sys.stdout.write(text + "\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())

"""The faults and traps a rehearsal knows: `python -m rehearsal.catalogue --faults|--traps [--json]`."""

from __future__ import annotations

import argparse
import difflib
import json
import sys
from collections.abc import Sequence
from typing import Literal

from rehearsal import (
    faults_api,
    faults_batch,
    faults_images,
    faults_pods,
    faults_rollout,
    faults_web,
    traps_api,
    traps_batch,
    traps_images,
    traps_pods,
    traps_rollout,
)
from rehearsal.entry import REGISTER, Entry

TOPICS = (
    *(faults_rollout, faults_pods, faults_images, faults_batch, faults_web, faults_api),
    *(traps_rollout, traps_pods, traps_images, traps_batch, traps_api),
)
"""Importing them is what fills the register."""

TIERS = ("infra", "endpoints", "smoke")


def _listed(kind: str) -> dict[str, Entry]:
    found = [each for each in REGISTER.values() if each.kind == kind]
    return {each.name: each for each in sorted(found, key=lambda e: (TIERS.index(e.tier), e.catches, e.name))}


FAULTS = _listed("fault")
TRAPS = _listed("trap")


class UnknownFault(Exception):
    """There is no fault or trap of that name; the message offers the nearest spelling."""


def find(name: str) -> Entry:
    """Return the fault or trap of a name, whatever its kind."""
    entry = REGISTER.get(name)
    if entry is not None:
        return entry
    near = difflib.get_close_matches(name, REGISTER, n=1)
    hint = f" Did you mean {near[0]!r}?" if near else ""
    raise UnknownFault(
        f"No fault or trap is called {name!r}.{hint} `postdeploy faults` and `postdeploy traps` list them."
    )


def listing(kind: Literal["fault", "trap"]) -> list[dict[str, str]]:
    """All faults or all traps as `{name, tier, catches, verdict}`, in the order of the catalogue."""
    return [each.row for each in (FAULTS if kind == "fault" else TRAPS).values()]


def table(kind: Literal["fault", "trap"]) -> str:
    """All faults or all traps for people, with what each of them does."""
    entries = list((FAULTS if kind == "fault" else TRAPS).values())
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
    options = parser.parse_args(arguments)
    text = json.dumps(listing(options.kind), indent=2) if options.json else table(options.kind)
    sys.stdout.write(text + "\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())

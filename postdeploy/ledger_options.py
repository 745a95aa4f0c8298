"""What the verbs over the ledger take: declared without importing what they do."""

from __future__ import annotations

import argparse
from collections.abc import Callable

Add = Callable[[str, str], argparse.ArgumentParser]
"""A new verb by its name, with the sentence that explains it."""


def add(verb: Callable[..., argparse.ArgumentParser], ledger: Callable[[argparse.Namespace], int]) -> None:
    """Declare every verb; `ledger` runs the one whose name is in `does`."""

    def named(name: str, text: str) -> argparse.ArgumentParser:
        return _of_ledger(verb(name, ledger, text), name)

    _audit(named)
    _archive(named)
    _overview(named)
    book = verb("ledger", ledger, "Check the ledger, make it again from run folders, copy it, set it right.")
    kinds = book.add_subparsers(required=True, metavar="WHAT")

    def kind(name: str, text: str) -> argparse.ArgumentParser:
        return _of_ledger(kinds.add_parser(name, help=text, description=text), name)

    _checks(kind)
    _changes(kind)


def _of_ledger(added: argparse.ArgumentParser, does: str) -> argparse.ArgumentParser:
    """Which ledger, every one of them takes."""
    added.add_argument("--ledger", metavar="FILE|URL", help="default: $LEDGER_URL, then the file beside the archive")
    added.add_argument("--archive", metavar="DIR", help="the archive of run folders")
    added.set_defaults(does=does)
    return added


def _audit(named: Add) -> None:
    asked = named("audit", "Every deployment of a period, and what verified it.")
    asked.add_argument("what", nargs="?", choices=["sample"], help="draw a sample of them that can be drawn again")
    asked.add_argument("--env", required=True, metavar="NAME")
    asked.add_argument("--from", dest="first", metavar="DATE", help="from this day or moment on (UTC)")
    asked.add_argument("--to", dest="last", metavar="DATE", help="up to and with this day, or up to this moment")
    asked.add_argument("--n", type=int, metavar="COUNT", help="with sample: how many")
    asked.add_argument("--seed", metavar="S", help="with sample: any text, which fixes what is drawn")
    asked.add_argument("--rehearsal", action="store_true", help="the rehearsals instead of production")
    form = asked.add_mutually_exclusive_group()
    form.add_argument("--json", action="store_true")
    form.add_argument("--csv", action="store_true")


def _archive(named: Add) -> None:
    kept = named("archive", "Put closed runs where nobody can change them, with the ledger's head.")
    kept.add_argument("--to", required=True, metavar="DIR|s3://BUCKET/PREFIX")
    kept.add_argument("--years", type=int, default=7, metavar="N", help="how long from the end of each run (default 7)")
    kept.add_argument("--legal-hold", action="store_true", help="and until somebody lifts the hold")


def _overview(named: Add) -> None:
    shown = named("overview", "Write index.html: every environment at a glance.")
    shown.add_argument("--release", metavar="TAG", help="default: that of the newest deployment")
    shown.add_argument("--to", metavar="FILE", help="default: index.html beside the archive")


def _checks(kind: Add) -> None:
    checked = kind("verify", "Tell whether the ledger is what was written: 0 whole, 2 incomplete, 3 tampered with.")
    checked.add_argument("--keys", metavar="FILE", help="trusted keys; default: $POSTDEPLOY_KEYS, or none")
    checked.add_argument("--anchors", metavar="DIR|s3://…", help="where `postdeploy archive` leaves the head")
    checked.add_argument("--json", action="store_true")
    kind("rebuild", "Enter every run folder of the archive that is not in yet.")
    copied = kind("export", "Copy the ledger into one file: .jsonl is the chain, anything else a SQLite ledger.")
    copied.add_argument("--to", required=True, metavar="FILE")


def _changes(kind: Add) -> None:
    for name, what, text in (
        ("retract", "--run", "Say that a run does not count as a verification any more (ENVIRONMENT/RUN_ID)."),
        ("correct", "--deployment", "Set one fact about a deployment right; what was said before stays."),
        ("erase", "--login", "Destroy the name behind a pseudonym."),
    ):
        changed = kind(name, text)
        changed.add_argument(what, required=True, metavar="NAME")
        changed.add_argument("--by", required=True, metavar="LOGIN", help="who says so")
        changed.add_argument("--because", required=True, metavar="TICKET", help="why, for ever")
        if name == "correct":
            changed.add_argument("--set", required=True, metavar="FIELD=VALUE")

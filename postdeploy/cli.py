"""The `postdeploy` command: tools for people, beside pytest which verifies."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Sequence
from typing import NoReturn

from postdeploy import ledger_options, verbs
from postdeploy.environment import EnvironmentFileError, UnknownEnvironment
from postdeploy.standin import StandinFailed
from postdeploy.verbs import BadInput
from postdeploy.verdict import ExitCode, Unverified


class Parser(argparse.ArgumentParser):
    """Its 2 would mean something else: of pytest an interruption, of `verify-evidence` an incomplete folder."""

    def error(self, message: str) -> NoReturn:
        """One paragraph, and exit code 4."""
        self.print_usage(sys.stderr)
        self.exit(int(ExitCode.USAGE), f"{self.prog}: {message}\n")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one verb; bad input is one paragraph on standard error and exit code 4."""
    options = parser().parse_args(arguments)
    verb: Callable[[argparse.Namespace], int] = options.verb
    try:
        return verb(options)
    except (BadInput, EnvironmentFileError, StandinFailed, UnknownEnvironment) as error:
        print(f"postdeploy: {error}", file=sys.stderr)
        return int(ExitCode.USAGE)
    except Unverified as error:
        print(f"postdeploy: {error}", file=sys.stderr)
        return int(ExitCode.UNVERIFIED)
    except BrokenPipeError:  # `postdeploy plan … | head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except KeyboardInterrupt:
        return 130


def parser() -> argparse.ArgumentParser:
    """Every verb and its options."""
    top = Parser(prog="postdeploy", description=__doc__)
    group = top.add_subparsers(required=True, metavar="VERB")

    def verb(name: str, does: Callable[[argparse.Namespace], int], text: str) -> argparse.ArgumentParser:
        added = group.add_parser(name, help=text, description=text)
        added.set_defaults(verb=does)
        return added

    judged = verb("judge", verbs.judge, "Judge a dump of `kubectl get … -o json|yaml` as the suite would.")
    judged.add_argument("files", nargs="+", metavar="FILE", help="a dump; - reads standard input")
    judged.add_argument("--json", action="store_true")

    scanned = verb(
        "scan-logs", verbs.scan_logs, "Say of log files what the suite would: critical records, errors, what is new."
    )
    scanned.add_argument("files", nargs="+", metavar="FILE", help="a log, also .gz; - reads standard input")
    scanned.add_argument("--since", default="", metavar="TIME", help="2026-11-20T10:00:00Z, or how long ago: 15m, 2h")
    scanned.add_argument(
        "--baseline", action="append", default=[], metavar="FILE", help="a log of before: what it has is not new"
    )
    scanned.add_argument("--json", action="store_true", help="a list for programs, with every finding")
    planned = verb("plan", verbs.plan, "Print the checks that would run, and what they would look at.")
    planned.add_argument("--env", required=True, metavar="NAME")

    looked = verb("browser", verbs.browser, "Print the browser that the journeys would use; 10 when there is none.")
    looked.add_argument("--browser-ws", metavar="URL", help="a remote one: a Playwright server or a grid")

    recorded = verb(
        "record", verbs.record, "Open a brand's front page with Playwright's inspector, to write a journey from."
    )
    recorded.add_argument("--env", required=True, metavar="NAME")
    recorded.add_argument("--rehearsal", action="store_true", help="at a stand-in of it, started for this")
    recorded.add_argument("--brand", default="", metavar="NAME", help="default: the first that the journeys visit")

    rehearsed = verb("rehearse", verbs.rehearse, "Serve a stand-in of an environment until interrupted.")
    rehearsed.add_argument("--env", required=True, metavar="NAME")
    rehearsed.add_argument("--fault", action="append", default=[], metavar="NAME", help="a fault or a trap; repeatable")
    rehearsed.add_argument("--seed", type=int, metavar="N")
    rehearsed.add_argument("--release", metavar="TAG")
    rehearsed.add_argument("--dir", metavar="DIR", help="where the kubeconfig goes; default: a temporary folder")
    rehearsed.add_argument("--rbac", metavar="FILE", help="let the user do only what the bindings in it grant")
    rehearsed.add_argument("--motion", type=float, metavar="SECONDS", help="a rollout that converges within this time")

    for name, does, text in (
        ("journal", verbs.journal, "List what runs left open in the undo journal."),
        ("sweep", verbs.sweep, "Undo what runs left open, found by the journal and by our tag in the product."),
    ):
        left = verb(name, does, text)
        left.add_argument("--env", required=True, metavar="NAME")
        left.add_argument("--state", metavar="DIR|URL", help="where the journal is (default reports/state)")
        left.add_argument("--rehearsal", action="store_true", help="a rehearsal's, over the books it left there")
        left.add_argument("--json", action="store_true")
        if name == "sweep":
            left.add_argument(
                "--settled", action="append", default=[], metavar="KEY", help="a person settled it already"
            )
            left.add_argument("--because", default="", metavar="TICKET", help="with --settled: who and why, for ever")
    _add_evidence_verbs(verb)
    ledger_options.add(verb, verbs.ledger)

    for kind, text in (
        ("faults", "List what can be broken in a rehearsal, and the check that catches it."),
        ("traps", "List what is odd but healthy in a rehearsal, and must stay green."),
    ):
        listed = verb(kind, verbs.listing(kind), text)
        listed.add_argument("--json", action="store_true")
        listed.add_argument("--env", default="", metavar="NAME", help="also those that only this environment can have")

    for name, does, text in (
        ("catalogue", verbs.catalogue, "Print every check id; --write brings postdeploy/catalogue.json in step."),
        (
            "schema",
            verbs.schema,
            "Print the schema of environments/*.yaml; --write brings environments/schema.json in step.",
        ),
    ):
        verb(name, does, text).add_argument("--write", action="store_true")
    return top


def _add_evidence_verbs(verb: Callable[..., argparse.ArgumentParser]) -> None:
    """What an auditor uses."""
    verified = verb(
        "verify-evidence",
        verbs.verify_evidence,
        "Tell whether run folders are whole and unaltered: exit code 0, 2 incomplete, 3 tampered with.",
    )
    verified.add_argument("runs", nargs="+", metavar="RUN|TAR", help="a run folder, or a tar file of some")
    verified.add_argument("--keys", metavar="FILE", help="trusted keys; default: $POSTDEPLOY_KEYS, or none")
    verified.add_argument("--json", action="store_true")

    stamped = verb(
        "timestamp", verbs.timestamp, "Ask a timestamp authority for what a run could not get when it was signed."
    )
    stamped.add_argument("run", metavar="RUN")
    stamped.add_argument("--url", metavar="URL", help="RFC 3161 authority; default: the one that the run asked")

    shown = verb("show", verbs.show, "Show what a run folder says of itself: verdict, who, when, what was found.")
    shown.add_argument("run", metavar="RUN")

    replayed = verb("replay", verbs.replay, "Judge a saved run again without network, and compare the verdicts.")
    replayed.add_argument("run", metavar="RUN")
    replayed.add_argument("arguments", nargs=argparse.REMAINDER, help="more arguments of pytest, such as --archive=DIR")


if __name__ == "__main__":
    sys.exit(main())

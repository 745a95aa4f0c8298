"""The suite's command line: declared once, read once into a frozen value (design: the public contract)."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from postdeploy.environment import known
from postdeploy.verdict import Unverified

ALL = "all"
REHEARSAL_HOLD_S = 2.0


@dataclass(frozen=True, slots=True)
class Options:
    """What the user asked for."""

    environments: tuple[str, ...]
    release: str | None
    """From the command line only; see `expected_release`."""
    digests: Path | None
    rehearsal: bool
    faults: tuple[str, ...]
    seed: int | None
    replay: Path | None
    plan: bool
    archive: Path
    state: str | None
    """A folder relative to the rootdir, or the URL of a PostgreSQL; see `business.state_of`."""
    budget_s: float | None
    hold_s: float | None
    parallel: int
    fail_on_soft: bool
    keep_logs: bool = False
    waivers: Path | None = None
    sign_key: str | None = None
    """From the command line only, as the next one; see `postdeploy.evidence.signing`."""
    sign_public_key: str | None = None
    unsigned: bool = False
    all_brands: bool = False
    timestamps: str = ""
    """Address of the authority, from the command line or the variable; empty: nobody is asked."""
    ledger: str | None = None
    """From the command line only; see `booking.place_of`."""

    @property
    def is_fleet(self) -> bool:
        """Whether this run is several environments, each a child run of its own."""
        return len(self.environments) > 1 or ALL in self.environments

    def faults_in(self, environment: str) -> tuple[str, ...]:
        """The faults of one environment: those without an `@`, and those aimed at it."""
        aimed = (each.partition("@") for each in self.faults)
        return tuple(name for name, _, target in aimed if target in ("", environment))

    @property
    def aims(self) -> frozenset[str]:
        """The environments that some fault is aimed at."""
        return frozenset(each.partition("@")[2] for each in self.faults if "@" in each)


def expected_release(options: Options, variables: Mapping[str, str] = os.environ) -> str | None:
    """The release that must be live: --release, then the CI's; a rehearsal ignores the CI's and uses its own."""
    if options.release or options.rehearsal:
        return options.release
    return variables.get("RELEASE_TAG") or variables.get("CI_COMMIT_TAG") or None


def expected_commit(variables: Mapping[str, str], release: str, *, names_release: bool) -> str:
    """The commit the release is: $RELEASE_COMMIT, else the pipeline's where it runs for this very tag; "" if unknown.

    Where the revision carries the tag the pipeline's commit is not asked: it may be of another repository.
    """
    said = variables.get("RELEASE_COMMIT", "").strip().lower()
    if not said and not names_release and variables.get("CI_COMMIT_TAG") == release:
        said = variables.get("CI_COMMIT_SHA", "").lower()
    if said and not re.fullmatch(r"[0-9a-f]{7,64}", said):
        raise Unverified(f"RELEASE_COMMIT is {said!r}, which is no commit: expected 7 to 64 hex digits")
    return said


def add_options(group: Any) -> None:
    """Declare every option; `dest` is prefixed, for pytest refuses two plugins with one dest."""

    def add(flag: str, **how: Any) -> None:
        group.addoption(flag, dest="postdeploy_" + flag.lstrip("-").replace("-", "_"), **how)

    add("--env", metavar="NAME", action="append", default=[], help="Environment to verify, or 'all' (repeatable).")
    add("--release", metavar="TAG", help="Tag that must be live. Default: $RELEASE_TAG, then $CI_COMMIT_TAG.")
    add("--digests", metavar="FILE", help="JSON of image repository to accepted digests, from the build.")
    add("--rehearsal", action="store_true", help="Run against a stand-in of the environment on loopback.")
    add(
        "--fault",
        metavar="NAME",
        action="append",
        default=[],
        help="Break (or oddly bend) the rehearsal; NAME@ENV: in that environment only. Repeatable.",
    )
    add("--seed", metavar="N", type=int, help="Seed of the rehearsal's names, order, timing and noise.")
    add("--replay", metavar="RUN_FOLDER", help="Judge a saved run again, without network.")
    add("--plan", action="store_true", help="Print what would be looked at; look at nothing.")
    add("--archive", metavar="DIR", default="reports/archive", help="Where run folders go (relative to the rootdir).")
    add(
        "--state", metavar="DIR|URL", help="Undo journal and leases: a folder (default reports/state) or postgresql://…"
    )
    add("--ledger", metavar="FILE|URL", help="The ledger. Default: $LEDGER_URL, then reports/ledger.sqlite.")
    add("--budget", metavar="SECONDS", type=float, help="Time for the whole run; what is left undone is unverified.")
    add("--hold", metavar="SECONDS", type=float, help="How long it must stay live. Default: the environment's.")
    add("--parallel", metavar="N", type=int, help="Child runs at once. Default: cores, twice that in a rehearsal.")
    add("--waivers", metavar="FILE", help="YAML or JSON of checks that somebody allowed not to be run.")
    add("--keep-logs", action="store_true", help="Keep the logs that were read, whole, redacted and compressed.")
    add("--sign-key", metavar="FILE|URI", help="Key that signs the evidence. Default: $POSTDEPLOY_SIGNING_KEY.")
    add("--sign-public-key", metavar="FILE", help="PEM of its public key, for a URI. $POSTDEPLOY_SIGNING_PUBLIC_KEY.")
    add("--timestamp", metavar="URL", help="RFC 3161 authority to ask when it is signed. $POSTDEPLOY_TIMESTAMP_URL.")
    add("--unsigned", action="store_true", help="Leave the evidence unsigned; the verdict line says so.")
    add("--all-brands", action="store_true", help="Let the journeys visit every brand in every language.")
    add("--browser-ws", metavar="URL", help="Remote browser: a Playwright server or a grid. Default: $BROWSER_WS_URL.")
    add("--headed", action="store_true", help="Show the browser's window.")
    add("--slow-mo", metavar="MS", type=float, default=0.0, help="Pause after each of the browser's actions.")
    add("--fail-on-soft", action="store_true", help="Exit 11 when a check is flaky or degraded.")


def read_options(config: Any) -> Options:
    """The options of this pytest run; paths are resolved against the rootdir, so that the cwd does not matter."""

    def given(name: str) -> Any:
        return config.getoption(f"postdeploy_{name}")

    def path(name: str) -> Path | None:
        return config.rootpath / given(name) if given(name) else None

    return Options(
        environments=tuple(dict.fromkeys(given("env"))),
        release=given("release"),
        digests=path("digests"),
        rehearsal=given("rehearsal"),
        faults=tuple(given("fault")),
        seed=given("seed"),
        replay=path("replay"),
        plan=given("plan"),
        archive=config.rootpath / given("archive"),
        state=given("state"),
        budget_s=given("budget"),
        hold_s=given("hold"),
        parallel=given("parallel") if given("parallel") is not None else _at_once(given("rehearsal")),
        fail_on_soft=given("fail_on_soft"),
        keep_logs=given("keep_logs"),
        waivers=path("waivers"),
        sign_key=given("sign_key"),
        sign_public_key=given("sign_public_key"),
        unsigned=given("unsigned"),
        all_brands=given("all_brands"),
        timestamps=given("timestamp") or os.environ.get("POSTDEPLOY_TIMESTAMP_URL", ""),
        ledger=given("ledger"),
    )


def state_mistake(state: str | None, root: Path) -> str | None:
    """Why a --state cannot be used, or None; a URL with a password is not repeated."""
    if state is not None and "://" not in state and (root / state).is_file():
        return f"--state={state} is a file; name a folder, or a PostgreSQL."
    return url_mistake(state, "--state")


def url_mistake(state: str | None, option: str) -> str | None:
    """Why the URL of a database cannot be used, or None; of a path nothing is said."""
    if state is None or "://" not in state:
        return None
    if re.search(r"://[^/@\s]*:[^/@\s]*@|[?&]password=", state):
        return (
            f"{option} holds a password, and a command line is read by everybody on the machine. "
            "Leave it out, and set PGPASSWORD or PGPASSFILE."
        )
    if not re.match(r"postgres(ql)?(\+psycopg)?://", state):
        return f"{option}={state} is neither a path nor a PostgreSQL; write postgresql://USER@HOST/DATABASE."
    return None


def timestamp_mistake(url: str) -> str | None:
    """Why an address cannot be asked for timestamps, or None; the record names it, so it holds no password."""
    if url and not re.fullmatch(r"https?://[^\s@]+", url):
        return f"--timestamp={url.rpartition('@')[2]} is no address of an authority; write https://HOST/PATH."
    return None


def _at_once(rehearsal: bool) -> int:
    """A child run a core; twice as many in a rehearsal, which spends half of its time waiting for its own hold."""
    return (os.cpu_count() or 1) * (2 if rehearsal else 1)


def contradiction(options: Options, root: Path) -> str | None:
    """Why these options cannot be meant together, or None."""
    if options.faults and not options.rehearsal:
        return "--fault breaks a rehearsal, and this is not one. Add --rehearsal, or leave --fault out."
    if stray := options.aims.difference(known()):
        return f"--fault is aimed at {', '.join(sorted(stray))}, but there is no such environment; write NAME@ENV."
    if options.seed is not None and not options.rehearsal:
        return "--seed varies a rehearsal, and this is not one. Add --rehearsal, or leave --seed out."
    if options.replay and (options.rehearsal or options.environments or options.waivers):
        return "--replay takes its environment from the run folder. Leave --env, --rehearsal and --waivers out."
    wrong = state_mistake(options.state, root) or url_mistake(options.ledger, "--ledger")
    if wrong := wrong or timestamp_mistake(options.timestamps):
        return wrong
    if options.unsigned and options.sign_key:
        return "--unsigned and --sign-key contradict each other. Leave one of them out."
    if options.parallel < 1:
        return f"--parallel {options.parallel} leaves nobody to run; give 1 or more."
    for name, seconds in (("--budget", options.budget_s), ("--hold", options.hold_s)):
        if seconds is not None and seconds < 0:
            return f"{name} {seconds:g} lies in the past; give seconds from 0 upwards."
    return None

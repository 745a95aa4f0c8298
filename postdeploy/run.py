"""One verification of one environment: planned, looked at, judged and recorded, in this order."""

from __future__ import annotations

import os
from collections.abc import Collection, Mapping
from datetime import UTC, date, datetime
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from postdeploy import judges, observations
from postdeploy.acting import Acting
from postdeploy.beginning import CannotBegin, expected, read_digests, signing_key
from postdeploy.business import state_of
from postdeploy.deadline import Deadline
from postdeploy.environment import BadWaivers, Environment, load, read_waivers
from postdeploy.evidence import catalogue, closing, plan, run_record
from postdeploy.evidence.folder import RunFolder, new_run_id
from postdeploy.evidence.journal import Journal, open_log
from postdeploy.evidence.signing import UNSIGNED, SigningKey
from postdeploy.evidence.unfinished import Occupied, mark_unfinished
from postdeploy.evidence.waivers import WaivesNothing, said
from postdeploy.live import Live, Say, WrongCluster
from postdeploy.options import REHEARSAL_HOLD_S, Options
from postdeploy.outcome import Outcome
from postdeploy.redact import Redactor
from postdeploy.replay import Replayed, read_run_folder
from postdeploy.standin import StandinProcess
from postdeploy.tokens import known as tokens_of
from postdeploy.verdict import Unverified

if TYPE_CHECKING:
    from postdeploy.broker.recording import Recording
    from postdeploy.evidence.allure import AllureRecorder
    from postdeploy.evidence.results import Result

Key = tuple[str, str]
"""Check id and subject."""

DIGESTS_FILE = "observation/digests.json"


class Run:
    """The state of one verification, from the options to what was seen and judged."""

    folder: RunFolder
    source: Live | Replayed
    record: run_record.RunRecord
    occupied: Occupied
    checks: Mapping[str, catalogue.Check]
    """These five exist once the run began."""

    def __init__(
        self, options: Options, root: Path, environment: Environment, replayed: Mapping[str, Any] | None = None
    ) -> None:
        self.options = options
        self.root = root
        self.environment = environment
        self.replayed = replayed
        """The record of the run that is judged again, if any."""
        self.started = datetime.now(UTC)
        self.deadline = Deadline(options.budget_s if options.budget_s is not None else float("inf"))
        self.process: StandinProcess | None = None
        self.began = False
        self.plan: tuple[plan.Planned, ...] = ()
        self.selected: Mapping[Key, str] = {}
        """What pytest selected, each with its node id."""
        self.outcomes: dict[Key, Outcome] = {}
        self.broken: frozenset[str] = frozenset()
        """Modules of the suites that could not be collected."""
        self.stopped = ""
        """Why the rest was not run, where something stopped it."""
        self.said: list[str] = []
        """Lines to repeat at the end: what could not be looked at or written."""
        self.results: tuple[Result, ...] = ()
        self.key: SigningKey | None = None
        self.recorder: AllureRecorder | None = None
        self.journal: Journal | None = None
        self._seen: dict[str, Any] = {}
        self._claims: dict[str, Any] = {}
        self.acting = Acting(self)

    @classmethod
    def prepare(cls, options: Options, root: Path) -> Run:
        """A run of the environment asked for; an unknown or wrong file raises what the loader raises."""
        if options.replay:
            return cls(options, root, *read_run_folder(options.replay))
        environment = load(options.environments[0], root / "environments")
        if options.waivers:
            try:
                more = read_waivers(options.waivers, environment.name)
            except BadWaivers as error:
                raise CannotBegin(f"--waivers cannot be used: {error}") from error
            environment = environment.model_copy(update={"waivers": (*environment.waivers, *more)})
        return cls(options, root, environment.with_all_brands() if options.all_brands else environment)

    def start_standin(self) -> None:
        """Start the rehearsal now, so that it is up when collection ends."""
        if self.options.rehearsal:
            name = self.environment.name
            faults = self.options.faults_in(name)
            books = None if faults and self.options.state is None else self._books(name)
            self.process = StandinProcess.start(
                name, faults=faults, seed=self.options.seed, state=books, root=self.root
            )

    def _books(self, environment: str) -> Path:
        """Where a rehearsal's brokerage keeps its books: beside our own state, or where that would be by default."""
        given = self.options.state
        shared = state_of(None if given and "://" in given else given, self.root, environment, rehearsal=True)
        return Path(shared)

    def begin(self, selected: Mapping[Key, str], asked: str, broken: frozenset[str] = frozenset()) -> None:
        """Commit to the plan before the first look: run folder, plan, environment, a record that says unverified."""
        self.selected, self.broken = selected, broken
        kubeconfig = self.process.ready() if self.process else None
        self.checks = {each.id: each for each in catalogue.load()}
        self.plan = self._planned()
        replayed = str(self.replayed["release"]) if self.replayed else ""
        release = replayed or expected(self.options, self.environment, kubeconfig)
        run_id = new_run_id(self.started, release)
        self.source = self._open_source(release, run_id, kubeconfig)
        proves = not self._is_rehearsal and self.replayed is None
        self.key = signing_key(self.options, proves=proves)
        self.folder = RunFolder.create(self.options.archive, self.environment.name, run_id)
        self.occupied = Occupied(self.folder)
        committed = closing.commit_plan(self.folder, self.plan)
        resolved = self.environment.model_dump_json(indent=2).encode()
        self.record = run_record.begin(
            run_id=run_id,
            environment=self.environment.name,
            release=release,
            scope=self.redactor.text(self._scope(asked)),
            started=self.started,
            suite=run_record.describe_suite(self.root, resolved),
            pipeline=run_record.describe_pipeline(os.environ),
            planned=len(self.plan),
            rehearsal=self._is_rehearsal,
            replay_of=self.replayed["run_id"] if self.replayed else None,
            plan_sha256=committed,
            signing=self.key.keyid if self.key else UNSIGNED,
            timestamps=self.options.timestamps if self.key else "",
        )
        self.folder.write_bytes("environment.json", resolved)
        if self.source.digests:
            self.folder.write_json(DIGESTS_FILE, {image: sorted(each) for image, each in self.source.digests.items()})
        self.folder.write_json(closing.RUN, self.record)
        self.journal = open_log(self.folder, self.redactor.text)
        if isinstance(self.source, Live):
            self.source.redact, self.source.learn = self.redactor.text, self.redactor.learn
            self.source.suite = (self.record.suite.commit, self.record.suite.dirty)
            self.source.keep = self.folder.write_bytes if self.options.keep_logs else None
        self.began = True
        self.event("plan written", sha256=committed, planned=len(self.plan), selected=len(self.selected))
        self.event("run began", run_id=run_id, release=release, scope=self.record.scope)
        self.said += [*said(self.plan), *mark_unfinished(self.options.archive, run_id)]

    def _planned(self) -> tuple[plan.Planned, ...]:
        try:
            return plan.planned(self.checks.values(), self.environment, self.today)
        except WaivesNothing as error:
            raise CannotBegin(f"{error} Nothing was looked at.") from error

    @property
    def _is_rehearsal(self) -> bool:
        if self.replayed:
            return bool(self.replayed["rehearsal"])
        return self.options.rehearsal or (isinstance(self.source, Live) and self.source.is_rehearsal)

    def _open_source(self, release: str, run_id: str, kubeconfig: Path | None) -> Live | Replayed:
        if self.options.replay:
            saved = self.options.replay / DIGESTS_FILE
            return Replayed(self.options.replay, read_digests(saved) if saved.is_file() else {})
        hold = self.options.hold_s
        if hold is None:
            hold = REHEARSAL_HOLD_S if self.options.rehearsal else self.environment.hold_s
        digests = read_digests(self.options.digests) if self.options.digests else {}
        archive = self.options.archive / self.environment.name
        return Live(self.environment, release, self.deadline, run_id, kubeconfig, hold, digests, archive=archive)

    def _scope(self, asked: str) -> str:
        """Full only when planned and selected are the same set, by whatever means something was left out."""
        missing = {each.key for each in self.plan if each.applicable} - self.selected.keys()
        return "full" if all(self.is_broken(check) for check, _ in missing) else asked or "partial"

    def is_broken(self, check_id: str) -> bool:
        """Whether a check was asked for, but its module could not be collected."""
        return self.checks[check_id].module in self.broken

    # --- observe -------------------------------------------------------------------------------------------------

    def look(self, needed: Collection[str], say: Say) -> None:
        """Take the looks the selected checks need; a look that fails is remembered for the checks that need it."""
        looks = {each: getattr(self.source, each) for each in ("cluster", "logs", "web", "change")}
        wanted = {*needed, "cluster"} if "logs" in needed else set(needed)  # whose logs, the cluster says
        for what in sorted(looks.keys() & wanted):
            try:
                self._seen[what] = looks[what](say)
            except WrongCluster as error:
                self.stopped = "wrong cluster"
                raise CannotBegin(str(error)) from error
            except Exception as error:  # noqa: BLE001  a bug of ours must never roll back a good release
                self._blind(what, error)
            else:
                self.keep(what)
                self.event(f"looked at the {what}")
                for each in self.source.looks:
                    self.event("request", **msgspec.structs.asdict(each))
                self.source.looks = ()
        if self._is_rehearsal and not self.record.rehearsal:
            self.record = msgspec.structs.replace(self.record, rehearsal=True)
            if self.recorder is not None:
                self.recorder.rehearsal = True

    def event(self, message: str, **facts: object) -> None:
        """Write a line of the run's log."""
        if self.journal is not None:
            self.journal.event(message, **facts)  # type: ignore[arg-type]

    def _blind(self, what: str, error: Exception) -> None:
        """A failed look leaves its claims unverified, by name and with the reason."""
        known = isinstance(error, Unverified)
        reason = str(error) if known else f"harness error: {type(error).__name__}: {error}"
        self._seen[what] = Unverified(reason)
        if not known and self.journal is not None:
            self.journal.log.opt(exception=error).error("look at the {} failed", what)
        self.said.append(f"could not look at the {what}: {reason}")

    def keep(self, what: str) -> None:
        """Save an observation at once, so that a run killed later still leaves what it saw."""
        if what in self._seen:
            self.folder.write_bytes(observations.FILES[what], observations.save(what, self._seen[what]))

    def _look(self, what: str) -> Any:
        seen = self._seen.get(what) or Unverified(f"the {what} was not looked at")
        if isinstance(seen, Unverified):
            # A new one each time: an exception raised again drags along, and prints, every traceback it ever had.
            raise Unverified(str(seen)) from None
        return seen

    def claims(self, name: str) -> Any:
        """The judges of that name over what was seen, made once. Raises Unverified where it could not be looked at."""
        if name not in self._claims:
            about = (self.environment, self.record.release, self.source.digests or None)
            self._claims[name] = judges.appoint(name, self._look, *about)
        return self._claims[name]

    @cached_property
    def exchanges(self) -> Recording:
        """The API exchanges: filled by the smoke checks of a live run, served to those of a replay."""
        recording = self.source.exchanges()
        self._seen["exchanges"] = recording
        return recording

    @property
    def snapshot(self) -> Any:
        """The cluster's snapshot, or None where it was not or could not be looked at."""
        seen = self._seen.get("cluster")
        return None if isinstance(seen, Exception) else seen

    @property
    def is_offline(self) -> bool:
        """Whether the sweep over the hosts reached none of them."""
        sweep = self._seen.get("web")
        return sweep is not None and not isinstance(sweep, Exception) and sweep.is_offline

    @property
    def today(self) -> date:
        """The observation's day: a replay a year later judges terms as they stood then."""
        if self.snapshot is not None:
            return self.snapshot.taken.date()  # type: ignore[no-any-return]
        if self.replayed:
            return datetime.fromisoformat(self.replayed["started"]).date()
        return self.started.date()

    @cached_property
    def planned(self) -> Mapping[Key, plan.Planned]:
        """The plan by check and subject."""
        return {each.key: each for each in self.plan}

    @cached_property
    def keys(self) -> Mapping[str, Key]:
        """Check and subject of each selected test, by pytest's node id."""
        return {nodeid: key for key, nodeid in self.selected.items()}

    @cached_property
    def redactor(self) -> Redactor:
        """Strikes the run's own secrets, and whatever looks like one, out of text."""
        from postdeploy.evidence.leaks import harmless

        # What the environment declares and who approved is part of the record, though it may look like an address.
        pipeline = msgspec.structs.astuple(run_record.describe_pipeline(os.environ))
        keep = harmless(self.environment.model_dump_json(), pipeline)
        tokens = tokens_of(self.environment, self.source.standin) if isinstance(self.source, Live) else ()
        return Redactor([*self.acting.secrets, *tokens], keep=keep)

    def carry(self, key: Key) -> None:
        """In a replay raise what the replayed run made of a check that needs a living product."""
        if self.replayed and isinstance(self.source, Replayed):
            raise self.source.carried(key, self.replayed["run_id"])

    # --- judge ---------------------------------------------------------------------------------------------------

    def outcome(self, key: Key) -> Outcome:
        """The outcome of a selected check, made when first asked for."""
        return self.outcomes.setdefault(key, Outcome(*key, self.selected[key]))

"""What runs left behind, for people: the open entries of the undo journal, and the sweep that settles them."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from postdeploy.business import Opening, keys_of, open_desk, options_of, origin_of, state_of
from postdeploy.deadline import Deadline
from postdeploy.environment import Environment, load
from postdeploy.evidence.folder import new_run_id
from postdeploy.standin import Standin, StandinProcess, kubeconfig_paths, read_standin
from postdeploy.verdict import ExitCode, Judgement, ProductDown, Residue, State, Unverified
from postdeploy.web.headers import synthetic, traceparent

if TYPE_CHECKING:
    from postdeploy.broker.keys import Origin
    from postdeploy.broker.undo.journal import Journal

BUDGET_S = 300.0
RELEASE = "sweep"


@dataclass(frozen=True)
class Place:
    """Whose leftovers: an environment, and where its journal is."""

    environment: Environment
    state: str
    rehearsal: bool
    root: Path
    options: str = ""
    """As they were given: what finds the same place again."""

    @classmethod
    def of(cls, name: str, state: str | None, *, rehearsal: bool, root: Path) -> Place:
        """The place the options name; paths are relative to the checkout, as a run's are."""
        environment = load(name)
        standin = _running(environment)
        where = state_of(state, root, name, rehearsal=rehearsal or standin is not None)
        return cls(environment, where, rehearsal, root, options_of(state, rehearsal=rehearsal))

    def origin(self, run_id: str) -> Origin:
        """Who sweeps."""
        return origin_of(self.environment.name, RELEASE, run_id, {}, self.options)

    @property
    def exists(self) -> bool:
        """Whether there is a journal at all: looking for one makes none."""
        from postdeploy.broker.undo.store import FILE

        return "://" in self.state or (Path(self.state) / FILE).is_file()


@dataclass(frozen=True)
class Swept:
    """How a sweep ended."""

    code: ExitCode
    words: str


def entries(place: Place) -> list[dict[str, Any]]:
    """The open entries, the latest first. Raises Unverified when the journal cannot be read."""
    if not place.exists:
        return []
    journal = _journal(place, "journal")
    return [each.row(journal.origin.command) for each in journal.open()]


def known_entries(place: Place) -> list[dict[str, Any]] | None:
    """The open entries, or None where the journal cannot be read: that is not the same as none."""
    try:
        return entries(place)
    except Unverified:
        return None


def settle_by_hand(place: Place, keys: Sequence[str], because: str) -> list[str]:
    """Close entries that a person has settled where the product cannot show it; the reason stays in the journal."""
    journal = _journal(place, new_run_id(datetime.now(UTC), RELEASE))
    known = {each.key: each for each in journal.open()} if place.exists else {}
    if strangers := [each for each in keys if each not in known]:
        raise KeyError(f"no open entry has the key {', '.join(strangers)}; postdeploy journal lists them")
    for key in keys:
        journal.note(known[key], "undone", by="hand", because=because)
    return [f"{known[key].money} by {known[key].method} (key {key}): settled by hand, {because}" for key in keys]


def sweep(place: Place) -> Swept:
    """Undo whatever is open, found by the journal and by our tag in the product."""
    with ExitStack() as stack:
        try:
            standin = _standin(place, stack)
            return _judged(_sweep(place, standin))
        except Residue as residue:
            return Swept(ExitCode.RESIDUE, str(residue))
        except Unverified as error:
            return Swept(ExitCode.UNVERIFIED, f"nothing was swept: {error}")
        except (AssertionError, ProductDown) as error:
            return Swept(ExitCode.FAILED, str(error))


def _sweep(place: Place, standin: Standin | None) -> Judgement:
    from postdeploy.broker.recording import Recording

    run_id = new_run_id(datetime.now(UTC), RELEASE)
    opening = Opening(
        environment=place.environment,
        origin=place.origin(run_id),
        state=place.state,
        recording=Recording(),
        keys=keys_of(place.environment, standin),
        deadline=Deadline(BUDGET_S),
        headers=synthetic(run_id) | {"traceparent": traceparent(run_id, "api")},
        standin=standin,
    )
    with open_desk(opening) as desk:
        for first in (desk.keeps_time, desk.logs_in, desk.is_synthetic):
            judgement = first()
            if not judgement.holds:
                return judgement
        return desk.is_clean()


def _judged(judgement: Judgement) -> Swept:
    if judgement.holds:
        return Swept(ExitCode.VERIFIED, judgement.why)
    unseen = judgement.state is State.UNVERIFIED
    return Swept(ExitCode.UNVERIFIED if unseen else ExitCode.FAILED, f"nothing was swept: {judgement.why}")


def _standin(place: Place, stack: ExitStack) -> Standin | None:
    """The rehearsal to sweep in: one that runs already, or one started over the same books."""
    if not place.rehearsal:
        return _running(place.environment)
    books = Path(
        state_of(None, place.root, place.environment.name, rehearsal=True) if "://" in place.state else place.state
    )
    process = StandinProcess.start(place.environment.name, state=books, root=place.root)
    stack.callback(process.stop)
    return read_standin(process.ready(), place.environment.cluster.context)


def _running(environment: Environment) -> Standin | None:
    found = (read_standin(each, environment.cluster.context) for each in kubeconfig_paths())
    return next((each for each in found if each is not None), None)


def _journal(place: Place, run_id: str) -> Journal:
    from postdeploy.broker.undo.journal import Journal
    from postdeploy.broker.undo.store import Store

    return Journal(Store(place.state), place.origin(run_id))

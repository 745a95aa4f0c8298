"""What a run does to the world: the desk is opened when first asked for, held by red tiers, and settled at the end."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext
from functools import cached_property
from typing import TYPE_CHECKING, Any

import msgspec

from postdeploy.business import Opening, keys_of, open_desk, options_of, origin_of, replay_desk, state_of
from postdeploy.live import Live
from postdeploy.standin import Standin
from postdeploy.verdict import Unverified, Verdict
from postdeploy.web.headers import synthetic, traceparent

if TYPE_CHECKING:
    from postdeploy.broker.api import Keys
    from postdeploy.broker.desk import Desk
    from postdeploy.broker.recording import Exchange

HEADLINE = "infra.release.live"
"""The finding that says which layer is to blame: the first of its gravity."""
READING = ("infra.", "endpoints.")
"""Tiers that only look: while one of them is red, nothing is spent."""
RED = (Verdict.FAILED, Verdict.UNVERIFIED, Verdict.RESIDUE)


class Acting:
    """The part of a run that acts: its accounts, its desk, and what of it is left."""

    def __init__(self, run: Any) -> None:
        """`run`: the verification it is part of, a `postdeploy.run.Run`."""
        self.run = run
        self.residue: list[str] = []
        """What of ours is left, in words."""
        self._desk: Desk | None = None
        self._opened: AbstractContextManager[Desk] | None = None

    @property
    def standin(self) -> Standin | None:
        """The rehearsal's, whoever started it."""
        return self.run.source.standin if isinstance(self.run.source, Live) else None

    @cached_property
    def keys(self) -> Mapping[str, Keys]:
        """What opens the accounts, by role. Raises Unverified, which names the variables that would supply it."""
        return keys_of(self.run.environment, self.standin)

    @property
    def secrets(self) -> list[Any]:
        """Every secret of the accounts, as far as they are known."""
        try:
            known = {} if self.run.replayed else self.keys
        except Unverified:
            return []
        return [each for key in known.values() for each in (key.password, key.totp) if each is not None]

    @property
    def desk(self) -> Desk:
        """The brokerage's API as our accounts use it, opened once. Raises Unverified."""
        run = self.run
        if self._desk is None:
            if run.is_offline:
                raise Unverified("no declared host at all could be contacted: it is our own network that is in doubt")
            replayed = nullcontext(replay_desk(run.environment, run.exchanges)) if run.replayed else None
            self._opened = replayed or open_desk(self._opening())
            self._desk = self._opened.__enter__()
        return self._desk

    def red(self, tiers: tuple[str, ...] = READING) -> str:
        """The check of a tier before this that did not pass, if any: what spends money is held by it."""
        run = self.run
        found = [each for each in run.outcomes.values() if each.finished and each.verdict in RED]
        reading = sorted(
            (each for each in found if each.check_id.startswith(tiers)),
            # What is wrong tells more than what was not seen, and the layer to blame more than what came of it.
            key=lambda each: (each.verdict is not Verdict.FAILED, each.check_id != HEADLINE),
        )
        if reading:
            first = reading[0]
            more = f" and {len(reading) - 1} more" if len(reading) > 1 else ""
            return f"{first.check_id}[{first.subject}]{more} is {first.verdict}"
        return next((f"{each} could not be imported" for each in sorted(run.broken) if each.startswith("verify/")), "")

    def settle_up(self) -> None:
        """Undo what was not undone yet, and let the accounts go; what stays is this run's residue."""
        if self._desk is None or self._opened is None:
            return
        try:
            left = self._desk.undo_all()
        except Exception as error:  # noqa: BLE001  whatever it is, the record must say that something may be left
            left = [("", "", f"residue: undoing ended with {type(error).__name__}: {error}; see postdeploy journal")]
        finally:
            self._opened.__exit__(None, None, None)
            self._opened = None
        for check, method, words in left:
            self._leave((check, method), words)

    def _leave(self, key: tuple[str, str], words: str) -> None:
        self.residue.append(words)
        if key not in self.run.selected:
            self.run.said.append(words)
            return
        outcome = self.run.outcome(key)
        outcome.note(Verdict.RESIDUE, words)
        outcome.finished = True

    def _opening(self) -> Opening:
        run, environment = self.run, self.run.environment
        record, name = run.record, environment.name
        options = options_of(run.options.state, rehearsal=run.options.rehearsal)
        private = run.process.folder if run.process and run.options.faults_in(name) else None
        return Opening(
            environment=environment,
            origin=origin_of(name, record.release, record.run_id, options=options),
            state=state_of(run.options.state, run.root, name, rehearsal=self.standin is not None, private=private),
            recording=run.exchanges,
            keys=self.keys,
            deadline=run.deadline,
            headers=synthetic(record.run_id) | {"traceparent": traceparent(record.run_id, "api")},
            standin=self.standin,
            is_red=self.red,
            tell=_tell,
            learn=run.redactor.learn,
        )


def _tell(exchange: Exchange, host: str) -> None:
    """Let the report have the request as a step."""
    from postdeploy.broker.curl import curl, outcome
    from postdeploy.evidence.steps import step

    answer = msgspec.json.format(msgspec.json.encode(exchange.response), indent=2).decode()
    step(f"{exchange.method} {exchange.path}: {outcome(exchange)}", curl(exchange, host), answer)

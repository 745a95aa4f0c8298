"""A run and its ledger: which one it is, what it holds before the run is signed, and the receipt after that."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from postdeploy.evidence.folder import RunFolder
from postdeploy.evidence.run_record import RunRecord
from postdeploy.evidence.signing import SigningKey

if TYPE_CHECKING:
    from postdeploy.evidence.ledger.ledger import Ledger

VARIABLE = "LEDGER_URL"
ANCHORS = "LEDGER_ANCHORS"
FILE = "ledger.sqlite"
WAIT_S = 5
"""How long a run's end waits for a ledger; an entry that comes later loses nothing."""


@dataclass(frozen=True)
class Book:
    """The ledger of one run; nothing is imported or opened before it is asked."""

    place: str
    key: SigningKey | None = None
    replay: bool = False

    def open(self) -> Ledger:
        """The ledger itself."""
        from postdeploy.evidence.ledger.ledger import Ledger
        from postdeploy.evidence.ledger.store import Store

        return Ledger(Store(self.place, WAIT_S), self.key)

    def carried(self, record: RunRecord, said: list[str]) -> RunRecord:
        """The record with the ledger's head in it, so that the run's signature anchors what is in the ledger."""
        if self.replay:
            return record
        from postdeploy.evidence.ledger.entering import head_now

        head, why = head_now(self.open())
        said += [why] if why else []
        return msgspec.structs.replace(record, ledger=head)

    def enter(self, folder: RunFolder) -> list[str]:
        """The receipt of a closed run, written; what to say of it. A replay proves nothing new and is not entered."""
        from postdeploy.evidence.ledger import entering

        if self.replay:
            entering.not_entered(folder, "a replay judges again what another run saw")
            return []
        _, lines = entering.enter_run(self.open(), folder)
        return [*lines, *self._anchor(), *self._overview(folder.path.parent.parent)]

    def _anchor(self) -> list[str]:
        """The ledger's head outside of it, where $LEDGER_ANCHORS says: what finds out that its newest entry is gone."""
        place = os.environ.get(ANCHORS)
        if not place:
            return []
        from postdeploy.evidence.worm.archiving import put_anchor
        from postdeploy.evidence.worm.targets import open_target

        ledger = self.open()
        try:
            put_anchor(open_target(place), ledger.head(), ledger.store.shown, datetime.now(UTC))
        except Exception as error:  # noqa: BLE001  the receipt is an anchor too, and the next run leaves another
            return [f"ledger: its head was not left in {place}: {error}"]
        finally:
            ledger.close()
        return []

    def _overview(self, archive: Path) -> list[str]:
        """index.html beside a ledger that is a file; of a server's it is made on request (`postdeploy overview`)."""
        if "://" in self.place or os.environ.get("POSTDEPLOY_REPORT") == "0":
            return []
        from postdeploy.evidence import overview

        ledger = self.open()
        try:
            overview.write(ledger.store, archive, Path(self.place).with_name("index.html"), datetime.now(UTC))
        except Exception as error:  # noqa: BLE001  a page for people; the run's own evidence is made
            return [f"overview: not written: {error or type(error).__name__}"]
        finally:
            ledger.close()
        return []


def place_of(
    asked: str | None, archive: Path, root: Path, *, rehearsal: bool, variables: Mapping[str, str] = os.environ
) -> str:
    """Where the ledger is: --ledger, then $LEDGER_URL, then a file beside the archive.

    A rehearsal is entered in the team's ledger only where --ledger says so: an entry can never be taken out.
    """
    if asked:
        return asked if "://" in asked else str(root / asked)
    if variables.get(VARIABLE) and not rehearsal:
        return variables[VARIABLE] if "://" in variables[VARIABLE] else str(root / variables[VARIABLE])
    return str(root / "reports" / FILE if archive == root / "reports" / "archive" else archive / FILE)

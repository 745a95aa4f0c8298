"""postdeploy.log: what the run did, as JSON lines, redacted on the way in."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, TextIO

import msgspec

from postdeploy.evidence.folder import RunFolder

if TYPE_CHECKING:
    from loguru import Logger, Message

NAME = "postdeploy.log"
Redact = Callable[[str], str]
_OURS = ("run", "time", "level", "message")
"""Names in a line that no fact can take."""


def as_is(text: str) -> str:
    """No redaction: for text that is known to hold nothing of the kind."""
    return text


class _Sink:
    """Writes each record of one run as one line; loguru calls `write`, and `stop` when the sink is removed."""

    def __init__(self, file: TextIO, redact: Redact) -> None:
        self._file = file
        self._redact = redact

    def write(self, message: Message) -> None:
        record = message.record
        line: dict[str, Any] = {
            # Not loguru's own kind of datetime, which formats itself.
            "time": datetime.fromtimestamp(record["time"].timestamp(), UTC),
            "level": record["level"].name.lower(),
            "message": record["message"],
            **{name: value for name, value in record["extra"].items() if name not in _OURS},
        }
        if record["exception"] is not None:
            line["error"] = f"{getattr(record['exception'].type, '__name__', '?')}: {record['exception'].value}"
        plain = msgspec.to_builtins(line, str_keys=True, enc_hook=str)
        self._file.write(msgspec.json.encode(redacted(plain, self._redact)).decode() + "\n")
        self._file.flush()

    def stop(self) -> None:
        os.fsync(self._file.fileno())
        self._file.close()


class Journal:
    """The log of one run; `log` is loguru's logger, bound to it."""

    def __init__(self, folder: RunFolder, redact: Redact = as_is) -> None:
        from loguru import logger

        file = (folder.path / NAME).open("a", encoding="utf-8")
        run = str(folder.path)
        _quieten(logger)
        self._logger = logger
        self._sink: int | None = logger.add(
            _Sink(file, redact),
            level=0,
            filter=lambda record: record["extra"].get("run") == run,
            format="{message}",
            backtrace=False,
            diagnose=False,
        )
        self.log: Logger = logger.bind(run=run)

    def event(self, message: str, level: str = "info", **facts: object) -> None:
        """One line of the log with the facts beside the message."""
        self.log.bind(**facts).log(level.upper(), "{}", message)

    def close(self) -> None:
        """Flush and close the log; what is logged later is dropped. Closing twice is harmless."""
        if self._sink is not None:
            self._logger.remove(self._sink)
            self._sink = None


def open_log(folder: RunFolder, redact: Redact = as_is) -> Journal:
    """Start the log of a run."""
    return Journal(folder, redact)


def redacted(value: object, redact: Redact) -> object:
    """The same plain value with every string in it redacted; names are ours and stay."""
    match value:
        case str():
            return redact(value)
        case dict():
            return {name: redacted(each, redact) for name, each in value.items()}
        case list() | tuple():
            return [redacted(each, redact) for each in value]
    return value


def _quieten(logger: Logger) -> None:
    """Loguru's own sink shows everything on stderr; it is replaced by one that leaves out what belongs to a run.

    Another user of loguru in the same process therefore still sees its messages.
    """
    try:
        logger.remove(0)
    except ValueError:  # Replaced before, or by somebody else.
        return
    logger.add(_to_stderr, filter=lambda record: "run" not in record["extra"])


def _to_stderr(message: str) -> None:
    """Look stderr up each time: a test runner replaces it between tests."""
    sys.stderr.write(message)

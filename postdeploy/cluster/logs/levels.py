"""Severities: one scale for every logger's words and numbers. They come from the record, never from stderr."""

from __future__ import annotations

from enum import IntEnum


class Level(IntEnum):
    """How grave a record says it is, on Python's own scale."""

    UNKNOWN = 0
    DEBUG = 10
    INFO = 20
    WARNING = 30
    ERROR = 40
    CRITICAL = 50


_WORDS = {
    Level.DEBUG: "trace debug fine finer finest config verbose verb dbug debu dbg silly debug1 debug2 debug3 debug4",
    Level.INFO: "info information informational notice log default success http inf ok detail hint context statement",
    Level.WARNING: "warn warning wrn",
    Level.ERROR: "error err severe erro fail eror",
    Level.CRITICAL: "critical crit fatal fata alert emergency emerg panic pani dpanic ftl",
}
LEVELS = {word: level for level, words in _WORDS.items() for word in words.split()}
ERROR_WORDS = tuple(_WORDS[Level.ERROR].split())
CRITICAL_WORDS = tuple(_WORDS[Level.CRITICAL].split())
"""What the scanner looks for."""
PYTHON_CRITICAL = 50
SYSLOG_MOST = 7


def named(word: str) -> Level | None:
    """The level a logger calls so, in any case."""
    return LEVELS.get(word.lower())


def of_node(number: int) -> Level:
    """Numbers of pino and bunyan: 60 fatal, 50 error, 40 warn, 30 info."""
    if number >= 60:
        return Level.CRITICAL
    return {5: Level.ERROR, 4: Level.WARNING, 3: Level.INFO}.get(number // 10, Level.DEBUG)


def of_python(number: int) -> Level:
    """Numbers of the logging module: 50 critical, 40 error, 30 warning, 20 info."""
    if number >= PYTHON_CRITICAL:
        return Level.CRITICAL
    return {4: Level.ERROR, 3: Level.WARNING, 2: Level.INFO}.get(number // 10, Level.DEBUG)


def of_syslog(number: int) -> Level:
    """Numbers of RFC 5424: 0 emergency, 1 alert, 2 critical, 3 error, 4 warning."""
    if number <= 2:
        return Level.CRITICAL
    return {3: Level.ERROR, 4: Level.WARNING, SYSLOG_MOST: Level.DEBUG}.get(number, Level.INFO)

"""Records in JSON: which keys of which logger hold the level, the message, the logger and the traceback."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import msgspec

from postdeploy.cluster.logs import heads
from postdeploy.cluster.logs.heads import Head
from postdeploy.cluster.logs.levels import Level, named, of_node, of_python, of_syslog

LEVEL_KEYS = (
    "severity",
    "level",
    "levelname",
    "log.level",
    "lvl",
    "loglevel",
    "log_level",
    "level_name",
    "@l",
    "logLevel",
)
MESSAGE_KEYS = ("message", "msg", "event", "textPayload", "@m", "@mt", "short_message", "log", "text")
TRACE_KEYS = (
    *("exc_info", "stack_trace", "stacktrace", "exception", "traceback", "exc_text", "stack", "error.stack"),
    *("error.stack_trace", "@x", "stackTrace"),
)
LOGGER_KEYS = ("logger", "logger_name", "log.logger", "name", "component", "caller", "module")
IN_TEXT = re.compile(r'"(?:[\w@.-]*(?:severity|[lL]evel|lvl|levelname)|@l)"\s*:\s*(?:"(\w+)"|(\d+))')
MOST_LINES = 60
"""Lines over which one document may be spread."""


def parse(text: str) -> Head | None:
    """The head of a document; None where it is not complete, and may go on in the next line."""
    try:
        document = msgspec.json.decode(text)
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        return None
    return of(document) if isinstance(document, dict) else Head("plain", Level.UNKNOWN, text)


def broken(text: str) -> Head:
    """The head of a document that is cut off, or none: its level is whatever its text names first."""
    match = IN_TEXT.search(text)
    level = None
    if match:
        level = named(match[1]) if match[1] else of_node(int(match[2]))
    return Head("json", level or Level.UNKNOWN, text)


def of(document: Mapping[str, Any]) -> Head:
    """The head of a complete document."""
    level, form = _level(document)
    message = _message(document)
    logger = next((each for key in LOGGER_KEYS if isinstance(each := document.get(key), str)), "")
    log = document.get("log")
    if not logger and isinstance(log, dict) and isinstance(log.get("logger"), str):
        logger = log["logger"]
    inner = document.get("record")
    if isinstance(inner, dict) and isinstance(inner.get("error_severity"), str):
        # A PostgreSQL operator wraps the server's record, and calls all of them info.
        level = max(level, named(inner["error_severity"]) or Level.UNKNOWN)
        message = str(inner.get("message", message))
    if level is Level.UNKNOWN and message and not message.startswith("{"):
        said = heads.parse(message.rstrip("\n"))
        level, form = (said.level, f"json of {said.format}") if said.level else (level, form)
    return Head(form, level, message, logger, _trace(document))


def _level(document: Mapping[str, Any]) -> tuple[Level, str]:
    if isinstance(number := document.get("levelno"), int):
        return of_python(number), "json"
    for key in LEVEL_KEYS:
        value = document.get(key)
        if isinstance(value, str):
            level = named(value.strip()) if value.upper() != "DEFAULT" else None
            if level is not None:
                return level, "gcp json" if key == "severity" else "json"
            if value.isdigit():
                value = int(value)
        if isinstance(value, int) and not isinstance(value, bool):
            return _numbered(document, value)
    return _nested(document)


def _numbered(document: Mapping[str, Any], value: int) -> tuple[Level, str]:
    if "short_message" in document or value < 10:
        return of_syslog(value), "gelf json"
    if "v" in document and "name" in document:
        return of_node(value), "bunyan json"
    if "msg" in document and ("time" in document or "hostname" in document):
        return of_node(value), "pino json"
    return of_python(value), "json"


def _nested(document: Mapping[str, Any]) -> tuple[Level, str]:
    log, payload = document.get("log"), document.get("jsonPayload")
    if isinstance(log, dict) and isinstance(log.get("level"), str):
        return named(log["level"]) or Level.UNKNOWN, "json"
    if isinstance(payload, dict):
        return _level(payload)
    if isinstance(mongo := document.get("s"), str) and "ctx" in document:
        return heads.KLOG_LEVELS.get(mongo, Level.UNKNOWN), "mongo json"
    return Level.UNKNOWN, "json"


def _message(document: Mapping[str, Any]) -> str:
    for key in MESSAGE_KEYS:
        value = document.get(key)
        if isinstance(value, str) and value:
            return value
    payload = document.get("jsonPayload")
    return _message(payload) if isinstance(payload, dict) else ""


def _trace(document: Mapping[str, Any]) -> str:
    for key in TRACE_KEYS:
        value = document.get(key)
        if isinstance(value, list) and value and all(isinstance(each, str) for each in value):
            value = "\n".join(value)
        if isinstance(value, str) and "\n" in value:
            return value
    for key in ("error", "err", "exception"):
        value = document.get(key)
        if isinstance(value, dict):
            return _trace(value)
    payload = document.get("jsonPayload")
    return _trace(payload) if isinstance(payload, dict) else ""

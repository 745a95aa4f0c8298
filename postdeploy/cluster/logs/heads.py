"""The first line of a record: which logger wrote it, how grave it says it is, and what it says."""

from __future__ import annotations

import re
from dataclasses import dataclass

from postdeploy.cluster.logs.levels import LEVELS, Level, named, of_syslog

LONGEST_PREFIX = 200
"""Characters in which a plain line must have named its level."""


@dataclass(frozen=True, slots=True)
class Head:
    """What one line says of the record it begins."""

    format: str
    level: Level
    message: str
    logger: str = ""
    trace: str = ""
    """A traceback inside the line itself, as JSON loggers write it."""


HEAD = re.compile(
    rb"""\{
    | \d+:[A-Z]\ \d | \[?\d{4}[-/]\d\d[-/]\d\d | \[?\d\d:\d\d:\d\d | \[\d+:[A-Z]\] | \[pid: | <\d+>
    | [IWEFD]\d{4}\ \d\d:
    | (?:TRACE|DEBUG\d?|INFO|NOTICE|WARN|WARNING|ERROR|ERR|CRITICAL|CRIT|FATAL|SEVERE|ALERT|EMERG(?:ENCY)?|PANIC)\b
    | \[\s*(?:trace|debug|info|notice|warn|warning|error|err|critical|crit|fatal|alert|emerg|panic|[A-Z]{3,9})\s*\]
    | (?:trace|debug|info|warn|warning|error|err|critical|crit|fatal|fail|alert|emerg|dbug):\s
    | (?:ts|t|time|timestamp|level|lvl|severity|msg|caller)=
    | (?:Mon|Tue|Wed|Thu|Fri|Sat|Sun),?\ | (?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)\ {1,2}\d
    | \d{1,3}\.\d{1,3}\.\d{1,3}\.\d{1,3}\  | \d{10}(?:\d{3})?[.\ ]
    | (?:INFO|WARN|ERRO|FATA|PANI|DEBU|TRAC)\[\d | [DIWEFA],\ \[
    """,
    re.VERBOSE,
)
"""How the first line of a record begins, whoever wrote it; whatever begins otherwise continues the one before."""
ANSI_HEAD = re.compile(rb"(?:\x1b\[[0-9;]*m)+")

KLOG = re.compile(r"([IWEFD])\d{4} \d\d:\d\d:\d\d\.\d+\s+\d+ ([\w.-]+:\d+)\] ?(.*)", re.S)
SYSLOG = re.compile(r"(?:<(\d+)>)?[A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d(?:\.\d+)? \S+ (\S+?)(?:\[\d+\])?: (.*)", re.S)
PRIORITY = re.compile(r"<(\d)>(.*)", re.S)
LOGFMT = re.compile(r'(?:^|\s)(?:level|lvl|severity|loglevel)="?(\w+)"?(?=\s|$)')
LOGFMT_HEAD = re.compile(r"(?:ts|t|time|timestamp|level|lvl|severity|msg|caller|logger)=")
LOGFMT_MSG = re.compile(r'\b(?:msg|message|err|error)="((?:[^"\\]|\\.)*)"|\b(?:msg|message)=(\S+)')
LOGFMT_LOGGER = re.compile(r"\b(?:logger|caller|component)=\"?([^\s\"]+)")
CELERY = re.compile(r"\[(\d{4}-\d\d-\d\d [\d:,]+): (\w+)/(\S+?)\] ?(.*)", re.S)
GUNICORN = re.compile(r"\[\d{4}-\d\d-\d\d \d\d:\d\d:\d\d [+-]\d{4}\] \[\d+\] \[(\w+)\] (.*)", re.S)
UWSGI = re.compile(r"\[pid: \d+\|app: ")
REDIS = re.compile(r"\[?\d+:[A-Z]\]? \d\d? [A-Z][a-z]{2} \d{4} [\d:.]+ ([*#.-]) (.*)", re.S)
NGINX_ERROR = re.compile(r"\d{4}/\d\d/\d\d \d\d:\d\d:\d\d \[(\w+)\] \d+#\d+: (.*)", re.S)
ACCESS = re.compile(r"\S+ \S+ \S+ \[\d\d/[A-Z][a-z]{2}/\d{4}:[\d:]+ [+-]\d{4}\] \"")
POSTGRES = re.compile(
    r"\b(LOG|ERROR|FATAL|PANIC|WARNING|NOTICE|INFO|DEBUG\d?|DETAIL|HINT|CONTEXT|STATEMENT|QUERY):  (.*)", re.S
)
PYTHON = re.compile(r"(DEBUG|INFO|WARNING|ERROR|CRITICAL):([\w.$-]+):(.*)", re.S)
LOGRUS = re.compile(r"(INFO|WARN|ERRO|FATA|PANI|DEBU|TRAC)\[[^\]]*\] ?(.*)", re.S)
RUBY = re.compile(r"[DIWEFA], \[\S+ #\d+\]\s+(\w+) -- (\S*): ?(.*)", re.S)
LOGGER = re.compile(r"\[?([A-Za-z_][\w.$-]*)\]?\s*[:|-]\s+(?=\S)")
TIME = re.compile(r"\d[:/.-]\d|^\d{9,}")
NOISE = re.compile(
    r"mon|tue|wed|thu|fri|sat|sun|jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec|am|pm"
    r"|utc|gmt|cet|cest|pst|pdt|est|edt",
    re.I,
)
"""Words of a date."""
JVM_HINT = re.compile(r"--- \[|^\[[\w# -]+\]\s+[\w.$]+\s*[:-]|\((?:[a-z]\w*\.)+[A-Z]\w+\)$")
KLOG_LEVELS = {"I": Level.INFO, "W": Level.WARNING, "E": Level.ERROR, "F": Level.CRITICAL, "D": Level.DEBUG}


def begins(data: bytes, at: int) -> bool:
    """Whether the text that starts there begins a record."""
    if HEAD.match(data, at):
        return True
    if data[at : at + 1] == b"\x1b":
        colour = ANSI_HEAD.match(data, at)
        return colour is not None and HEAD.match(data, colour.end()) is not None
    return False


def parse(text: str) -> Head:
    """The head of a plain line; `json.py` reads those that begin with a brace."""
    first = text[:1]
    for begin, rule in RULES:
        if (not begin or first in begin) and (found := rule(text)) is not None:
            return found
    return Head("plain", Level.UNKNOWN, text)


def _klog(text: str) -> Head | None:
    match = KLOG.match(text)
    return Head("klog", KLOG_LEVELS[match[1]], match[3], match[2]) if match else None


def _syslog(text: str) -> Head | None:
    match = SYSLOG.match(text)
    if not match:
        return None
    inner = parse(match[3])
    return Head("journald", inner.level, inner.message, inner.logger or match[2], inner.trace)


def _priority(text: str) -> Head | None:
    match = PRIORITY.match(text)
    return Head("journald", of_syslog(int(match[1])), match[2]) if match else None


def _logfmt(text: str) -> Head | None:
    if not LOGFMT_HEAD.match(text):
        return None
    level = LOGFMT.search(text)
    message, logger = LOGFMT_MSG.search(text), LOGFMT_LOGGER.search(text)
    said = (message[1] or message[2] or "") if message else ""
    grave = (named(level[1]) if level else None) or Level.UNKNOWN
    return Head("logfmt", grave, said or text, logger[1] if logger else "")


def _bracketed(text: str) -> Head | None:
    if match := CELERY.match(text):
        level = named(match[2])
        return Head("celery", level, match[4], match[3].partition("-")[0]) if level else None
    if match := GUNICORN.match(text):
        level = named(match[1])
        return Head("gunicorn", level, match[2]) if level else None
    if UWSGI.match(text):
        return Head("uwsgi", Level.INFO, text)
    return _redis(text)


def _redis(text: str) -> Head | None:
    match = REDIS.match(text)
    return Head("redis", Level.WARNING if match[1] == "#" else Level.INFO, match[2]) if match else None


def _dated(text: str) -> Head | None:
    if match := NGINX_ERROR.match(text):
        return Head("nginx", named(match[1]) or Level.UNKNOWN, match[2])
    if ACCESS.match(text):
        return Head("access log", Level.INFO, text)
    return _postgres(text)


def _postgres(text: str) -> Head | None:
    match = POSTGRES.search(text, 0, LONGEST_PREFIX)
    if not match or not TIME.search(text[: match.start()]):
        return None
    return Head("postgresql", named(match[1]) or Level.INFO, text[match.start(2) :])


def _python(text: str) -> Head | None:
    match = PYTHON.match(text)
    if match:
        return Head("python", named(match[1]) or Level.UNKNOWN, match[3], match[2])
    match = LOGRUS.match(text) or None
    return Head("logrus", named(match[1]) or Level.UNKNOWN, match[2]) if match else None


def _ruby(text: str) -> Head | None:
    match = RUBY.match(text)
    return Head("ruby", named(match[1]) or Level.UNKNOWN, match[3], match[2]) if match else None


def _generic(text: str) -> Head | None:
    """A level named in capitals, in brackets or before a colon, behind nothing but times, numbers and one name."""
    dated, words, logger = False, 0, ""
    for token in re.finditer(r"\S+", text[:LONGEST_PREFIX]):
        raw = token[0]
        level = _level_of(raw, first=token.start() == 0, tabbed=text[token.start() - 1 : token.start()] == "\t")
        if level is not None:
            if not (dated or token.start() == 0 or (words == 1 and logger)):
                return None
            rest = text[token.end() :].lstrip(" \t|:-]")
            named_in, said = _logger_of(rest)
            return Head(_kind(text, rest), level, said or text, logger or named_in)
        core = raw.strip("[]()<>|:,*-")
        if not core or NOISE.fullmatch(core):
            continue
        if TIME.search(core):
            dated = True
        elif not any(each.isdigit() for each in core) and raw[0] not in "[(<":
            words, logger = words + 1, core if re.fullmatch(r"[\w.$/-]+", core) else ""
            if words > 1 or not (dated or logger):
                return None
    return Head("dated text", Level.UNKNOWN, text) if dated and not words else None


def _level_of(raw: str, *, first: bool, tabbed: bool) -> Level | None:
    core = raw.strip("[]()<>|:,*")
    word = core.split("/")[0].split(":")[0]
    level = LEVELS.get(word.lower())
    if level is None or word in ("ok", "OK"):
        return None
    marked = (
        raw[0] in "[|(<" or raw.endswith(("]", "|")) or tabbed or (raw.endswith(":") and (first or raw[0] == word[0]))
    )
    if word.isupper():
        return level
    return level if marked else None


def _logger_of(rest: str) -> tuple[str, str]:
    """The logger that a message begins with, where it does, and the rest of it."""
    match = LOGGER.match(rest)
    return (match[1], rest[match.end() :]) if match else ("", rest)


def _kind(text: str, rest: str) -> str:
    if JVM_HINT.search(rest):
        return "jvm"
    return "python" if re.search(r"\d,\d{3}\b|\b\w+\.py\b", text[:120]) else "text"


RULES = (
    ("IWEFD", _klog),
    ("JFMASOND<", _syslog),
    ("<", _priority),
    ("tlsmc", _logfmt),
    ("[0123456789", _bracketed),
    ("", _dated),
    ("DIWEFCPT", _python),
    ("DIWEFA", _ruby),
    ("", _generic),
)
"""Which rules are asked, by a line's first character; the first that knows the line is believed."""

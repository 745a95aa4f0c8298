"""What the scanner looks for in raw bytes: whatever may make a record grave. It decides nothing, and misses nothing.

No pattern spans lines, all are case-sensitive, and every match contains one of `LITERALS`: where hyperscan does not
load those are searched for instead, and a line that has one is held against the patterns.
"""

from __future__ import annotations

from dataclasses import dataclass

from postdeploy.cluster.logs.levels import CRITICAL_WORDS, ERROR_WORDS


@dataclass(frozen=True, slots=True)
class Fatal:
    """What is fatal whatever the level of its record."""

    name: str
    regex: str
    transient: bool = False
    """Whether it counts only while it still recurs at the end of the window: a broker that was late is no failure."""
    is_exception: bool = False
    """Whether it is an exception's name, which in a harmless record may be quoted."""
    begins: str = ""
    """What the scanner looks for instead, where the whole would cost it too much."""

    @property
    def scanned(self) -> str:
        """The scanner's pattern."""
        return self.begins or self.regex


_KEYS = r"(?:[\w@.-]*(?:severity|[lL]evel|lvl|levelname)|@l)"
_BEGINS = r"(?:^|Z )"
"""Where a line's text begins: behind the moment at which it was written, if the API added that."""

FATAL = (
    Fatal("improperly configured", r"\bImproperlyConfigured: ", is_exception=True),
    Fatal("app registry not ready", r"\bAppRegistryNotReady: ", is_exception=True),
    Fatal("module not found", r"\bModuleNotFoundError: ", is_exception=True),
    Fatal(
        "schema and code differ",
        r"\b(?:ProgrammingError|UndefinedTable|UndefinedColumn)\b.*does not exist",
        is_exception=True,
        begins=r"\b(?:ProgrammingError|UndefinedTable|UndefinedColumn)\b",
    ),
    Fatal("database refuses", r"\bOperationalError(?:: |\()", transient=True, is_exception=True),
    Fatal("unapplied migrations", r"You have \d+ unapplied migration"),
    Fatal("unrecoverable error", r"Unrecoverable error: "),
    Fatal("unregistered task", r"Received unregistered task"),
    Fatal("worker lost", r"\bWorkerLostError(?:: |\()", is_exception=True),
    Fatal("out of memory", r"\b(?:OutOfMemoryError|MemoryError)(?:: |\(|\r?$)", is_exception=True),
    Fatal("killed", r"(?:was sent SIGKILL|signal 9 \(SIGKILL\))"),
    Fatal("broker refuses", r"consumer: Cannot connect to", transient=True),
    Fatal("wrong architecture", r"exec format error"),
)
"""General knowledge of Django, Celery and containers; the first that matches names the finding."""


def _words(words: tuple[str, ...]) -> tuple[str, ...]:
    """How loggers say one of these words."""
    lower, upper, title = ("|".join(map(case, words)) for case in (str.lower, str.upper, str.capitalize))
    every = f"{lower}|{upper}|{title}"
    return (
        rf"\b(?:{upper})\b",
        rf'"{_KEYS}"\s?:\s?"(?:{every})"',
        rf'\b(?:level|lvl|severity|loglevel)="?(?:{every})\b',
        rf"\[(?:{lower}) {{0,3}}\]",
        rf"{_BEGINS}(?:{lower})(?:[\t|]|: )",
        rf"[\t|] ?(?:{lower}|{title})[\t |]",
    )


def _number(digits: str) -> str:
    """How loggers in JSON say a number."""
    return rf'"{_KEYS}(?:no)?"\s?:\s?"?{digits}\b'


CRITICAL = (
    *_words(CRITICAL_WORDS),
    _number("[5-9]0"),
    _number("[0-2]"),
    r'"s":"F"',
    r"F(?:0[1-9]|1[0-2])\d\d \d\d:\d\d:\d\d\.\d",
    r"\b(?:FATA\[|PANI\[|F, \[)",
    rf"{_BEGINS}<[0-2]>",
)
"""How a record may say that it is critical.

Blanks are bounded and no word boundary stands where none is needed: written otherwise two of these patterns alone
took the scanner four times as long as all of them together.
"""
ERROR = (
    *_words(ERROR_WORDS),
    _number("40"),
    _number("3"),
    r'"s":"E"',
    r"E(?:0[1-9]|1[0-2])\d\d \d\d:\d\d:\d\d\.\d",
    r"\b(?:ERRO\[|E, \[)",
    rf"{_BEGINS}<3>",
)
"""How a record may say that it is an error."""
TRACES = (
    r"Traceback \(most recent call last\)",
    r"(?:Exception|Error)\s{0,1}:(?:\s|$)",
    rf"{_BEGINS}[\w$.]+(?:Exception|Error)\b",
    r"(?:Exception in thread |Unhandled [eE]xception|Uncaught )",
    *(r"panic: ", r"fatal error: ", r"goroutine \d+ \[running"),
    r"' panicked at",
)
"""How programs say that they fell over without a logger."""
RECOVERED = r"(?:Connected to | ready\.|Listening at)"
"""How a worker says that what it waited for has come."""
PATTERNS = (*CRITICAL, *TRACES, *(each.scanned for each in FATAL), *ERROR, RECOVERED)
"""In this order: a line that nothing but a pattern of `ERROR` hits cannot be critical."""
FIRST_FATAL = len(CRITICAL) + len(TRACES)
FIRST_ERROR = FIRST_FATAL + len(FATAL)
IS_RECOVERED = FIRST_ERROR + len(ERROR)
FIRST_READY = len(PATTERNS)


def is_only_error(number: int) -> bool:
    """Whether a pattern says no more than that a record is an error."""
    return FIRST_ERROR <= number < IS_RECOVERED


LITERALS = (
    *("rror", "RROR", "rit", "RIT", "atal", "ATAL", "lert", "LERT", "merg", "MERG", "anic", "ANIC"),
    *("evere", "EVERE", "err", "ERR", "Err", "fail", "FAIL", "Fail", "fata", "FATA", "Fata", "pani", "PANI", "Pani"),
    *("ftl", "FTL", "Ftl", "ero", "ERO", "Ero"),
    *('everity"', 'evel"', 'lvl"', 'evelname"', 'evelno"', 'everityno"', 'lvlno"', 'evelnameno"', '@l"', '@lno"'),
    *('"s":"', "E0", "E1", "F0", "F1", "E, [", "F, [", "<0>", "<1>", "<2>", "<3>"),
    *("Connected to ", " ready.", "Listening at"),
    *("Traceback (", "Exception", "Unhandled ", "Uncaught ", "goroutine ", "unapplied migration"),
    *("unregistered task", "SIGKILL", "Cannot connect to", "Configured: ", "NotReady: ", "Undefined"),
)
"""Every match of a pattern contains one of these (a test holds it)."""

"""Tracebacks, stack traces and panics: where one begins and ends, and which line of whose code it came from."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

PYTHON = "Traceback (most recent call last)"
OPENS = re.compile(
    rb"""[\s|+]{0,12}(?:Exception\ Group\ )?Traceback\ \(most\ recent\ call\ last\)
    | Exception\ in\ thread\  | Unhandled\ [eE]xception | Uncaught\  | panic:\  | fatal\ error:[ ]
    | goroutine\ \d+\ \[running
    | thread\ '.{0,80}'\ panicked\ at
    | (?:[\w$]+\.)+[\w$]*(?:Exception|Error)\b(?!\()
    | [\w$]*(?:Error|Exception)\s?(?::\s|:?[\ \t\r]*(?:\n|\Z))
    | [\w$\ ]{1,40}Exception:[\ \t\r]*(?:\n|\Z)
    """,
    re.VERBOSE,
)
"""How a program's last words begin when no logger writes them."""
LOUD = re.compile(rb"panic: |fatal error: |Unhandled |Uncaught |Exception in thread |thread '")
"""What no record carries: the runtime itself says it, whatever was logged before."""
CONNECTIVES = (
    "During handling of the above exception, another exception occurred:",
    "The above exception was the direct cause of the following exception:",
)
FRAME = re.compile(r'^[\s|]*File "(?P<path>[^"]+)", line \d+(?:, in (?P<function>\S+))?')
JVM_FRAME = re.compile(r"^\s+at (?P<function>[\w$.<>/]+)\((?P<path>[^):]*)(?::\d+)?\)")
NODE_FRAME = re.compile(
    r"^\s+at (?:(?P<function>[\w$.<> \[\]]+) \()?(?P<path>(?:file:|node:|/|\.|[A-Za-z]:)[^):]*):\d+"
)
GO_FRAME = re.compile(r"^\s+(?P<path>/\S+\.go):\d+")
RAISED = re.compile(r"^(?P<type>[A-Za-z_][\w.$]*?)(?:: |:?\s*$)(?P<said>.*)")
TYPE = re.compile(
    r"(?P<type>(?:[A-Za-z_$][\w$]*\.)*[A-Za-z_$][\w$]*(?:Exception|Error|Warning|Exit|Interrupt|Timeout))\b"
)
FOREIGN = re.compile(
    r"site-packages|dist-packages|/lib/python\d|<frozen|<string>|/usr/local/go/|/pkg/mod/|/vendor/|node_modules|^node:"
)
FOREIGN_PACKAGE = re.compile(
    r"^(?:java|javax|jdk|sun|com\.sun|kotlin|scala|org\.(?:springframework|apache|hibernate|jboss))\b"
)
APP = re.compile(r"(?:^|/)apps/([\w-]+)/")
GOES_ON = re.compile(
    rb"Caused by: |goroutine \d+ \[|created by |[\w./*{}$-]+(?:\(\*?[\w.]+\))?[\w.]*\([^()]*\)$|\[signal "
)
"""Lines of a stack that are not indented."""
INTEREST = 400
"""Lines of a trace that are read; what is longer goes on being skipped."""


@dataclass(frozen=True, slots=True)
class Trace:
    """What a traceback comes to."""

    exception: str
    said: str = ""
    frame: str = ""
    """The innermost line of our own code, else of any, as `path:function`: its number moves with every edit."""
    app: str = ""
    """Which of the monorepo's apps it lies in (apps/NAME/…)."""
    root: str = ""
    """The first exception of a chain."""


def opens(text: bytes) -> bool:
    """Whether a text without a level begins the last words of a program."""
    return OPENS.match(text) is not None


def read(lines: Sequence[str]) -> Trace | None:
    """The trace within a record's lines, if there is one."""
    start = next((index for index, each in enumerate(lines) if PYTHON in each), None)
    if start is not None:
        return _python(lines[start : start + INTEREST])
    for index, each in enumerate(lines):
        frames = [JVM_FRAME.match(after) or NODE_FRAME.match(after) for after in lines[index + 1 : index + 3]]
        if any(frames) and (found := TYPE.search(each)):
            return _virtual(found, each, lines[index : index + INTEREST])
        if each.startswith(("panic: ", "fatal error: ")) or "' panicked at" in each:
            return _native(each, lines[index : index + INTEREST])
        if each.startswith("goroutine ") and "[running" in each:
            return _native("goroutine dump", lines[index : index + INTEREST])
    return None


def _python(lines: Sequence[str]) -> Trace:
    """The last exception of a chain, and the innermost of our frames, looked for from the last block backwards."""
    blocks: list[tuple[str, str, list[tuple[str, str]]]] = []
    frames: list[tuple[str, str]] = []
    for each in lines:
        if PYTHON in each:
            frames = []
        elif match := FRAME.match(each):
            frames.append((match["path"], match["function"] or ""))
        elif frames and not each[:1].isspace() and (raised := RAISED.match(each.lstrip("| +"))):
            blocks.append((raised["type"], raised["said"], frames))
            frames = []
    if not blocks:
        return Trace("Traceback", frame=_name(frames[-1]) if frames else "")
    kind, said, inner = blocks[-1]
    ours = next(
        (path for block in reversed(blocks) for path in reversed(block[2]) if not FOREIGN.search(path[0])), None
    )
    frame = ours or (inner[-1] if inner else ("", ""))
    root = blocks[0][0] if len(blocks) > 1 else ""
    return Trace(kind, said, _name(frame), _app(frame[0]), root)


def _name(frame: tuple[str, str]) -> str:
    path, function = frame
    match = APP.search(path)
    short = path[match.start() :].lstrip("/") if match else "/".join(path.rsplit("/", 3)[-3:]).lstrip("/")
    return f"{short}:{function}" if function else short


def _app(path: str) -> str:
    match = APP.search(path)
    return match[1] if match else ""


def _virtual(found: re.Match[str], first: str, lines: Sequence[str]) -> Trace:
    """A stack of a JVM or of Node."""
    causes = [
        match["type"] for each in lines if each.lstrip().startswith("Caused by: ") and (match := TYPE.search(each))
    ]
    frame = next(_frames(lines, ours=True), "") or next(_frames(lines, ours=False), "")
    return Trace(found["type"], first[found.end() :].lstrip(": "), frame, root=causes[-1] if causes else "")


def _frames(lines: Sequence[str], *, ours: bool) -> Iterator[str]:
    for each in lines:
        match = JVM_FRAME.match(each)
        if match and not (ours and FOREIGN_PACKAGE.match(match["function"])):
            yield f"{match['path']}:{match['function']}"
        node = None if match else NODE_FRAME.match(each)
        if node and not (ours and FOREIGN.search(node["path"])):
            yield f"{'/'.join(node['path'].rsplit('/', 2)[-2:])}:{node['function'] or ''}".rstrip(":")


def _native(first: str, lines: Sequence[str]) -> Trace:
    """A panic of Go or Rust."""
    paths = [match["path"] for each in lines if (match := GO_FRAME.match(each))]
    frame = next((each for each in paths if not FOREIGN.search(each)), paths[0] if paths else "")
    kind, _, said = first.partition(": ")
    return Trace("panic" if "panicked at" in first else kind, said, "/".join(frame.rsplit("/", 2)[-2:]))


def length(lines: Iterable[bytes]) -> int:
    """How many lines a trace without a record takes, its opening line included."""
    count, pending, raised = 0, 0, True
    for each in lines:
        bare = each.strip()
        if PYTHON.encode() in each:
            count, pending, raised = count + pending + 1, 0, False
        elif count == 0 or each[:1] in (b" ", b"\t", b"|") or GOES_ON.match(each):
            count, pending = count + pending + 1, 0
        elif not bare or bare.decode("utf-8", "replace") in CONNECTIVES:
            pending += 1
        elif not raised:
            count, pending, raised = count + pending + 1, 0, True
        else:
            break
        if count + pending > INTEREST:
            break
    return count

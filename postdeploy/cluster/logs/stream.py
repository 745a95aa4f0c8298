"""A log as it streams by: cut into blocks, scanned, and only where something was hit read as records."""

from __future__ import annotations

from postdeploy.cluster.logs import traces
from postdeploy.cluster.logs.flood import Flood, only_errors
from postdeploy.cluster.logs.heads import begins
from postdeploy.cluster.logs.kinds import ANY_FATAL, HARMLESS, Kind, Kinds, level_at, mentions, uncounted
from postdeploy.cluster.logs.levels import Level
from postdeploy.cluster.logs.lines import moment, text_start
from postdeploy.cluster.logs.patterns import FIRST_ERROR, FIRST_READY, IS_RECOVERED
from postdeploy.cluster.logs.scanner import Hit, Scanner
from postdeploy.cluster.logs.tally import Span, Tally

BLOCK = 96 * 1024
ENDS = b"\r\n"
LONGEST_LINE = 1024 * 1024
"""What is held of one line; of a longer one the beginning and the end are read."""
LONGEST_OPEN = 256 * 1024
"""How much of a record that does not end is held; what comes after is its continuation all the same."""
FURTHEST = 400
"""Lines between a hit and the head of its record."""
MOST_PARSED = 200
"""Different records of one container that are read; beyond, errors are counted by the scanner."""
WITHIN_S = 1.0
"""A record and its traceback are written together; what comes later is not its own."""
ONLY_ERROR = ~((1 << FIRST_ERROR) - 1)


class Stream:
    """Feeds one log through the scanner into a tally; the findings do not depend on how it is cut into chunks."""

    def __init__(self, scanner: Scanner, kinds: Kinds, *, block: int = BLOCK) -> None:
        self.tally = Tally()
        self._scanner = scanner
        self._kinds = kinds
        self._block = block
        self._chunks: list[bytes] = []
        self._waiting = 0
        self._carry = b""
        self._offset = 0
        """Of the carry's first byte in the stream."""
        self._parsed = 0
        self._flood = Flood()

    def feed(self, chunk: bytes | memoryview) -> None:
        """The next bytes, however many; a view is not held beyond the call. Blocks end at multiples of their size."""
        self.tally.size += len(chunk)
        while (room := self._block - self._waiting) <= len(chunk):
            self._flush(chunk[:room])
            chunk = chunk[room:]
        if chunk:
            self._chunks.append(bytes(chunk))
            self._waiting += len(chunk)

    def close(self) -> Tally:
        """There are no more bytes: what was counted."""
        self._flush(b"", last=True)
        return self.tally

    def _flush(self, chunk: bytes | memoryview, *, last: bool = False) -> None:
        data = b"".join((self._carry, *self._chunks, chunk))
        self._chunks, self._waiting = [], 0
        end = len(data) if last else self._cut(data)
        if end:
            self._take(data, end)
        self._carry = data[end:]
        self._offset += end
        if len(self._carry) > LONGEST_LINE and b"\n" not in self._carry:
            half = LONGEST_LINE // 2
            self._offset += len(self._carry) - 2 * half
            self._carry = self._carry[:half] + self._carry[-half:]
            self.tally.is_cut = True

    def _cut(self, data: bytes) -> int:
        """Where the last record of a block begins: it may go on in the next."""
        at = data.rfind(b"\n") + 1
        floor = max(0, len(data) - LONGEST_OPEN)
        line = at
        for _ in range(FURTHEST):
            if line <= floor:
                break
            line = data.rfind(b"\n", 0, line - 1) + 1
            if begins(data, text_start(data, line)):
                return line
        return 0 if floor == 0 and line == 0 and len(data) < LONGEST_OPEN else at

    def _take(self, data: bytes, end: int) -> None:
        tally = self.tally
        if not tally.first:
            tally.first = data[:64]
        last = data.rfind(b"\n", 0, end - 1) + 1
        tally.last = data[last : min(end, last + 64)]
        counted = self._counted(data, end)
        hits = self._scanner.hits(data, end) if counted is None else counted
        if hits:
            before = tally.records
            self._follow(data, end, hits)
            if counted is None:
                self._flood.learn(data, end, hits, tally.records - before)
            tally.end_block(data)

    def _counted(self, data: bytes, end: int) -> list[Hit] | None:
        """What is grave in a block whose errors could be counted without reading them; None where it must be read."""
        flood = self._flood
        if not flood.may_count():
            return None
        hits = self._scanner.grave_hits(data, end)
        if not only_errors(hits):
            return None
        if times := flood.count(data, end):
            ends = (data.find(flood.mark, 0, end), data.rfind(flood.mark, 0, end))
            spans = [_line(data, at, end) for at in ends]
            self.tally.add_unread(uncounted(Level.ERROR), times, spans, self._offset + spans[-1][1])
            self.tally.end_block(data)
        return hits

    def _follow(self, data: bytes, end: int, hits: list[Hit]) -> None:
        """Each record that was hit, once."""
        done, index, count = 0, 0, len(hits)
        recall, add = self._kinds.recall, self.tally.add
        while index < count:
            at = hits[index][0]
            start = data.rfind(b"\n", 0, at - 1) + 1
            stop = data.find(b"\n", max(at - 1, 0), end)
            stop = end if stop < 0 else stop + 1
            mask = 0
            while index < count and hits[index][0] <= stop:
                number = hits[index][1]
                if number < IS_RECOVERED:
                    mask |= 1 << number
                else:
                    self._mark(number, hits[index][0])
                index += 1
            if mask and start >= done:
                kind = recall(mask, data[text_start(data, start) : stop].rstrip(ENDS))
                if kind is not None and (stop >= end or begins(data, text_start(data, stop))):
                    # As most are: one line, and the same as one that was read before.
                    done = stop
                    if kind is not HARMLESS:
                        add(kind, (data, start, stop, end), self._offset + start)
                else:
                    done = self._record(data, end, start, done, mask, hits, index)

    def _mark(self, number: int, at: int) -> None:
        if number == IS_RECOVERED:
            self.tally.recovered = self._offset + at
        else:
            self.tally.ready.add(number - FIRST_READY)

    def _record(self, data: bytes, end: int, start: int, done: int, mask: int, hits: list[Hit], index: int) -> int:
        """Judge the record that the line at `start` belongs to; where it ends."""
        head = self._head(data, start, done)
        if head is not None:
            stop = self._extent(data, head, end)
            if stop > start:
                self._judge(data, end, head, stop, _masked(mask, hits, index, stop), bare=False)
                return stop
        text = text_start(data, start)
        opens = traces.OPENS.match(data, text) is not None
        if not (opens or mask & ANY_FATAL):
            return done  # a word in a line that no logger wrote
        stop = _lines_on(data, start, end, _trace_length(data, start, end) if opens else 1)
        self._judge(data, end, start, stop, _masked(mask, hits, index, stop), bare=True)
        return stop

    def _head(self, data: bytes, start: int, done: int) -> int | None:
        """The line at or before `start` that begins a record, not before what has been judged."""
        line = start
        for _ in range(FURTHEST):
            if begins(data, text_start(data, line)):
                return line
            if line <= done:
                return None
            line = data.rfind(b"\n", 0, line - 1) + 1
        return None

    def _extent(self, data: bytes, head: int, end: int) -> int:
        """Where the record that begins at `head` ends: before the next, and before a traceback that is not its own."""
        at = data.find(b"\n", head, end)
        at = end if at < 0 else at + 1
        for _ in range(FURTHEST):
            if at >= end:
                return end
            text = text_start(data, at)
            if begins(data, text):
                return at
            if traces.OPENS.match(data, text) and not self._carries(data, head, at, text, end):
                return at
            following = data.find(b"\n", at, end)
            at = end if following < 0 else following + 1
        return at

    def _carries(self, data: bytes, head: int, at: int, text: int, end: int) -> bool:
        """Whether the record at `head` is what the traceback at `at` belongs to."""
        written, raised = moment(data[head : head + 40]), moment(data[at : at + 40])
        if written and raised and (raised - written).total_seconds() > WITHIN_S:
            return False
        level, said = level_at(data, text_start(data, head), data.find(b"\n", head, end))
        if traces.LOUD.match(data, text):
            return level >= Level.CRITICAL
        if level >= Level.WARNING:
            return True
        if data.startswith(b"Traceback", text):
            stop = _lines_on(data, at, end, _trace_length(data, at, end))
            final = data[data.rfind(b"\n", at, stop - 1) + 1 : stop]
            raised_type = final[text_start(final, 0) :].split(b":")[0].strip().decode("utf-8", "replace")
            return level > Level.UNKNOWN and mentions(said, raised_type)
        return level > Level.UNKNOWN

    def _judge(self, data: bytes, end: int, start: int, stop: int, mask: int, *, bare: bool) -> None:
        text = text_start(data, start)
        record = data[text:stop].rstrip(ENDS)
        kind = self._kinds.recall(mask, record) if not bare else None
        if kind is None:
            kind = self._tell(mask, record, bare=bare)
        if kind is not HARMLESS:
            self.tally.add(kind, (data, start, stop, end), self._offset + start)

    def _tell(self, mask: int, record: bytes, *, bare: bool) -> Kind:
        only_error = not mask & ~ONLY_ERROR
        budget = MOST_PARSED - self._parsed if only_error else 1
        kind, is_read = self._kinds.tell(mask, record, bare=bare, budget=budget)
        if kind is None:
            self.tally.sampled += 1
            return uncounted(Level.ERROR)
        self._parsed += is_read
        return kind


def _line(data: bytes, at: int, end: int) -> Span:
    stop = data.find(b"\n", at, end)
    return data, data.rfind(b"\n", 0, at) + 1, end if stop < 0 else stop + 1, end


def _masked(mask: int, hits: list[Hit], index: int, stop: int) -> int:
    """The mask of the first line hit, with what was hit in the rest of its record."""
    while index < len(hits) and hits[index][0] <= stop:
        if hits[index][1] < IS_RECOVERED:
            mask |= 1 << hits[index][1]
        index += 1
    return mask


def _trace_length(data: bytes, start: int, end: int) -> int:
    lines: list[bytes] = []
    at = start
    while at < end and len(lines) <= traces.INTEREST:
        stop = data.find(b"\n", at, end)
        stop = end if stop < 0 else stop
        text = text_start(data, at)
        if lines and begins(data, text):
            break
        lines.append(data[text:stop].rstrip(b"\r"))
        at = stop + 1
    return max(traces.length(lines), 1)


def _lines_on(data: bytes, start: int, end: int, count: int) -> int:
    at = start
    for _ in range(count):
        following = data.find(b"\n", at, end)
        if following < 0:
            return end
        at = following + 1
    return at

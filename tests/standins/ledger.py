"""
The ground truth of one feed: which row was handed to which socket, and how that socket ended.

A row counts as written when its frame was handed to the connection's transport while the WebSocket was
open: the stand-in is one thread, and a client's Close changes the state before anything later is written.
Rows are kept as frames of numbers, so a million of them cost a few megabytes.
"""

from __future__ import annotations

import json
from array import array
from bisect import bisect_right
from collections import Counter
from collections.abc import Container, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal

from tests.standins.rows import PLAIN, RowStyle, block_time, make_row, row_number, transaction_hash

Ending = Literal["open", "client close", "server close", "fin", "rst", "stall", "client abort"]


@dataclass(kw_only=True, slots=True)
class ConnectionRecord:
    """
    One connection, as the server saw it. Times are seconds of ``time.monotonic``; ``None``: not yet.

    ``ending`` is what came first: the client's Close seen, our own Close, FIN, RST or stall, or the loss of
    the connection without any Close (``client abort``).
    """

    number: int
    subprotocol: str | None = None
    opened_at: float
    ended_at: float | None = None
    ending: Ending = "open"
    close_received: int | None = None
    close_sent: int | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Audit:
    """What a consumer got, held against the ledger; every set holds row numbers."""

    missing: frozenset[int]
    doubled: frozenset[int]
    altered: frozenset[int]
    unwritten: frozenset[int]
    strangers: int
    consumed: int

    @property
    def is_exact(self) -> bool:
        """Every row that had to arrive did, once, unchanged, and nothing else."""
        return not (self.missing or self.doubled or self.altered or self.unwritten or self.strangers)


class Ledger:
    """
    What the feed called ``feed`` emitted.

    ``while_away`` counts rows emitted while no session was subscribed; ``withheld`` those emitted while
    sessions were subscribed, all of them silent or stalled. Neither was written to any socket.
    """

    def __init__(self, feed: str) -> None:
        self.feed = feed
        self.connections: dict[int, ConnectionRecord] = {}
        self.emitted = 0
        self.repeated = 0
        self.nulls_written = 0
        self.while_away = 0
        self.withheld = 0
        self._styles: list[RowStyle] = []
        self._first = array("q")
        self._count = array("i")
        self._second = array("q")
        self._style = array("i")
        self._at = array("d")
        self._writes_frame = array("q")
        self._writes_connection = array("i")
        # What is not a plain run of fresh numbers: frame → its numbers, with the styles of single rows.
        self._special: dict[int, Sequence[int]] = {}
        self._odd_styles: dict[tuple[int, int], RowStyle] = {}
        self._special_frames: dict[int, list[int]] = {}

    # Writing

    def add_frame(self, numbers: range, second: int, style: RowStyle, at: float) -> int:
        """Note a frame of fresh rows, in any order within the frame; returns the frame's index."""
        self.emitted += len(numbers)
        return self._add(numbers.start, len(numbers), second, style, at)

    def add_again(self, numbers: Sequence[int], second: int, style: RowStyle, at: float) -> int:
        """Note a frame of rows that were emitted before."""
        self.repeated += len(numbers)
        frame = self._add(-1, 0, second, style, at)
        self._special[frame] = tuple(numbers)
        for number in numbers:
            self._special_frames.setdefault(number, []).append(frame)
        return frame

    def _add(self, first: int, count: int, second: int, style: RowStyle, at: float) -> int:
        if style not in self._styles:
            self._styles.append(style)
        self._first.append(first if first >= 0 else (self._first[-1] if self._first else 0))
        self._count.append(count)
        self._second.append(second)
        self._style.append(self._styles.index(style))
        self._at.append(at)
        return len(self._first) - 1

    def set_style(self, frame: int, number: int, style: RowStyle) -> None:
        """One row of the frame has a style of its own."""
        self._odd_styles[frame, number] = style

    def add_write(self, frame: int, connection: int) -> None:
        """The frame was handed to the connection's transport, its WebSocket being open."""
        self._writes_frame.append(frame)
        self._writes_connection.append(connection)

    # Reading

    def _numbers(self, frame: int) -> Iterable[int]:
        special = self._special.get(frame)
        if special is not None:
            return special
        return range(self._first[frame], self._first[frame] + self._count[frame])

    def _frames_of(self, number: int) -> Iterable[int]:
        frame = bisect_right(self._first, number) - 1
        while frame >= 0 and frame in self._special:
            frame -= 1
        if frame >= 0 and self._first[frame] <= number < self._first[frame] + self._count[frame]:
            yield frame
        yield from self._special_frames.get(number, ())

    def written_by_ending(self) -> Mapping[Ending, frozenset[int]]:
        """Row numbers by the ending of a connection that they were written to."""
        sets: dict[Ending, set[int]] = {}
        for frame, connection in zip(self._writes_frame, self._writes_connection, strict=True):
            ending = self.connections[connection].ending
            sets.setdefault(ending, set()).update(self._numbers(frame))
        return {ending: frozenset(numbers) for ending, numbers in sets.items()}

    def written_to(self, connections: Container[int]) -> frozenset[int]:
        """Rows handed to at least one of these connections, by their numbers."""
        numbers: set[int] = set()
        for frame, connection in zip(self._writes_frame, self._writes_connection, strict=True):
            if connection in connections:
                numbers.update(self._numbers(frame))
        return frozenset(numbers)

    def repeats(self) -> Mapping[int, int]:
        """How often rows were emitted again, by their numbers; those that never were are left out."""
        return {number: len(frames) for number, frames in self._special_frames.items()}

    @property
    def written(self) -> frozenset[int]:
        """Rows handed to at least one socket."""
        return frozenset().union(*self.written_by_ending().values())

    def must_arrive(self, *, rst_grace: float | None = None) -> frozenset[int]:
        """
        Rows written before the server saw the client's Close, or before its own Close or FIN.

        Rows whose only connections ended in an RST or were aborted by the client are kept apart (``rst``,
        ``aborted``); with ``rst_grace``, of an RST only those of its last ``rst_grace`` seconds are.
        """
        owed: set[int] = set()
        for frame, number in zip(self._writes_frame, self._writes_connection, strict=True):
            connection = self.connections[number]
            if connection.ending == "client abort":
                continue
            if connection.ending == "rst":
                age = (connection.ended_at or 0.0) - self._at[frame]
                if rst_grace is None or age <= rst_grace:
                    continue
            owed.update(self._numbers(frame))
        return frozenset(owed)

    @property
    def rst(self) -> frozenset[int]:
        """Rows written only to connections that the server reset."""
        return self.written_by_ending().get("rst", frozenset()) - self.must_arrive()

    @property
    def aborted(self) -> frozenset[int]:
        """Rows written only to connections that the client dropped without a Close."""
        return self.written_by_ending().get("client abort", frozenset()) - self.must_arrive()

    def key(self, number: int) -> str:
        """``Transaction.Hash`` of the row."""
        return transaction_hash(self.feed, number)

    def time(self, number: int) -> str:
        """``Block.Time`` of the row as first emitted, as on the wire."""
        return block_time(self.second(number))

    def second(self, number: int) -> int:
        """``Block.Time`` in unix seconds."""
        return self._second[next(iter(self._frames_of(number)))]

    def timestamp_ms(self, number: int) -> int:
        """``Block.Time`` as Kafka's timestamp."""
        return self.second(number) * 1000

    def emitted_at(self, number: int) -> float:
        """``time.monotonic`` when the row was first emitted."""
        return self._at[next(iter(self._frames_of(number)))]

    def exact(self, number: int) -> tuple[bytes, ...]:
        """Every form in which the row was emitted, byte for byte; normally one."""
        forms: dict[bytes, None] = {}
        for frame in self._frames_of(number):
            style = self._odd_styles.get((frame, number), self._styles[self._style[frame]])
            forms[make_row(self.feed, number, self._second[frame], style)] = None
        return tuple(forms)

    def audit(self, values: Iterable[bytes], *, rst_grace: float | None = None) -> Audit:
        """Compare what a consumer got, in any order, with what was written."""
        seen: Counter[int] = Counter()
        altered: set[int] = set()
        strangers = 0
        for value in values:
            number = row_number(value)
            if number is None or number >= self.emitted:
                strangers += 1
            else:
                seen[number] += 1
                if value not in self.exact(number):
                    altered.add(number)
        return Audit(
            missing=self.must_arrive(rst_grace=rst_grace) - seen.keys(),
            doubled=frozenset(number for number, times in seen.items() if times > 1),
            altered=frozenset(altered),
            unwritten=frozenset(seen) - self.written,
            strangers=strangers,
            consumed=seen.total() + strangers,
        )

    def summary(self) -> dict[str, int]:
        """The counts, for a log line."""
        return {
            "emitted": self.emitted,
            "written": len(self.written),
            "must_arrive": len(self.must_arrive()),
            "rst": len(self.rst),
            "aborted": len(self.aborted),
            "while_away": self.while_away,
            "withheld": self.withheld,
            "repeated": self.repeated,
            "connections": len(self.connections),
        }

    # Across processes

    _COUNTS = ("emitted", "repeated", "nulls_written", "while_away", "withheld")
    _COLUMNS = ("_first", "_count", "_second", "_style", "_at", "_writes_frame", "_writes_connection")

    def save(self, path: Path) -> None:
        """Write everything to a JSON file that ``load`` reads."""
        document = {
            "feed": self.feed,
            "counts": {name: getattr(self, name) for name in self._COUNTS},
            "columns": {name: list(getattr(self, name)) for name in self._COLUMNS},
            "styles": [asdict(style) for style in self._styles],
            "special": [[frame, list(numbers)] for frame, numbers in self._special.items()],
            "odd": [[frame, number, asdict(style)] for (frame, number), style in self._odd_styles.items()],
            "connections": [asdict(connection) for connection in self.connections.values()],
        }
        path.write_text(json.dumps(document))

    @classmethod
    def load(cls, path: Path) -> Ledger:
        """Read what ``save`` wrote."""
        document = json.loads(path.read_text())
        ledger = cls(document["feed"])
        for name, value in document["counts"].items():
            setattr(ledger, name, value)
        for name, values in document["columns"].items():
            getattr(ledger, name).extend(values)
        ledger._styles = [RowStyle(**style) for style in document["styles"]] or [PLAIN]
        for frame, numbers in document["special"]:
            ledger._special[frame] = tuple(numbers)
            for number in numbers:
                ledger._special_frames.setdefault(number, []).append(frame)
        for frame, number, style in document["odd"]:
            ledger._odd_styles[frame, number] = RowStyle(**style)
        for connection in document["connections"]:
            ledger.connections[connection["number"]] = ConnectionRecord(**connection)
        return ledger

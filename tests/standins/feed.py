"""Feeds: numbered rows that flow whether or not anybody listens, as the real upstream's do."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from tests.standins.ledger import Ledger
from tests.standins.rows import RowStyle, make_row


class Listener(Protocol):
    """A session subscribed to the feed."""

    @property
    def number(self) -> int:
        """The connection's number."""

    @property
    def is_delivering(self) -> bool:
        """Whether rows would be written to it now: neither ended, silent nor stalled."""

    @property
    def rows_before_ending(self) -> int | None:
        """How many more rows it takes before it ends on purpose; ``None``: no such count."""

    def deliver(self, body: bytes, rows: int) -> bool:
        """Write one result; whether it was handed to the transport of an open WebSocket."""

    async def drained(self) -> None:
        """Wait until the transport takes more."""


@dataclass(frozen=True, kw_only=True, slots=True)
class FrameStyle:
    """
    How a frame is put together.

    Every ``repeat_every``-th frame repeats its first row at its end; every ``null_every``-th frame holds a
    ``null`` beside its rows; ``errors`` puts a GraphQL error beside the data. ``shuffled`` orders the rows
    of a frame at random.
    """

    shuffled: bool = False
    repeat_every: int | None = None
    null_every: int | None = None
    errors: bool = False


class Feed:
    """
    Rows numbered from 0.

    Args:
        name: Which operations get this feed: see ``StandInUpstream.feed_for``.
        rate: Rows per second. 0: only what ``emit`` is told to. ``None``: as fast as the listeners take
            them, and nothing while nobody listens. May be changed at any time.
        rows_per_frame: Rows in one ``next``/``data`` message.
        limit: Stop after so many rows; ``None``: never.
        root, cube: The response names that the rows lie under.
        row_style, frame_style: Replaceable at any time, for later frames.
    """

    def __init__(
        self,
        name: str = "rows",
        *,
        rate: float | None = 100.0,
        rows_per_frame: int = 10,
        limit: int | None = None,
        root: str = "EVM",
        cube: str = "DEXTrades",
        row_style: RowStyle | None = None,
        frame_style: FrameStyle | None = None,
    ) -> None:
        self.name = name
        self.rate = rate
        self.rows_per_frame = rows_per_frame
        self.limit = limit
        self.root = root
        self.cube = cube
        self.row_style = row_style or RowStyle()
        self.frame_style = frame_style or FrameStyle()
        self.ledger = Ledger(name)
        self.listeners: dict[int, Listener] = {}
        self._frames = 0
        self._random = random.Random(name)

    @property
    def emitted(self) -> int:
        """How many rows there were so far; also the next row's number."""
        return self.ledger.emitted

    async def flow(self) -> None:
        """Emit at the feed's rate until cancelled."""
        due = time.monotonic()
        while True:
            if self.limit is not None and self.emitted >= self.limit:
                return
            if self.rate is None:
                await self._full_speed_step()
                due = time.monotonic()
                continue
            now = time.monotonic()
            if self.rate <= 0:
                due = now
                await asyncio.sleep(0.01)
            elif due > now:
                await asyncio.sleep(min(due - now, 0.05))
            else:
                rows = self._next_frame_rows()
                due += rows / self.rate
                self.emit(rows)
                await asyncio.sleep(0)

    def _next_frame_rows(self) -> int:
        if self.limit is None:
            return self.rows_per_frame
        return min(self.rows_per_frame, self.limit - self.emitted)

    async def _full_speed_step(self) -> None:
        takers = [listener for listener in self.listeners.values() if listener.is_delivering]
        if not takers:
            await asyncio.sleep(0.005)
            return
        self.emit(self._next_frame_rows())
        for taker in takers:
            await taker.drained()
        await asyncio.sleep(0)

    def emit(self, rows: int, *, row_bytes: Mapping[int, int] | None = None, nulls: int = 0) -> range:
        """
        Emit one frame now; returns its rows' numbers.

        ``row_bytes`` gives single rows, by their place in the frame, a size of their own; ``nulls`` are
        put among the rows. A listener that ends after N rows may split the frame.
        """
        numbers = range(self.emitted, self.emitted + rows)
        second = int(time.time())
        odd = {
            numbers[place]: replace(self.row_style, row_bytes=size)
            for place, size in (row_bytes or {}).items()
        }
        self._frames += 1
        if self._is_turn(self.frame_style.null_every):
            nulls += 1
        start = numbers.start
        while start < numbers.stop:
            stop = min(numbers.stop, start + self._cut(numbers.stop - start))
            self._emit_fresh(range(start, stop), second, odd, nulls if start == numbers.start else 0)
            start = stop
        return numbers

    def again(self, numbers: Sequence[int], *, revision: int = 0) -> None:
        """Emit rows again in one frame: the same bytes, or another revision of the same identity."""
        style = replace(self.row_style, revision=revision) if revision else self.row_style
        second = self.ledger.second(numbers[0])
        frame = self.ledger.add_again(numbers, second, style, time.monotonic())
        self._send([make_row(self.name, number, second, style) for number in numbers], [frame], 0)

    def snapshot(self, listener: Listener, rows: int) -> None:
        """Emit the last rows once more, to this listener alone."""
        numbers = range(max(0, self.emitted - rows), self.emitted)
        if not numbers:
            return
        # Each with the second that it was emitted in, so that its bytes are the same.
        seconds = {number: self.ledger.second(number) for number in numbers}
        body = self._result(
            [make_row(self.name, number, seconds[number], self.row_style) for number in numbers]
        )
        if listener.deliver(body, len(numbers)):
            for second in sorted(set(seconds.values())):
                same = [number for number in numbers if seconds[number] == second]
                frame = self.ledger.add_again(same, second, self.row_style, time.monotonic())
                self.ledger.add_write(frame, listener.number)

    def _is_turn(self, every: int | None) -> bool:
        return every is not None and self._frames % every == 0

    def _cut(self, rows: int) -> int:
        # A session that ends after N rows gets exactly N: the frame is cut for everybody there.
        for listener in self.listeners.values():
            left = listener.rows_before_ending
            if left is not None and 0 < left < rows and listener.is_delivering:
                rows = left
        return rows

    def _emit_fresh(self, numbers: range, second: int, odd: Mapping[int, RowStyle], nulls: int) -> None:
        now = time.monotonic()
        style = self.row_style
        frames = [self.ledger.add_frame(numbers, second, style, now)]
        for number in numbers:
            if number in odd:
                self.ledger.set_style(frames[0], number, odd[number])
        if not self.listeners:
            self.ledger.while_away += len(numbers)
            return
        rows = [make_row(self.name, number, second, odd.get(number, style)) for number in numbers]
        if self._is_turn(self.frame_style.repeat_every) and numbers.start not in odd:
            frames.append(self.ledger.add_again([numbers.start], second, style, now))
            rows.append(rows[0])
        if not self._send(rows, frames, nulls):
            self.ledger.withheld += len(numbers)

    def _send(self, rows: list[bytes], frames: Sequence[int], nulls: int) -> bool:
        if self.frame_style.shuffled:
            self._random.shuffle(rows)
        count = len(rows)
        for place in range(nulls):
            rows.insert((place * 3 + 1) % (len(rows) + 1), b"null")
        body = self._result(rows)
        written = False
        for listener in list(self.listeners.values()):
            if listener.deliver(body, count):
                written = True
                self.ledger.nulls_written += nulls
                for frame in frames:
                    self.ledger.add_write(frame, listener.number)
        return written

    def _result(self, rows: Sequence[bytes]) -> bytes:
        data = b'"data":{"%b":{"%b":[%b]}}' % (self.root.encode(), self.cube.encode(), b",".join(rows))
        if self.frame_style.errors:
            return b'{"errors":[{"message":"partial failure","path":["%b"]}],%b}' % (self.root.encode(), data)
        return b"{" + data + b"}"

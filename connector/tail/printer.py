"""
Takes rows as a publisher does, and writes them to a descriptor, one per line.

Nothing waits for the reader of the output but the rows: they count against the same budget as rows on their
way to Kafka, so that with a slow one sessions are closed on purpose, and reopened once it has caught up.
"""

from __future__ import annotations

import os
import select
from collections import deque
from collections.abc import Callable, Mapping, Sequence

import anyio
import anyio.to_thread

from connector.errors import FatalError
from connector.publish import Submission
from connector.records.record import SourceRecord
from connector.tail.lines import line_of

AT_ONCE = 256 * 1024
"""Bytes that are written in one go, about."""

LOOK = 1.0
"""Seconds between two looks whether anybody reads, while there is nothing to write."""


class CannotPrint(FatalError):
    """The output takes no more, and not because its reader has gone: ``strerror`` is the system's word."""

    def __init__(self, strerror: str) -> None:
        super().__init__(f"cannot write the output: {strerror}")
        self.strerror = strerror


class Printer:
    """
    Satisfies task's `Destination`: every topic is ready, for all rows go to ``descriptor``.

    ``done`` is called when there is nothing more to print: ``limit`` rows were (``None``: no limit), or
    nobody reads any more. What comes after that is dropped.
    """

    def __init__(self, descriptor: int, *, limit: int | None, done: Callable[[], None]) -> None:
        self._descriptor = descriptor
        self._limit = limit
        self._done = done
        self._lines: deque[tuple[bytes, Submission]] = deque()
        self._wake = anyio.Event()
        self._is_over = False
        self.ready = anyio.Event()
        self.ready.set()
        self.answered = self.ready
        self.error: str | None = None
        self.printed = 0
        self.failure: CannotPrint | None = None

    def topic(self, name: str, *, awaited: bool = False) -> Printer:
        """See `Destination`."""
        return self

    def explain(self) -> str:
        """See `Place`: it is ready."""
        return ""

    def add(self, rows: Mapping[str, Sequence[SourceRecord]], submission: Submission, now_ms: int) -> int:
        """See `Destination`."""
        for of_topic in rows.values():
            for _, value, _, _ in of_topic:
                self._lines.append((line_of(value), submission))
        if self._is_over:
            self._drop()
        self._wake.set()
        return 0

    async def run(self) -> None:
        """Write until cancelled."""
        while True:
            self._wake = anyio.Event()
            if self._lines:
                await self._write_some()
            elif not self._is_over and _is_abandoned(self._descriptor):
                self._end()
            if not self._lines:
                with anyio.move_on_after(LOOK):
                    await self._wake.wait()

    async def _write_some(self) -> None:
        batch, submissions = self._batch()
        error: OSError | None = None
        try:
            # In a thread that may be left behind: who does not read holds it up for ever.
            await anyio.to_thread.run_sync(_write, self._descriptor, batch, abandon_on_cancel=True)
        except OSError as caught:
            error = caught
        for submission in submissions:
            submission.acknowledged(1)
        if error is None:
            self.printed += len(submissions)
        elif not isinstance(error, BrokenPipeError):
            self.failure = CannotPrint(error.strerror or type(error).__name__)
        if error is not None or self.printed == self._limit:
            self._end()

    def _batch(self) -> tuple[bytes, list[Submission]]:
        lines: list[bytes] = []
        submissions: list[Submission] = []
        size = 0
        left = len(self._lines) if self._limit is None else self._limit - self.printed
        while self._lines and size < AT_ONCE and len(lines) < left:
            line, submission = self._lines.popleft()
            lines.append(line)
            submissions.append(submission)
            size += len(line)
        return b"".join(lines), submissions

    def _end(self) -> None:
        self._is_over = True
        self._drop()
        self._done()

    def _drop(self) -> None:
        while self._lines:
            _, submission = self._lines.popleft()
            submission.acknowledged(1)


def _write(descriptor: int, content: bytes) -> None:
    left = memoryview(content)
    while left:
        left = left[os.write(descriptor, left) :]


def _is_abandoned(descriptor: int) -> bool:
    """Return whether the reader of a pipe has gone; a stream that nobody looks at is billed all the same."""
    poll = select.poll()
    poll.register(descriptor, 0)  # errors are always told
    return any(event & (select.POLLERR | select.POLLNVAL) for _, event in poll.poll(0))

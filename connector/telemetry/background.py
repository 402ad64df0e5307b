"""
A stream whose lines are written by a thread.

Whoever reads our log may stop reading, and a pipe that is full blocks who writes to it. That must be neither
the event loop nor a probe's answer: lines wait in a bounded queue; what finds no room is counted and said.
"""

from __future__ import annotations

import atexit
import io
import os
import select
import signal
import sys
import threading
import time
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from typing import TextIO, cast

from connector.telemetry.metrics import Metrics

MOST_BYTES = 4 * 2**20
"""Bytes of lines that wait."""

FLUSH_WITHIN = 2.0
"""Seconds that the end of the process waits for who reads."""

_BLOCK = 65_536


class BackgroundStream(io.TextIOBase):
    """
    Takes text at once, and writes it to ``stream`` in a thread. More than ``most_bytes`` is dropped;
    ``say_dropped`` gives the line that tells how many lines that were.
    """

    def __init__(
        self,
        stream: TextIO,
        *,
        most_bytes: int = MOST_BYTES,
        say_dropped: Callable[[int], str] | None = None,
    ) -> None:
        self._stream = stream
        self._descriptor = _descriptor(stream)
        self._most_bytes = most_bytes
        self._say_dropped = say_dropped or _say_dropped
        self._changed = threading.Condition()
        self._lines: deque[bytes] = deque()
        self._waiting = 0
        self._dropped = 0
        self._is_started = False
        self._dropped_ever = self._told = 0

    def isatty(self) -> bool:
        """See `io.IOBase.isatty`."""
        return self._stream.isatty()

    def writable(self) -> bool:
        """See `io.IOBase.writable`."""
        return True

    def write(self, text: str) -> int:
        """Take ``text``, or count it where there is no room; never waits."""
        line = text.encode("utf-8", "backslashreplace")
        with self._changed:
            if not self._is_started:
                self._is_started = True
                threading.Thread(target=self._work, name="log writer", daemon=True).start()
            if self._waiting + len(line) > self._most_bytes:
                self._dropped += 1
                self._dropped_ever += 1
            else:
                self._lines.append(line)
                self._waiting += len(line)
                self._changed.notify_all()
        return len(text)

    def measure(self, metrics: Metrics) -> None:
        """Bring the metric up to date; called by one thread."""
        dropped = self._dropped_ever
        metrics.log_lines_dropped.inc(dropped - self._told)
        self._told = dropped

    def flush(self) -> None:
        """Nothing: who logs does not wait for who reads. See `drain`."""

    def drain(self, timeout: float = FLUSH_WITHIN) -> bool:
        """Wait until everything is written, ``timeout`` seconds at most; return whether it is."""
        deadline = time.monotonic() + timeout
        with self._changed:
            while self._waiting or self._dropped:
                left = deadline - time.monotonic()
                if left <= 0:
                    return False
                self._changed.wait(left)
        return True

    def _work(self) -> None:
        # Signals are for the threads that let them in, and wait until one does.
        signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
        while True:
            with self._changed:
                while not self._lines and not self._dropped:
                    self._changed.wait()
                lines = [*self._lines]
                self._lines.clear()
                dropped = self._dropped
            taken = sum(map(len, lines))
            if dropped:
                lines.append(self._say_dropped(dropped).encode())
            # Who reads is gone: there is nobody to tell.
            with suppress(OSError, ValueError):
                self._put(b"".join(lines))
            with self._changed:
                self._waiting -= taken
                self._dropped -= dropped
                self._changed.notify_all()

    def _put(self, content: bytes) -> None:
        if self._descriptor is None:
            self._stream.write(content.decode())
            self._stream.flush()
            return
        # Not by the stream, whose lock the interpreter would wait for at its end.
        rest = memoryview(content)
        while rest:
            try:
                rest = rest[os.write(self._descriptor, rest[:_BLOCK]) :]
            except BlockingIOError:  # whoever shares it has made it non-blocking
                select.select([], [self._descriptor], [])


def log_in_background() -> BackgroundStream:
    """Put one in the place of this process's stderr, until its end."""
    stream = BackgroundStream(sys.stderr)
    sys.stderr = cast(TextIO, stream)
    atexit.register(stream.drain, 0.5)  # for what is said after whoever ends the process has waited
    return stream


def _descriptor(stream: TextIO) -> int | None:
    try:
        return stream.fileno()
    except (OSError, ValueError):
        return None


def _say_dropped(count: int) -> str:
    moment = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    event = "log lines dropped: whoever reads the log does not keep up"
    return (
        f'{{"time": "{moment}", "level": "warning", "logger": "connector.telemetry.background", '
        f'"event": "{event}", "lines": {count}}}\n'
    )

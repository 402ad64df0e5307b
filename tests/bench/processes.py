"""Processes on a core of their own, and what the kernel says of them."""

from __future__ import annotations

import contextlib
import os
import queue
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

ROOT = Path(__file__).parents[2]
TICKS = os.sysconf("SC_CLK_TCK")
CORES = sorted(os.sched_getaffinity(0))
CANDIDATE_CORE, OTHER_CORE = CORES[0], CORES[-1]
"""The candidate has a core to itself; feeder, broker and measuring share another."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Usage:
    """Of a process with all its descendants: CPU seconds so far, and the sum of peak resident bytes."""

    cpu_seconds: float
    peak_rss: int


@contextlib.contextmanager
def running(
    command: Sequence[str],
    *,
    core: int,
    log: Path,
    env: Mapping[str, str] | None = None,
    stdout: int | None = subprocess.PIPE,
) -> Iterator[subprocess.Popen[str]]:
    """Run ``command`` pinned to ``core`` while entered; its stderr goes to ``log``."""
    with log.open("ab") as errors:
        process = subprocess.Popen(
            ["taskset", "-c", str(core), *command],
            stdin=subprocess.PIPE,
            stdout=stdout,
            stderr=errors,
            text=True,
            cwd=ROOT,
            env={**os.environ, **(env or {})},
            start_new_session=True,
        )
    try:
        yield process
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        for pipe in (process.stdin, process.stdout):
            if pipe is not None:
                pipe.close()


def python(module: str, *arguments: str) -> list[str]:
    """The command that runs a module of this tree with this Python."""
    return [sys.executable, "-m", module, *arguments]


def usage(pid: int) -> Usage:
    """What ``pid`` and its descendants have used; those that ended are gone from the sum."""
    cpu, peak = 0.0, 0
    for member in _family(pid):
        with contextlib.suppress(OSError):
            fields = Path(f"/proc/{member}/stat").read_text().rpartition(")")[2].split()
            cpu += (int(fields[11]) + int(fields[12])) / TICKS
            for line in Path(f"/proc/{member}/status").read_text().splitlines():
                if line.startswith("VmHWM:"):
                    peak += int(line.split()[1]) * 1024
    return Usage(cpu_seconds=cpu, peak_rss=peak)


def resident(pid: int) -> int:
    """Bytes that ``pid`` and its descendants have in memory now."""
    pages = 0
    for member in _family(pid):
        with contextlib.suppress(OSError):
            pages += int(Path(f"/proc/{member}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")


def _family(pid: int) -> list[int]:
    members = [pid]
    for member in members:
        with contextlib.suppress(OSError):
            for thread in Path(f"/proc/{member}/task").iterdir():
                members += [int(child) for child in (thread / "children").read_text().split()]
    return members


class Counter:
    """The last line that a limit printed: a moment and its rows."""

    def __init__(self, pipe: IO[str]) -> None:
        self.rows = 0
        threading.Thread(target=self._read, args=(pipe,), daemon=True).start()

    def last(self) -> int:
        """The rows of that line."""
        return self.rows

    def _read(self, pipe: IO[str]) -> None:
        with contextlib.suppress(ValueError, OSError, IndexError):  # half a line, when it was killed
            for line in pipe:
                self.rows = int(line.split()[1])


class Lines:
    """What a process writes, line by line."""

    DEADLINE = 180.0

    def __init__(self, pipe: IO[str]) -> None:
        self._lines: queue.Queue[str] = queue.Queue()
        threading.Thread(target=self._read, args=(pipe,), daemon=True).start()

    def _read(self, pipe: IO[str]) -> None:
        with contextlib.suppress(ValueError, OSError):
            for line in pipe:
                self._lines.put(line)

    def find(self, start: str, poll: Callable[[], int | None], log: Path) -> str:
        """
        Return the next line that begins with ``start``.

        Raises:
            RuntimeError: The process that ``poll`` is of has ended, or it takes too long.
        """
        deadline = time.monotonic() + self.DEADLINE
        while poll() is None and time.monotonic() < deadline:
            with contextlib.suppress(queue.Empty):
                line = self._lines.get(timeout=0.2)
                if line.startswith(start):
                    return line
        raise RuntimeError(f"the candidate has ended, or is too slow:\n{log.read_text()[-3000:]}")

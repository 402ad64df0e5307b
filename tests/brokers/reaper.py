"""
A process that ends what this one started, should this one be killed.

Brokers run in sessions of their own, so neither Ctrl-C nor the death of the test run reaches them. The reaper
holds the reading end of a pipe: when the last writer is gone, it kills the process groups it was told of.
(PR_SET_PDEATHSIG would fire when the *thread* that started a broker ends.)
"""

import atexit
import functools
import subprocess
import sys
from typing import IO

PROGRAM = """
import os, signal, sys
groups = set()
for line in sys.stdin:
    (groups.add if line[0] == "+" else groups.discard)(int(line[1:]))
for group in groups:
    try:
        os.killpg(group, signal.SIGKILL)
    except ProcessLookupError:
        pass
"""


def watch(group: int) -> None:
    """Kill this process group when the test run dies."""
    _tell(f"+{group}\n")


def forget(group: int) -> None:
    """The group has ended: its number may soon belong to somebody else."""
    _tell(f"-{group}\n")


def _tell(line: str) -> None:
    pipe = _pipe()
    pipe.write(line)
    pipe.flush()


@functools.cache
def _pipe() -> IO[str]:
    process = subprocess.Popen(
        [sys.executable, "-c", PROGRAM],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        text=True,
        start_new_session=True,
    )
    _PROCESSES.append(process)
    assert process.stdin is not None
    return process.stdin


_PROCESSES: list[subprocess.Popen[str]] = []
"""Kept referenced: a collected Popen of a running process warns."""


@atexit.register
def _end() -> None:
    for process in _PROCESSES:
        assert process.stdin is not None
        process.stdin.close()
        process.wait(10)

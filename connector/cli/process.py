"""
What every command needs of its process: three standard streams, and signals that end it with a sense.

A signal that comes while a command is still starting ends it at once: nothing has begun. `hold_signals`
keeps those that come between that and the moment when the running program takes them; and those after it,
when there is nothing left to stop and the exit code is what is still to be told.
"""

from __future__ import annotations

import os
import resource
import signal
import sys
import threading
from contextlib import suppress
from types import FrameType

from connector.signals import STOPPING

_FIRST_FREE = 3


def open_standard_streams() -> None:
    """
    Open what whoever started us left closed.

    Else the next socket would get number 0, 1 or 2, which libraries take for a stream, and print on it.
    """
    while (number := os.open(os.devnull, os.O_RDWR)) < _FIRST_FREE:
        os.set_inheritable(number, True)
    os.close(number)
    sys.stdin = sys.stdin or open(0, encoding="utf-8")  # noqa: SIM115 - for the life of the process
    sys.stdout = sys.stdout or open(1, "w", encoding="utf-8")  # noqa: SIM115
    sys.stderr = sys.stderr or open(2, "w", encoding="utf-8")  # noqa: SIM115


def raise_descriptor_limit() -> None:
    """Take as many descriptors as we may: the usual 1024 are for programs that ask `select`."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != hard:
        with suppress(OSError, ValueError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def end_on_signals() -> None:
    """While it starts, a signal ends the process without a traceback: ``run`` with 0, else as shells say."""
    for number in STOPPING:
        signal.signal(number, _end)


def leave_signals() -> None:
    """Give signals back to the system and the event loop, for a command with no end of its own to keep."""
    for number in STOPPING:
        signal.signal(number, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.default_int_handler)


def hold_signals() -> None:
    """Let signals wait until somebody takes them, if ever."""
    signal.pthread_sigmask(signal.SIG_BLOCK, STOPPING)


def leave_hung_threads(code: int) -> None:
    """
    End with ``code`` now where a thread is still at work, else return.

    Only one that hangs is: a file on a dead mount, a name that no server answers for. Python would wait.
    """
    if any(
        thread is not threading.current_thread() and not thread.daemon for thread in threading.enumerate()
    ):
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


def _end(number: int, _: FrameType | None) -> None:
    """
    End at once. An exception would not do: where Python happens to run a callback of its own, as for a weak
    reference while it imports, it is printed and forgotten, and the program goes on.
    """
    is_run = sys.argv[1:2] == ["run"]
    with suppress(OSError):
        if is_run:
            os.write(2, b"stopped before anything was started\n")
    with suppress(Exception):  # what was interrupted may be writing to it
        sys.stdout.flush()
    os._exit(0 if is_run else 128 + number)

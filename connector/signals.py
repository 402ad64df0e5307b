"""
The signals that end the process.

SIGHUP, a terminal that is closed, is one of them: what was received is published first. It reloads nothing,
for changed files are noticed anyway. Who had it ignored before, as ``nohup`` has, keeps it so.
"""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager

_HANG_UP = () if signal.getsignal(signal.SIGHUP) is signal.SIG_IGN else (signal.SIGHUP,)

STOPPING = (signal.SIGTERM, signal.SIGINT, *_HANG_UP)


@contextmanager
def heard() -> Iterator[None]:
    """Let signals in for whoever takes them now; before and after, they wait if the process wants it so."""
    before = signal.pthread_sigmask(signal.SIG_UNBLOCK, STOPPING)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)

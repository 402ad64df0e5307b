"""A library that says the same thing ten times a second is heard now and then."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable

OURS = "connector"
"""Our own lines are written once per change already."""

QUIET_FOR = 30.0
"""Seconds in which a library's repeated message is only counted."""

REMEMBERED = 200


class Floods(logging.Filter):
    """
    Drops what a library repeats within `QUIET_FOR`; the next one let through has the count dropped since.

    The count is the record's attribute ``suppressed``. ``clock`` returns seconds.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        super().__init__()
        self._clock = clock
        self._lock = threading.Lock()
        self._said: dict[tuple[str, int, str], tuple[float, int]] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        """Return whether ``record`` is to be written."""
        if record.name == OURS or record.name.startswith(OURS + "."):
            return True
        try:
            key = (record.name, record.levelno, record.getMessage())
        except Exception:
            return True  # whatever its arguments raise: the handler says that it cannot be rendered
        now = self._clock()
        with self._lock:
            said_at, dropped = self._said.get(key, (None, 0))
            if said_at is not None and now - said_at < QUIET_FOR:
                self._said[key] = (said_at, dropped + 1)
                return False
            # The oldest go first, with their counts: other messages than these are the news.
            self._said.pop(key, None)
            while len(self._said) >= REMEMBERED:
                del self._said[next(iter(self._said))]
            self._said[key] = (now, 0)
        record.suppressed = dropped
        return True

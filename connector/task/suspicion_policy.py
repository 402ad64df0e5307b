"""From which silence on a session is doubted."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

FAR = 3.0
FAR_FOR_REOPENING = 5.0
"""So many times the longest silence that is usual are far beyond the habit; of the second kind, see below."""

LEAST = 20.0
"""Seconds; no shorter silence is beyond a habit."""

LEAST_FOR_REOPENING = 40.0
"""
The same where a probe is a reopen, for each second that this takes. What comes meanwhile is lost, but in a
silence that was so much longer, little is to be expected.
"""

REOPENING = 1.0
"""Seconds that a reopen takes, beside the pause that an endpoint asks for."""


@dataclass(frozen=True, kw_only=True, slots=True)
class SuspicionPolicy:
    """
    When a session is doubted. ``quiet_after``: after so many seconds of silence, by habit (``auto``), or
    never (``None``). ``overlaps``: the probe is a session beside the old one, which costs nothing but its
    seconds. Otherwise it is a reopen, with at least ``reopen_pause`` seconds between the two.
    """

    quiet_after: float | Literal["auto"] | None = None
    overlaps: bool = False
    reopen_pause: float = 0.0

    def limit(self, usual: float | None) -> float | None:
        """
        Return after how many seconds of silence a session is doubted, ``usual`` being the longest that is
        usual (``None``: not known); ``None``: not at all.
        """
        if self.quiet_after != "auto":
            return self.quiet_after
        if usual is None:
            return None
        if self.overlaps:
            return max(LEAST, FAR * usual)
        return max(LEAST_FOR_REOPENING * (REOPENING + self.reopen_pause), FAR_FOR_REOPENING * usual)

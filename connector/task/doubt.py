"""What is seen of a subscription that may be silent, why its session is doubted, and what is found."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Doubt(StrEnum):
    """Why a session is doubted."""

    SILENCE = "silence"
    ERRORS = "errors"


class Verdict(StrEnum):
    """What a probe showed of the session that was doubted."""

    DEAD = "dead"
    ALIVE = "alive"
    NOTHING_PROVED = "nothing_proved"


@dataclass(frozen=True, kw_only=True, slots=True)
class Seen:
    """
    What is known at a look. ``row_at`` is when the last row came, ``live_since`` when the session became live
    (``None``: none is; a session beside the old one is no other), ``left_at`` when the one before it had been
    left (``None``: there was none), ``failing_since`` when errors came in the place of data (``None``: all is
    well). ``is_free``: a probe may begin.
    """

    row_at: float | None
    live_since: float | None
    left_at: float | None = None
    failing_since: float | None = None
    is_free: bool = True


@dataclass(frozen=True, kw_only=True, slots=True)
class Finding:
    """
    What is known of a session that was doubted for ``doubt``, and had last brought a row at ``row_at``;
    ``live_since`` is when the next one became live, ``None`` where they were open together. ``was_probed``:
    that one was opened to find out. After ``pause`` seconds there may be another probe.
    """

    verdict: Verdict
    doubt: Doubt
    row_at: float | None
    live_since: float | None
    was_probed: bool
    pause: float

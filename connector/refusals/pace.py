"""How fast another attempt comes, for each action. The documentation is made from these numbers, too."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from connector.refusals.symptom import Action


@dataclass(frozen=True, kw_only=True, slots=True)
class Pace:
    """Waits between attempts in a row, in seconds: the ``first``, then doubled up to ``cap``."""

    first: float
    cap: float


PACES: Mapping[Action, Pace] = {
    # With full jitter: from nothing up to these.
    Action.RECONNECT: Pace(first=0.2, cap=30.0),
    Action.WAIT: Pace(first=5.0, cap=60.0),
    # From the second refusal in a row on; after the first a fresh token is tried at once.
    Action.NEW_TOKEN: Pace(first=5.0, cap=300.0),
    Action.PAUSE: Pace(first=300.0, cap=1800.0),
    Action.SLOW: Pace(first=30.0, cap=600.0),
}

LONGEST_ASKED = 3600.0
"""Seconds: a Retry-After above is cut to it, for it may be a mistake, and nobody would be told."""

TOKEN_TOO_OLD = 3600.0
"""Seconds: a token older than this is replaced before another attempt of whoever it was refused to."""

"""When a session gives way to one with a newer token."""

from __future__ import annotations

LEAD_SHARE = 0.25
"""Of what the token had left when the session opened: so long before its end it is replaced."""

LEAD_MAX = 600.0
SPREAD_MAX = 60.0
"""Seconds; one token expires for all, and not all should reconnect at once."""

MARGIN = 1.5
"""
Seconds before its end by which the session is replaced. Servers keep an expiry in whole seconds (``exp`` of
RFC 7662 §2.2) and may have cut off the part of one; the rest is for closing.
"""


def lead(left: float) -> float:
    """Return how many seconds before its end a token is replaced that had ``left`` at the opening."""
    return max(min(left * LEAD_SHARE, LEAD_MAX), min(MARGIN, left / 2))


def spread(left: float, now_left: float) -> float:
    """
    Return up to how many seconds the session may go on, there being a newer token. ``left``: seconds of
    life that the older one had at the opening; ``now_left``: that it has now. A session that outlived its
    token need not hurry.
    """
    most = min(lead(left) / 2, SPREAD_MAX)
    return most if now_left <= 0.0 else max(0.0, min(most, now_left - MARGIN))

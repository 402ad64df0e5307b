"""How far an attempt has come."""

from __future__ import annotations

from enum import IntEnum


class Progress(IntEnum):
    """
    The steps of an attempt, in their order; whoever is at one has passed those before it.

    A step may be skipped: one that brings no data is never told to be `ACCEPTED`, but may be `PROVEN`, and
    then `LASTING`.
    """

    NEW = 0
    """Nothing was tried yet."""

    CONNECTING = 1
    """The socket is being opened."""

    INITIALISING = 2
    """It is open, and the acknowledgement is waited for."""

    SUBSCRIBING = 3
    """It was acknowledged, and the operation goes out; a refusal of it may still come."""

    LIVE = 4
    """No refusal came within `SETTLED_AFTER` seconds, or data did: it covers the subscription."""

    ACCEPTED = 5
    """Data came, so the token was accepted; whether it lasts is another matter."""

    PROVEN = 6
    """It lasted, with data or without: it was no failed attempt, and its token was accepted."""

    LASTING = 7
    """It brought no data, and lasts for so long that this is no sign of a dead token."""


SETTLED_AFTER = 0.5
"""Seconds without a refusal after which a subscription counts as accepted; data shows it sooner."""

STEADY_AFTER = 2.0
"""
Seconds of life after which an attempt that brought data is proven. An upstream may send a row, and then end
every session.
"""

PROVEN_AFTER = 10.0
"""The same for one that brought no data."""

LASTING_AFTER = 300.0
"""
Seconds of life without data after which a session is `Progress.LASTING`. Servers may accept a dead token, say
nothing, and close; others close quiet sessions after minutes.
"""

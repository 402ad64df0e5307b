"""What was seen, and what is to be done about it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum

PLACES: Mapping[str, frozenset[str]] = {
    "connect": frozenset(),
    "handshake": frozenset({"status", "error_code", "text"}),
    "subprotocol": frozenset(),
    "ack": frozenset(),
    "init": frozenset({"error_code", "text"}),
    "subscribe": frozenset({"error_code", "text"}),
    "stream": frozenset({"error_code", "text"}),
    "complete": frozenset(),
    "close": frozenset({"close_code", "text"}),
    "silence": frozenset(),
    "protocol": frozenset(),
}
"""Where a refusal is met, and what may be known of it there."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Symptom:
    """
    One refusal as it was seen.

    ``place`` is one of `PLACES`. ``status`` is an HTTP status, ``close_code`` a websocket close code,
    ``error_codes`` the ``extensions.code`` of GraphQL errors, or the ``error`` of ``WWW-Authenticate``;
    each is ``None`` or empty where there was none. ``texts`` are what the other side said of the refusal;
    never data.
    """

    place: str
    status: int | None = None
    close_code: int | None = None
    error_codes: tuple[str, ...] = ()
    texts: tuple[str, ...] = ()


class Action(Enum):
    """What is done about a refusal; the names, in lower case, are those of the configuration."""

    RECONNECT = "reconnect with backoff"
    NEW_TOKEN = "reject the token, fetch one, reconnect"  # noqa: S105 - an action, no password
    WAIT = "reconnect after a wait that starts at seconds and doubles to a minute"
    PAUSE = "one fresh token, then a pause of minutes and an alarm"
    SLOW = (
        "an alarm, and another attempt after a wait that starts at half a minute and doubles to ten minutes:"
        " the document, the URL or the plan is at fault"
    )


@dataclass(frozen=True, kw_only=True, slots=True)
class Verdict:
    """``reason`` is the label in metrics and logs; ``known`` is false where the action is but a guess."""

    action: Action
    reason: str
    known: bool = True

"""Whether an endpoint lets a subscription have two sessions, as far as that shows."""

from __future__ import annotations

import structlog

log = structlog.get_logger(__name__)

OLD_CLOSED_LIMIT = 2
"""So many rotations in a row in which the old session was closed by the peer show that it allows one only."""


class SecondSessions:
    """Of the subscription that is called ``name``."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._old_closed = 0

    @property
    def are_allowed(self) -> bool:
        """Whether nothing speaks against them."""
        return self._old_closed < OLD_CLOSED_LIMIT

    def joined(self) -> None:
        """Two were open, and both brought rows."""
        self._old_closed = 0

    def old_closed(self) -> None:
        """The peer closed the old one where a second one opened, and its token had not ended."""
        self._old_closed += 1
        if self._old_closed == OLD_CLOSED_LIMIT:
            log.warning(
                "the endpoint closes a session when another one opens: sessions are reopened from now on",
                subscription=self._name,
                remedy="write endpoint.rotation: reopen",
            )

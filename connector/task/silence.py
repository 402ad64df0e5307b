"""How long a subscription has been silent, and how long it usually is."""

from __future__ import annotations

from connector.task.habit import Habit

SNAPSHOT_WITHIN = 2.0
"""
Seconds from a session's beginning in which rows tell nothing: many servers answer with what there is, and
then only with what is new.
"""

HASTE = 0.25
"""
A row that comes sooner after a new session's beginning than this share of the silence before: the session
before may have been dead, so that the silence is no habit.
"""

LATE = 1.0
"""Seconds: having looked so much later than asked, what came meanwhile may still be unread."""


class Silence:
    """
    Of one subscription, by looks at when its last row came; moments are seconds of one clock.

    Only time in which a session is live counts. ``row_at`` is when the last row came, one of a snapshot
    included, ``None`` before the first; ``lasts`` are the seconds heard since the last that counts.
    """

    def __init__(self) -> None:
        self.habit = Habit()
        self.row_at: float | None = None
        self._looked_at: float | None = None
        self._heard = 0.0
        self._counted_at: float | None = None
        self._heard_then = 0.0

    @property
    def lasts(self) -> float:
        """See above. Before the first row all that was heard counts."""
        return self._heard - self._heard_then

    def look(self, now: float, *, row_at: float | None, live_since: float | None, asked: float) -> bool:
        """
        Take note of when the last row came (``None``: there was none), and since when a session is live
        (``None``: none is); a look was to come ``asked`` seconds after the last one. Return whether rows came
        that count.
        """
        passed = 0.0 if self._looked_at is None else min(now - self._looked_at, asked + LATE)
        self._looked_at = now
        if live_since is not None:
            self._heard += max(0.0, min(passed, now - live_since))
        if row_at is None or row_at == self.row_at:
            return False
        self.row_at = row_at
        if live_since is None or row_at < live_since + SNAPSHOT_WITHIN:
            return False
        self._row_came(row_at, live_since, now)
        return True

    def restart(self) -> None:
        """What was silence is none that tells of a habit."""
        self._counted_at, self._heard_then = None, self._heard

    def _row_came(self, row_at: float, live_since: float, now: float) -> None:
        before, self._counted_at = self._counted_at, row_at
        heard = max(self._heard_then, self._heard - (now - row_at))
        silence, self._heard_then = heard - self._heard_then, heard
        if before is None:
            return
        silent_before = live_since - before
        is_hasty = silent_before > SNAPSHOT_WITHIN and row_at - live_since < HASTE * silent_before
        if not is_hasty:
            self.habit.learn(silence)

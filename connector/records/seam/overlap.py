"""Two sessions of one subscription, from shortly before the second one subscribes until the first is over."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Generic, TypeVar

from connector.records.seam.closing import Closing, OverlapTimes, Verdict
from connector.records.seam.join import Join
from connector.records.seam.receipt import Receipt, RowSource, compared_rows
from connector.records.seam.row_digests import RowDigests

R = TypeVar("R", bound=Receipt)


@dataclass(frozen=True, kw_only=True, slots=True)
class Missed:
    """
    The period that neither session may have covered, as moments in seconds.

    ``since`` is when the old session's last row came, or the new one subscribed, whatever was first;
    ``until`` is when the new one's first row came, ``None`` where none has.
    """

    since: float
    until: float | None


class Overlap(Generic[R]):
    """
    One rotation, seen from its rows. Whatever `switch` and `closed` return goes on to be published.

    It begins ``reach`` seconds before `subscribed` and goes on as long after the old session is closed, or
    the new one. ``last_row_at`` is when the old session's last row came; ``None``: it brought none.
    """

    # One part each that it puts together, and when and with whom it begins.
    def __init__(
        self,
        old: RowSource,
        *,
        now: float,
        reach: float,
        last_row_at: float | None,
        join: Join[R],
        closing: Closing,
        digests: RowDigests,
    ) -> None:
        self._old = old
        self._new: RowSource | None = None
        self._reach = reach
        self._last_old_at = now if last_row_at is None else last_row_at
        self._join = join
        self._closing = closing
        self._digests = digests
        self._subscribed_at = math.inf
        self._over_at = math.inf
        self._has_switched = False
        self._new_lives = True

    def subscribed(self, new: RowSource, now: float, times: OverlapTimes) -> None:
        """
        ``new`` is about to subscribe. Its rows go on with the stream that the old session's are of.

        Raises:
            RuntimeError: There is a new session already, or the overlap is over.
        """
        if self._new is not None or self.is_over(now):
            raise RuntimeError("a session joins another one once, while that lives")
        new.stream = self._old.stream
        self._new = new
        self._subscribed_at = now
        self._join.subscribed(now)
        self._closing.subscribed(now, times)

    def take(self, source: RowSource, receipt: R) -> list[R]:
        """Return what goes on now that ``source`` brought ``receipt``."""
        if source is self._old:
            return self._take_old(receipt)
        return self._take_new(receipt) if source is self._new else [receipt]

    def _take_old(self, receipt: R) -> list[R]:
        matched_by, known_by = self._digests.of(compared_rows(receipt))
        if known_by:
            self._last_old_at = receipt.received_at
        self._closing.old_rows(known_by, receipt.received_at)
        going = self._join.old_rows(receipt, matched_by)
        self._note_match(receipt.received_at)
        return going

    def _take_new(self, receipt: R) -> list[R]:
        matched_by, known_by = self._digests.of(compared_rows(receipt))
        self._closing.new_rows(self._join.received, known_by, receipt.received_at)
        going = self._join.new_rows(receipt, matched_by)
        self._note_match(receipt.received_at)
        return going

    def _note_match(self, now: float) -> None:
        if self._join.first_match is not None:
            self._closing.matched(self._join.first_match, now)

    # For whoever rotates

    def verdict(self, now: float) -> Verdict:
        """
        Return what is to be done ``now``. After `switch` the old session is to be closed; a new one that was
        closed proves nothing.
        """
        if self._has_switched:
            return Verdict.CLOSE_OLD
        return self._closing.verdict(now) if self._new_lives else Verdict.UNPROVED

    def switch(self) -> list[R]:
        """
        The old session is to be closed: the new one takes its place. Call it before the old one is told.
        """
        self._has_switched = True
        return self._join.switch()

    def closed(self, source: RowSource, now: float) -> list[R]:
        """
        ``source`` brings nothing more, for whatever reason. Told again, or of another source, it does
        nothing.

        If it is the old one before `switch`, `verdict` tells whether a gap has to be declared.
        """
        if self.is_over(now):
            return []
        if self._new is None:
            self._over_at = now if source is self._old else math.inf
            return []
        if source is self._old and self._over_at == math.inf:
            self._over_at = now + self._reach
            self._closing.old_closed()
            return self._join.old_closed()
        if source is self._new and self._over_at == math.inf:
            self._over_at = now + self._reach
            self._new_lives = False
            return self._join.new_closed()
        return []

    def abandon(self, now: float) -> None:
        """No session will subscribe beside the old one; nothing where one has."""
        if self._new is None:
            self._over_at = now

    @property
    def held_since(self) -> float | None:
        """See `Seam.held_since`."""
        is_held = self._new is not None and not self._has_switched and self._over_at == math.inf
        return self._subscribed_at if is_held else None

    @property
    def is_silent(self) -> bool:
        """Whether neither session has brought a row since the new one subscribed."""
        return self._closing.is_silent

    @property
    def missed(self) -> Missed:
        """What the verdict `Verdict.DECLARE_GAP` is about."""
        until = self._closing.new_began_at
        if self._join.dropped_until is not None:
            until = self._join.dropped_until  # no row before that of the new session was published
        return Missed(since=min(self._last_old_at, self._subscribed_at), until=until)

    def is_over(self, now: float) -> bool:
        """Whether nothing is joined any more, so that another overlap may begin."""
        return now >= self._over_at

    @property
    def size(self) -> int:
        """Bytes that are held and remembered for the join."""
        return self._join.size

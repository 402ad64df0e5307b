"""
The rows of two sessions of one subscription as those of one, while both live.

Rows of the old session go on as they come. Those of the new one are held: each that the old one brings as
well, or brought shortly before, is dropped. What is left of them is released when the old one is to be
closed. From then on rows of either go on, unless the other brought the same. Rows are matched by count: those
that are equal in one session stay as many as there are.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Generic, TypeVar

from connector.records.seam.counts import SeamCounts
from connector.records.seam.new_rows import NewRows
from connector.records.seam.receipt import Receipt, keep_wanted
from connector.records.seam.recent_rows import RecentRows

R = TypeVar("R", bound=Receipt)


class Join(Generic[R]):
    """
    Whatever is returned goes on to be published, in that order.

    An old row that came more than ``reach`` seconds before a new one is not matched with it. What is held and
    remembered takes ``bound`` bytes at most: over it rows are released, or forgotten, so that they may be
    published twice; none is lost. ``has_metrics``: the first rows of the new session may each cover a part
    only of what they count, so that they are dropped until one is matched that the old one brought since,
    while the old one lives.

    ``first_match`` is the number of the receipt in which that was, counted from 0; ``None``: there was none
    yet. ``dropped_until`` is when the last receipt came of those that were dropped although there was none;
    ``None``: none was.
    """

    def __init__(
        self, *, began_at: float, reach: float, bound: int, has_metrics: bool, counts: SeamCounts
    ) -> None:
        self._bound = bound
        self._has_metrics = has_metrics
        self._counts = counts
        self._old = RecentRows(began_at=began_at, reach=reach)
        self._new: NewRows[R] = NewRows()
        self._subscribed_at = math.inf
        self._old_lives = self._new_lives = True
        self._old_delivers = False
        self._is_holding = True
        self._last_new_at = math.inf
        self.first_match: int | None = None
        self.dropped_until: float | None = None

    def subscribed(self, now: float) -> None:
        """The new session begins; what the old one brought before is no sign that it goes on."""
        self._subscribed_at = now

    @property
    def size(self) -> int:
        """Bytes that are held and remembered."""
        return self._old.size + self._new.size

    @property
    def received(self) -> int:
        """Receipts of the new session."""
        return self._new.received

    # What comes

    def old_rows(self, receipt: R, digests: Sequence[int]) -> list[R]:
        """Take a receipt of the old session."""
        now = receipt.received_at
        self._old_delivers = self._old_delivers or now >= self._subscribed_at
        rest: list[int] = []
        unwanted: list[int] = []
        going: list[R] = []
        for place, digest in enumerate(digests):
            arrived = self._new.match(digest)
            if arrived is not None:
                self._counts.joined += 1
                if arrived.receipt is None:
                    unwanted.append(place)
                    continue
                going += self._meet(arrived.number)
                if not arrived.left and arrived.receipt is not None:
                    going.append(self._new.let_go(arrived))
            elif self._new_lives:
                rest.append(digest)
        self._old.add(rest, now)
        if unwanted:
            keep_wanted(receipt, _all_but(unwanted, len(digests)))
        return [*going, receipt, *self._within_bound()]

    def new_rows(self, receipt: R, digests: Sequence[int]) -> list[R]:
        """Take a receipt of the new session."""
        self._last_new_at = now = receipt.received_at
        wanted = bytearray(b"\1") * len(digests)
        meets = False
        for place, digest in enumerate(digests):
            came_at = self._old.take(digest, now)
            if came_at is not None:
                wanted[place] = 0
                meets = meets or came_at >= self._subscribed_at
        self._counts.joined += wanted.count(0)
        if not self._old_lives:
            if 0 in wanted:
                keep_wanted(receipt, wanted)
            return [receipt]
        arrived = self._new.arrive(receipt, digests, wanted)
        going = self._meet(arrived.number) if meets else []
        if arrived.receipt is not None and not (self._is_holding and arrived.left):
            going.append(self._new.let_go(arrived))
        return [*going, *self._within_bound()]

    def _meet(self, number: int) -> list[R]:
        """The old session brought, since the new one began, a row of its receipt ``number``."""
        if self.first_match is not None:
            return []
        self.first_match = number
        if not (self._has_metrics and self._is_holding):
            return []
        receipts, rows = self._new.drop(number)
        self._counts.partial += rows
        return receipts

    # What happens to the sessions

    def switch(self) -> list[R]:
        """The old session is to be closed."""
        if self._is_holding:
            self._counts.unmatched += self._new.left
        return self._let_all_go()

    def old_closed(self) -> list[R]:
        """The old session brings nothing more."""
        self._old_lives = False
        released = self._let_all_go()
        self._new.forget()
        return released

    def new_closed(self) -> list[R]:
        """
        The new session brings nothing more; what it brought is not lost, whatever becomes of the old one.
        """
        self._new_lives = False
        self._old.forget()
        return self._let_all_go()

    def _let_all_go(self) -> list[R]:
        if not self._is_holding:
            return []
        going = self._drop_all() if self._is_partial else []
        self._is_holding = False
        return going or self._new.release()

    @property
    def _is_partial(self) -> bool:
        """
        Whether it is not known from where on rows of the new session are complete, and the old one brings
        them.
        """
        return self._has_metrics and self.first_match is None and self._old_lives and self._old_delivers

    def _drop_all(self) -> list[R]:
        receipts, rows = self._new.drop(self._new.received)
        self._counts.partial += rows
        if rows:
            self.dropped_until = self._last_new_at
        return receipts

    # Its bounds

    def _within_bound(self) -> list[R]:
        going: list[R] = []
        if self.size > self._bound and self._is_holding:
            going = self._drop_all() if self._is_partial else self._let_all_go()
        if self.size > self._bound:
            self._counts.forgotten += self._old.forget() + self._new.forget()
        return going


def _all_but(places: Sequence[int], rows: int) -> bytearray:
    wanted = bytearray(b"\1") * rows
    for place in places:
        wanted[place] = 0
    return wanted

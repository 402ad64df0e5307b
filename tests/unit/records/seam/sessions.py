"""Two sessions of one subscription on a clock of their own, and what is published of them."""

from __future__ import annotations

import json
from typing import Any

import msgspec

from connector.records.identity import Identity
from connector.records.seam import Overlap, OverlapTimes, RowSource, Seam, SeamSpec, Verdict
from tests.unit.records.seam.came import Came, Published

REACH = 5.0
OVERLAP_MAX = 30.0

BY_ID = Identity(fields=(("id",),))


class Sessions:
    """
    An old session, and a new one once `subscribe` is called; ``now`` goes on with `wait` alone.

    What a session brings goes through the seam; what goes on is in ``published``.
    """

    def __init__(self, spec: SeamSpec | None = None, *, reach: float = REACH) -> None:
        self.seam: Seam[Came] = Seam(spec or SeamSpec())
        self.now = 100.0
        self.reach = reach
        self.published = Published()
        self.old = self.seam.open_source()
        self.new: RowSource | None = None
        self.overlap: Overlap[Came] | None = None
        self.open = [self.old]
        self.recorded_at = self.now
        self.has_switched = False

    def wait(self, seconds: float) -> None:
        self.now += seconds

    def bring(self, source: RowSource | None, *rows: object, size: int = 100) -> None:
        """One receipt with ``rows``, each any JSON value."""
        assert source is not None
        raws = [msgspec.Raw(json.dumps(row).encode()) for row in rows]
        self.receive(source, Came(raws, self.now, size))

    def receive(self, source: RowSource, receipt: Came) -> None:
        going = self.seam.take(source, receipt) if self.seam.takes_batches else [receipt]
        self.published.add(going)

    def record(self) -> None:
        """Begin the overlap, ``reach`` before the new session."""
        self.overlap = self.seam.begin_overlap(self.old, now=self.now, reach=self.reach)
        self.recorded_at = self.now

    def subscribe(self, *, least: float = REACH, most: float = OVERLAP_MAX) -> None:
        if self.overlap is None:
            self.record()
        assert self.overlap is not None
        self.new = self.seam.open_source()
        self.open.append(self.new)
        self.overlap.subscribed(self.new, self.now, OverlapTimes(least=least, until=self.now + most))

    def verdict(self) -> Verdict:
        assert self.overlap is not None
        return self.overlap.verdict(self.now)

    def switch(self) -> None:
        assert self.overlap is not None
        self.has_switched = True
        self.published.add(self.overlap.switch())

    def close(self, source: RowSource | None) -> None:
        assert source is not None
        self.open = [one for one in self.open if one is not source]
        self.published.add(self.seam.close_source(source, self.now))

    def go_on_with_new(self) -> None:
        """The rotation is over, and its new session the old one of the next."""
        assert self.new is not None
        self.old, self.new, self.overlap, self.has_switched = self.new, None, None, False

    @property
    def values(self) -> list[Any]:
        """The rows that were published, in order."""
        return [json.loads(row) for row in self.published.rows]

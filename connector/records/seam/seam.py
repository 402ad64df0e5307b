"""The seam of one subscription: what it drops between receiving and publishing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Generic, TypeVar

from connector.records.identity import Admits, Identity
from connector.records.seam.closing import Closing
from connector.records.seam.counted_window import CountedWindow
from connector.records.seam.counts import SeamCounts
from connector.records.seam.identity_window import IdentityWindow
from connector.records.seam.join import Join
from connector.records.seam.overlap import Overlap
from connector.records.seam.pending import NOTHING_PENDING, Pending
from connector.records.seam.receipt import Receipt, RowSource
from connector.records.seam.row_digests import RowDigests

R = TypeVar("R", bound=Receipt)


@dataclass(frozen=True, kw_only=True, slots=True)
class SeamSpec:
    """
    What is known of a subscription's rows, and how much is to be remembered of them.

    An ``identity`` of ``None``: rows are known by what they say. One that is not ``unique`` was inferred, so
    that what a row says counts, too. With a ``window`` of so many seconds, which takes an identity, repeats
    are dropped all the time, and ``max_bytes`` bound what that takes; ``None``: only overlaps are joined, in
    ``join_bytes``. ``has_metrics``: the document counts or sums.
    """

    identity: Identity | None = None
    unique: bool = True
    window: float | None = None
    max_bytes: int = 64 * 2**20
    join_bytes: int = 32 * 2**20
    has_metrics: bool = False


class Seam(Generic[R]):
    """
    One subscription's, whatever sessions there are; ``spec`` says what it remembers.

    Where rows are received: while `takes_batches`, what `take` returns goes on in the place of each receipt.
    Where records are built: `turn`, then build with `admits`, then `pending`, with nothing awaited in
    between.

    `takes_batches` is whether an overlap is open. `admits` is ``None`` where no repeats are dropped.
    ``counts`` are its numbers.
    """

    def __init__(self, spec: SeamSpec) -> None:
        self._spec = spec
        self._digests = RowDigests(spec.identity, unique=spec.unique)
        self._sources = 0
        self._overlap: Overlap[R] | None = None
        self._window: IdentityWindow | CountedWindow | None = None
        self.counts = SeamCounts()
        self.takes_batches = False
        self.admits: Admits | None = None
        if spec.window is not None and spec.identity is not None:
            kind = IdentityWindow if spec.unique else CountedWindow
            self._window = kind(seconds=spec.window, max_bytes=spec.max_bytes, counts=self.counts)
            self.admits = self._window.admits

    # For whoever opens sessions

    def open_source(self) -> RowSource:
        """Return one that brings rows from now on: a session, or a query."""
        self._sources += 1
        return RowSource(self._sources)

    def close_source(self, source: RowSource, now: float) -> list[R]:
        """``source`` brings nothing more; return what goes on now, as from `Overlap.closed`."""
        return self._overlap.closed(source, now) if self._overlap is not None else []

    def may_overlap(self, now: float) -> bool:
        """Whether another overlap may begin: none does while one is open."""
        if self._overlap is not None and self._overlap.is_over(now):
            self._overlap = None
            self.takes_batches = False
        return self._overlap is None

    def begin_overlap(
        self, old: RowSource, *, now: float, reach: float, last_row_at: float | None = None
    ) -> Overlap[R]:
        """
        Record what ``old`` brings, ``reach`` seconds before another session subscribes beside it.

        Rows of both are the same only where the new one's comes at most so long after the old one's.
        ``last_row_at`` is when the old one's last row came; ``None``: it brought none.

        Raises:
            RuntimeError: An overlap is open.
        """
        if not self.may_overlap(now):
            raise RuntimeError("an overlap is open")
        spec, window = self._spec, self._window
        has_identity = spec.identity is not None
        closing = Closing(
            began_at=now,
            reach=reach,
            distinct=has_identity,
            waits=spec.has_metrics,
            remembers=window.remembers if isinstance(window, IdentityWindow) else _remembers_nothing,
        )
        join: Join[R] = Join(
            began_at=now,
            reach=reach,
            bound=spec.join_bytes,
            has_metrics=spec.has_metrics,
            counts=self.counts,
        )
        self._overlap = Overlap(
            old,
            now=now,
            reach=reach,
            last_row_at=last_row_at,
            join=join,
            closing=closing,
            digests=self._digests,
        )
        self.takes_batches = True
        return self._overlap

    # Where rows are received

    def take(self, source: RowSource, receipt: R) -> list[R]:
        """
        Return what goes on now that ``source`` brought ``receipt``: itself, nothing yet, or others that were
        held.

        A receipt whose rows are all dropped goes on without rows.
        """
        if self._overlap is None or self.may_overlap(receipt.received_at):
            return [receipt]
        return self._overlap.take(source, receipt)

    # Where records are built

    def turn(self, now: float, source: RowSource) -> None:
        """
        Rows of ``source`` come next, received at ``now``, in seconds; an earlier time than before counts as
        that.
        """
        if self._window is not None:
            self._window.begin(now, source)

    def pending(self) -> Pending:
        """Return what was remembered since `turn`."""
        if self._window is None:
            return NOTHING_PENDING
        return Pending(self._window.end(), self._window.forget)

    # How it stands

    @property
    def held_since(self) -> float | None:
        """Since when rows of a new session may be held, in seconds; ``None``: none are."""
        return self._overlap.held_since if self._overlap is not None else None

    def covered(self, now: float) -> float | None:
        """
        Return how many seconds back repeats are known: the window, or less for want of memory. ``None``:
        repeats are not dropped.
        """
        return self._window.covered(now) if self._window is not None else None

    @property
    def size(self) -> int:
        """Bytes that it takes."""
        of_window = self._window.size if self._window is not None else 0
        return of_window + (self._overlap.size if self._overlap is not None else 0)


def _remembers_nothing(digest: int) -> bool:
    return False

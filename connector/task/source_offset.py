"""One subscription's part in the offsets of its task: what it covers, and what it missed while nobody ran."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext

import anyio
import structlog

from connector.task.gap_tracker import PLANNED, GapTracker
from connector.task.offset_tracker import OWN, Clocks, OffsetTracker
from connector.task.state import State
from connector.task.status import StatusTracker
from connector.task.task_offsets import WAIT_AT_MOST, TaskOffsets

log = structlog.get_logger(__name__)

ABSENCE = "absence"
"""The reason of the gap in which no process ran, or none that knew this subscription."""

AHEAD = 60_000
"""Milliseconds that a record may lie in the future before it is said."""


class SourceOffset:
    """
    That of subscription ``name``. ``offsets`` of ``None``: none are kept. See `OffsetTracker` for ``oldest``
    and ``heard``.
    """

    def __init__(
        self,
        name: str,
        offsets: TaskOffsets | None,
        gaps: GapTracker,
        status: StatusTracker,
        oldest: Callable[[], float | None],
        heard: Callable[[], float | None],
    ) -> None:
        self._name = name
        self._offsets = offsets
        self._gaps = gaps
        self._status = status
        self._clocks = Clocks(monotonic=gaps.clock, wall=time.time if offsets is None else offsets.wall)
        self._tracker = OffsetTracker(gaps, oldest=oldest, heard=heard, clocks=self._clocks)
        self.is_learnt = offsets is None
        """Whether the record of its start was looked at, by it or by the one in whose place it goes on."""

    def followed(self) -> AbstractContextManager[None]:
        """Its offset is written until this context ends, and then the last time."""
        return nullcontext() if self._offsets is None else self._offsets.following(self._name, self._tracker)

    def freeze(self) -> None:
        """The subscription stops for a record that is not through."""
        self._tracker.freeze()

    async def learn(self) -> None:
        """
        Return once it is known since when nobody was there, which is a gap from then on; or once that has
        been waited for long enough: `learn_late` then finds it out.
        """
        offsets = self._offsets
        if offsets is None or self.is_learnt:
            return
        if not offsets.settled.is_set():
            self._status.enter(State.WAITING)
            self._status.explain = offsets.explain
            try:
                with anyio.move_on_after(WAIT_AT_MOST):
                    await offsets.settled.wait()
            finally:
                self._status.explain = None
        if offsets.known.is_set():
            self._apply(offsets)
        else:
            offsets.go_on_without()

    async def learn_late(self) -> None:
        """Find out since when nobody was there, however long that takes."""
        if self._offsets is not None:
            await self._offsets.known.wait()
            self._apply(self._offsets)

    def _apply(self, offsets: TaskOffsets) -> None:
        if self.is_learnt:
            return
        self.is_learnt = True
        record = offsets.record(self._name)
        if record is None:
            return
        if record.covered_until > self._clocks.wall() * 1000 + AHEAD:
            log.warning(
                "offset lies in the future: the clock was set back",
                subscription=self._name,
                covered_until=record.covered_until,
            )
        from_ms, going_on = self._clocks.from_ms, None
        for one in record.open:
            if one.until is None:
                going_on = one
            else:
                self._gaps.declare(
                    since=from_ms(one.since), until=from_ms(one.until), reason=one.reason, gap_id=one.id
                )
        since, reason = record.covered_until, ABSENCE
        if going_on is not None:
            since = min(since, going_on.since)
            # A pause that was planned has become more than that.
            reason = ABSENCE if going_on.reason in ("", *OWN, *PLANNED) else going_on.reason
        self._gaps.absent(from_ms(since), reason, gap_id=None if going_on is None else going_on.id)

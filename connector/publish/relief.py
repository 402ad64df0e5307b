"""Memory that one partition would hold for all others."""

from __future__ import annotations

import time
from collections.abc import Iterable

from connector.publish.partition_sender import PartitionSender
from connector.publish.submitted_records import SubmittedRecords

STUCK = 3.0
"""Seconds without an acknowledgement after which a partition holds others up."""

SHARE = 20.0
"""Looking takes one part in so many of the time."""


class Relief:
    """
    Frames are through in the order in which they came. Where a partition is not acknowledged for long, as
    one without a leader, all frames behind its rows would be kept. So what is acknowledged of them is
    released, and rows that wait keep nothing but themselves.
    """

    def __init__(self) -> None:
        self._entered: set[SubmittedRecords] = set()
        self._acknowledged = -1
        self._due = 0.0

    def look(self, senders: Iterable[PartitionSender], now: float) -> None:
        """Release what can be; ``now`` is `anyio.current_time`."""
        stuck, acknowledged = [], 0
        for sender in senders:
            acknowledged += sender.rows_acknowledged
            if sender.owes_since is not None and now - sender.owes_since > STUCK:
                stuck.append(sender)
        if not stuck:
            self._entered.clear()
            return
        if acknowledged == self._acknowledged or now < self._due:
            return  # nobody goes on behind them
        began = time.perf_counter()
        self._acknowledged = acknowledged
        for sender in stuck:
            self._entered |= sender.detach()
        for submitted in self._entered:
            submitted.shrink()
        self._due = now + (time.perf_counter() - began) * SHARE

"""Between an attempt and the pipeline that it feeds."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from connector.records.seam import RowSource
from connector.subscription import Backpressure, Delivered, ProtocolViolation, ServerRefused


class Source(Protocol):
    """By whom a result came: an `Attempt`."""

    request_error: ServerRefused | None
    """
    What its last odd result said where that had errors and no ``data`` at all: "request errors" are raised
    before execution begins (GraphQL October 2021 §7.1), so the operation was never started.
    """

    rows_from: RowSource
    """What the seam knows it by."""

    def result_failed(self, error: ServerRefused | None) -> None:
        """
        A result brought errors in the place of data, which are no refusal that is known; ``None``: one came
        that had no errors. Results with rows need not be told of.
        """

    @property
    def clean(self) -> Callable[[str], str]:
        """Takes the token of this source out of what the other side said."""


class Intake(Protocol):
    """What takes results over: the subscription's `Pipeline`."""

    @property
    def receive(self) -> Callable[[Delivered, Source], bool]:
        """
        Takes a result over, and from whom it is; never waits. Returns whether it had data.

        Raises:
            SessionError: The result says that the attempt is refused.
        """

    def violated(self, error: ProtocolViolation) -> None:
        """A peer broke the protocol, which ends its attempt."""

    async def wait_for_room(self) -> None:
        """Return once there is room for more, after Close was sent."""

    def backpressure(self) -> Backpressure:
        """Return what slows one reader down."""

    def open_source(self) -> RowSource:
        """Return what the rows of another attempt are known to come from."""

    def close_source(self, source: RowSource) -> None:
        """``source`` brings nothing more."""

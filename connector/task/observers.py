"""What one subscription tells the outside, by role. Nothing here may raise or block."""

from __future__ import annotations

from typing import Protocol

from connector.task.state import State


class SessionObserver(Protocol):
    """What becomes of its sessions."""

    def state(self, state: State) -> None:
        """It is in ``state`` now."""

    def session_opened(self) -> None:
        """A session was acknowledged and subscribed."""

    def reconnect(self, reason: str) -> None:
        """A session ended, and another will be opened."""

    def rotated(self, outcome: str) -> None:
        """A second session was opened beside the one there was; ``outcome``: see `Outcome`."""

    def shed(self) -> None:
        """A session was closed because memory ran short."""

    def probed(self, outcome: str) -> None:
        """Another session was opened to find out whether one is dead, with this outcome (see `Verdict`)."""

    def refused(self, reason: str | None) -> None:
        """Somebody has to change something, for that reason; ``None``: no more."""

    def no_data(self, alarm: bool) -> None:
        """The session lives but brings no data for too long, or does again."""


class GapObserver(Protocol):
    """Which time is covered by a session."""

    def uncovered(self, seconds: float) -> None:
        """``seconds`` more without a session."""

    def gap(self, outcome: str) -> None:
        """A period that was not received is over."""

    def streamed(self, seconds: float) -> None:
        """The upstream bills ``seconds`` more."""


class FlowObserver(Protocol):
    """
    What comes, and what the brokers have of it. `received`, `acknowledged` and `event_lag` are called for
    every frame.
    """

    def received(self, rows: int, size: int) -> None:
        """A frame of ``size`` bytes with ``rows`` rows came."""

    def rows_found(self, rows: int) -> None:
        """So many more rows were found in a frame that was told of before."""

    def acknowledged(self, rows: int, frames: int, latency: float) -> None:
        """The brokers have ``rows`` rows of ``frames``, ``latency`` seconds after they were received."""

    def event_lag(self, seconds: float, frames: int) -> None:
        """The last row of ``frames`` was acknowledged ``seconds`` after its event time."""

    def full_message(self) -> None:
        """A message had as many rows as the upstream ever sends in one."""

    def result_errors(self, count: int, /) -> None:
        """Results carried ``count`` errors."""

    def null_result(self) -> None:
        """A result had nothing where its rows should be."""

    def oddities(self, *, keys_missing: int, identities_missing: int, times_replaced: int) -> None:
        """Records without a key, rows without an identity, records with another time than their event's."""


class RecordObserver(Protocol):
    """What becomes of rows that cannot be published."""

    def record_failed(self, reason: str) -> None:
        """A row cannot be published."""

    def record_skipped(self, reason: str) -> None:
        """It was left out, as the configuration wants it."""

    def dead_lettered(self, reason: str) -> None:
        """The brokers have it in the dead-letter topic."""


class SubscriptionObserver(SessionObserver, GapObserver, FlowObserver, RecordObserver, Protocol):
    """All of them. Each part of a subscription takes the role that it needs."""

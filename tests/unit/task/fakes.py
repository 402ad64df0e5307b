"""An observer that remembers what it was told, and a keeper that tests move by hand."""

from __future__ import annotations

import anyio

from connector.auth import Token
from connector.task import State


class Told:
    """Satisfies `SubscriptionObserver` and `GapEventObserver`; sums what is counted, lists what is said."""

    def __init__(self) -> None:
        self.states: list[State] = []
        self.uncovered_seconds = 0.0
        self.streamed_seconds = 0.0
        self.gaps: list[str] = []
        self.reconnects: list[str] = []
        self.rotations: list[str] = []
        self.rows_received = 0
        self.frames_received = 0
        self.bytes_received = 0
        self.rows_acknowledged = 0
        self.sessions = 0
        self.sheds = 0
        self.probes: list[str] = []
        self.errors = 0
        self.nulls = 0
        self.full = 0
        self.odd: list[tuple[int, int, int]] = []
        self.failed: list[str] = []
        self.skipped: list[str] = []
        self.letters: list[str] = []
        self.gap_events: list[str] = []
        self.gap_events_not_written: list[str] = []
        self.alarms: list[bool] = []
        self.refusals: list[str | None] = []

    def state(self, state: State) -> None:
        self.states.append(state)

    def session_opened(self) -> None:
        self.sessions += 1

    def received(self, rows: int, size: int) -> None:
        self.rows_received += rows
        self.frames_received += 1
        self.bytes_received += size

    def rows_found(self, rows: int) -> None:
        self.rows_received += rows

    def acknowledged(self, rows: int, frames: int, latency: float) -> None:
        self.rows_acknowledged += rows

    def event_lag(self, seconds: float, frames: int) -> None:
        pass

    def reconnect(self, reason: str) -> None:
        self.reconnects.append(reason)

    def rotated(self, outcome: str) -> None:
        self.rotations.append(outcome)

    def uncovered(self, seconds: float) -> None:
        self.uncovered_seconds += seconds

    def gap(self, outcome: str) -> None:
        self.gaps.append(outcome)

    def probed(self, outcome: str) -> None:
        self.probes.append(outcome)

    def shed(self) -> None:
        self.sheds += 1

    def result_errors(self, count: int) -> None:
        self.errors += count

    def null_result(self) -> None:
        self.nulls += 1

    def full_message(self) -> None:
        self.full += 1

    def oddities(self, *, keys_missing: int, identities_missing: int, times_replaced: int) -> None:
        self.odd.append((keys_missing, identities_missing, times_replaced))

    def record_failed(self, reason: str) -> None:
        self.failed.append(reason)

    def record_skipped(self, reason: str) -> None:
        self.skipped.append(reason)

    def dead_lettered(self, reason: str) -> None:
        self.letters.append(reason)

    def gap_event(self, event: str) -> None:
        self.gap_events.append(event)

    def gap_event_not_written(self, reason: str) -> None:
        self.gap_events_not_written.append(reason)

    def streamed(self, seconds: float) -> None:
        self.streamed_seconds += seconds

    def refused(self, reason: str | None) -> None:
        self.refusals.append(reason)

    def no_data(self, alarm: bool) -> None:
        self.alarms.append(alarm)


def token(generation: int = 1, *, expires_in: float | None = None) -> Token:
    """Return token ``t1``, ``t2``, …; ``expires_in`` seconds of the loop's time (``None``: unknown)."""
    expires_at = None if expires_in is None else anyio.current_time() + expires_in
    return Token(value=f"t{generation}", generation=generation, expires_at=expires_at)


class FakeKeeper:
    """Satisfies `TokenKeeper`: gives the tokens that tests `put`; notes what is said of them."""

    def __init__(self, first: Token | None = None) -> None:
        self.current = first
        self.rejected: list[int] = []
        self.accepted: list[int] = []
        self.quiet: list[int] = []
        self.renewed: list[tuple[int, float]] = []
        self.forgotten: list[str] = []
        self.doubted: list[int] = []
        self.replaces_doubted = False
        self.fresh_tokens_do_not_help = False
        self.changed_by_itself = anyio.Event()
        self._changed = anyio.Event()

    def put(self, new: Token) -> None:
        self.current = new
        self._changed.set()
        self._changed = anyio.Event()

    async def token(self, *, by: str = "") -> Token:
        while self.current is None or self.current.generation in self.rejected:
            await self._changed.wait()
        return self.current

    async def newer_than(self, generation: int, *, by: str = "") -> Token:
        while self.current is None or self.current.generation <= generation:
            await self._changed.wait()
        return self.current

    def reject(self, generation: int, *, by: str = "") -> None:
        self.rejected.append(generation)

    def accept(self, generation: int, *, by: str = "", is_quiet: bool = False) -> None:
        self.accepted.append(generation)
        if is_quiet:
            self.quiet.append(generation)

    async def news(self, generation: int | None) -> None:
        if generation is None:
            await self.changed_by_itself.wait()
        else:
            await self.newer_than(generation)

    async def renew(self, generation: int, *, older_than: float) -> None:
        self.renewed.append((generation, older_than))

    def fruitless(self, generation: int) -> bool:
        self.doubted.append(generation)
        return self.replaces_doubted

    def forget(self, by: str) -> None:
        self.forgotten.append(by)

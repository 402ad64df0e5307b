"""
One attempt: one connection for one subscription, with its token, from its opening to its end.

It ends by the other side, by silence, or on purpose (`Attempt.finish`); in the last case what the peer
still sends is received until the peer's Close or a deadline. Whatever is learnt by an attempt is its own: two
may feed one subscription at once.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from typing import Protocol

import anyio
from anyio.abc import TaskGroup

from connector.auth import Token
from connector.subscription import (
    Interrupted,
    ProtocolViolation,
    ServerCompleted,
    ServerRefused,
    SessionError,
    Silent,
    SocketClosed,
)
from connector.task.attempt_end import AttemptEnd
from connector.task.attempt_settings import AttemptSettings
from connector.task.cancelled import was_cancelled
from connector.task.connection import Connection
from connector.task.failing_results import FailingResults
from connector.task.intake import Intake
from connector.task.progress import LASTING_AFTER, PROVEN_AFTER, SETTLED_AFTER, STEADY_AFTER, Progress
from connector.task.token_keeper import TokenKeeper
from connector.task.watchers import abort_when_silent, keep_pinging, until_due_for_renewal


class AttemptEvents(Protocol):
    """What is told of attempts, each time with the one that it is told of."""

    def reached(self, attempt: Attempt, progress: Progress) -> None:
        """It has come as far as ``progress``."""

    def closing(self, attempt: Attempt, cause: str) -> None:
        """The connection is being closed on purpose; what the peer still sends is received."""

    def closed(self, attempt: Attempt, cause: str) -> None:
        """The connection was closed on purpose; what it delivered may still be on its way here."""


class Attempt:
    """
    Used once, with ``connection`` its own. ``token`` of ``None``: the endpoint asks for none; ``keeper`` is
    told when it was accepted. ``rng`` returns a float in [0, 1), ``clock`` seconds.

    ``live_since`` is when it subscribed, ``None`` before it is live; ``delivered``: data came.
    ``failing`` knows of results without data.
    ``request_error`` is what the last result said where it had errors and no data at all (see `Source`).
    """

    def __init__(
        self,
        settings: AttemptSettings,
        *,
        connection: Connection,
        token: Token | None,
        keeper: TokenKeeper | None,
        intake: Intake,
        events: AttemptEvents,
        rng: Callable[[], float] = random.random,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._settings = settings
        self._connection = connection
        self._keeper = keeper
        self._intake = intake
        self._events = events
        self._rng = rng
        self._clock = clock
        self._cause: str | None = None
        self._asked_to_finish = anyio.Event()
        self._opening = anyio.CancelScope()
        self._eases: anyio.CancelScope | None = None
        self._subscribed_at: float | None = None
        self._closing_at: float | None = None
        self._is_settled = False  # data came and it is proven: nothing more is to be learnt of results
        self.failing = FailingResults(clock)
        self.token = token
        self.progress = Progress.NEW
        self.live_since: float | None = None
        self.delivered = False
        self.request_error: ServerRefused | None = None
        self.clean = connection.clean  # of `Source`
        self.rows_from = intake.open_source()  # of `Source`

    def finish(self, cause: str) -> None:
        """Close on purpose; the first cause counts. Before it subscribed, it is just given up."""
        if self._cause is None:
            self._cause = cause
            self._asked_to_finish.set()
            self._opening.cancel()
            if self._eases is not None:
                self._eases.cancel()

    def result_failed(self, error: ServerRefused | None) -> None:
        """See `Source`."""
        self.failing.note(error)
        self._is_settled = self._is_settled and error is None

    @property
    def last_heard_at(self) -> float:
        """When anything last arrived, in seconds of the clock of its connection."""
        return self._connection.last_heard_at

    @property
    def covered_until(self) -> float:
        """
        Until when all was received that the peer had to say: until now where it is heard; once it is told to
        stop, what it still sends is the rest of before.
        """
        if self._closing_at is None:
            return self.last_heard_at
        return max(self._closing_at, self.rows_from.last_row_at or self._closing_at)

    @property
    def _is_closing(self) -> bool:
        return self._cause is not None

    async def run(self) -> AttemptEnd:
        """Open, deliver, and return how it ended. Cancelling ends the connection at once."""
        error: SessionError | None = None
        try:
            async with anyio.create_task_group() as group:
                try:
                    with self._opening:
                        await self._open()
                    if not self._opening.cancelled_caught:
                        self._watch(group)
                        await self._deliver()
                except SessionError as caught:
                    error = caught
                    await self._receive_the_rest(caught)
                group.cancel_scope.cancel()
        except anyio.get_cancelled_exc_class():
            if was_cancelled():
                raise
            error = error or Interrupted()
        finally:
            self._connection.abort()
            self._intake.close_source(self.rows_from)
        if error is not None:
            # It would keep what was in hand, maybe megabytes, until the garbage collector comes.
            error.__traceback__ = None
        return self._ended(error)

    def _ended(self, error: SessionError | None) -> AttemptEnd:
        if isinstance(error, ServerCompleted) and self.request_error is not None and not self.delivered:
            error = self.request_error  # the server gave only that for a result, and completed
        return AttemptEnd(
            token=self.token,
            cause=self._cause,
            error=None if self._is_closing else error,
            progress=self.progress,
            delivered=self.delivered,
            live_for=self._lived(),
            stream_failed=error is not None and error is self.failing.error,
            last_heard_at=self._connection.last_heard_at,
            ended_at=self._clock(),
            last_row_at=self.rows_from.last_row_at,
        )

    async def _open(self) -> None:
        self._reach(Progress.CONNECTING)
        await self._connection.open()
        self._reach(Progress.INITIALISING)
        await self._connection.initialise()
        self._reach(Progress.SUBSCRIBING)
        self._subscribed_at = self._clock()

    def _watch(self, group: TaskGroup) -> None:
        """Start what goes on beside reading."""
        connection, keep_alive = self._connection, self._settings.keep_alive
        group.start_soon(self._prove_in_time)
        group.start_soon(self._finish_when_asked)
        group.start_soon(abort_when_silent, connection, keep_alive, lambda: self._is_closing, self._clock)
        group.start_soon(self.failing.abort_when_lasting, connection, keep_alive.keepalive_timeout)
        group.start_soon(keep_pinging, connection, keep_alive.ping_interval, lambda: self._is_closing)
        if self._settings.reopens and self._keeper is not None and self.token is not None:
            group.start_soon(self._finish_before_expiry, self._keeper, self.token)

    async def _deliver(self) -> None:
        connection, backpressure, take = self._connection, self._intake.backpressure(), self._intake.receive
        await connection.start(self._settings.request)
        while (result := await connection.receive()) is not None:
            if take(result, self) and not self._is_settled:
                self._data_came()
            if self._cause is not None:
                # Close was sent, so the peer may be made to wait: nothing of what it sent is lost.
                await self._intake.wait_for_room()
                continue
            if backpressure.is_due:
                with anyio.CancelScope() as self._eases:
                    await backpressure.wait_if_ahead()
                self._eases = None

    async def _receive_the_rest(self, error: SessionError) -> None:
        """
        After ``error``: where the operation is over and the connection is not, Close; what the peer wrote
        before it saw that is still received.
        """
        if isinstance(error, ProtocolViolation):
            self._intake.violated(error)
        is_over = isinstance(error, SocketClosed | Silent) or error is self.failing.error
        if is_over or not self.delivered or self._is_closing:
            return
        async with anyio.create_task_group() as group:
            group.start_soon(self._connection.finish)
            while True:
                await self._intake.wait_for_room()  # whatever came before, be it no message at all
                try:
                    result = await self._connection.receive()
                    if result is None:
                        break
                    self._intake.receive(result, self)
                except (SocketClosed, Silent):
                    break
                except ProtocolViolation as violation:
                    self._intake.violated(violation)
                except SessionError:
                    continue
            group.cancel_scope.cancel()

    # Its progress

    def _reach(self, progress: Progress) -> None:
        """Tell of ``progress``, once; the token of this attempt is credited, whatever others there are."""
        if progress <= self.progress:
            return
        self.progress = progress
        if progress >= Progress.ACCEPTED:
            self._credit(is_quiet=progress is Progress.PROVEN and not self.delivered)
        self._events.reached(self, progress)

    def _credit(self, *, is_quiet: bool = False) -> None:
        if self._keeper is not None and self.token is not None:
            self._keeper.accept(self.token.generation, by=self._settings.name, is_quiet=is_quiet)

    def _data_came(self) -> None:
        self.failing.note(None)
        self._become_live()  # not sooner, for a result may be a refusal
        is_late = not self.delivered and self.progress >= Progress.PROVEN
        self.delivered = True
        self._credit() if is_late else self._reach(Progress.ACCEPTED)
        self._prove()
        self._is_settled = self.progress >= Progress.PROVEN

    def _become_live(self) -> None:
        if self.live_since is None and not self._is_closing and self._subscribed_at is not None:
            self.live_since = self._subscribed_at
            self._reach(Progress.LIVE)

    def _lived(self) -> float:
        return self._clock() - self.live_since if self.live_since is not None else 0.0

    def _prove(self) -> None:
        """Not at its first row, for one may be all it brings; and not while results fail."""
        if self.failing.error is not None:
            return
        if self._lived() >= (self._settings.steady_after if self.delivered else PROVEN_AFTER):
            self._reach(Progress.PROVEN)
        if not self.delivered and self._lived() >= LASTING_AFTER:
            self._reach(Progress.LASTING)

    async def _prove_in_time(self) -> None:
        """No answer comes to a subscription that is accepted, only one to a refused one, and soon."""
        await anyio.sleep(SETTLED_AFTER)
        self._become_live()
        while self.progress < Progress.PROVEN and not self._is_closing:
            await anyio.sleep(STEADY_AFTER)
            self._prove()
        await anyio.sleep(max(LASTING_AFTER - self._lived(), 0))
        if not self._is_closing:
            self._prove()

    # Its end

    async def _finish_when_asked(self) -> None:
        await self._asked_to_finish.wait()
        assert self._cause is not None
        self._closing_at = self._clock()
        self._events.closing(self, self._cause)
        await self._connection.finish()
        self._events.closed(self, self._cause)

    async def _finish_before_expiry(self, keeper: TokenKeeper, token: Token) -> None:
        await until_due_for_renewal(keeper, token, self._clock, self._rng)
        self.finish("reopen")

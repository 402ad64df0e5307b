"""
One session: one acknowledged connection, from its opening to its end.

It ends by the other side, by silence, or on purpose (`Session.finish`); in the last case what the peer
still sends is received until the peer's Close or a deadline.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import anyio

from connector.auth import Keeper, Token
from connector.subscription import (
    Backpressure,
    Delivered,
    GraphQLRequest,
    MemoryBudget,
    MemoryShare,
    ProtocolViolation,
    SessionError,
    SessionSettings,
    Silent,
    SocketClosed,
    Target,
    Transport,
)
from connector.task import succession
from connector.task.status import State
from connector.task.vigil import Act, Patience, Vigil

PROVEN_AFTER = 10.0
"""Seconds of a quiet session after which its token counts as accepted."""

STEADY_AFTER = 2.0
"""The same for a session that brought data. An upstream may send a row, and then end every session."""

SETTLED_AFTER = 0.5
"""Seconds without a refusal after which a subscription counts as accepted; data shows it sooner."""

LATE_WAKE = 0.5
"""Seconds: having slept so much longer than asked, what came meanwhile is still unread."""


@dataclass(frozen=True, kw_only=True, slots=True)
class SessionEnd:
    """
    How it ended. ``cause`` names the purpose (stop, reopen, reload, shed, failed) or is ``None`` where
    ``error`` says what happened; ``subscribed`` whether the operation was sent, ``delivered`` whether data
    came; ``is_proven`` whether it was more than a failed attempt; ``live_for`` its seconds of life.
    """

    cause: str | None
    error: SessionError | None
    subscribed: bool
    delivered: bool
    is_proven: bool
    live_for: float
    last_heard_at: float


class SessionEvents(Protocol):
    """What a session tells its follower."""

    def entered(self, state: State) -> None:
        """The session is in ``state``, one of those before it is live."""

    def live(self, since: float) -> None:
        """The session covers the subscription, ``since`` a moment of `time.monotonic`."""

    def closing(self, cause: str) -> None:
        """The connection is being closed on purpose; what the peer still sends is received."""

    def receive(self, result: Delivered) -> bool:
        """
        Take a result over; never waits. Return whether it had data.

        Raises:
            SessionError: The result says that the session is refused.
        """

    def violated(self, error: ProtocolViolation) -> None:
        """The peer broke the protocol, which ends the session."""

    def accepted(self) -> None:
        """Data came, so that the token was accepted; whether the session lasts is another matter."""

    def proven(self) -> None:
        """The session is no failure, with data or without; its token was accepted."""

    def closed(self, cause: str) -> None:
        """The connection was closed on purpose; what it delivered may still be on its way here."""


class Session:
    """
    Used once. ``reopens`` is false where a session outlives its token; ``steady_after`` are the seconds of
    life after which one that brought data is no failure.
    """

    def __init__(
        self,
        *,
        target: Target,
        settings: SessionSettings,
        patience: Patience,
        payload_type: type,
        budget: MemoryBudget,
        memory: MemoryShare,
        events: SessionEvents,
        reopens: bool,
        steady_after: float = STEADY_AFTER,
        rng: Callable[[], float] = random.random,
    ) -> None:
        self._target = target
        self._settings = settings
        self._patience = patience
        self._payload_type = payload_type
        self._budget = budget
        self._backpressure = Backpressure(memory)
        self._eases: anyio.CancelScope | None = None
        self._events = events
        self._reopens = reopens
        self._steady_after = steady_after
        self._rng = rng
        self._cause: str | None = None
        self._asked_to_finish = anyio.Event()
        self._opening = anyio.CancelScope()
        self._subscribed_at: float | None = None
        self._transport: Transport | None = None
        self._live_at: float | None = None
        self._delivered = False
        self._proven = False

    def finish(self, cause: str) -> None:
        """Close on purpose; the first cause counts. Before the session is live, it is just given up."""
        if self._cause is None:
            self._cause = cause
            self._asked_to_finish.set()
            self._opening.cancel()
            if self._eases is not None:
                self._eases.cancel()

    def clean(self, text: str) -> str:
        """Return ``text``, which the other side said, without the token that it may repeat."""
        return self._transport.clean(text) if self._transport else text

    async def run(self, request: GraphQLRequest, token: Token | None, keeper: Keeper | None) -> SessionEnd:
        """Open, deliver, and return how it ended. Cancelling ends the connection at once."""
        self._transport = transport = Transport(
            self._target.opening(token.value if token else None),
            self._settings,
            payload_type=self._payload_type,
        )
        error: SessionError | None = None
        try:
            async with anyio.create_task_group() as group:
                try:
                    with self._opening:
                        await self._open(transport)
                    if not self._opening.cancelled_caught:
                        self._subscribed_at = time.monotonic()
                        group.start_soon(self._settle)
                        group.start_soon(self._finish_when_asked, transport)
                        group.start_soon(self._watch_silence, transport)
                        group.start_soon(self._ping, transport)
                        if keeper is not None and token is not None:
                            group.start_soon(self._watch_token, keeper, token)
                        await self._deliver(transport, request)
                except SessionError as caught:
                    error = caught
                    if isinstance(caught, ProtocolViolation):
                        self._events.violated(caught)
                    is_open = not isinstance(caught, SocketClosed | Silent)
                    if is_open and self._delivered and self._cause is None:
                        await self._take_the_rest(transport)
                group.cancel_scope.cancel()
        finally:
            transport.abort()
        return self._ended(error, transport.last_heard_at)

    def _ended(self, error: SessionError | None, last_heard_at: float) -> SessionEnd:
        return SessionEnd(
            cause=self._cause,
            error=None if self._cause else error,
            subscribed=self._subscribed_at is not None,
            delivered=self._delivered,
            is_proven=self._proven,
            live_for=time.monotonic() - self._live_at if self._live_at is not None else 0.0,
            last_heard_at=last_heard_at,
        )

    async def _open(self, transport: Transport) -> None:
        self._events.entered(State.CONNECTING)
        await transport.open()
        self._events.entered(State.INITIALISING)
        await transport.initialise()
        self._events.entered(State.SUBSCRIBING)

    async def _settle(self) -> None:
        """No answer comes to a subscription that is accepted, only one to a refused one, and soon."""
        await anyio.sleep(SETTLED_AFTER)
        self._become_live()

    def _become_live(self) -> None:
        if self._live_at is None and self._cause is None and self._subscribed_at is not None:
            self._live_at = self._subscribed_at
            self._events.live(self._subscribed_at)

    async def _deliver(self, transport: Transport, request: GraphQLRequest) -> None:
        await transport.start(request)
        take = self._events.receive
        while (result := await transport.receive()) is not None:
            if take(result) and not self._proven:
                self._become_live()  # not sooner, for a result may be a refusal
                if not self._delivered:
                    self._delivered = True
                    self._events.accepted()
                self._prove()
            if self._cause is not None:
                # Close was sent, so the peer may be made to wait: nothing of what it sent is lost.
                await self._budget.wait_for_room()
                continue
            if self._backpressure.is_due:
                with anyio.CancelScope() as self._eases:
                    await self._backpressure.wait_if_ahead()
                self._eases = None

    async def _take_the_rest(self, transport: Transport) -> None:
        """Close, for the operation is over; what the peer wrote before it saw our Close is still received."""
        async with anyio.create_task_group() as group:
            group.start_soon(transport.finish)
            while True:
                try:
                    result = await transport.receive()
                    if result is None:
                        break
                    self._events.receive(result)
                    await self._budget.wait_for_room()
                except (SocketClosed, Silent):
                    break
                except ProtocolViolation as error:
                    self._events.violated(error)
                except SessionError:
                    continue
            group.cancel_scope.cancel()

    def _prove(self) -> None:
        """Tell once that the session is no failure; not at its first row, for one may be all it brings."""
        lived = time.monotonic() - self._live_at if self._live_at is not None else 0.0
        if not self._proven and lived >= (self._steady_after if self._delivered else PROVEN_AFTER):
            self._proven = True
            self._events.proven()

    async def _finish_when_asked(self, transport: Transport) -> None:
        await self._asked_to_finish.wait()
        assert self._cause is not None
        self._events.closing(self._cause)
        await transport.finish()
        self._events.closed(self._cause)

    async def _watch_silence(self, transport: Transport) -> None:
        vigil = Vigil(self._patience)
        while self._cause is None:
            now = time.monotonic()
            self._prove()
            act, wait = vigil.look(now, transport.last_heard_at)
            if act is Act.GIVE_UP:
                transport.abort(Silent(now - transport.last_heard_at))
                return
            if act is Act.PROBE:
                # A peer that takes nothing may hold the ping up; the span counts from its beginning.
                with anyio.move_on_after(wait):
                    await transport.probe()
                continue
            fell_asleep_at = time.monotonic()
            wait = wait if self._proven else min(wait, STEADY_AFTER)
            await anyio.sleep(wait)
            if time.monotonic() - fell_asleep_at > wait + LATE_WAKE:
                await anyio.sleep(LATE_WAKE)

    async def _ping(self, transport: Transport) -> None:
        """Some endpoints end a session whose client does not ping."""
        interval = self._patience.ping_interval
        while interval is not None:
            await anyio.sleep(interval)
            if self._cause is not None:
                return  # nothing is said after the operation's end
            with anyio.move_on_after(interval):
                await transport.ping()

    async def _watch_token(self, keeper: Keeper, token: Token) -> None:
        """Finish in time before the token expires, once there is a newer one to go on with."""
        if token.expires_at is None or not self._reopens:
            return
        left = max(0.0, token.expires_at - time.monotonic())
        await anyio.sleep(left - succession.lead(left))
        await keeper.newer_than(token.generation)
        await anyio.sleep(self._rng() * succession.spread(left, token.expires_at - time.monotonic()))
        self.finish("reopen")

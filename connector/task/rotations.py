"""
How many subscriptions with one credential have two sessions at once, and which of them comes first.

::

    rotator = limiter.join(streams=2)
    permit = await rotator.due(token, keeper)  # in time before the token ends
    if permit is None:
        ...  # no second session: reopen
    else:
        with permit:
            ...  # open the new one, join, close the old one
"""

from __future__ import annotations

import math
import random
import time
from collections.abc import Callable

import anyio

from connector.auth import Token
from connector.task import succession
from connector.task.openings import Openings
from connector.task.permit import Permit
from connector.task.rotation_policy import Rotation, RotationPlan, RotationTimes, end
from connector.task.rotation_queue import Decision, RotationQueue, RotationRequest
from connector.task.stream_proofs import StreamProofs
from connector.task.token_keeper import TokenKeeper

LEAST_WAIT = 0.001
"""Seconds: a timer may come early by the resolution of the clock, and would be set again for nothing."""


class RotationLimiter:
    """
    Shared by the subscriptions of one credential; they `join`.

    ``cap`` is how many streams the plan allows, ``None``: not known. ``clock`` returns seconds, those that
    tokens are timed by; ``rng`` a float in [0, 1). ``lead_changed`` is called when `lead` is another one.
    """

    def __init__(
        self,
        rotation: Rotation | None = None,
        *,
        parallelism: int = 2,
        cap: int | None = None,
        clock: Callable[[], float] = time.monotonic,
        rng: Callable[[], float] = random.random,
        lead_changed: Callable[[], None] = lambda: None,
    ) -> None:
        self._rotation = rotation or Rotation()
        self._parallelism = parallelism
        self._clock = clock
        self.rng = rng
        self._queue = RotationQueue(
            parallelism=parallelism,
        )
        self._rotators: set[Rotator] = set()
        self._bells: dict[RotationRequest, anyio.Event] = {}
        self.counted = anyio.Event()
        """Set when `lead` may be another one; then there is another event."""
        self.proofs = StreamProofs(cap=cap)
        self.openings = Openings(may=self._may_open)
        self._on_trial: set[RotationRequest] = set()
        self.lead_changed = lead_changed

    def join(self, *, streams: int) -> Rotator:
        """Count one more subscription, whose document takes ``streams``; it may rotate in its turn."""
        rotator = Rotator(self, streams=streams)
        self._rotators.add(rotator)
        self._counted()
        return rotator

    def leave(self, rotator: Rotator) -> None:
        """Count ``rotator`` no more."""
        self._rotators.discard(rotator)
        self.openings.end(rotator)
        self._counted()

    def _counted(self) -> None:
        self._queue.streams = sum(rotator.streams for rotator in self._rotators)
        counted, self.counted = self.counted, anyio.Event()
        counted.set()
        self.lead_changed()
        self._look()

    @property
    def plan(self) -> RotationPlan:
        """The arithmetic with as many subscriptions as there are."""
        return RotationPlan(rotation=self._rotation, parallelism=self._parallelism, count=len(self._rotators))

    def lead(self, life: float) -> float:
        """
        Return how many seconds before the end of a token that lives ``life`` seconds the next one has to be
        there, so that all sessions are rotated in time; 0 where that does not depend on how many there are.
        """
        return self.plan.lead(life)

    @property
    def now(self) -> float:
        """The moment, in seconds of the clock."""
        return self._clock()

    @property
    def rotating(self) -> int:
        """How many subscriptions have two sessions now."""
        return self._queue.rotating

    def open_streams(self) -> int:
        """Return how many streams are open now, sessions that are not open left aside."""
        closed = sum(rotator.streams for rotator in self._rotators if not rotator.is_open)
        return self._queue.open_streams - closed

    def proved(self, streams: int) -> bool:
        """Whether a session brought rows, not long ago, while that many streams were open."""
        return self.proofs.holds(streams, self._clock())

    def trial_begins(self, request: RotationRequest) -> None:
        """The second session of ``request`` is opened, which may be one too many."""
        self._on_trial.add(request)

    def trial_ends(self, request: RotationRequest) -> None:
        """It is not, or is closed; told again, it does nothing."""
        if request in self._on_trial:
            self._on_trial.discard(request)
            self.openings.look()

    def _may_open(self, streams: int) -> bool:
        return not self._on_trial or self.proofs.fits(self.open_streams() + streams, self._clock())

    def joined(self, streams: int) -> None:
        """A new session brought the rows of the old one while that many streams were open."""
        self.proofs.served(streams, self._clock())

    def silent(self, streams: int) -> None:
        """A new session brought nothing while that many were open, and the old one did."""
        self.proofs.silent(streams, self._clock())

    # Turns

    async def turn(self, request: RotationRequest) -> bool:
        """Wait until ``request`` is decided; return whether it may rotate, which ends with `give_back`."""
        self._bells[request] = anyio.Event()
        self._queue.ask(request)
        try:
            self._look()
            while request.decision is None:
                # The first one keeps the time for all; whatever happens meanwhile rings its bell.
                is_first = self._queue.first is request
                wait = self._queue.next_at() - self._clock() if is_first else math.inf
                with anyio.move_on_after(max(wait, LEAST_WAIT)):
                    await self._bells[request].wait()
                if request.decision is None:
                    self._bells[request] = anyio.Event()
                    self._look(woken=request)
        except BaseException:  # cancelled, perhaps after it was decided
            self.give_back(request)
            raise
        finally:
            del self._bells[request]
        return request.decision is Decision.OVERLAP

    def give_back(self, request: RotationRequest) -> None:
        """``request`` rotates no more, or waits no more."""
        self._queue.leave(request)
        self.trial_ends(request)
        self._look()

    def _look(self, woken: RotationRequest | None = None) -> None:
        self._queue.cap = self.proofs.most(self._clock())
        for request in self._queue.decide(self._clock()):
            self._bells[request].set()
        first = self._queue.first
        if first is not None and first is not woken:
            self._bells[first].set()


class Rotator:
    """
    One subscription's part in the limiter. ``is_open``: it has a session now, or opens one.
    """

    def __init__(self, limiter: RotationLimiter, *, streams: int) -> None:
        self._limiter = limiter
        self.streams = streams
        self.is_open = False

    async def until_room(self) -> None:
        """Wait until a session may be opened where there is none; `opened` follows, or `closed`."""
        await self._limiter.openings.begin(self, self.streams)
        self.is_open = True

    async def until_calm(self, until: float) -> None:
        """
        Wait, until the moment ``until`` at most, while a session in the place of the present one would have
        to wait for room.
        """
        with anyio.move_on_after(until - self._limiter.now):
            await self._limiter.openings.wait(0)

    def opened(self) -> None:
        """It has a session."""
        self._limiter.openings.end(self)

    def closed(self) -> None:
        """It has none any more, and opens none; told again, it does nothing."""
        self.is_open = False
        self._limiter.openings.end(self)

    def leave(self) -> None:
        """It has ended; told again, it does nothing."""
        self._limiter.leave(self)

    async def due(
        self,
        token: Token,
        keeper: TokenKeeper,
        *,
        is_quiet: Callable[[], bool] = lambda: False,
        called: Callable[[], None] | None = None,
    ) -> Permit | None:
        """
        Return in its turn, in time before ``token`` ends, once there is a newer one to go on with; or never.

        ``None``: there is no room for a second session, so that the first one has to be closed now. With
        ``is_quiet``, no row is expected soon: those go last, when others may have proved that as many streams
        are served. ``called`` is called when the turn is near, mostly an overlap before, so that rows can be
        recorded from then on; without it that time is part of the turn.
        """
        if token.expires_at is None:
            await anyio.sleep_forever()
        limiter, expires_at = self._limiter, token.expires_at
        assert expires_at is not None
        left = max(0.0, expires_at - limiter.now)
        life = max(left, token.life or 0.0)
        while (
            wait := expires_at - limiter.now - max(succession.lead(left), limiter.lead(life))
        ) > LEAST_WAIT:
            with anyio.move_on_after(wait):
                await limiter.counted.wait()
        await keeper.newer_than(token.generation)
        times = limiter.plan.times(life)
        # A session that outlived its token need not hurry.
        until = expires_at - end(life) if limiter.now < expires_at - end(life) else math.inf
        request = RotationRequest(
            streams=self.streams,
            begin_by=until - times.takes - times.reach,
            takes=times.takes + (times.reach if called is None else 0.0),
            is_quiet=is_quiet(),
            called=called or _nothing,
        )
        permit = await self._permit(request, times, until=until)
        if permit is None:
            # One token ends for all, and not all should be reopened at once.
            await anyio.sleep(limiter.rng() * succession.spread(left, expires_at - limiter.now))
            await self.until_calm(until)
        return permit

    async def probe(self, *, called: Callable[[], None] | None = None) -> Permit | None:
        """
        Return in its turn, which comes after every rotation for a token's end; ``None``: there is no room
        for a second session. ``called``: as in `due`.
        """
        request = RotationRequest(streams=self.streams, is_probe=True, called=called or _nothing)
        return await self._permit(request, self._limiter.plan.times(math.inf), until=math.inf)

    async def _permit(self, request: RotationRequest, times: RotationTimes, *, until: float) -> Permit | None:
        if not await self._limiter.turn(request):
            return None
        return Permit(self._limiter, request, times, until=until)


def _nothing() -> None:
    pass

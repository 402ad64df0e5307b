"""Keeps one token fresh for everyone who needs it."""

from __future__ import annotations

import math
import random
import time
from collections.abc import Awaitable, Callable
from typing import Never

import anyio
import structlog

from connector.auth.audience import ENDPOINT, Audience
from connector.auth.grant import Grant, GrantRefused
from connector.auth.schedule import LEAST_APART, Patience, Retry, refresh_at
from connector.auth.source import SilentObserver, TokenObserver, TokenSource
from connector.auth.token import Token, TokenState, TokenStatus
from connector.errors import RetriableError

_log = structlog.get_logger()

#: Seconds to wait before another token is tried where fresh ones are rejected, at first and at most.
_FIRST_PATIENCE = 5.0
_LONGEST_PATIENCE = 300.0


class Keeper:
    """
    Hands out the current token, and sees to it that there is one.

    One fetch runs at a time however many ask, and it runs in `run`, so that an outage of the source
    holds up only those who cannot be served. An old token serves until a new one is there: past its
    expiry too, once a fetch has failed. A rejected one is handed out again only if the source has no
    other, as a new generation and after a wait that grows.

    ``audience`` is whom the tokens are shown to, for people. ``clock`` returns seconds; ``rng`` a float in
    [0, 1); ``sleep`` waits for seconds of ``clock``. All methods belong to the event loop's thread.
    """

    def __init__(
        self,
        source: TokenSource,
        *,
        observer: TokenObserver | None = None,
        audience: Audience = ENDPOINT,
        clock: Callable[[], float] = time.monotonic,
        rng: Callable[[], float] = random.random,
        sleep: Callable[[float], Awaitable[None]] = anyio.sleep,
    ) -> None:
        self._source = source
        self._observer = observer or SilentObserver()
        self._audience = audience
        self._mark = {"tokens_for": audience.name} if audience.name else {}
        self._clock = clock
        self._rng = rng
        self._sleep = sleep

        self._current: Token | None = None
        self._is_rejected = False  # the current one
        self._obtained = 0  # fetches that gave a token
        self._changed = anyio.Event()  # replaced each time it is set: by whatever may let a waiter go on

        self._due_at = -math.inf  # the next fetch
        self._due_moved = anyio.Event()
        self._retry = Retry(rng)
        self._error: RetriableError | None = None  # of the last fetch
        self._renewals = 0  # of the source's credentials
        self._said: str | None = None  # the failure that was last logged

        self._rejections = 0  # since a token was last accepted
        self._last_rejected = 0  # its generation
        self._patience = Patience(first=_FIRST_PATIENCE, cap=_LONGEST_PATIENCE, rng=rng)
        self._has_waited = False  # the coming fetch comes after `_patience`: the same token may serve again
        self._hurried_at = -math.inf  # when a first rejection last led to a fetch

    async def run(self) -> Never:
        """Fetch at the start, ahead of each expiry and after rejections; no outage ends it."""
        async with anyio.create_task_group() as group:
            group.start_soon(self._watch_source)
            while True:
                await self._until_due()
                await self._fetch()
        raise AssertionError("unreachable")  # the group swallows nothing

    async def token(self) -> Token:
        """Return the current token; wait until there is one that may serve."""
        return await self.newer_than(0)

    async def newer_than(self, generation: int) -> Token:
        """Return the current token once it is of a later generation and may serve."""
        obtained = self._obtained
        while True:
            token = self._current
            if token is not None and token.generation > generation and self._may_serve(token, obtained):
                return token
            await self._changed.wait()

    def reject(self, generation: int) -> None:
        """
        Take note that the endpoint did not accept the token of this generation.

        Only the first call for the current generation counts. A fetch follows: at once after the
        first rejection, then after a wait that grows until a token is accepted. A source that fails
        is not asked sooner for it.
        """
        token = self._current
        if token is None or self._is_rejected or token.generation != generation:
            return
        self._is_rejected = True
        self._rejections += 1
        self._last_rejected = generation
        if self._error is None:
            self._plan_replacement()
        self._say_rejected(generation)
        self._announce()

    def accept(self, generation: int) -> None:
        """Take note that a session with the token of this generation was acknowledged and delivered."""
        # Older news than a rejection says nothing about the tokens that came after.
        if generation > self._last_rejected:
            self._forget_rejections()

    def renewed(self) -> None:
        """
        Take note that the source asks with other credentials now.

        Where it was in trouble it is asked at once; else they are for the fetch that is due anyway, and
        open sessions keep the token that they have.
        """
        self._renewals += 1
        if self._state() != "valid" or self._error is not None:
            self._start_over()

    @property
    def status(self) -> TokenStatus:
        """How it stands now."""
        token = self._current
        expires_at = token.expires_at if token else None
        return TokenStatus(
            state=self._state(),
            expires_in_seconds=None if expires_at is None else expires_at - self._clock(),
            last_error=self._last_error(),
            generation=token.generation if token else 0,
        )

    def _state(self) -> TokenState:
        token = self._current
        if token is not None and not self._is_rejected and not self._has_expired(token):
            return "valid"
        if isinstance(self._error, GrantRefused):
            return "refused"
        if token is None:
            return "none"
        return "rejected" if self._is_rejected else "expired"

    def _last_error(self) -> str | None:
        if self._error is not None:
            return str(self._error)
        if self._rejections > 1:
            return self._audience.rejected_again
        return self._audience.rejected if self._is_rejected else None

    def _has_expired(self, token: Token) -> bool:
        return token.expires_at is not None and self._clock() >= token.expires_at

    def _may_serve(self, token: Token, obtained: int) -> bool:
        """Tell whether ``token`` may serve one who asked when ``obtained`` tokens had been fetched."""
        if self._is_rejected:
            return False
        # A token that arrives expired is still the best there is; waiting for the next would never end.
        is_best_known = self._error is not None or self._obtained > obtained
        return is_best_known or not self._has_expired(token)

    async def _watch_source(self) -> None:
        while True:
            await self._source.changed()
            self._forget_rejections()
            self._move_due(self._clock())

    async def _until_due(self) -> None:
        while (left := self._due_at - self._clock()) > 0:
            self._due_moved = moved = anyio.Event()
            async with anyio.create_task_group() as group:
                if left < math.inf:
                    group.start_soon(self._ring, left, moved)
                await moved.wait()
                group.cancel_scope.cancel()

    async def _ring(self, seconds: float, bell: anyio.Event) -> None:
        await self._sleep(seconds)
        bell.set()

    async def _fetch(self) -> None:
        asked_at = self._clock()
        has_waited = self._has_waited
        renewals = self._renewals
        try:
            grant = await self._source.fetch()
        except RetriableError as error:
            self._note_failure(error)
            if renewals != self._renewals:
                self._start_over()  # what was refused is not what would be sent now
        else:
            self._note_success(grant, asked_at, has_waited=has_waited)
        self._announce()

    def _note_failure(self, error: RetriableError) -> None:
        self._error = error
        wait = self._retry.after(error)
        self._due_at = self._clock() + wait
        self._observer.fetched("refused" if isinstance(error, GrantRefused) else "failed")
        reason, self._said = self._said, str(error)
        log = _log.debug if reason == self._said else _log.warning
        wait = round(wait, 1)
        facts = {"reason": self._said, "next_attempt_seconds": wait, "state": self._state(), **self._mark}
        if isinstance(error, GrantRefused):
            log("token endpoint refused", **facts, remedy=error.remedy)
        else:
            log("token not obtained", **facts)

    def _note_success(self, grant: Grant, asked_at: float, *, has_waited: bool) -> None:
        self._error = self._said = None
        self._retry.reset()
        current = self._current
        is_same = current is not None and current.value == grant.access_token
        # First: nothing may log a token before the observer knows it.
        self._observer.token_changed(grant.access_token)
        self._observer.fetched("obtained")
        if is_same and self._is_rejected and not has_waited:
            self._be_patient()
            return
        generation = current.generation if current else 0
        if not is_same or self._is_rejected:
            generation += 1
        self._install(grant, generation, asked_at)

    def _install(self, grant: Grant, generation: int, asked_at: float) -> None:
        life = grant.expires_in
        self._current = Token(
            value=grant.access_token,
            generation=generation,
            expires_at=None if life is None else asked_at + life,
        )
        self._is_rejected = self._has_waited = False
        self._obtained += 1
        self._due_at = refresh_at(asked_at=asked_at, now=self._clock(), life=life, rng=self._rng)
        _log.info("token obtained", generation=generation, life_seconds=life, **self._mark)

    def _plan_replacement(self) -> None:
        """Plan the fetch that a rejection asks for."""
        if self._rejections > 1:
            self._be_patient()
            return
        # A token may be accepted and rejected in turn, many times a second.
        self._hurried_at = max(self._clock(), self._hurried_at + LEAST_APART)
        self._move_due(self._hurried_at)

    def _be_patient(self) -> None:
        self._has_waited = True
        self._move_due(self._clock() + self._patience.next())

    def _move_due(self, moment: float) -> None:
        self._due_at = moment
        self._due_moved.set()

    def _start_over(self) -> None:
        self._retry.reset()
        self._forget_rejections()
        self._move_due(self._clock())

    def _forget_rejections(self) -> None:
        self._rejections = 0
        self._patience.reset()

    def _say_rejected(self, generation: int) -> None:
        log = _log.warning if self._rejections <= 2 else _log.debug
        reason = self._audience.rejected_again if self._rejections > 1 else self._audience.rejected
        wait = round(max(self._due_at - self._clock(), 0.0), 1)
        log("token rejected", generation=generation, reason=reason, next_attempt_seconds=wait, **self._mark)

    def _announce(self) -> None:
        changed, self._changed = self._changed, anyio.Event()
        changed.set()

"""Keeps one token fresh for everyone who needs it."""

from __future__ import annotations

import math
import random
import time
from collections.abc import Awaitable, Callable
from typing import Never

import anyio

from connector.auth.bell import Bell
from connector.auth.fruitless import FruitlessAttempts
from connector.auth.grant import Grant, GrantRefused
from connector.auth.plan import FetchPlan
from connector.auth.rejections import Rejections
from connector.auth.report import Report
from connector.auth.schedule import Retry
from connector.auth.source import SilentObserver, TokenObserver, TokenSource
from connector.auth.token import Token, TokenStatus
from connector.auth.token_use import ENDPOINT, TokenUse
from connector.errors import RetriableError


class Keeper:
    """
    Hands out the current token, and sees to it that there is one.

    One fetch runs at a time however many ask, and it runs in `run`, so that an outage of the source
    holds up only those who cannot be served. An old token serves until a new one is there: past its
    expiry too, once a fetch has failed.

    Those who use it say by their names (``by``) whether it was accepted. Who rejected a token gets it
    again only if others are content, since then it is good and that user's own rights are at fault, or
    if the source has no other, as a new generation and after a wait that grows. Nobody else is held up
    by a rejection for longer than the fetch that follows it.

    ``use`` is what the tokens are for, as messages say it. ``clock`` returns seconds; ``rng`` a float in
    [0, 1); ``sleep`` waits for seconds of ``clock``. All methods belong to the event loop's thread.
    """

    def __init__(
        self,
        source: TokenSource,
        *,
        observer: TokenObserver | None = None,
        use: TokenUse = ENDPOINT,
        clock: Callable[[], float] = time.monotonic,
        rng: Callable[[], float] = random.random,
        sleep: Callable[[float], Awaitable[None]] = anyio.sleep,
    ) -> None:
        self._source = source
        self._observer = observer or SilentObserver()
        self._report = Report(use)
        self._clock = clock
        self._rng = rng
        self._current: Token | None = None
        self._current_at = -math.inf  # when it was asked for
        self._rejections = Rejections(clock=clock, rng=rng)
        self._fruitless = FruitlessAttempts(clock)
        self._obtained = 0  # fetches that gave a token
        self._ended = 0  # fetches that gave one or failed
        self._changed = Bell()  # by whatever may let a waiter go on
        self._plan = FetchPlan(clock=clock, sleep=sleep)
        self._retry = Retry(rng)
        self._error: RetriableError | None = None  # of the last fetch
        self._renewals = 0  # of the source's credentials
        self._changed_by_itself = Bell()

    async def run(self) -> Never:
        """Fetch at the start, ahead of each expiry and after rejections; no outage ends it."""
        async with anyio.create_task_group() as group:
            group.start_soon(self._watch_source)
            while True:
                await self._plan.due()
                await self._fetch()
        raise AssertionError("unreachable")  # the group swallows nothing

    async def token(self, *, by: str = "") -> Token:
        """Return the current token; wait until there is one that may serve ``by``."""
        return await self.newer_than(0, by=by)

    async def newer_than(self, generation: int, *, by: str = "") -> Token:
        """Return the current token once it is of a later generation and may serve ``by``."""
        obtained = self._obtained
        while True:
            token = self._current
            if token is not None and token.generation > generation and self._may_serve(token, obtained, by):
                return token
            await self._changed.wait()

    def needed_ahead(self, lead: Callable[[float], float]) -> None:
        """
        Have tokens sooner than their life asks for: ``lead`` tells how many seconds before the end of one
        that lives so many seconds the next has to be there. To be told again when that is more.
        """
        self._plan.lead = lead
        if self._current is not None and not self._is_planned:
            self._plan.refresh_sooner(asked_at=self._current_at, life=self._current.life)

    async def news(self, generation: int | None) -> None:
        """
        Return once the source has another token or other credentials without having been asked, or there
        is a later token than ``generation`` (``None``: later ones do not matter).
        """
        by_itself = self._changed_by_itself.next
        while not by_itself.is_set():
            if generation is not None and self._current and self._current.generation > generation:
                return
            await self._changed.wait()

    def reject(self, generation: int, *, by: str = "") -> None:
        """
        Take note that the endpoint did not accept the token of this generation when ``by`` used it.

        Only the current generation's first rejection by each counts. A fetch follows: at once, after a
        wait that grows while fresh tokens are rejected, or not at all where a fresh one did not help and
        others are content. A source that fails is not asked sooner for it.
        """
        current = self._current.generation if self._current else 0
        seconds_to_next = self._rejections.note(by, generation, current=current)
        if seconds_to_next is None:
            self._replace_if_blamed()  # ``by`` was content until now
            return
        if not self._is_planned and (wait := seconds_to_next()) is not None:
            self._plan_replacement(wait)
        self._changed.ring()

    def accept(self, generation: int, *, by: str = "", is_quiet: bool = False) -> None:
        """
        Take note that a session of ``by`` with this token was acknowledged and delivered; ``is_quiet``: it
        lasts without that. It speaks against rejections then, but an end without a word may follow.
        """
        is_current = self._current is not None and generation == self._current.generation
        if is_current and not is_quiet:
            self._fruitless.got_through()
        if not self._rejections.accepted(by, generation):
            return
        if is_current and self._error is None:
            self._rejections.withdraw(by)
            self._plan.no_replacement()
        self._changed.ring()

    def fruitless(self, generation: int) -> bool:
        """
        Take note that an attempt with this generation ended before it brought anything, without a word of
        the token; return whether another is fetched for that now (see `FruitlessAttempts`).
        """
        if self._current is None or generation != self._current.generation:
            return False
        if not self._fruitless.note(may_replace=not self._is_planned):
            return False
        self._report.doubted(generation=generation)
        self._plan.replace_now()
        return True

    @property
    def fresh_tokens_do_not_help(self) -> bool:
        """Whether attempts are fruitless for minutes, with a fresh token too."""
        return self._fruitless.are_lasting

    async def renew(self, generation: int, *, older_than: float) -> None:
        """
        Fetch a token in the place of this generation, if it is current and was asked for more than
        ``older_than`` seconds ago; return once that was tried. A source that fails is not asked sooner.
        """
        token = self._current
        if token is None or token.generation != generation or self._error is not None:
            return
        if self._clock() - self._current_at <= older_than:
            return
        ended = self._ended
        if not self._plan.is_replacing:
            self._plan.replace_now()
        while self._ended == ended:
            await self._changed.wait()

    def forget(self, by: str) -> None:
        """Count ``by`` no more: it has ended. Who had the token only since it was content needs another."""
        self._rejections.forget(by)
        self._replace_if_blamed()
        self._changed.ring()

    def renewed(self) -> None:
        """
        Take note that the source asks with other credentials now.

        Where it was in trouble it is asked at once; else they are for the fetch that is due anyway, and
        open sessions keep the token that they have.
        """
        self._renewals += 1
        if self.status.state != "valid" or self._error is not None or self._rejections:
            self._start_over()
        self._changed_by_itself.ring()
        self._changed.ring()

    @property
    def status(self) -> TokenStatus:
        """How it stands now."""
        return self._report.status(
            self._current,
            now=self._clock(),
            error=self._error,
            rejections=self._rejections,
            is_replacing=self._plan.is_replacing,
        )

    @property
    def _is_planned(self) -> bool:
        """Whether a fetch comes for something else than the token's age."""
        return self._plan.is_replacing or self._plan.has_waited or self._error is not None

    def _may_serve(self, token: Token, obtained: int, by: str) -> bool:
        """Tell whether ``token`` may serve ``by``, who asked when ``obtained`` tokens had been fetched."""
        if self._rejections.withholds_from(by) or (self._rejections and self._plan.is_replacing):
            return False
        # A token that arrives expired is still the best there is; waiting for the next would never end.
        return self._error is not None or self._obtained > obtained or not token.has_expired(self._clock())

    async def _watch_source(self) -> None:
        while True:
            await self._source.changed()
            self._start_over()
            self._changed_by_itself.ring()
            self._changed.ring()

    async def _fetch(self) -> None:
        asked_at = self._clock()
        has_waited = self._plan.has_waited
        renewals = self._renewals
        try:
            grant = await self._source.fetch()
        except RetriableError as error:
            self._note_failure(error)
            if renewals != self._renewals:
                self._start_over()  # what was refused is not what would be sent now
        else:
            self._note_success(grant, asked_at, has_waited=has_waited)
        self._plan.is_replacing = False
        self._ended += 1
        self._changed.ring()

    def _note_failure(self, error: RetriableError) -> None:
        self._error = error
        wait = self._retry.after(error)
        self._plan.fetch_in(wait)
        self._observer.fetched("refused" if isinstance(error, GrantRefused) else "failed")
        self._report.failed(error, wait=wait, state=self.status.state)

    def _note_success(self, grant: Grant, asked_at: float, *, has_waited: bool) -> None:
        self._error = None
        self._report.fetched()
        self._fruitless.fetched()
        self._retry.reset()
        current = self._current
        is_same = current is not None and current.value == grant.access_token
        # First: nothing may log a token before the observer knows it.
        self._observer.token_changed(grant.access_token)
        self._observer.fetched("obtained")
        if is_same and self._rejections.blame_the_token and not has_waited:
            self._plan.replace_in(self._rejections.wait())
            return
        generation = current.generation if current else 0
        if not is_same or self._rejections.blame_the_token:
            generation += 1
            self._rejections.clear()
        self._install(grant, generation, asked_at)

    def _install(self, grant: Grant, generation: int, asked_at: float) -> None:
        life = grant.expires_in
        expires_at = None if life is None else asked_at + life
        value = grant.access_token
        self._current = Token(value=value, generation=generation, expires_at=expires_at, life=life)
        self._current_at = asked_at
        self._obtained += 1
        self._plan.obtained(asked_at=asked_at, life=life, rng=self._rng)
        self._report.obtained(generation=generation, life=life)

    def _plan_replacement(self, wait: float) -> None:
        self._plan.replace_in(wait)
        self._report.rejected(
            generation=self._rejections.last_generation,
            in_row=self._rejections.in_row,
            wait=self._plan.seconds_left,
        )

    def _replace_if_blamed(self) -> None:
        """Whoever vouched for the token does so no more, though nobody rejected it anew."""
        if self._rejections.blame_the_token and not self._is_planned:
            self._plan.replace_in(self._rejections.wait())

    def _start_over(self) -> None:
        self._retry.reset()
        self._rejections.start_over()
        self._plan.fetch_in(0.0)

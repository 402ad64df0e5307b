"""
The keeper under whatever its source and its users do, in any order, in time that tests move.

It never asks twice at once, does not hammer, does not hand out again what was rejected unless somebody else
is content or it has waited, and is well again once the source is.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import Coroutine
from typing import Any, TypeVar

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule
from structlog.testing import capture_logs

from connector.auth import Grant, GrantRefused, Keeper, Token
from connector.auth.grant import GrantUnavailable
from tests.fuzz.strategies import EXAMPLES
from tests.unit.auth.fakes import REFUSED, FakeTime, settle

T = TypeVar("T")

USERS = st.sampled_from(["a", "b", "c"])
LIVES = st.sampled_from([None, 0.001, 1.0, 5.0, 100.0, 3600.0])
VERDICTS = st.sampled_from(["accept", "reject", "reject", "none"])
STEPS = st.sampled_from([0.1, 0.4, 1.0, 3.0, 10.0, 60.0, 400.0])

MOST_IN_A_MINUTE = 130
"""
Fetches that no event outside asked for: a refresh each second for tokens that live less, one a second for
first rejections, and what failed once more after half a second.
"""

MOST_IN_A_SECOND = 5
"""One of each of these, and where a second begins and ends."""

LEAST_BETWEEN_REFUSALS = 45.0
"""Seconds between two requests that were refused for good, unless something changed in between."""

LEAST_WAIT_FOR_THE_SAME = 4.0
"""Seconds until a value that was rejected may be handed out once more to who rejected it."""

LONGEST_TROUBLE = 2 * 3600.0
"""Seconds; longer than any wait, a Retry-After included."""


Outcome = Grant | Exception | str | None
OUTCOMES: st.SearchStrategy[Outcome] = st.sampled_from(
    [
        *(None, None, "the same", "the same", REFUSED),
        *(GrantUnavailable("HTTP 503", status=503, retry_after=wait) for wait in (None, 0.0, 30.0, 86_400.0)),
    ]
)
"""A new token (twice as often), always the same one, a refusal for good, an outage."""


class Source:
    """Satisfies `TokenSource`; does what the machine says, and takes note of when it was asked."""

    def __init__(self, time: FakeTime) -> None:
        self.time = time
        self.outcome: Outcome = None
        self.life: float | None = 100.0
        self.hangs = False
        self.asked: list[tuple[float, bool]] = []  # when, and whether refused for good
        self.running = 0
        self.most_at_once = 0
        self.released = asyncio.Event()
        self.changes = asyncio.Event()

    async def fetch(self) -> Grant:
        self.running += 1
        self.most_at_once = max(self.most_at_once, self.running)
        self.asked.append((self.time.now, isinstance(self.outcome, GrantRefused)))
        number = len(self.asked)
        try:
            await asyncio.sleep(0)
            if self.hangs:
                await self.released.wait()
            if isinstance(self.outcome, Exception):
                raise self.outcome
            if isinstance(self.outcome, Grant):
                return self.outcome
            return Grant(access_token=f"token-{number}", expires_in=self.life)
        finally:
            self.running -= 1

    async def changed(self) -> None:
        await self.changes.wait()
        self.changes.clear()


class KeeperMachine(RuleBasedStateMachine):
    """One keeper, three users."""

    def __init__(self) -> None:
        super().__init__()
        self.runner = asyncio.Runner()
        self.time = FakeTime()
        self.waiting: dict[str, asyncio.Task[Token]] = {}
        self.held: dict[str, Token] = {}
        self.rejected: dict[str, dict[str, float]] = {}  # by user: values, and when
        self.refused_generation: dict[str, int] = {}
        self.content: set[str] = set()
        self.kicked: list[float] = []
        self.is_sound = True
        self.source = Source(self.time)

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        with capture_logs():
            return self.runner.run(work)

    async def _start(self) -> None:
        self.keeper = Keeper(self.source, clock=self.time.clock, rng=lambda: 0.5, sleep=self.time.sleep)
        self.running = asyncio.create_task(self.keeper.run())
        await settle()

    def teardown(self) -> None:
        try:
            if self.is_sound:
                self.source.outcome, self.source.life = None, 86_400.0
                self.run(self._recover())
        finally:
            self.run(self._end())
            self.runner.close()

    async def _end(self) -> None:
        tasks = [self.running, *self.waiting.values()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    # What the source does

    @initialize(outcome=OUTCOMES, life=LIVES)
    def begin(self, outcome: Outcome, life: float | None) -> None:
        self.source_gives(outcome, life)
        self.run(self._start())

    @rule(outcome=OUTCOMES, life=LIVES)
    def source_gives(self, outcome: Outcome, life: float | None) -> None:
        if outcome == "the same":
            outcome = Grant(access_token="fixed", expires_in=life)
        self.source.outcome, self.source.life = outcome, life

    @rule(hangs=st.booleans())
    def source_hangs_or_answers(self, hangs: bool) -> None:
        self.source.hangs = hangs
        if not hangs:
            self.run(self._release())

    async def _release(self) -> None:
        self.source.hangs = False
        self.source.released.set()
        await settle()
        self.source.released.clear()

    @rule(is_token=st.booleans())
    def source_changes_by_itself(self, is_token: bool) -> None:
        self._kick()
        if is_token:
            self.source.changes.set()
        else:
            self.keeper.renewed()  # its credentials
        self.run(settle())

    def _kick(self) -> None:
        self.kicked.append(self.time.now)
        for values in self.rejected.values():
            values.clear()

    # What users do

    @rule(turns=st.lists(st.tuples(USERS, VERDICTS), min_size=1, max_size=8))
    def users_take_turns(self, turns: list[tuple[str, str]]) -> None:
        for user, verdict in turns:
            self._use(user, verdict)

    def _use(self, user: str, verdict: str) -> None:
        """Ask for a token unless one is held; say what became of it where one was given."""
        if user not in self.held and user not in self.waiting:
            self.run(self._ask(user))
            self._take()
        if user in self.held and verdict == "accept":
            self._accept(user)
        elif user in self.held and verdict == "reject":
            self._reject(user)
        self._take()  # what others were waiting for, while what they said is known

    async def _ask(self, user: str) -> None:
        self.waiting[user] = asyncio.create_task(self.keeper.token(by=user))
        await settle()

    def _reject(self, user: str) -> None:
        token = self.held.pop(user)
        # Of an older generation it says nothing of the current one, and a fetch under way has waited before.
        if token.generation == self.keeper.status.generation and not self.source.running:
            self.rejected.setdefault(user, {})[token.value] = self.time.now
        self.refused_generation[user] = token.generation
        self.content.discard(user)
        self.keeper.reject(token.generation, by=user)
        self.run(settle())

    def _accept(self, user: str) -> None:
        token = self.held[user]
        if token.generation >= self.refused_generation.get(user, 0):
            self.content.add(user)
            self.rejected.get(user, {}).clear()
            self.refused_generation.pop(user, None)
        self.keeper.accept(token.generation, by=user)
        self.run(settle())

    @rule(user=USERS, generation=st.integers(0, 5), accepts=st.booleans())
    def speak_of_an_old_token(self, user: str, generation: int, accepts: bool) -> None:
        if generation >= self.keeper.status.generation:
            return
        if accepts:
            self.keeper.accept(generation, by=user)
            if generation >= self.refused_generation.get(user, 0):
                self.content.add(user)
        else:
            self.keeper.reject(generation, by=user)
            self.content.discard(user)
        self.run(settle())

    @rule(user=USERS)
    def leave(self, user: str) -> None:
        self.keeper.forget(user)
        self.held.pop(user, None)
        self.rejected.pop(user, None)
        self.refused_generation.pop(user, None)
        self.content.discard(user)
        self.run(settle())

    # Time

    @rule(seconds=STEPS)
    def time_passes(self, seconds: float) -> None:
        self.run(self.time.advance(seconds))

    async def _recover(self) -> None:
        await self._release()
        await self.time.advance(LONGEST_TROUBLE)
        for user in "abc":
            if user not in self.waiting:
                await self._ask(user)
        assert all(task.done() for task in self.waiting.values()), "somebody waits for ever"
        self._take()
        current = self.keeper.status.generation
        for user in "abc":
            self.keeper.accept(current, by=user)
            self.content.add(user)
            self.rejected.get(user, {}).clear()
            self.refused_generation.pop(user, None)
        await settle()
        assert self.keeper.status.state == "valid", self.keeper.status
        assert self.keeper.status.last_error is None

    # What always holds

    def _assert(self, holds: object, otherwise: str) -> None:
        self.is_sound = bool(holds)
        assert holds, otherwise

    def _take(self) -> None:
        """Take over the tokens that users were waiting for; none may be one that they must not have."""
        for user, task in list(self.waiting.items()):
            if not task.done():
                continue
            del self.waiting[user]
            token = task.result()
            self.held[user] = token
            others = self.content - {user}
            if token.generation == self.refused_generation.get(user):
                self._assert(others, "the rejected token, and nobody is content with it")
            waited = self.time.now - self.rejected.get(user, {}).get(token.value, -math.inf)
            self._assert(others or waited >= LEAST_WAIT_FOR_THE_SAME, f"the same value after {waited} s")

    @invariant()
    def handed_out_as_promised(self) -> None:
        self._take()
        self._assert(not self.running.done(), "the keeper has ended")

    @invariant()
    def one_at_a_time(self) -> None:
        self._assert(self.source.most_at_once <= 1, "two fetches at once")

    @invariant()
    def nobody_is_hammered(self) -> None:
        times = [at for at, _ in self.source.asked]
        since = times[-1] - 60 if times else 0.0
        kicks = sum(at >= since for at in self.kicked)
        in_a_second = sum(at > times[-1] - 1 for at in times) if times else 0
        self._assert(in_a_second <= MOST_IN_A_SECOND + 2 * kicks, f"{in_a_second} in a second")
        in_a_minute = sum(at > since for at in times)
        self._assert(in_a_minute <= MOST_IN_A_MINUTE + 2 * kicks, f"{in_a_minute} in a minute")
        last = self.source.asked[-2:]
        if len(last) == 2 and last[0][1] and last[1][1]:
            was_kicked = any(last[0][0] <= at <= last[1][0] for at in self.kicked)
            apart = last[1][0] - last[0][0]
            self._assert(was_kicked or apart >= LEAST_BETWEEN_REFUSALS, f"refused twice in {apart} s")


TestKeeper = KeeperMachine.TestCase
TestKeeper.settings = settings(max_examples=3 * EXAMPLES // 10, stateful_step_count=40)

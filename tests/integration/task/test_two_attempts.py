"""Two sessions of one subscription at once, over real sockets, to an upstream that checks tokens."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import anyio
import pytest

from connector.auth import Token
from connector.errors import DataError
from connector.refusals import Refusals
from connector.subscription import GraphQLRequest, MemoryBudget, ServerRefused
from connector.task import Shared
from connector.task.attempt import Attempt
from connector.task.attempt_end import AttemptEnd
from connector.task.attempt_settings import AttemptSettings
from connector.task.dialer import Dialer
from connector.task.pipeline import Pipeline
from connector.task.progress import Progress
from connector.task.retry_policy import RetryPolicy
from connector.task.status import StatusTracker
from connector.upstream import Placement, Target
from tests.standins.behaviour import InBandError
from tests.standins.client import QUERY
from tests.standins.upstream import StandInUpstream
from tests.unit.task.fakes import FakeKeeper, Told
from tests.unit.task.scenario import brokers_with, publisher_on, settings_of

ROWS_BEFORE_THE_REFUSAL = 250


class Sessions:
    """A pipeline, and two attempts that feed it. Satisfies `PipelineEvents` and `AttemptEvents`."""

    def __init__(self, upstream: StandInUpstream) -> None:
        self.upstream = upstream
        self.brokers = brokers_with("t")
        self.publisher = publisher_on(self.brokers)
        self.keeper = FakeKeeper()
        self.told = Told()
        self.failures: list[DataError] = []
        self.ends: dict[int, AttemptEnd] = {}
        self.attempts: list[Attempt] = []
        self.settings = settings_of(
            rows=("EVM", "DEXTrades"),
            request=GraphQLRequest(QUERY),
            target=Target(url=upstream.url, placements=(Placement(place="url", name="token"),)),
        )
        shared = Shared(keeper=self.keeper, budget=MemoryBudget(10**9))
        self.pipeline = Pipeline(
            self.settings,
            shared=shared,
            publisher=self.publisher,
            status=StatusTracker(self.told),
            observer=self.told,
            dead_letters=None,
            events=self,
        )
        self._dialer = Dialer(self.settings, shared.connection)

    async def run(self, generation: int) -> None:
        """Make an attempt with a token of its own, and note how it ended."""
        token = Token(value=self.upstream.authority.issue(), generation=generation, expires_at=None)
        settings = self.settings
        attempt = Attempt(
            AttemptSettings(
                name=settings.name, request=settings.request, keep_alive=settings.keep_alive, reopens=True
            ),
            connection=self._dialer.connection(token),
            token=token,
            keeper=self.keeper,
            intake=self.pipeline,
            events=self,
        )
        self.attempts.append(attempt)
        self.ends[generation] = await attempt.run()

    def reached(self, attempt: Attempt, progress: Progress) -> None:
        pass

    def closing(self, attempt: Attempt, cause: str) -> None:
        pass

    def closed(self, attempt: Attempt, cause: str) -> None:
        pass

    def memory_is_short(self, *, held: int, bound: int) -> None:
        raise AssertionError

    def failed(self, error: DataError) -> None:
        self.failures.append(error)


@asynccontextmanager
async def sessions(upstream: StandInUpstream) -> AsyncIterator[Sessions]:
    both = Sessions(upstream)
    async with anyio.create_task_group() as group:
        group.start_soon(both.publisher.run)
        group.start_soon(both.pipeline.run)
        for generation in (1, 2):
            group.start_soon(both.run, generation)
            await upstream.until(lambda: len(upstream.live_sessions) == len(both.attempts) == generation)  # noqa: B023
        yield both
        group.cancel_scope.cancel()


@pytest.mark.parametrize("form", ["frame", "errors", "data"])
async def test_the_refused_one_of_two_tokens_is_rejected_and_the_rows_of_both_arrive(
    upstream: StandInUpstream, form: str
) -> None:
    refusal = InBandError(form=form, ends=True)  # type: ignore[arg-type]
    upstream.next_connection(ending=refusal, ending_after_rows=ROWS_BEFORE_THE_REFUSAL)
    feed = upstream.feed
    async with sessions(upstream) as both:
        feed.emit(600)
        await upstream.until(lambda: both.ends.get(1))
        feed.emit(400)
        await upstream.until(lambda: both.told.rows_received == 1000 + ROWS_BEFORE_THE_REFUSAL)
        both.attempts[1].finish("stop")
        await upstream.until(lambda: both.ends.get(2))
        await both.pipeline.drain()
        published = both.brokers.values()
    first, second = both.ends[1], both.ends[2]
    assert isinstance(first.error, ServerRefused)
    assert (second.error, second.cause) == (None, "stop")
    policy = RetryPolicy("s", refusals=Refusals(), keeper=both.keeper, alarm=both.told.refused)
    policy.after(first.error, first.token)
    assert both.keeper.rejected == [1]
    assert set(both.keeper.accepted) == {1, 2}
    audit = feed.ledger.audit(published)
    assert not audit.missing
    assert not audit.altered
    assert len(audit.doubled) == ROWS_BEFORE_THE_REFUSAL  # what both have brought
    assert len(published) == 1000 + ROWS_BEFORE_THE_REFUSAL
    assert both.failures == []
    assert upstream.violations == []

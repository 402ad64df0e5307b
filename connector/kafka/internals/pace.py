"""
The pace at which aiokafka asks for metadata.

Its sender asks again at once, for as long as the leader of a partition is unknown, and so does whoever meets
a connection that ends: thousands of times a second. And while a leader is unknown it does not look at
what came for other partitions.
"""

from __future__ import annotations

import math
from collections.abc import Awaitable, Callable
from typing import Any

import anyio

MOST = 1.0
"""Seconds between two questions in a row, at most (Kafka's ``retry.backoff.max.ms``)."""

QUIET = 5.0
"""Seconds without a question after which the next one is the first of a row."""


class Pace:
    """
    Questions in a row: the first at once, the next after ``first`` seconds, then twice as long each time, up
    to `MOST`.
    """

    def __init__(
        self,
        first: float,
        *,
        clock: Callable[[], float] = anyio.current_time,
        sleep: Callable[[float], Awaitable[None]] = anyio.sleep,
    ) -> None:
        self._first = first
        self._clock = clock
        self._sleep = sleep
        self._delay = first
        self._asked_at: float | None = None

    async def turn(self, *, at_once: bool = False) -> None:
        """Return when the next question may be asked; with ``at_once`` the others are counted from it."""
        now = self._clock()
        if self._asked_at is None or now - self._asked_at > QUIET:
            self._delay = self._first
        elif not at_once:
            due = self._asked_at + self._delay
            self._delay = min(max(self._delay * 2, 0.001), max(MOST, self._first))
            if due > now:
                await self._sleep(due - now)
        self._asked_at = self._clock()


class Silence:
    """``since``: when the first of the questions in a row was asked that no broker answered, or ``None``."""

    def __init__(self, clock: Callable[[], float] = anyio.current_time) -> None:
        self._clock = clock
        self._since: float | None = None

    @property
    def lasts_for(self) -> float:
        """Seconds since that question; 0 where the last one was answered."""
        return 0.0 if self._since is None else self._clock() - self._since

    def asked(self, at: float, *, is_answered: bool) -> None:
        """A question that was asked ``at`` was answered, or was not."""
        if is_answered:
            self._since = None
        elif self._since is None:
            self._since = at


def pace_metadata(client: Any, first: float, pace: Pace | None = None) -> Silence:
    """
    Have ``client``, an ``AIOKafkaClient``, ask for metadata at ``pace`` (``None``: one that begins with
    ``first`` seconds): whoever wants it waits for one task. The first question for a topic waits for no
    other: rows that name topics would find one a second, and their number is bounded. Return for how long
    nobody answers.

    Call it after whatever else replaces its ``_metadata_update``.
    """
    inner, pace, silence = client._metadata_update, pace or Pace(first), Silence()
    asked = set[str]()

    async def update(cluster: Any, topics: Any) -> Any:
        await pace.turn(at_once=not asked.issuperset(topics or ()))
        asked.update(topics or ())  # who came meanwhile is asked for, too
        asked_at = anyio.current_time()
        is_answered = await inner(cluster, topics)
        silence.asked(asked_at, is_answered=bool(is_answered))
        return is_answered

    client._metadata_update = update
    return silence


def watch_while_leaderless(producer: Any) -> None:
    """Have the sender of ``producer`` look at what comes while it waits for a partition's leader."""
    client, accumulator = producer.client, producer._message_accumulator
    inner, is_asking = accumulator.drain_by_nodes, False

    def answered(_: object) -> None:
        nonlocal is_asking
        is_asking = False
        accumulator._wakeup(accumulator._waiter_future)

    def drain(ignore_nodes: Any, muted_partitions: Any = frozenset()) -> tuple[Any, bool]:
        nonlocal is_asking
        nodes, is_leaderless = inner(ignore_nodes, muted_partitions)
        if is_leaderless:
            _keep_waiting(client, accumulator)
            if not is_asking:
                is_asking = True
                client.force_metadata_update().add_done_callback(answered)
        # The sender would wait for the answer only; as it is it waits for what comes, and is woken by both.
        return nodes, False

    accumulator.drain_by_nodes = drain


def _keep_waiting(client: Any, accumulator: Any) -> None:
    """Let batches wait for a leader that a partition has not: another producer would have none either."""
    for place, batches in accumulator._batches.items():
        if client.cluster.leader_for_partition(place) == -1:
            batches[0]._ttl = math.inf


def waited_for(producer: Any) -> set[str]:
    """Return the topics of the batches that wait to be sent."""
    return {place.topic for place in producer._message_accumulator._batches}


def leaderless(producer: Any) -> tuple[str, int] | None:
    """Return a partition with a batch that waits for a leader; ``None`` where there is none."""
    for place in producer._message_accumulator._batches:
        if producer.client.cluster.leader_for_partition(place) in (None, -1):
            return place.topic, place.partition
    return None

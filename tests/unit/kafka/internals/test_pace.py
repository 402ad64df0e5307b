"""Metadata is asked for at a pace, whoever asks."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from connector.kafka.internals.pace import MOST, QUIET, Pace, Silence, leaderless, pace_metadata


class Time:
    """A clock that sleeping moves."""

    def __init__(self) -> None:
        self.now = 100.0
        self.slept: list[float] = []

    async def sleep(self, seconds: float) -> None:
        self.slept.append(round(seconds, 3))
        self.now += seconds

    def pace(self, first: float) -> Pace:
        return Pace(first, clock=lambda: self.now, sleep=self.sleep)


async def test_questions_in_a_row_are_further_and_further_apart() -> None:
    time = Time()
    pace = time.pace(0.1)
    for _ in range(7):
        await pace.turn()
    assert time.slept == [0.1, 0.2, 0.4, 0.8, MOST, MOST]


async def test_after_a_quiet_time_the_first_is_asked_at_once() -> None:
    time = Time()
    pace = time.pace(0.1)
    for _ in range(7):
        await pace.turn()
    time.slept.clear()
    time.now += QUIET + 0.1
    await pace.turn()
    assert time.slept == []
    await pace.turn()
    assert time.slept == [0.1]


async def test_what_took_its_time_is_not_waited_for_again() -> None:
    time = Time()
    pace = time.pace(0.1)
    await pace.turn()
    time.now += 2.0
    await pace.turn()
    assert time.slept == []


async def test_a_longer_backoff_is_kept() -> None:
    time = Time()
    pace = time.pace(3.0)
    for _ in range(3):
        await pace.turn()
    assert time.slept == [3.0, 3.0]


async def test_no_backoff_at_all_is_a_pace_too() -> None:
    time = Time()
    pace = time.pace(0.0)
    for _ in range(2000):
        await pace.turn()
    assert time.now > 1900


async def test_a_client_asks_with_what_was_there_before() -> None:
    asked: list[Any] = []

    async def update(cluster: object, topics: object) -> bool:
        asked.append((cluster, topics))
        return True

    client = SimpleNamespace(_metadata_update=update)
    pace_metadata(client, 0.0)
    assert await client._metadata_update("cluster", {"t"})
    assert asked == [("cluster", {"t"})]


def test_a_batch_without_a_leader_is_found() -> None:
    places = [SimpleNamespace(topic="t", partition=number) for number in range(3)]
    leaders: dict[int, int | None] = {0: 1, 1: 1, 2: -1}
    producer = SimpleNamespace(
        _message_accumulator=SimpleNamespace(_batches=places),
        client=SimpleNamespace(
            cluster=SimpleNamespace(leader_for_partition=lambda place: leaders[place.partition])
        ),
    )
    assert leaderless(producer) == ("t", 2)
    leaders[2] = 1
    assert leaderless(producer) is None


def test_silence_lasts_from_the_first_question_without_an_answer_until_the_next_answer() -> None:
    now = 100.0
    silence = Silence(lambda: now)
    assert silence.lasts_for == 0
    silence.asked(90.0, is_answered=False)
    silence.asked(95.0, is_answered=False)
    assert silence.lasts_for == 10
    silence.asked(99.0, is_answered=True)
    assert silence.lasts_for == 0


async def test_topics_that_were_never_asked_for_do_not_wait_and_those_that_were_do() -> None:
    time = Time()
    asked: list[list[str]] = []

    async def update(cluster: object, topics: set[str] | None) -> bool:
        asked.append(sorted(topics or ()))
        return True

    client, topics = SimpleNamespace(_metadata_update=update), set[str]()
    pace_metadata(client, 0.1, time.pace(0.1))
    for number in range(11):
        topics.add(f"t{number}")
        await client._metadata_update(None, topics)
    assert (time.slept, len(asked)) == ([], 11)
    for _ in range(4):
        await client._metadata_update(None, topics)
    assert time.slept == [0.1, 0.2, 0.4, 0.8]
    await client._metadata_update(None, set[str]())
    await client._metadata_update(None, None)
    assert time.slept[4:] == [MOST, MOST]

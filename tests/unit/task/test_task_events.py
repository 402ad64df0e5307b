"""Gaps of subscriptions that come, change and go, as the events topic has them."""

from __future__ import annotations

from typing import Any

import anyio
import msgspec
from structlog.testing import capture_logs

from connector.task import State
from tests.unit.task.scenario import until
from tests.unit.task.tasks import EVENTS, Bench, running


def events(bench: Bench, name: str = "a") -> list[dict[str, Any]]:
    """What the brokers hold of one subscription."""
    found = [msgspec.json.decode(value) for value in bench.brokers.values(EVENTS)]
    return [event for event in found if event["subscription"] == name]


def told(bench: Bench, name: str = "a") -> list[tuple[str, str]]:
    return [(event["event"], event["reason"]) for event in events(bench, name)]


async def test_a_change_is_one_gap_with_a_beginning_and_an_end() -> None:
    async with running("a", "b", events=True) as (bench, _):
        await until(lambda: bench.numbers("a"))
        bench.task.add(bench.runner("a", query="c"))
        await until(lambda: len(told(bench)) == 2)
        opened, over = events(bench)
        assert told(bench) == [("gap_opened", "reload"), ("gap_unfilled", "reload")]
        assert opened["id"] == over["id"]
        assert told(bench, "b") == []
        await bench.stop()


async def test_a_change_is_one_gap_though_rows_of_before_are_on_their_way_for_long() -> None:
    async with running("a", events=True) as (bench, _):
        await until(lambda: bench.numbers("a"))
        bench.brokers.latency["t", 0] = 5.0
        bench.task.add(bench.runner("a", query="c"))
        await until(lambda: len(told(bench)) == 2)
        await anyio.sleep(20)  # the one before is over by then
        assert told(bench) == [("gap_opened", "reload"), ("gap_unfilled", "reload")]
        await bench.stop()


async def test_an_end_is_told_once_and_only_the_beginning_of_what_follows() -> None:
    async with running("a", "b", events=True) as (bench, _):
        await until(lambda: bench.numbers("a") and bench.numbers("b"))
        bench.task.remove("a")
        await until(lambda: bench.gone == ["a"])
        assert told(bench) == [("gap_opened", "stop")]
        await bench.stop()
    assert told(bench) == told(bench, "b") == [("gap_opened", "stop")]


async def test_a_stop_waits_for_events_as_it_does_for_rows() -> None:
    async with running("a", events=True) as (bench, _):
        await until(lambda: bench.numbers("a"))
        bench.brokers.latency[EVENTS, 0] = 10.0
        stopped_at = anyio.current_time()
        await bench.stop()
        assert anyio.current_time() - stopped_at >= 10
    assert told(bench) == [("gap_opened", "stop")]


async def test_what_is_not_written_at_the_end_is_named() -> None:
    with capture_logs() as lines:
        async with running("a", events=True) as (bench, _):
            await until(lambda: bench.numbers("a"))
            bench.brokers.latency[EVENTS, 0] = 1e6
            bench.task.stop()
            await anyio.sleep(20)
            assert not bench.ended.is_set()
    (line,) = [line for line in lines if line["event"].startswith("gap events are lost")]
    assert (line["subscription"], line["topic"], line["events"]) == ("a", EVENTS, 1)


async def test_a_removed_one_is_named_while_its_events_are_on_their_way() -> None:
    async with running("a", "b", events=True) as (bench, _):
        await until(lambda: bench.numbers("a"))
        bench.brokers.latency[EVENTS, 0] = 100.0
        with capture_logs() as lines:
            bench.task.remove("a")
            await anyio.sleep(60)
        assert bench.gone == []
        (line,) = [line for line in lines if "not in kafka yet" in line["event"]]
        assert (line["subscription"], line["frames"], line["gap_events"]) == ("a", 0, 1)
        await until(lambda: bench.gone == ["a"], within=100)


async def test_what_a_removed_one_left_is_named_too() -> None:
    with capture_logs() as lines:
        async with running("a", "b", events=True) as (bench, _):
            await until(lambda: bench.numbers("a") and bench.numbers("b"))
            bench.brokers.latency[EVENTS, 0] = 1e6
            bench.task.remove("a")
            await anyio.sleep(20)
            bench.task.stop()
            await until(lambda: bench.task.undelivered == 0 and bench.told["b"].states[-1] is State.STOPPED)
            assert not bench.ended.is_set()
            await anyio.sleep(20)
    found = [line for line in lines if line["event"].startswith("gap events are lost")]
    assert [(line["subscription"], line["events"]) for line in found] == [("a", 1), ("b", 1)]


async def test_an_events_topic_in_trouble_keeps_rows_and_changes_going() -> None:
    async with running("a", events=True) as (bench, flows):
        await until(lambda: bench.numbers("a"))
        bench.brokers.latency[EVENTS, 0] = 1e6
        bench.task.add(bench.runner("a", query="c"))
        await until(lambda: bench.numbers("c"))
        sent = flows.sent["c"]
        await until(lambda: len(bench.numbers("c")) > sent)
        assert bench.states() == {"a": State.LIVE}
        assert told(bench) == []


async def test_the_topic_is_looked_for_as_long_as_the_task_is() -> None:
    async with running("a", events=True) as (bench, _):
        await until(lambda: bench.numbers("a"))
        bench.task.remove("a")
        await until(lambda: bench.gone == ["a"])
        bench.task.add(bench.runner("a"))
        await until(lambda: bench.states()["a"] is State.LIVE)
        await bench.stop()
    assert told(bench) == [("gap_opened", "stop")] * 2
    assert len({event["id"] for event in events(bench)}) == 2

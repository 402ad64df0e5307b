"""Subscriptions that come, change and go while a task runs."""

from __future__ import annotations

import anyio
from structlog.testing import capture_logs

from connector.task import State, bucket
from tests.unit.publish.fakes import Record
from tests.unit.task.scenario import until
from tests.unit.task.tasks import all_there, running


async def test_an_added_one_is_followed_and_the_others_are_left_alone() -> None:
    async with running("a") as (bench, flows):
        await until(lambda: bench.numbers("a"))
        bench.task.add(bench.runner("b"))
        await until(lambda: bench.numbers("b"))
        await bench.stop()
    assert flows.order[:2] == ["open a", "open b"]
    assert all(all_there(bench, flows, query) for query in "ab")
    assert bench.told["a"].reconnects == []


async def test_a_task_without_subscriptions_connects_once_it_has_one() -> None:
    async with running() as (bench, _):
        assert not bench.task.is_used
        await anyio.lowlevel.checkpoint()
        assert bench.publisher.state == ""
        bench.task.add(bench.runner("a"))
        await until(lambda: bench.numbers("a"))
        assert bench.task.is_used
        await bench.stop()


async def test_the_last_one_may_go_and_another_come() -> None:
    async with running("a") as (bench, _):
        await until(lambda: bench.numbers("a"))
        bench.task.remove("a")
        await until(lambda: bench.gone == ["a"])
        assert bench.task.runners == ()
        assert not bench.ended.is_set()
        bench.task.add(bench.runner("b"))
        await until(lambda: bench.numbers("b"))
        await bench.stop()


async def test_a_removed_one_is_closed_and_what_it_received_is_published() -> None:
    async with running("a", "b") as (bench, flows):
        await until(lambda: bench.numbers("a") and bench.numbers("b"))
        bench.task.remove("a")
        assert [runner.name for runner in bench.task.runners] == ["b"]
        await until(lambda: bench.gone == ["a"])
        assert flows.open == ["b"]
        assert bench.told["a"].states[-1] is State.STOPPED
        assert bench.told["a"].gaps == []
        await bench.stop()
    assert all(all_there(bench, flows, query) for query in "ab")
    assert bench.budget.used == 0


async def test_a_changed_one_is_closed_before_it_is_opened_anew() -> None:
    async with running("a", "b") as (bench, flows):
        await until(lambda: bench.numbers("a") and bench.numbers("b"))
        bench.task.add(bench.runner("a", query="c"))
        assert bench.states()["a"] is State.REOPENING
        await until(lambda: bench.numbers("c"))
        await bench.stop()
    changed = [entry for entry in flows.order if not entry.endswith("b")]
    assert changed[:3] == ["open a", "closed a", "open c"]
    assert all(all_there(bench, flows, query) for query in "abc")
    assert (bench.told["b"].reconnects, bench.gone) == ([], [])


async def test_the_time_between_is_a_gap_and_the_state_is_told_by_one_of_them() -> None:
    async with running("a") as (bench, _):
        await until(lambda: bench.states()["a"] is State.LIVE)
        with capture_logs() as logs:
            bench.task.add(bench.runner("a", query="c"))
            await until(lambda: bench.states()["a"] is State.LIVE)
        old, new = bench.told["a"], bench.told["c"]
        assert State.STOPPED not in old.states
        assert new.states[:2] == [State.TOKEN, State.REOPENING]
        assert (new.gaps, new.reconnects, old.gaps) == (["unfilled"], ["reload"], [])
        assert new.uncovered_seconds > 0
        (gap,) = [line for line in logs if line["event"] == "gap declared"]
        assert (gap["reason"], gap["log_level"]) == ("reload", "info")
        await bench.stop()


async def test_a_changed_one_keeps_the_pause_between_two_sessions() -> None:
    async with running("a") as (bench, flows):
        await until(lambda: bench.numbers("a"))
        bench.task.add(bench.runner("a", query="c", reopen_pause=30.0))
        await until(lambda: flows.open == [])
        closed_at = anyio.current_time()
        await until(lambda: flows.open == ["c"])
        assert anyio.current_time() - closed_at > 29
        await bench.stop()


async def test_of_several_changes_in_a_row_the_last_one_counts() -> None:
    async with running("a") as (bench, flows):
        await until(lambda: bench.numbers("a"))
        for query in "cde":
            bench.task.add(bench.runner("a", query=query))
        await until(lambda: bench.numbers("e"))
        await bench.stop()
    assert flows.order[:3] == ["open a", "closed a", "open e"]
    assert bench.told["e"].gaps == ["unfilled"]


async def test_one_that_comes_back_waits_for_its_old_session_to_end() -> None:
    async with running("a") as (bench, flows):
        await until(lambda: bench.numbers("a"))
        bench.task.remove("a")
        bench.task.add(bench.runner("a", query="c"))
        await until(lambda: bench.numbers("c"))
        assert bench.gone == []
        await bench.stop()
    assert flows.order[:3] == ["open a", "closed a", "open c"]
    assert bench.told["c"].gaps == []  # nothing was promised in between


async def test_a_frozen_kafka_holds_up_neither_those_that_come_nor_those_that_change() -> None:
    async with running("a", "b") as (bench, flows):
        await until(lambda: bench.numbers("a") and bench.numbers("b"))
        bench.brokers.freeze()
        before = flows.sent["b"]
        bench.task.remove("a")
        bench.task.add(bench.runner("b", query="c"))
        bench.task.add(bench.runner("d"))
        await until(lambda: flows.open == ["d", "c"] or flows.open == ["c", "d"])
        await until(lambda: flows.sent["c"] > 10 and flows.sent["d"] > 10)
        assert flows.sent["b"] >= before
        held = sum(runner.undelivered for runner in bench.task.runners)
        assert bench.task.undelivered > held  # the removed one's are counted too
        assert bench.gone == []
        bench.brokers.thaw()
        await until(lambda: bench.gone == ["a"])
        await bench.stop()
    assert all(all_there(bench, flows, query) for query in "abcd")
    assert bench.task.undelivered == 0


async def test_while_it_stops_nothing_is_opened_any_more() -> None:
    async with running("a") as (bench, flows):
        await until(lambda: bench.numbers("a"))
        bench.task.stop()
        bench.task.add(bench.runner("a", query="c"))
        bench.task.add(bench.runner("b"))
        await bench.until_ended()
    assert flows.order == ["open a", "closed a"]
    assert all_there(bench, flows, "a")


async def test_one_that_failed_starts_anew_when_it_is_changed() -> None:
    def refuse(record: Record) -> str | None:
        return "too_large" if b'"s":"a","n":20' in record.value else None

    async with running("a") as (bench, _):
        bench.brokers.topics["t"].refuses = refuse
        await until(lambda: bench.states()["a"] is State.FAILED)
        bench.task.add(bench.runner("a", query="c"))
        await until(lambda: bench.numbers("c"))
        assert bench.states()["a"] is State.LIVE
        await bench.stop()
    assert bench.told["c"].gaps == ["unfilled"]


async def test_a_stopped_one_is_not_asked_to_shed() -> None:
    async with running("a", "b", budget=200_000) as (bench, flows):
        await until(lambda: bench.numbers("a") and bench.numbers("b"))
        bench.brokers.freeze()
        flows.padding["a"] = 1000  # so that it holds the most
        await until(lambda: bench.budget.used > 90_000)
        bench.task.remove("a")
        flows.padding["b"] = 1000
        await until(lambda: bench.told["b"].sheds)
        assert bench.told["a"].sheds == 0
        bench.brokers.thaw()
        await bench.stop()
    assert all(all_there(bench, flows, query) for query in "ab")
    assert bench.budget.used == 0


async def test_a_topic_that_nobody_names_any_more_is_not_looked_for() -> None:
    async with running() as (bench, _):
        bench.task.add(bench.runner("a", topic="wrong"))
        await until(lambda: "wrong" in (bench.task.runners[0].status.last_error or ""))
        bench.task.add(bench.runner("a"))
        await until(lambda: bench.numbers("a"))
        bench.brokers.create("wrong")
        bench.brokers.create("t2")
        await until(bench.publisher.topic("t2").ready.is_set)
        assert not bench.publisher.topic("wrong").ready.is_set()
        await bench.stop()


def test_a_name_stays_in_its_bucket() -> None:
    buckets = {name: bucket(name, 4) for name in "abcdefgh"}
    assert len(set(buckets.values())) > 1
    assert buckets == {name: bucket(name, 4) for name in "hgfedcba"}

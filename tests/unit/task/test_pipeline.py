"""What lives as long as a subscription: it receives, holds, drains and closes, whoever delivers."""

from __future__ import annotations

from collections.abc import Callable

import anyio
import anyio.lowlevel

from connector.subscription import MemoryBudget, ProtocolViolation
from connector.task import Tolerance
from tests.unit.task.piping import Line, piped
from tests.unit.task.receiving import FakeSource, result_of_rows
from tests.unit.task.scenario import DLQ, brokers_with, quiet, until

SOURCE = FakeSource()


def receive(line: Line, *numbers: int, size: int = 0) -> None:
    """As an attempt does."""
    for number in numbers:
        assert line.pipeline.receive(result_of_rows(line.settings.rows, number, size=size), SOURCE)


async def test_what_is_received_is_published_in_order_without_any_attempt() -> None:
    async with piped(quiet) as line:
        receive(line, *range(100))
        assert line.pipeline.undelivered > 0
        await line.pipeline.drain()
        assert line.numbers == list(range(100))
        assert (line.pipeline.undelivered, line.budget.used) == (0, 0)


async def test_a_hold_passes_nothing_on_and_its_end_all_of_it_in_order() -> None:
    async with piped(quiet) as line:
        line.pipeline.hold()
        receive(line, 1, 2, 3)
        await anyio.sleep(1)  # the first is in the pump's hand
        receive(line, 4, 5)
        await anyio.sleep(60)
        assert line.numbers == []
        assert line.pipeline.undelivered > 1
        assert line.told.rows_received == 5
        line.pipeline.release()
        await until(lambda: line.numbers == [1, 2, 3, 4, 5])
        receive(line, 6)
        await until(lambda: line.numbers == [1, 2, 3, 4, 5, 6])


async def test_one_that_is_held_again_at_once_passes_nothing_on() -> None:
    async with piped(quiet) as line:
        line.pipeline.hold()
        receive(line, 1)
        await anyio.sleep(1)
        line.pipeline.release()
        line.pipeline.hold()
        await anyio.sleep(60)
        assert line.numbers == []
        assert line.pipeline.undelivered == 1


async def test_what_was_with_the_publisher_before_a_hold_is_still_acknowledged() -> None:
    async with piped(quiet) as line:
        line.brokers.freeze()
        receive(line, 1)
        await anyio.sleep(1)
        line.pipeline.hold()
        receive(line, 2)
        line.brokers.thaw()
        await until(lambda: line.numbers == [1])
        await anyio.sleep(60)
        assert line.numbers == [1]


async def test_what_is_held_is_bounded_by_memory_and_told_when_it_is_too_much() -> None:
    budget = MemoryBudget(100_000)
    async with piped(quiet, budget=budget) as line:
        line.pipeline.hold()
        number = 0
        while not line.short:
            receive(line, number, size=1000)
            number += 1
        assert 80_000 < line.short[0] <= budget.limit
        assert line.pipeline.is_short
        receive(line, number)  # what still comes until the peer's Close is received
        assert len(line.short) == 1
        with anyio.move_on_after(60) as waiting:
            await line.pipeline.until_roomy()  # ends the hold, for nothing else would make room
        assert not waiting.cancelled_caught
        assert line.numbers == list(range(number + 1))
        line.pipeline.recover()
        assert not line.pipeline.is_short


async def test_a_drain_ends_a_hold_and_one_that_is_begun_meanwhile() -> None:
    async with piped(quiet) as line:
        line.pipeline.hold()
        receive(line, 1, 2)
        async with anyio.create_task_group() as group:
            group.start_soon(line.pipeline.drain)
            await anyio.lowlevel.checkpoint()
            line.pipeline.hold()
        assert line.numbers == [1, 2]


async def test_a_drain_that_is_cancelled_loses_nothing() -> None:
    async with piped(quiet) as line:
        line.brokers.freeze()
        receive(line, 1, 2)
        with anyio.move_on_after(1):
            await line.pipeline.drain()
        line.brokers.thaw()
        await line.pipeline.drain()
        assert line.numbers == [1, 2]


async def test_once_closed_it_asks_for_nothing_and_what_was_received_is_passed_on() -> None:
    async with piped(quiet, budget=MemoryBudget(100_000)) as line:
        line.brokers.freeze()
        receive(line, *range(35), size=1000)
        line.pipeline.close()
        neighbour = line.budget.open(lambda: None)
        for _ in range(2):
            neighbour.take(22_000)  # less than this one holds
        assert neighbour.is_shedding
        assert line.short == []
        line.brokers.thaw()
        await line.pipeline.drain()
        assert line.numbers == list(range(35))


async def test_frames_of_another_protocol_are_kept_where_bad_records_are() -> None:
    frame = ProtocolViolation("no message", b"<html>")
    brokers = brokers_with("t", DLQ)
    async with piped(quiet, brokers=brokers, tolerance=Tolerance(bad=True), dead_letter_topic=DLQ) as line:
        line.pipeline.violated(frame)
        line.pipeline.violated(ProtocolViolation("no frame"))
        await line.pipeline.drain()
        assert brokers.values(DLQ) == [b"<html>"]
    for tolerance in (Tolerance(), Tolerance(bad=True)):
        async with piped(quiet, tolerance=tolerance) as line:
            line.pipeline.violated(frame)
            assert line.pipeline.undelivered == 0


async def test_a_bad_record_is_told_to_whoever_opens_the_sockets() -> None:
    async with piped(quiet, brokers=brokers_with("t", bad={2})) as line:
        receive(line, 1, 2, 3)
        await line.pipeline.drain()
        (failure,) = line.failures
        assert "refused for invalid" in str(failure)
        assert line.budget.used == 0


async def test_each_reader_is_slowed_down_for_itself_and_by_what_all_hold() -> None:
    async with piped(quiet) as line:
        one, other = line.pipeline.backpressure(), line.pipeline.backpressure()
        assert one is not other
        await one.wait_if_ahead()
        assert (one.is_due, other.is_due) == (False, True)


def test_nothing_is_called_between_a_frame_and_the_receiver() -> None:
    """The hot path: one bound method, looked up once for each attempt."""

    async def look() -> Callable[..., bool]:
        async with piped(quiet) as line:
            return line.pipeline.receive

    assert "Receiver.receive" in anyio.run(look).__qualname__

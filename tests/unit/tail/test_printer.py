"""Rows on their way to a descriptor."""

import os
from collections.abc import Iterator

import anyio
import msgspec
import pytest

from connector.publish import Submission, SubmittedRecords
from connector.tail import Printer


class Output:
    """A pipe, the printer at its end, and what the ledger was told."""

    def __init__(self) -> None:
        self.reads, self.writes = os.pipe()
        self.settled: list[Submission] = []
        self.ledger = SubmittedRecords(self.settled.extend, lambda record, submission: False)
        self.is_done = anyio.Event()

    def printer(self, limit: int | None = None) -> Printer:
        return Printer(self.writes, limit=limit, done=self.is_done.set)

    def add(self, printer: Printer, *rows: bytes) -> None:
        submission = self.ledger.open(rows=len(rows), size=1, received_at=0.0)
        printer.add({"t": [(None, msgspec.Raw(row), None, []) for row in rows]}, submission, 0)

    async def until_settled(self, count: int) -> None:
        with anyio.fail_after(30):
            while len(self.settled) < count:  # noqa: ASYNC110
                await anyio.sleep(0.01)

    def close_reader(self) -> None:
        os.close(self.reads)
        self.reads = -1


@pytest.fixture
def output() -> Iterator[Output]:
    output = Output()
    yield output
    for descriptor in (output.reads, output.writes):
        if descriptor >= 0:
            os.close(descriptor)


async def test_rows_are_printed_in_order_and_then_settled(output: Output) -> None:
    printer = output.printer()
    async with anyio.create_task_group() as group:
        group.start_soon(printer.run)
        output.add(printer, b'{"n":1}', b'{"n":2}')
        output.add(printer, b'{"n":3}')
        await output.until_settled(2)
        group.cancel_scope.cancel()
    assert os.read(output.reads, 1000) == b'{"n":1}\n{"n":2}\n{"n":3}\n'
    assert printer.printed == 3
    assert not output.is_done.is_set()


async def test_exactly_the_limit_is_printed_and_the_rest_is_let_go(output: Output) -> None:
    printer = output.printer(limit=3)
    async with anyio.create_task_group() as group:
        group.start_soon(printer.run)
        output.add(printer, b"1", b"2")
        output.add(printer, b"3", b"4", b"5")
        with anyio.fail_after(30):
            await output.is_done.wait()
        output.add(printer, b"6")
        await output.until_settled(3)
        group.cancel_scope.cancel()
    assert os.read(output.reads, 1000) == b"1\n2\n3\n"
    assert printer.printed == 3


async def test_the_end_of_the_reader_is_the_end_and_no_failure(output: Output) -> None:
    printer = output.printer()
    output.close_reader()
    async with anyio.create_task_group() as group:
        output.add(printer, b"1")
        group.start_soon(printer.run)
        with anyio.fail_after(30):
            await output.is_done.wait()
        await output.until_settled(1)
        group.cancel_scope.cancel()
    assert (printer.printed, printer.failure) == (0, None)


async def test_the_end_of_the_reader_is_seen_without_a_row(output: Output) -> None:
    printer = output.printer()
    async with anyio.create_task_group() as group:
        group.start_soon(printer.run)
        await anyio.sleep(0.05)
        output.close_reader()
        with anyio.fail_after(30):
            await output.is_done.wait()
        group.cancel_scope.cancel()


async def test_a_reader_that_does_not_read_holds_up_nobody(output: Output) -> None:
    printer = output.printer()
    async with anyio.create_task_group() as group:
        group.start_soon(printer.run)
        output.add(printer, b'"' + b"x" * 1_000_000 + b'"')
        for _ in range(1000):
            output.add(printer, b"1")  # never waits
        await anyio.sleep(0.2)
        assert not output.settled  # so that it counts as held, and sessions can be shed for it
        group.cancel_scope.cancel()
    output.close_reader()  # ends the thread that was left behind


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="no /dev/full here")
async def test_output_that_cannot_be_written_is_a_failure(output: Output) -> None:
    full = os.open("/dev/full", os.O_WRONLY)
    printer = Printer(full, limit=None, done=output.is_done.set)
    async with anyio.create_task_group() as group:
        group.start_soon(printer.run)
        output.add(printer, b"1")
        with anyio.fail_after(30):
            await output.is_done.wait()
        group.cancel_scope.cancel()
    os.close(full)
    assert printer.failure is not None
    assert "No space left on device" in str(printer.failure)

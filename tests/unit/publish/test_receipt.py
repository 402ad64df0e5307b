"""Receipts settle in the order received, however partitions acknowledge."""

import random

import anyio
import pytest

from tests.unit.publish.rows import Seen, bad_row


def test_receipts_settle_in_the_order_received() -> None:
    seen = Seen()
    first, second, third = seen.receipt(2, 10), seen.receipt(1, 20), seen.receipt(3, 30)
    second.acknowledged(1)
    third.acknowledged(3)
    assert (seen.settled, seen.ledger.held, len(seen.ledger)) == ([], 60, 3)
    first.acknowledged(1)
    assert seen.settled == []
    first.acknowledged(1)
    assert (seen.settled, seen.ledger.held, len(seen.ledger)) == ([first, second, third], 0, 0)


@pytest.mark.parametrize("seed", range(5))
def test_any_order_of_acknowledgements(seed: int) -> None:
    rng = random.Random(seed)
    seen = Seen()
    receipts = [seen.receipt(rng.randrange(4)) for _ in range(30)]
    rows = [receipt for receipt in receipts for _ in range(receipt.rows)]
    rng.shuffle(rows)
    for receipt in rows:
        receipt.acknowledged(1)
        assert seen.settled == receipts[: len(seen.settled)]
    assert seen.settled == receipts


def test_a_row_given_up_is_told_at_once_and_counts_as_through() -> None:
    seen = Seen()
    _before, receipt = seen.receipt(1), seen.receipt(2)
    record = bad_row()
    receipt.given_up(record)
    assert seen.bad == [record]
    assert receipt.errors == [record.error]
    assert receipt.pending == 1
    assert seen.settled == []


def test_a_row_has_a_number_among_all_of_its_subscription() -> None:
    seen = Seen()
    seen.receipt(3)
    # Equal rows are told apart.
    values = [bytearray(b"x") for _ in range(5)]
    receipt = seen.ledger.open(rows=5, size=0, received_at=0.0, values=values)
    assert [receipt.number(values[place]) for place in (1, 2, 4, 0, 3, 3)] == [4, 5, 7, 3, 6, 6]
    assert receipt.number(object()) == 7
    assert seen.ledger.rows == 8


def test_bad_rows_of_a_large_frame_are_found_in_time() -> None:
    seen = Seen()
    values = [object() for _ in range(100_000)]
    receipt = seen.ledger.open(rows=len(values), size=0, received_at=0.0, values=values)
    assert [receipt.number(value) for value in values] == list(range(len(values)))


def test_a_frame_without_rows_is_through_when_those_before_it_are() -> None:
    seen = Seen()
    alone = seen.receipt(0)
    assert seen.settled == [alone]
    seen.settled.clear()
    first = seen.receipt(1)
    empty = seen.receipt(0, 10)
    assert seen.settled == []
    first.acknowledged(1)
    assert seen.settled == [first, empty]


async def test_below_wakes_everybody_once_enough_is_settled() -> None:
    seen = Seen()
    first, second = seen.receipt(1, 60), seen.receipt(1, 60)
    woken: list[int] = []

    async def wait(size: int) -> None:
        await seen.ledger.below(size)
        woken.append(size)

    async with anyio.create_task_group() as group:
        for size in (100, 50, 0):
            group.start_soon(wait, size)
        await anyio.sleep(1)
        assert woken == []
        first.acknowledged(1)
        await anyio.sleep(1)
        assert woken == [100]
        second.acknowledged(1)
    assert sorted(woken) == [0, 50, 100]

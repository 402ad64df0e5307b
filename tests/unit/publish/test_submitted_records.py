"""Submissions settle in the order received, however partitions acknowledge."""

import random

import anyio
import pytest

from tests.unit.publish.rows import Seen, bad_row


def test_submissions_settle_in_the_order_received() -> None:
    seen = Seen()
    first, second, third = seen.submission(2, 10), seen.submission(1, 20), seen.submission(3, 30)
    second.acknowledged(1)
    third.acknowledged(3)
    assert (seen.settled, seen.submitted.held, len(seen.submitted)) == ([], 60, 3)
    first.acknowledged(1)
    assert seen.settled == []
    first.acknowledged(1)
    assert (seen.settled, seen.submitted.held, len(seen.submitted)) == ([first, second, third], 0, 0)


@pytest.mark.parametrize("seed", range(5))
def test_any_order_of_acknowledgements(seed: int) -> None:
    rng = random.Random(seed)
    seen = Seen()
    submissions = [seen.submission(rng.randrange(4)) for _ in range(30)]
    rows = [submission for submission in submissions for _ in range(submission.rows)]
    rng.shuffle(rows)
    for submission in rows:
        submission.acknowledged(1)
        assert seen.settled == submissions[: len(seen.settled)]
    assert seen.settled == submissions


def test_a_row_given_up_is_told_at_once_and_counts_as_through() -> None:
    seen = Seen()
    _before, submission = seen.submission(1), seen.submission(2)
    record = bad_row()
    submission.given_up(record)
    assert seen.bad == [record]
    assert submission.errors == [record.error]
    assert submission.pending == 1
    assert seen.settled == []


def test_a_row_has_a_number_among_all_of_its_subscription() -> None:
    seen = Seen()
    seen.submission(3)
    # Equal rows are told apart.
    values = [bytearray(b"x") for _ in range(5)]
    submission = seen.submitted.open(rows=5, size=0, received_at=0.0, values=values)
    assert [submission.number(values[place]) for place in (1, 2, 4, 0, 3, 3)] == [4, 5, 7, 3, 6, 6]
    assert submission.number(object()) == 7
    assert seen.submitted.rows == 8


def test_bad_rows_of_a_large_frame_are_found_in_time() -> None:
    seen = Seen()
    values = [object() for _ in range(100_000)]
    submission = seen.submitted.open(rows=len(values), size=0, received_at=0.0, values=values)
    assert [submission.number(value) for value in values] == list(range(len(values)))


def test_a_frame_without_rows_is_through_when_those_before_it_are() -> None:
    seen = Seen()
    alone = seen.submission(0)
    assert seen.settled == [alone]
    seen.settled.clear()
    first = seen.submission(1)
    empty = seen.submission(0, 10)
    assert seen.settled == []
    first.acknowledged(1)
    assert seen.settled == [first, empty]


async def test_below_wakes_everybody_once_enough_is_settled() -> None:
    seen = Seen()
    first, second = seen.submission(1, 60), seen.submission(1, 60)
    woken: list[int] = []

    async def wait(size: int) -> None:
        await seen.submitted.below(size)
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

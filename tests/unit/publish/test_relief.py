"""A partition that is not acknowledged keeps little of what is behind its rows, and all of the order."""

import gc
import weakref

import anyio
import msgspec

from connector.publish.submitted_records import REMAINDER
from connector.records.record import SourceRecord
from tests.unit.publish.fakes import FakeBrokers
from tests.unit.publish.rows import NOW, Seen, publishing


class Frame(list[msgspec.Raw]):
    """Rows of a frame, whose end can be seen."""


def frame(rows: int) -> Frame:
    text = b"[" + b",".join(b'"%05d"' % number for number in range(rows)) + b"]"
    return Frame(msgspec.json.decode(text, type=list[msgspec.Raw]))


async def test_frames_behind_a_partition_that_is_stuck_are_released_but_for_its_rows(
    brokers: FakeBrokers,
) -> None:
    seen = Seen()
    freed: list[int] = []
    seen.submitted._released = freed.append
    brokers.create("two", 2)
    brokers.latency["two", 0] = 60.0
    async with publishing(brokers, seen) as publisher:
        topic = publisher.topic("two")
        await topic.ready.wait()
        alive, held = [], 0
        for _ in range(200):
            rows = frame(10)
            alive.append(weakref.ref(rows))
            submission = seen.submitted.open(rows=10, size=10_000, received_at=0.0, values=rows)
            held += 10_000
            records: list[SourceRecord] = [(None, row, None, []) for row in rows]
            topic._turn = 0
            publisher.add({"two": records}, submission, NOW)  # five go to each partition
            del rows, records, submission
            await anyio.sleep(0.1)
        await anyio.sleep(5)
        gc.collect()
        assert not [frame for frame in alive if frame() is not None]
        assert seen.settled == []
        assert seen.submitted.held == held - sum(freed)
        assert 0.45 * held < seen.submitted.held < 0.6 * held
        await seen.all_settled()
    assert [submission.first for submission in seen.settled] == list(range(0, 2000, 10))
    assert sum(submission.size for submission in seen.settled) == held - sum(freed)
    assert sorted(brokers.values("two", 0) + brokers.values("two", 1)) == sorted(
        b'"%05d"' % number for number in range(10) for _ in range(200)
    )


def test_what_is_through_behind_another_keeps_a_remainder_only() -> None:
    seen = Seen()
    first, second, third = seen.submission(2, 10_000), seen.submission(1, 10_000), seen.submission(4, 10_400)
    second.acknowledged(1)
    third.acknowledged(3)
    seen.submitted.shrink()
    assert (first.size, second.size, third.size) == (10_000, REMAINDER, REMAINDER + 2_500)
    assert seen.submitted.held == 10_000 + 2 * REMAINDER + 2_500
    seen.submitted.shrink()
    assert seen.submitted.held == 10_000 + 2 * REMAINDER + 2_500
    first.acknowledged(2)
    third.acknowledged(1)
    assert (seen.settled, seen.submitted.held) == ([first, second, third], 0)


def test_rows_that_wait_keep_their_numbers() -> None:
    seen = Seen()
    values = [bytearray(b"x") for _ in range(5)]
    submission = seen.submitted.open(rows=5, size=50_000, received_at=0.0, values=values)
    copy = b"x" * 40
    submission.moved(values[3], copy)
    submission.acknowledged(2)
    seen.submitted.shrink()
    assert submission.number(copy) == 3
    assert submission.number(values[4]) == 4
    assert submission.values == ()


async def test_who_waits_for_room_goes_on() -> None:
    seen = Seen()
    _first, second = seen.submission(1, 1_000), seen.submission(1, 100_000)
    second.acknowledged(1)
    with anyio.fail_after(5):
        async with anyio.create_task_group() as group:
            group.start_soon(seen.submitted.below, 50_000)
            await anyio.sleep(0.01)
            seen.submitted.shrink()

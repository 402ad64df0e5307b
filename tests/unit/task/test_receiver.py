"""What the reading side does with each frame."""

import pytest

from connector.task.receiver import JOIN_BELOW, ROW_OVERHEAD
from tests.unit.task.receiving import DATA, Desk


async def test_rows_go_into_the_inbox_and_are_counted() -> None:
    desk = Desk()
    assert desk.receive(f'{{"data":{DATA}}}')
    assert (desk.told.rows_received, desk.told.frames_received) == (2, 1)
    assert desk.told.bytes_received == desk.memory.held - 2 * ROW_OVERHEAD
    assert desk.status.last_row_at is not None
    assert await desk.rows() == [b'{"a":1}', b'{"a":2}']


async def test_frames_of_one_millisecond_go_on_together_in_order_and_within_bounds() -> None:
    desk = Desk()
    count = 2000
    for number in range(count):
        desk.receive(f'{{"data":{{"EVM":{{"Trades":[{number}]}}}}}}')
    held = desk.memory.held
    arrivals = await desk.arrivals()
    assert [int(bytes(row)) for arrival in arrivals for row in arrival.rows] == list(range(count))
    assert sum(arrival.frames for arrival in arrivals) == count
    assert sum(arrival.size for arrival in arrivals) == held
    assert len(arrivals) < count
    assert max(arrival.size for arrival in arrivals) < JOIN_BELOW
    assert all(len(arrival.rows) == arrival.frames for arrival in arrivals)


async def test_what_cannot_be_read_stays_by_itself() -> None:
    desk = Desk(tolerates=True)
    for _ in range(100):
        desk.receive(f'{{"data":{DATA}}}')
        desk.receive("7")
    arrivals = await desk.arrivals()
    assert [arrival.error is None for arrival in arrivals] == [True, False] * 100


async def test_what_is_held_is_what_the_arrival_says() -> None:
    desk = Desk()
    result = desk.result(f'{{"data":{DATA}}}')
    desk.receiver.receive(result, desk.source)
    arrival = await desk.inbox.get()
    assert arrival is not None
    assert arrival.size == desk.memory.held == len(result.frame) + 2 * ROW_OVERHEAD


@pytest.mark.parametrize(
    ("data", "rows"),
    [
        ('{"EVM":{"Trades":{"a":1}}}', [b'{"a":1}']),
        ('{"EVM":{"Trades":7}}', [b"7"]),
        ('{"EVM":{"Trades":[]}}', []),
        ('{"EVM":{"Trades":[null,"x"]}}', [b"null", b'"x"']),
        ('{"\\u0045VM":{"Trades":[1]}}', [b"1"]),
    ],
)
async def test_rows_of_other_shapes_are_rows(data: str, rows: list[bytes]) -> None:
    desk = Desk()
    assert desk.receive(f'{{"data":{data}}}')
    assert await desk.rows() == rows
    assert desk.told.nulls == 0


@pytest.mark.parametrize(("limit", "full"), [(2, 1), (3, 0), (None, 0)])
def test_a_message_as_full_as_they_come_is_counted(limit: int | None, full: int) -> None:
    desk = Desk(rows_limit=limit)
    desk.receive(f'{{"data":{DATA}}}')
    assert desk.told.full == full


@pytest.mark.parametrize("element", ["0", "{}", '""', "[]", "null"])
@pytest.mark.parametrize("size", [100_000, 600_000])
async def test_many_rows_wait_as_little_more_than_their_bytes(element: str, size: int) -> None:
    desk = Desk()
    count = size // (len(element) + 1)
    assert desk.receive(f'{{"data":{{"EVM":{{"Trades":[{",".join([element] * count)}]}}}}}}')
    assert (desk.told.frames_received, desk.told.rows_received) == (1, 0)
    (arrival,) = await desk.arrivals()
    assert arrival.slices is not None
    assert arrival.size == desk.memory.held <= size + 64 * count + 200
    found = 0
    while rows := arrival.slices.next():
        found += len(rows)
    assert found == count

"""The feed's numbers and its books."""

import anyio

from connector.demo.feed import ROWS_PER_FRAME, Feed, network_of


async def test_a_tap_gets_the_rows_of_its_network_from_when_it_opened() -> None:
    feed = Feed()
    feed.number_up_to(4)
    tap = feed.open("eth")
    feed.number_up_to(9)
    assert await tap.take() == [5, 7]
    assert {network_of(number) for number in (5, 7)} == {"eth"}
    assert feed.numbered == 9


async def test_a_frame_holds_a_bounded_number_of_rows() -> None:
    feed = Feed()
    tap = feed.open("bsc")
    feed.number_up_to(4 * ROWS_PER_FRAME)
    assert len(await tap.take()) == len(await tap.take()) == ROWS_PER_FRAME


async def test_a_tap_waits_for_rows() -> None:
    feed = Feed()
    tap = feed.open("bsc")
    taken: list[int] = []

    async def take() -> None:
        taken.extend(await tap.take())

    with anyio.fail_after(5):
        async with anyio.create_task_group() as group:
            group.start_soon(take)
            await anyio.wait_all_tasks_blocked()
            feed.number_up_to(1)
    assert taken == [0]


async def test_only_rows_entered_as_written_are_written() -> None:
    feed = Feed()
    tap = feed.open("bsc")
    feed.number_up_to(3)
    numbers = await tap.take()
    assert feed.written == set()
    tap.wrote(numbers[:1])
    assert feed.written == {0}
    assert feed.out_of_turn == 0


async def test_a_hole_inside_a_session_is_noticed() -> None:
    feed = Feed()
    tap = feed.open("bsc")
    feed.number_up_to(5)
    assert await tap.take() == [0, 2, 4]
    tap.wrote([0, 4])
    assert feed.out_of_turn == 1


def test_a_closed_tap_no_longer_counts_as_a_listener() -> None:
    feed = Feed()
    bsc, _ = feed.open("bsc"), feed.open("eth")
    assert feed.has_all_listeners
    feed.close(bsc)
    assert not feed.has_all_listeners

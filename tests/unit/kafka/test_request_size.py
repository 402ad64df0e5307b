"""What is learned of the size of requests from connections that end."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from connector.kafka.request_size import ALONE, ALONE_FOR, FLOOR, GROW, RETRY, RequestSize

MIB = 1 << 20


@dataclass
class Clock:
    now: float = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def size(clock: Clock) -> RequestSize:
    return RequestSize(8 * MIB, clock=clock)


def test_one_end_is_put_down_to_the_broker(size: RequestSize) -> None:
    size.ended(6 * MIB)
    assert (size.limit, size.error) == (8 * MIB, None)


def test_a_second_end_in_a_row_halves_and_says_why(size: RequestSize) -> None:
    size.ended(6 * MIB)
    size.ended(5 * MIB)
    assert size.limit == 5 * MIB // 2
    assert size.error is not None
    assert "socket.request.max.bytes" in size.error
    assert "kafka.producer.max_request_bytes" in size.error
    assert str(5 * MIB) in size.error


def test_ends_that_go_on_halve_down_to_the_floor(size: RequestSize) -> None:
    for _ in range(40):
        size.ended(max(size.limit, FLOOR + 1))
    assert size.limit == FLOOR


def test_small_requests_are_never_to_blame(size: RequestSize) -> None:
    for _ in range(10):
        size.ended(FLOOR)
    assert (size.limit, size.error) == (8 * MIB, None)


def test_an_answer_to_as_large_a_request_clears_the_size(size: RequestSize) -> None:
    size.ended(6 * MIB)
    size.answered(6 * MIB)
    size.ended(6 * MIB)
    assert size.limit == 8 * MIB


def test_answers_to_small_requests_in_between_do_not(size: RequestSize) -> None:
    size.ended(6 * MIB)
    size.answered(1000)
    size.ended(6 * MIB)
    assert size.limit == 3 * MIB


def test_ends_that_are_far_apart_are_restarts(size: RequestSize, clock: Clock) -> None:
    for _ in range(5):
        size.ended(6 * MIB)
        clock.now += 61
    assert size.limit == 8 * MIB


def test_what_is_acknowledged_ends_the_trouble(size: RequestSize) -> None:
    size.ended(6 * MIB)
    size.ended(6 * MIB)
    size.answered(3 * MIB)
    assert (size.limit, size.error) == (3 * MIB, None)


def test_it_grows_again_slowly_and_more_slowly_where_it_was_too_large(
    size: RequestSize, clock: Clock
) -> None:
    for _ in range(3):  # brokers beside each other, or what was on its way
        size.ended(8 * MIB)
    assert size.limit == 4 * MIB
    size.ended(4 * MIB)
    assert size.limit == 2 * MIB
    clock.now += GROW
    size.answered(2 * MIB)
    assert size.limit == 2 * MIB  # 4 MiB were too large
    clock.now += RETRY
    size.answered(2 * MIB)
    assert size.limit == 4 * MIB
    size.answered(4 * MIB)
    clock.now += GROW
    size.answered(4 * MIB)
    assert size.limit == 8 * MIB
    size.answered(8 * MIB)
    assert size.error is None


def test_each_time_that_it_was_too_large_again_it_waits_twice_as_long(
    size: RequestSize, clock: Clock
) -> None:
    size.ended(8 * MIB)
    size.ended(8 * MIB)
    clock.now += RETRY
    size.answered(4 * MIB)
    assert size.limit == 8 * MIB
    size.ended(8 * MIB)
    size.ended(8 * MIB)
    assert size.limit == 4 * MIB
    clock.now += RETRY
    size.answered(4 * MIB)
    assert size.limit == 4 * MIB
    clock.now += RETRY
    size.answered(4 * MIB)
    assert size.limit == 8 * MIB


def test_batches_are_within_requests(size: RequestSize) -> None:
    assert size.batch_limit < size.limit
    assert RequestSize(1).batch_limit == 1


def test_a_row_alone_is_given_up_after_many_tries_only(size: RequestSize, clock: Clock) -> None:
    for _ in range(ALONE):
        size.ended(FLOOR * 2, is_one_row=True)
    assert not size.is_hopeless
    clock.now += ALONE_FOR
    assert size.is_hopeless
    size.row_given_up()
    assert not size.is_hopeless
    assert size.error is None


def test_what_is_as_large_as_a_row_given_up_is_not_tried_for_a_while(size: RequestSize, clock: Clock) -> None:
    for _ in range(ALONE):
        size.ended(FLOOR * 2, is_one_row=True)
    clock.now += ALONE_FOR
    size.row_given_up()
    why = size.refusal_of(FLOOR * 2)
    assert why is not None
    assert "socket.request.max.bytes" in why
    assert size.refusal_of(FLOOR * 3) == why
    assert size.refusal_of(FLOOR * 2 - 1) is None
    clock.now += RETRY
    assert size.refusal_of(FLOOR * 2) is None


def test_small_requests_on_which_connections_end_are_told_until_one_is_answered(size: RequestSize) -> None:
    size.ended(900)
    assert size.trouble is None
    size.ended(900)
    assert size.trouble is not None
    assert "end connections on produce requests of 900 bytes" in size.trouble
    size.answered(900)
    assert (size.trouble, size.error, size.limit) == (None, None, 8 * MIB)


def test_large_requests_that_are_not_answered_again_and_again_halve(size: RequestSize, clock: Clock) -> None:
    size.unanswered(6 * MIB, 1, heard_at=clock.now)
    assert size.limit == 8 * MIB
    assert size.trouble is not None
    assert str(6 * MIB) in size.trouble
    for limit in (3 * MIB, 3 * MIB // 2):
        clock.now += 30
        size.answered(1000, 1)
        size.unanswered(min(size.limit, 6 * MIB), 1, heard_at=clock.now - 20)
        assert size.limit == limit
        assert "did not answer a request of" in str(size.error)


def test_time_outs_of_a_broker_that_answers_nothing_at_all_are_not_put_down_to_the_size(
    size: RequestSize, clock: Clock
) -> None:
    heard_at = clock.now
    for _ in range(5):
        clock.now += 30
        size.unanswered(6 * MIB, 1, heard_at=heard_at)
    assert (size.limit, size.error) == (8 * MIB, None)


def test_brokers_that_end_connections_at_the_same_time_are_a_broken_network(size: RequestSize) -> None:
    for broker in range(5):
        size.ended(6 * MIB, broker)
    assert (size.limit, size.error) == (8 * MIB, None)
    size.answered(6 * MIB, 0)
    size.ended(6 * MIB, 0)
    assert size.limit == 8 * MIB
    size.ended(6 * MIB, 1)
    assert size.limit == 3 * MIB


def test_others_that_go_on_do_not_save_a_row_alone(size: RequestSize, clock: Clock) -> None:
    for _ in range(ALONE):
        size.ended(400_000, 1, is_one_row=True)
        size.answered(200_000, 1)
        clock.now += 2
    assert size.is_hopeless
    assert size.error is not None

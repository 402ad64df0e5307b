"""Whose turn it is to have two sessions, simulated on a clock that jumps."""

from __future__ import annotations

import math
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector.task.rotation_policy import Rotation, RotationPlan, end
from connector.task.rotation_queue import Decision, RotationQueue, RotationRequest
from tests.unit.task.rotating import Asking, Seen, simulate

OVERLAP = Rotation(kind="overlap")


def plan_of(count: int, parallelism: int = 2) -> RotationPlan:
    return RotationPlan(rotation=OVERLAP, parallelism=parallelism, count=count)


def on_one_token(
    count: int, life: float, *, parallelism: int = 2, ready: float | None = None, share: float = 0.8
) -> list[Asking]:
    """
    Subscriptions on one token that ends at ``life``. The next one is there as early as the plan asks for, or
    ``ready`` seconds before the end; a rotation lasts ``share`` of what is planned for it.
    """
    plan = plan_of(count, parallelism)
    times = plan.times(life)
    at = life - (plan.lead(life) if ready is None else ready)
    begin_by = life - end(life) - times.takes - times.reach
    return [
        Asking(
            RotationRequest(streams=1, begin_by=begin_by, takes=times.takes), at=at, lasts=times.takes * share
        )
        for _ in range(count)
    ]


def rotated(asking: list[Asking], *, parallelism: int = 2, cap: int | None = None) -> Seen:
    queue = RotationQueue(parallelism=parallelism, cap=cap)
    queue.streams = sum(one.request.streams for one in asking)
    return simulate(queue, asking, parallelism=parallelism)


def order_of(asking: list[Asking]) -> list[int]:
    """Who began when, by their numbers."""
    began = [math.inf if one.began_at is None else one.began_at for one in asking]
    return sorted(range(len(asking)), key=began.__getitem__)


def last_end(asking: list[Asking]) -> float:
    return max(one.ended_at or math.inf for one in asking)


@pytest.mark.parametrize("share", [0.5, 0.8, 1.0])
@pytest.mark.parametrize(
    ("count", "life"), [(1, 5.0), (2, 5.0), (1, 300.0), (50, 300.0), (50, 3600.0), (500, 3600.0), (500, 18e3)]
)
def test_no_more_rotate_at_once_than_may_and_all_before_the_end(
    count: int, life: float, share: float
) -> None:
    asking = on_one_token(count, life, share=share)
    seen = rotated(asking)
    assert seen.at_once == min(2, count)
    assert last_end(asking) <= life - end(life)
    assert {one.request.decision for one in asking} == {Decision.OVERLAP}


@pytest.mark.parametrize("count", [4, 40])
def test_tokens_of_five_seconds_with_more_subscriptions_than_time_take_as_many_at_once_as_they_need(
    count: int,
) -> None:
    asking = on_one_token(count, 5.0)
    seen = rotated(asking)
    assert 2 < seen.at_once <= count
    assert last_end(asking) <= 5.0 - end(5.0) + 1e-9


def test_five_hundred_on_a_short_token_rotate_evenly_and_in_shorter_overlaps() -> None:
    asking = on_one_token(500, 300.0)
    seen = rotated(asking)
    assert last_end(asking) <= 300.0 - end(300.0)
    # 219 seconds for 500 rotations of three: seven at once, and no herd at the end.
    assert seen.at_once <= 8


def test_a_token_that_comes_late_makes_more_at_once_but_no_more_than_are_needed() -> None:
    asking = on_one_token(50, 300.0, ready=60.0)
    seen = rotated(asking)
    assert last_end(asking) <= 300.0 - end(300.0)
    # Of the 60 seconds seven rounds of seven seconds are left.
    assert math.ceil(50 / 7) <= seen.at_once <= math.ceil(50 / 7) + 1


def test_slow_rotations_hold_nobody_up_until_the_token_has_ended() -> None:
    asking = on_one_token(50, 300.0, share=4.0)
    rotated(asking)
    assert not any(one.is_late for one in asking)
    assert all(one.began_at is not None for one in asking)


def test_sessions_that_outlived_their_token_do_not_hurry() -> None:
    asking = [Asking(RotationRequest(streams=1, takes=7.0), at=1000.0, lasts=7.0) for _ in range(50)]
    assert rotated(asking).at_once == 2


def test_who_asked_first_is_first_and_quiet_ones_come_last() -> None:
    asking = [
        Asking(
            RotationRequest(streams=1, begin_by=500.0, takes=7.0, is_quiet=number % 2 == 0),
            at=number / 100,
            lasts=7.0,
        )
        for number in range(10)
    ]
    rotated(asking, parallelism=1)
    order = order_of(asking)
    assert order == [0, 1, 3, 5, 7, 9, 2, 4, 6, 8]  # the first came when there was nobody else


def test_an_earlier_end_goes_first_and_an_expiry_before_a_probe() -> None:
    asking = [
        Asking(RotationRequest(streams=1, takes=7.0, is_probe=True), at=0.0, lasts=7.0),
        Asking(RotationRequest(streams=1, takes=7.0, is_probe=True), at=0.1, lasts=7.0),
        Asking(RotationRequest(streams=1, takes=7.0, begin_by=300.0), at=0.2, lasts=7.0),
        Asking(RotationRequest(streams=1, takes=7.0), at=0.3, lasts=7.0),
        Asking(RotationRequest(streams=1, takes=7.0, begin_by=200.0), at=0.4, lasts=7.0),
    ]
    rotated(asking, parallelism=1)
    order = order_of(asking)
    assert order == [0, 4, 2, 3, 1]


def test_a_due_expiry_goes_before_the_parallelism_but_no_probe_does() -> None:
    queue = RotationQueue(parallelism=1, cap=None)
    held, probe, due = (
        RotationRequest(streams=1, is_probe=True),
        RotationRequest(streams=1, is_probe=True),
        RotationRequest(streams=1, begin_by=10.0, takes=5.0),
    )
    for request in (held, probe):
        queue.ask(request)
    assert queue.decide(0.0) == [held]
    queue.ask(due)
    assert queue.decide(9.9) == []
    assert queue.next_at() == 10.0
    assert queue.decide(10.0) == [due]
    assert probe.decision is None
    assert queue.next_at() == math.inf


def test_the_next_ones_are_called_before_their_turn_and_each_once() -> None:
    called: list[int] = []
    queue = RotationQueue(parallelism=2, cap=None)
    requests = [
        RotationRequest(streams=1, called=lambda number=number: called.append(number))  # type: ignore[misc]
        for number in range(6)
    ]
    for request in requests:
        queue.ask(request)
    assert queue.decide(0.0) == requests[:2]
    assert called == [0, 1, 2, 3]
    queue.leave(requests[0])
    assert queue.decide(5.0) == [requests[2]]
    assert called == [0, 1, 2, 3, 4]


# The plan's cap of streams


def test_an_expiry_that_is_due_never_goes_before_the_cap_and_reopens_in_time() -> None:
    asking = on_one_token(50, 300.0, ready=100.0)
    seen = rotated(asking, cap=53)
    assert seen.streams == 53
    assert seen.at_once == 3
    reopened = [one for one in asking if one.reopens]
    assert 0 < len(reopened) < 50
    assert all((one.ended_at or math.inf) <= one.request.begin_by for one in reopened)
    assert not any(one.is_late for one in asking)


def test_where_the_plan_has_no_room_for_a_second_session_it_is_reopened_at_once() -> None:
    asking = on_one_token(3, 300.0)
    rotated(asking, cap=3)
    assert all(one.reopens and one.ended_at == one.at for one in asking)


def test_one_with_many_streams_waits_for_room_and_is_not_overtaken() -> None:
    small = [RotationRequest(streams=1, takes=7.0) for _ in range(3)]
    large = RotationRequest(streams=3, takes=7.0)
    queue = RotationQueue(parallelism=5, cap=9)
    queue.streams = 6
    queue.ask(small[0])
    assert queue.decide(0.0) == [small[0]]
    for request in (large, small[1], small[2]):
        queue.ask(request)
    assert queue.decide(1.0) == []
    queue.leave(small[0])
    assert queue.decide(2.0) == [large]
    assert (queue.open_streams, small[1].decision) == (9, None)


def test_subscriptions_that_come_meanwhile_take_the_room() -> None:
    queue = RotationQueue(parallelism=1, cap=4)
    queue.streams = 3
    first, second = RotationRequest(streams=1), RotationRequest(streams=1)
    for request in (first, second):
        queue.ask(request)
    assert queue.decide(0.0) == [first]
    queue.streams = 4
    assert queue.decide(1.0) == [second]
    assert second.decision is Decision.REOPEN


# Whatever comes

ONE = st.tuples(
    st.floats(0.0, 300.0),  # asks at
    st.floats(-20.0, 400.0),  # has to begin that much later
    st.floats(0.5, 40.0),  # takes
    st.floats(0.1, 3.0),  # of that it really lasts
    st.integers(1, 4),  # streams
    st.sampled_from(["expiry", "expiry", "outlived", "probe"]),
    st.one_of(st.none(), st.floats(0.0, 100.0)),  # gives up after
)


def made(one: tuple[float, float, float, float, int, str, float | None]) -> Asking:
    at, begins, takes, share, streams, kind, gives_up = one
    request = RotationRequest(
        streams=streams,
        begin_by=at + begins if kind == "expiry" else math.inf,
        takes=takes,
        is_probe=kind == "probe",
    )
    until = math.inf if gives_up is None else at + gives_up
    return Asking(request, at=at, lasts=takes * share, until=until)


@given(st.lists(ONE, max_size=40), st.integers(1, 5), st.one_of(st.none(), st.integers(0, 30)))
def test_all_get_their_turn_in_time_and_none_beyond_the_limit_without_need(
    ones: list[tuple[float, float, float, float, int, str, float | None]], parallelism: int, more: int | None
) -> None:
    asking = [made(one) for one in ones]
    streams = sum(one.request.streams for one in asking)
    cap = None if more is None else streams + more
    seen = rotated(asking, parallelism=parallelism, cap=cap)
    for one in asking:
        gave_up = one.until < math.inf and one.began_at is None and not one.reopens
        assert one.ended_at is not None  # nobody waits for ever
        assert one.began_at is not None or one.reopens or gave_up
        if one.reopens:
            assert cap is not None
        # Who asks in time begins in time, or is told to reopen in time.
        if one.began_at is not None and one.request.begin_by >= one.at:
            assert one.began_at <= one.request.begin_by
        if one.reopens and one.request.begin_by >= one.at:
            assert one.ended_at <= one.request.begin_by
    assert cap is None or seen.streams <= max(cap, streams)
    for now, request, waiting in seen.beyond:
        assert not request.is_probe
        # Somebody who waited would have come too late with fewer at once.
        assert any(
            now >= other.begin_by - (place // parallelism) * other.takes
            for place, other in enumerate(sorted(waiting, key=lambda other: other.order))
        )


@given(st.integers(1, 120), st.floats(0.5, 40_000.0), st.integers(1, 8), st.floats(0.3, 1.0))
def test_what_the_plan_asks_for_is_enough_wherever_the_life_of_a_token_allows(
    count: int, life: float, parallelism: int, share: float
) -> None:
    plan = plan_of(count, parallelism)
    asking = on_one_token(count, life, parallelism=parallelism, share=share)
    seen = rotated(asking, parallelism=parallelism)
    assert last_end(asking) <= life - end(life) + 1e-6
    times = plan.times(life)
    allowed = times.reach + plan.rounds * times.takes <= plan.lead(life) - end(life)
    if allowed:
        assert seen.at_once <= parallelism


def test_a_request_that_left_is_not_decided_and_may_leave_again() -> None:
    queue = RotationQueue(parallelism=1, cap=None)
    held, waits = RotationRequest(streams=1), RotationRequest(streams=1)
    for request in (held, waits):
        queue.ask(request)
    queue.decide(0.0)
    for request in (waits, waits, held, held):
        queue.leave(request)
    assert queue.decide(1.0) == []
    assert (queue.rotating, queue.first, waits.decision) == (0, None, None)


def test_hundreds_are_decided_fast() -> None:
    """No more than some steps for each of those that wait."""
    rng = random.Random(1)
    asking = [
        Asking(RotationRequest(streams=1, begin_by=rng.uniform(50, 300), takes=3.0), at=0.0, lasts=3.0)
        for _ in range(500)
    ]
    rotated(asking)
    assert not any(one.is_late for one in asking)

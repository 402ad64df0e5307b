"""Time without a session is counted as it passes, and told when it ends."""

import pytest
from structlog.testing import capture_logs

from connector.task.gap_tracker import GapTracker
from tests.unit.task.fakes import Told


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def gaps(streams: int = 1) -> tuple[GapTracker, Told, Clock]:
    told, clock = Told(), Clock()
    return GapTracker("bsc", told, streams=streams, clock=clock), told, clock


def test_nothing_is_promised_before_the_first_session() -> None:
    it, told, clock = gaps()
    clock.now += 60
    it.tick()
    it.live(clock.now)
    assert (told.uncovered_seconds, told.gaps) == (0.0, [])


def test_a_gap_is_counted_while_it_lasts_and_declared_at_its_end() -> None:
    it, told, clock = gaps()
    it.live(clock.now)
    clock.now += 10
    it.lost("closed")
    clock.now += 3
    it.tick()
    assert (told.uncovered_seconds, told.gaps) == (3.0, [])
    clock.now += 2
    it.lost("unreachable")  # a failed attempt begins no new gap
    clock.now += 1
    it.live(clock.now)
    assert (told.uncovered_seconds, told.gaps) == (6.0, ["unfilled"])


def test_a_session_covers_from_when_it_subscribed() -> None:
    it, told, clock = gaps()
    it.live(clock.now)
    it.lost("reopen")
    clock.now += 1
    subscribed_at = clock.now
    clock.now += 0.5
    it.live(subscribed_at)
    assert told.uncovered_seconds == 1.0


def test_silence_is_lost_from_when_the_peer_was_last_heard() -> None:
    it, told, clock = gaps()
    it.live(clock.now)
    clock.now += 30
    it.lost("silent", since=clock.now - 10)
    it.live(clock.now)
    assert told.uncovered_seconds == 10.0


def test_streams_are_billed_while_a_session_lives() -> None:
    it, told, clock = gaps(streams=2)
    it.live(clock.now)
    clock.now += 30
    it.tick()
    clock.now += 30
    it.lost("closed")
    clock.now += 60
    it.tick()
    assert told.streamed_seconds == 120.0


def test_after_the_end_nothing_is_counted() -> None:
    it, told, clock = gaps()
    it.live(clock.now)
    it.ended()
    clock.now += 60
    it.tick()
    assert (told.uncovered_seconds, told.streamed_seconds) == (0.0, 0.0)


def test_a_first_attempt_that_failed_begins_a_gap() -> None:
    it, told, clock = gaps()
    it.lost("unreachable")
    clock.now += 20
    it.live(clock.now)
    assert (told.uncovered_seconds, told.gaps) == (20.0, ["unfilled"])


def test_what_was_counted_before_it_was_known_better_is_not_taken_back() -> None:
    it, told, clock = gaps()
    it.lost("closed")
    subscribed_at = clock.now + 4
    clock.now += 5
    it.tick()
    clock.now += 5
    it.live(subscribed_at)
    assert told.uncovered_seconds == 5.0
    clock.now += 1
    it.tick()
    assert (told.uncovered_seconds, told.streamed_seconds) == (5.0, 7.0)


def test_a_gap_has_the_reason_of_the_first_loss() -> None:
    it, _, clock = gaps()
    it.live(clock.now)
    it.lost("closed")
    clock.now += 5
    it.lost("unreachable")
    clock.now += 5
    with capture_logs() as lines:
        it.live(clock.now)
    ((event, seconds, reason),) = [(line["event"], line["seconds"], line["reason"]) for line in lines]
    assert (event, seconds, reason) == ("gap declared", 10.0, "closed")


@pytest.mark.parametrize(
    ("reason", "level"), [("reopen", "info"), ("shed", "warning"), ("silent", "warning")]
)
def test_a_planned_gap_is_no_warning(reason: str, level: str) -> None:
    it, _, clock = gaps()
    it.lost(reason)
    with capture_logs() as lines:
        it.live(clock.now)
    assert [line["log_level"] for line in lines] == [level]


def test_a_gap_that_is_open_at_the_end_was_counted() -> None:
    it, told, clock = gaps()
    it.lost("closed")
    clock.now += 5
    it.ended()
    clock.now += 60
    it.tick()
    assert told.uncovered_seconds == 5.0


def test_who_goes_on_counts_an_open_gap_from_where_it_was_counted_to() -> None:
    old, told, clock = gaps()
    old.live(clock.now)
    old.lost("closed")
    clock.now += 5
    handed_over = old.hand_over()
    new_told = Told()
    new = GapTracker("bsc", new_told, streams=1, clock=clock)
    new.take_over(handed_over)
    clock.now += 3
    old.tick()
    with capture_logs() as lines:
        new.live(clock.now)
    assert (told.uncovered_seconds, told.gaps) == (5.0, [])
    assert (new_told.uncovered_seconds, new_told.gaps) == (3.0, ["unfilled"])
    assert [(line["seconds"], line["reason"]) for line in lines] == [(8.0, "closed")]


def test_who_goes_on_where_no_gap_is_open_has_none() -> None:
    old, _, clock = gaps()
    old.live(clock.now)
    new, told, _ = gaps()
    assert old.hand_over() is None
    new.take_over(None)
    new.live(clock.now)
    assert (told.uncovered_seconds, told.gaps) == (0.0, [])


def test_who_handed_over_bills_nothing_more() -> None:
    old, told, clock = gaps()
    old.live(clock.now)
    clock.now += 5
    old.hand_over()
    clock.now += 5
    old.tick()
    assert told.streamed_seconds == 5.0


def test_a_gap_in_which_a_session_was_open_is_declared_afterwards() -> None:
    it, told, clock = gaps()
    it.live(clock.now)
    clock.now += 100
    it.lost("probe")
    assert it.left_at == 1100.0
    clock.now += 2
    it.live(clock.now)
    clock.now += 10
    with capture_logs() as logs:
        it.declare(since=1040.0, until=1100.0, reason="silent_session")
    assert [(line["log_level"], line["seconds"], line["reason"]) for line in logs] == [
        ("warning", 60.0, "silent_session")
    ]
    assert told.gaps == ["unfilled"] * 2
    assert told.uncovered_seconds == 62.0
    it.tick()
    assert (told.uncovered_seconds, told.streamed_seconds) == (62.0, 110.0)

"""Time without a session is counted as it passes, and told when it ends."""

from connector.task.coverage import Coverage
from tests.unit.task.fakes import Told


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def coverage(streams: int = 1) -> tuple[Coverage, Told, Clock]:
    told, clock = Told(), Clock()
    return Coverage("bsc", told, streams=streams, clock=clock), told, clock


def test_nothing_is_promised_before_the_first_session() -> None:
    it, told, clock = coverage()
    clock.now += 60
    it.tick()
    it.live(clock.now)
    assert (told.uncovered_seconds, told.gaps) == (0.0, [])


def test_a_gap_is_counted_while_it_lasts_and_declared_at_its_end() -> None:
    it, told, clock = coverage()
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
    it, told, clock = coverage()
    it.live(clock.now)
    it.lost("reopen")
    clock.now += 1
    subscribed_at = clock.now
    clock.now += 0.5
    it.live(subscribed_at)
    assert told.uncovered_seconds == 1.0


def test_silence_is_lost_from_when_the_peer_was_last_heard() -> None:
    it, told, clock = coverage()
    it.live(clock.now)
    clock.now += 30
    it.lost("silent", since=clock.now - 10)
    it.live(clock.now)
    assert told.uncovered_seconds == 10.0


def test_streams_are_billed_while_a_session_lives() -> None:
    it, told, clock = coverage(streams=2)
    it.live(clock.now)
    clock.now += 30
    it.tick()
    clock.now += 30
    it.lost("closed")
    clock.now += 60
    it.tick()
    assert told.streamed_seconds == 120.0


def test_after_the_end_nothing_is_counted() -> None:
    it, told, clock = coverage()
    it.live(clock.now)
    it.ended()
    clock.now += 60
    it.tick()
    assert (told.uncovered_seconds, told.streamed_seconds) == (0.0, 0.0)

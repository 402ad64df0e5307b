"""How long a subscription is silent, by looks at its last row."""

from __future__ import annotations

import pytest

from connector.task.habit import LEARNT_AFTER
from connector.task.silence import LATE, SNAPSHOT_WITHIN, Silence


class Looks:
    """Looks every second at a session that is live since ``since``; moments go on from look to look."""

    def __init__(self) -> None:
        self.silence = Silence()
        self.now = 0.0
        self.since: float | None = 0.0

    def look(self, *, row: bool = False, times: int = 1, passed: float = 1.0) -> bool:
        came = False
        for _ in range(times):
            self.now += passed
            row_at = self.now if row else self.silence.row_at
            came = self.silence.look(self.now, row_at=row_at, live_since=self.since, asked=1.0)
        return came

    def habit(self) -> float | None:
        return self.silence.habit.usual


@pytest.fixture
def looks() -> Looks:
    looks = Looks()
    looks.look(row=True, times=LEARNT_AFTER + 10)
    assert looks.habit() == 1.0
    assert looks.silence.lasts == 0.0
    return looks


def test_silence_lasts_from_the_last_row_on_and_is_learnt_once_it_is_over(looks: Looks) -> None:
    assert not looks.look(times=50)
    assert looks.silence.lasts == 50.0
    assert looks.habit() == 1.0
    assert looks.look(row=True)
    assert looks.silence.lasts == 0.0
    assert looks.habit() == 51.0


def test_before_the_first_row_all_that_is_heard_is_silence() -> None:
    looks = Looks()
    looks.look(times=40)
    assert looks.silence.lasts == 39.0  # nothing is known of the time before the first look


def test_a_row_between_two_looks_counts_from_when_it_came(looks: Looks) -> None:
    looks.look(times=5)
    looks.silence.look(looks.now + 1.0, row_at=looks.now + 0.25, live_since=0.0, asked=1.0)
    assert looks.silence.lasts == 0.75
    assert looks.habit() == 5.25


def test_time_without_a_session_is_no_silence(looks: Looks) -> None:
    looks.look(times=5)
    looks.since = None
    looks.look(times=1000)
    assert looks.silence.lasts == 5.0
    looks.since = looks.now
    looks.look(times=5)
    assert looks.silence.lasts == 10.0


def test_a_process_that_stood_still_has_heard_nothing(looks: Looks) -> None:
    looks.look(passed=600.0)
    assert looks.silence.lasts == 1.0 + LATE


def test_a_snapshot_is_no_row_that_counts(looks: Looks) -> None:
    looks.look(times=50)
    looks.since = looks.now
    assert not looks.look(row=True)
    assert looks.silence.row_at == looks.now
    assert looks.silence.lasts == 51.0
    assert looks.habit() == 1.0
    looks.look(times=int(SNAPSHOT_WITHIN))
    assert looks.look(row=True)


def test_a_silence_that_a_new_session_ends_soon_is_no_habit(looks: Looks) -> None:
    looks.look(times=100)
    looks.since = looks.now
    looks.look(times=3)
    assert looks.look(row=True)
    assert looks.habit() == 1.0
    assert looks.silence.lasts == 0.0


def test_a_silence_that_goes_on_in_a_new_session_is_habit(looks: Looks) -> None:
    looks.look(times=100)
    looks.since = looks.now
    looks.look(times=50)
    assert looks.look(row=True)
    assert looks.habit() == 151.0


def test_short_silences_across_sessions_are_learnt() -> None:
    looks = Looks()
    for number in range(LEARNT_AFTER * 8):
        if number % 4 == 0:
            looks.since = looks.now
        looks.look(row=True)
    assert looks.habit() is not None


def test_what_was_proved_to_be_no_silence_is_not_learnt(looks: Looks) -> None:
    looks.look(times=100)
    looks.silence.restart()
    assert looks.silence.lasts == 0.0
    looks.look(row=True)
    assert looks.habit() == 1.0
    looks.look(times=9)
    looks.look(row=True)
    assert looks.habit() == 10.0

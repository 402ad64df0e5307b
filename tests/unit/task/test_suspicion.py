"""When a session is doubted, and what another one shows of it."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

import pytest

from connector.task.doubt import Doubt, Verdict
from connector.task.siblings import PAUSE_FIRST, PAUSE_MOST, Siblings
from connector.task.suspicion import PROBATION, UNANSWERED
from connector.task.suspicion_policy import SuspicionPolicy
from tests.unit.task.doubting import OVERLAP, REOPEN, Doubted, steady

HOUR = 3600.0


def silent_after(seconds: float) -> Iterator[float]:
    """Two rows a second, and from then on nothing is to be told."""
    return steady(until=seconds)


def dies_at(at: float, policy: SuspicionPolicy = REOPEN, **more: float) -> Doubted:
    doubted = Doubted(steady(), policy, **more)  # type: ignore[arg-type]
    doubted.dead_at = at
    return doubted


# When


@pytest.mark.parametrize(("policy", "least"), [(REOPEN, 40.0), (OVERLAP, 20.0)], ids=["reopen", "overlap"])
def test_a_fast_subscription_is_probed_within_a_minute_and_not_at_once(
    policy: SuspicionPolicy, least: float
) -> None:
    doubted = dies_at(300.0, policy)
    doubted.run(400.0)
    assert doubted.doubts[0] is Doubt.SILENCE
    assert least <= doubted.probes[0] - 300.0 <= least + 3


def test_no_habit_is_assumed_for_the_first_rows() -> None:
    doubted = dies_at(15.0)
    doubted.run(4 * HOUR)
    assert doubted.suspicion.limit is None
    assert doubted.probes == []


def test_a_subscription_with_a_row_an_hour_is_probed_after_hours_and_then_once_an_hour_at_most() -> None:
    doubted = Doubted(steady(HOUR, until=29.5 * HOUR))
    doubted.run(60 * HOUR)
    assert doubted.probes[0] >= 34 * HOUR
    assert min(later - earlier for earlier, later in itertools.pairwise(doubted.probes)) >= PAUSE_MOST


def test_a_duration_of_the_configuration_counts_without_any_habit() -> None:
    doubted = Doubted(iter(()), SuspicionPolicy(quiet_after=120.0))
    doubted.run(125.0)
    assert len(doubted.probes) == 1
    assert doubted.probes[0] == pytest.approx(122.0, abs=3)


def test_where_it_is_off_nothing_is_doubted() -> None:
    doubted = dies_at(300.0, SuspicionPolicy())
    doubted.run(HOUR)
    assert doubted.probes == []


def test_an_endpoint_that_asks_for_a_pause_is_reopened_only_after_a_much_longer_silence() -> None:
    doubted = dies_at(300.0, SuspicionPolicy(quiet_after="auto", reopen_pause=10.0))
    doubted.run(HOUR)
    assert doubted.probes[0] - 300.0 == pytest.approx(440.0, abs=15)


def test_a_probe_waits_while_none_may_begin() -> None:
    doubted = dies_at(300.0)
    doubted.is_free = False
    doubted.run(500.0)
    assert doubted.probes == []
    doubted.is_free = True
    doubted.run(502.0)
    assert len(doubted.probes) == 1


# What another session shows, one after the other


def test_where_the_next_session_delivers_the_old_one_was_dead_from_its_last_row_on() -> None:
    doubted = dies_at(300.0)
    doubted.run(360.0)
    (finding,) = doubted.findings
    assert (finding.verdict, finding.was_probed) == (Verdict.DEAD, True)
    assert finding.row_at == 299.5
    assert finding.live_since == doubted.probes[0] + 1.0
    doubted.run(4 * HOUR)
    assert len(doubted.probes) == len(doubted.findings) == 1


def test_what_was_a_dead_session_is_no_habit() -> None:
    doubted = dies_at(300.0)
    doubted.run(360.0)
    before = doubted.suspicion.limit
    doubted.run(600.0)
    assert doubted.suspicion.limit == before == 40.0


def test_where_both_are_silent_nothing_is_proved_and_the_pause_doubles_up_to_an_hour() -> None:
    doubted = Doubted(silent_after(300.0))
    doubted.run(24 * HOUR)
    assert set(doubted.verdicts) == {"nothing_proved"}
    pauses = [later - earlier for earlier, later in itertools.pairwise(doubted.probes)]
    for pause, step in zip(pauses, (60, 120, 240, 480, 960, 1920, 2880, 2880), strict=False):
        assert step <= pause <= step + 20  # it counts from the verdict on
    assert len(doubted.probes) <= 6 + 24 / 0.8
    assert doubted.findings[0].pause == PAUSE_FIRST


def test_there_is_no_other_probe_before_a_silence_that_would_be_beyond_the_habit() -> None:
    doubted = Doubted(steady(60.0, until=3000.0))
    doubted.run(2 * HOUR)
    first, second = doubted.findings[:2]
    assert first.pause == doubted.suspicion.limit == 300.0
    assert second.pause == 300.0
    assert doubted.probes[1] - doubted.probes[0] >= 300.0 + 75.0


def test_rows_begin_the_pauses_anew() -> None:
    traffic = itertools.chain(steady(until=300.0), steady(since=20_000.0, until=21_000.0))
    doubted = Doubted(traffic)
    doubted.run(20_000.0)
    assert doubted.probes[-1] - doubted.probes[-2] >= 0.8 * PAUSE_MOST
    before = len(doubted.probes)
    doubted.run(21_150.0)
    first, second = doubted.probes[before:]
    assert first == pytest.approx(21_040.0, abs=3)
    assert second - first == pytest.approx(PAUSE_FIRST, abs=20)


def test_a_snapshot_proves_nothing_and_does_not_begin_the_pauses_anew() -> None:
    doubted = Doubted(silent_after(300.0), snapshot=0.5)
    doubted.run(24 * HOUR)
    assert set(doubted.verdicts) == {"nothing_proved"}
    assert len(doubted.probes) <= 6 + 24 / 0.8


def test_one_result_that_takes_its_time_proves_nothing_either() -> None:
    doubted = Doubted(silent_after(300.0), snapshot=4.0)
    doubted.run(24 * HOUR)
    assert set(doubted.verdicts) == {"nothing_proved"}
    assert len(doubted.probes) <= 6 + 24 / 0.8


def test_rows_that_come_while_the_old_session_is_closed_are_a_sign_that_it_lives() -> None:
    doubted = Doubted(itertools.chain(steady(until=300.0), steady(since=343.0)), reopening=3.0, late=0.5)
    doubted.run(400.0)
    assert doubted.verdicts == ["alive"]


def test_a_session_that_is_reopened_for_another_reason_is_a_witness_too() -> None:
    doubted = dies_at(300.0)
    doubted.is_free = False
    doubted.run(345.0)
    doubted.reopen()
    doubted.run(360.0)
    (finding,) = doubted.findings
    assert (finding.verdict, finding.was_probed, finding.row_at) == (Verdict.DEAD, False, 299.5)


def test_of_reopening_for_another_reason_nothing_is_told_where_nothing_is_proved() -> None:
    doubted = Doubted(silent_after(300.0))
    doubted.is_free = False
    while doubted.now < HOUR:
        doubted.run(doubted.now + 30.0)
        doubted.reopen()
    assert doubted.findings == []
    doubted.is_free = True
    doubted.run(HOUR + 30.0)
    assert doubted.probes == []  # a new session has just proved nothing


def test_sessions_that_are_replaced_while_all_is_well_are_no_witnesses() -> None:
    doubted = Doubted(steady())
    while doubted.now < HOUR:
        doubted.run(doubted.now + 30.0)
        doubted.reopen()
    assert doubted.findings == []
    assert doubted.probes == []


def test_a_session_that_ends_while_it_is_watched_leaves_the_verdict_to_the_next() -> None:
    doubted = dies_at(300.0)
    doubted.run(doubted.now + 342.0)
    assert len(doubted.probes) == 1
    doubted.reopen(5.0)
    doubted.run(360.0)
    (finding,) = doubted.findings
    assert (finding.verdict, finding.row_at, finding.was_probed) == (Verdict.DEAD, 299.5, True)


# Errors and no data


def test_errors_without_data_are_probed_after_a_short_probation_beside_the_old_session() -> None:
    doubted = Doubted(silent_after(300.0), OVERLAP)
    doubted.run(301.0)
    doubted.failing_since = 301.0
    doubted.run(301.0 + PROBATION)
    assert doubted.doubts == [Doubt.ERRORS]


def test_a_result_without_errors_ends_the_probation() -> None:
    doubted = Doubted(steady(), OVERLAP)
    doubted.run(301.0)
    doubted.failing_since = 301.0
    doubted.run(302.0)
    doubted.failing_since = None
    doubted.run(400.0)
    assert doubted.probes == []


def test_without_an_overlap_the_session_that_errors_ended_is_judged_by_the_next_one() -> None:
    doubted = dies_at(300.0)
    doubted.run(300.5)
    doubted.failing_since = 300.0
    doubted.run(310.0)
    assert doubted.probes == []
    doubted.failing_since = None
    doubted.reopen()
    doubted.run(320.0)
    (finding,) = doubted.findings
    assert (finding.verdict, finding.doubt, finding.row_at) == (Verdict.DEAD, Doubt.ERRORS, 299.5)


def test_a_session_after_errors_that_ends_while_it_is_watched_leaves_the_verdict_to_the_next() -> None:
    doubted = dies_at(300.0)
    doubted.run(300.5)
    doubted.failing_since = 300.0
    doubted.run(310.0)
    doubted.failing_since = None
    doubted.reopen(0.0)
    doubted.run(312.0)
    doubted.reopen()
    doubted.run(320.0)
    (finding,) = doubted.findings
    assert (finding.verdict, finding.doubt, finding.row_at) == (Verdict.DEAD, Doubt.ERRORS, 299.5)


# What a probe beside the old session shows


def probed_beside() -> Doubted:
    doubted = Doubted(silent_after(300.0), OVERLAP)
    doubted.run(325.0)
    assert len(doubted.probes) == 1
    return doubted


def test_there_is_no_other_probe_before_the_verdict_is_told() -> None:
    doubted = probed_beside()
    doubted.run(320.0 + UNANSWERED - 10)
    assert len(doubted.probes) == 1
    doubted.run(320.0 + UNANSWERED + 100)
    assert doubted.verdicts[:1] == ["nothing_proved"]
    assert len(doubted.probes) == 2


@pytest.mark.parametrize("verdict", ["alive", "nothing_proved"])
def test_the_next_probe_comes_after_a_pause(verdict: str) -> None:
    doubted = probed_beside()
    getattr(doubted.suspicion, verdict)(doubted.now)
    assert doubted.verdicts == [verdict]
    doubted.run(325.0 + PAUSE_FIRST - 2)
    assert len(doubted.probes) == 1
    doubted.run(325.0 + PAUSE_FIRST + 2)
    assert len(doubted.probes) == 2


def test_where_there_is_no_room_beside_the_old_one_it_is_reopened_and_the_next_one_is_the_witness() -> None:
    doubted = Doubted(itertools.chain(steady(until=300.0), steady(since=326.0)), OVERLAP)
    doubted.run(325.0)
    assert doubted.suspicion.no_room(doubted.now)
    doubted.reopen()
    doubted.run(340.0)
    (finding,) = doubted.findings
    assert (finding.verdict, finding.row_at, finding.was_probed) == (Verdict.DEAD, 299.5, True)
    assert len(doubted.probes) == 1


def test_errors_are_no_reason_to_reopen_it_for_a_probe_since_they_end_it_soon() -> None:
    doubted = Doubted(silent_after(300.0), OVERLAP)
    doubted.run(300.5)
    doubted.failing_since = 300.0
    doubted.run(304.0)
    assert doubted.doubts == [Doubt.ERRORS]
    assert not doubted.suspicion.no_room(doubted.now)
    assert doubted.verdicts == ["nothing_proved"]


def probed_before_rows_come_again() -> Doubted:
    doubted = Doubted(itertools.chain(steady(until=300.0), steady(since=326.0)), OVERLAP)
    doubted.run(325.0)
    assert len(doubted.probes) == 1
    return doubted


def test_where_the_old_one_was_dead_that_is_told_with_its_last_row_and_its_silence_is_no_habit() -> None:
    doubted = probed_before_rows_come_again()
    doubted.suspicion.dead(doubted.now, row_at=299.5)
    (finding,) = doubted.findings
    assert (finding.verdict, finding.row_at, finding.live_since) == (Verdict.DEAD, 299.5, None)
    doubted.run(500.0)
    assert len(doubted.probes) == len(doubted.findings) == 1
    assert doubted.suspicion.limit == 20.0


def test_whose_rows_come_while_two_sessions_are_open_is_left_to_who_opened_the_second() -> None:
    doubted = probed_before_rows_come_again()
    doubted.run(400.0)
    assert doubted.findings == []
    doubted.suspicion.alive(doubted.now)
    assert doubted.verdicts == ["alive"]


def test_a_verdict_that_nobody_waits_for_is_not_told() -> None:
    doubted = Doubted(steady(), OVERLAP)
    doubted.run(100.0)
    doubted.suspicion.dead(100.0, row_at=1.0)
    assert doubted.findings == []


# Siblings


def test_of_many_that_fall_silent_together_one_probes_and_then_the_rest() -> None:
    siblings = Siblings(rng=lambda: 0.0)
    all_ = [Doubted(steady(), name=f"s{number}", siblings=siblings) for number in range(20)]
    for one in all_:
        one.dead_at = 300.0
    run_together(all_, 342.0)
    assert sum(len(one.probes) for one in all_) == 1
    run_together(all_, 360.0)
    assert [one.verdicts for one in all_] == [["dead"]] * 20


def test_where_the_endpoint_has_nothing_to_say_probes_do_not_multiply() -> None:
    siblings = Siblings(rng=lambda: 0.0)
    all_ = [Doubted(silent_after(300.0), name=f"s{number}", siblings=siblings) for number in range(8)]
    run_together(all_, 2 * HOUR)
    assert 6 <= sum(len(one.probes) for one in all_) <= 6 + 2 / 0.8
    assert max(len(one.probes) for one in all_) <= 1


def test_one_that_is_dead_among_silent_ones_is_found_in_its_turn() -> None:
    siblings = Siblings(rng=lambda: 0.0)
    quiet = [Doubted(silent_after(300.0), name=f"s{number}", siblings=siblings) for number in range(3)]
    dead = Doubted(steady(), name="x", siblings=siblings)
    dead.dead_at = 301.0
    run_together([*quiet, dead], 900.0)
    assert dead.verdicts == ["dead"]


def run_together(all_: list[Doubted], until: float) -> None:
    while (first := min(all_, key=lambda one: one.now)).now < until:
        first.step()

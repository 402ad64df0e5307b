"""When the old one of two sessions is closed."""

import msgspec
import pytest

from connector.records.identity import DIGESTS
from connector.records.seam import SeamSpec, Verdict
from tests.unit.records.seam.sessions import BY_ID, OVERLAP_MAX, REACH, Sessions

WHOLE_SECOND = 1.0


def test_it_is_closed_when_it_brought_what_the_new_one_began_with() -> None:
    both = Sessions()
    both.subscribe()
    both.bring(both.new, 1, 2)
    both.wait(0.5)
    both.bring(both.new, 3)
    both.bring(both.old, 3, 1)
    both.wait(REACH)
    assert both.verdict() is Verdict.KEEP_BOTH
    both.bring(both.old, 2)
    both.wait(WHOLE_SECOND)
    assert both.verdict() is Verdict.CLOSE_OLD


def test_not_before_the_overlap_has_passed() -> None:
    both = Sessions()
    both.subscribe(least=5.0)
    both.bring(both.old, 1)
    both.bring(both.new, 1)
    both.wait(4.999)
    assert both.verdict() is Verdict.KEEP_BOTH
    both.wait(0.001)
    assert both.verdict() is Verdict.CLOSE_OLD


def test_nor_before_the_first_second_of_the_new_one_has() -> None:
    both = Sessions()
    both.subscribe()
    both.wait(REACH)
    both.bring(both.old, 1)
    both.bring(both.new, 1)
    both.wait(0.5)
    both.bring(both.new, 2)
    assert both.verdict() is Verdict.KEEP_BOTH
    both.wait(0.5)
    assert both.verdict() is Verdict.KEEP_BOTH
    both.bring(both.old, 2)
    both.wait(WHOLE_SECOND)
    assert both.verdict() is Verdict.CLOSE_OLD


def test_rows_after_that_second_are_no_evidence() -> None:
    both = Sessions()
    both.subscribe()
    both.bring(both.old, 1)
    both.bring(both.new, 1)
    both.wait(1.001)
    both.bring(both.new, 2)
    both.wait(REACH)
    assert both.verdict() is Verdict.CLOSE_OLD


def test_an_old_one_that_lags_is_waited_for() -> None:
    both = Sessions()
    both.subscribe()
    for second in range(9):
        both.bring(both.new, second)
        if second >= 8:
            both.bring(both.old, second - 8)
            assert both.verdict() is Verdict.KEEP_BOTH
        both.wait(1.0)
    both.bring(both.old, 1)
    assert both.verdict() is Verdict.KEEP_BOTH
    both.wait(WHOLE_SECOND)  # what is out of order comes, too
    assert both.verdict() is Verdict.CLOSE_OLD
    both.switch()
    assert both.values == list(range(9))


def test_an_old_one_that_never_brings_it_is_closed_with_a_gap() -> None:
    both = Sessions()
    both.bring(both.old, 0)
    both.record()
    both.bring(both.old, 1)
    both.wait(REACH)
    both.subscribe()
    both.wait(2.0)
    both.bring(both.new, 3)
    both.bring(both.old, 4)
    both.wait(OVERLAP_MAX - 2.001)
    assert both.verdict() is Verdict.KEEP_BOTH
    both.wait(0.001)
    assert both.verdict() is Verdict.DECLARE_GAP
    assert both.overlap is not None
    # It went on after the new one subscribed, so whatever it lost may be of that time.
    assert both.overlap.missed.since == 105.0
    assert both.overlap.missed.until == 107.0


def test_the_gap_of_an_old_one_that_is_silent_begins_with_its_last_row() -> None:
    both = Sessions()
    both.record()
    both.bring(both.old, 1)
    both.wait(REACH)
    both.subscribe()
    both.bring(both.new, 2)
    both.wait(OVERLAP_MAX)
    assert both.verdict() is Verdict.DECLARE_GAP
    assert both.overlap is not None
    assert (both.overlap.missed.since, both.overlap.missed.until) == (100.0, 105.0)


def test_when_its_last_row_came_before_the_overlap_that_is_known_too() -> None:
    both = Sessions()
    both.overlap = both.seam.begin_overlap(both.old, now=100.0, reach=REACH, last_row_at=40.0)
    both.subscribe()
    both.close(both.old)
    assert both.verdict() is Verdict.DECLARE_GAP
    assert (both.overlap.missed.since, both.overlap.missed.until) == (40.0, None)


def test_an_old_one_that_dies_has_passed_it_or_not() -> None:
    for brought, verdict in (
        ((1, 2), Verdict.CLOSE_OLD),
        ((1,), Verdict.DECLARE_GAP),
        ((), Verdict.DECLARE_GAP),
    ):
        both = Sessions()
        both.subscribe()
        both.bring(both.new, 1, 2)
        both.bring(both.old, *brought)
        both.close(both.old)
        assert both.verdict() is verdict
        assert both.values == [1, 2]


def test_a_snapshot_proves_nothing() -> None:
    both = Sessions()
    both.record()
    both.bring(both.old, 1, 2)
    both.wait(1.0)
    both.subscribe()
    both.bring(both.new, 1, 2)
    both.wait(REACH)
    assert both.verdict() is Verdict.UNPROVED
    both.bring(both.new, 3)
    assert both.verdict() is Verdict.KEEP_BOTH
    both.bring(both.old, 3)
    both.wait(WHOLE_SECOND)
    assert both.verdict() is Verdict.CLOSE_OLD


def test_nor_does_one_of_what_the_window_still_knows() -> None:
    both = Sessions(SeamSpec(identity=BY_ID, window=600.0))
    both.seam.turn(both.now, both.old)
    assert both.seam.admits is not None
    for number in (b"1", b"2"):
        assert both.seam.admits(DIGESTS[128](number), msgspec.Raw(b"{}"))
    both.seam.pending()
    both.wait(REACH * 4)
    both.subscribe()
    both.bring(both.new, {"id": 1}, {"id": 2})
    both.wait(REACH)
    assert both.verdict() is Verdict.UNPROVED


def test_silence_of_both_proves_nothing() -> None:
    both = Sessions()
    both.subscribe()
    both.wait(REACH - 0.001)
    assert both.verdict() is Verdict.KEEP_BOTH
    both.wait(0.001)
    assert both.verdict() is Verdict.UNPROVED
    both.wait(OVERLAP_MAX)
    assert both.verdict() is Verdict.UNPROVED


def test_nor_does_a_new_one_that_stays_silent_while_the_old_one_delivers() -> None:
    both = Sessions()
    both.subscribe()
    both.bring(both.old, 1)
    both.wait(OVERLAP_MAX - 0.001)
    assert both.verdict() is Verdict.KEEP_BOTH
    both.wait(0.001)
    assert both.verdict() is Verdict.UNPROVED


def test_nor_one_that_is_gone() -> None:
    both = Sessions()
    both.subscribe()
    both.bring(both.old, 1)
    both.bring(both.new, 1)
    both.close(both.new)
    both.wait(OVERLAP_MAX)
    assert both.verdict() is Verdict.UNPROVED


def test_after_the_switch_the_old_one_is_to_be_closed() -> None:
    both = Sessions()
    both.subscribe()
    both.switch()
    both.wait(OVERLAP_MAX)
    assert both.verdict() is Verdict.CLOSE_OLD


def test_before_the_new_one_subscribes_both_are_kept() -> None:
    both = Sessions()
    both.record()
    both.wait(OVERLAP_MAX * 2)
    assert both.verdict() is Verdict.KEEP_BOTH


def test_a_row_that_is_computed_anew_is_evidence_by_its_identity() -> None:
    for unique in (True, False):
        both = Sessions(SeamSpec(identity=BY_ID, unique=unique))
        both.subscribe()
        both.bring(both.old, {"id": 1, "usd": 0.1})
        both.bring(both.new, {"id": 1, "usd": 0.2})
        both.wait(REACH)
        assert both.verdict() is Verdict.CLOSE_OLD


def test_repeats_of_an_identity_are_no_other_evidence() -> None:
    both = Sessions(SeamSpec(identity=BY_ID))
    both.subscribe()
    both.bring(both.new, {"id": 1}, {"id": 1})
    both.bring(both.old, {"id": 1})
    both.bring(both.new, {"id": 1})
    both.wait(REACH)
    assert both.verdict() is Verdict.CLOSE_OLD


def test_rows_that_say_the_same_are_evidence_as_often_as_they_come() -> None:
    both = Sessions()
    both.subscribe()
    both.bring(both.new, 1, 1)
    both.bring(both.old, 1)
    both.wait(REACH)
    assert both.verdict() is Verdict.KEEP_BOTH
    both.bring(both.old, 1)
    both.wait(WHOLE_SECOND)
    assert both.verdict() is Verdict.CLOSE_OLD


@pytest.mark.parametrize("is_proved", [True, False])
def test_at_the_last_moment_what_is_known_decides(is_proved: bool) -> None:
    both = Sessions()
    both.subscribe(least=5.0, most=0.4)  # the old one's token ends
    both.bring(both.new, 1)
    if is_proved:
        both.bring(both.old, 1)
    both.wait(0.4)
    assert both.verdict() is (Verdict.CLOSE_OLD if is_proved else Verdict.DECLARE_GAP)


def test_tokens_that_live_five_seconds_are_enough() -> None:
    both = Sessions(reach=1.0)
    both.record()
    both.wait(1.0)
    both.subscribe(least=1.0, most=2.0)
    for step in range(10):
        both.bring(both.old, step)
        both.bring(both.new, step)
        both.wait(0.1)
    both.wait(0.1)
    assert both.verdict() is Verdict.CLOSE_OLD

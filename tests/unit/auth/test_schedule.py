"""Waits before the next fetch."""

import math

from hypothesis import given
from hypothesis import strategies as st

from connector.auth.grant import LONGEST_LIFE, GrantRefused, GrantUnavailable
from connector.auth.schedule import LEAST_APART, Retry, refresh_at


def test_retry_after_is_honoured_up_to_an_hour() -> None:
    retry = Retry(lambda: 0.0)
    assert retry.after(GrantUnavailable("", status=429, retry_after=17)) == 17
    assert retry.after(GrantUnavailable("", status=503, retry_after=86_400)) == 3600
    assert retry.after(GrantRefused("", status=403, code=None, remedy="", retry_after=200)) == 200
    assert retry.after(GrantUnavailable("", status=503, retry_after=0)) == 0.5


@given(st.floats(0.001, LONGEST_LIFE), st.floats(0, 60), st.floats(0, 0.999))
def test_a_refresh_comes_before_the_end_but_never_at_once(life: float, took: float, jitter: float) -> None:
    now = 50.0 + took
    due = refresh_at(asked_at=50.0, now=now, life=life, rng=lambda: jitter)
    assert due >= now + LEAST_APART
    assert due <= max(50.0 + 0.851 * life, 50.0 + life - 470, now + LEAST_APART)
    assert due >= min(50.0 + life - 600.001, 50.0 + 0.75 * life)


def test_an_unknown_life_is_never_refreshed() -> None:
    assert refresh_at(asked_at=0, now=0, life=None, rng=lambda: 0.5) == math.inf

"""Whatever two sessions do, what is published is what one perfect session would have brought."""

from collections import Counter

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from connector.records.seam import SeamSpec, Verdict
from tests.unit.records.seam.sessions import BY_ID, Sessions
from tests.unit.records.seam.simulation import (
    BEGAN,
    JITTER,
    MOST,
    REACH,
    Network,
    Rotation,
    Upstream,
    row,
)

ENDS = 50.0

KINDS = {
    "content": SeamSpec(),
    "unique": SeamSpec(identity=BY_ID),
    "unique, window": SeamSpec(identity=BY_ID, window=300.0),
    "inferred": SeamSpec(identity=BY_ID, unique=False),
    "inferred, window": SeamSpec(identity=BY_ID, unique=False, window=300.0),
}


@st.composite
def upstreams(draw: st.DrawFn, twins: bool = True, longest: float = 3.0) -> Upstream:
    """Frames for `ENDS` seconds; equal rows only in one frame, where there are ``twins``."""
    frames: list[tuple[float, tuple[bytes, ...]]] = []
    at, number = 0.0, 0
    gaps = draw(st.lists(st.floats(0.15, longest), min_size=5, max_size=25))
    sizes = draw(st.lists(st.integers(1, 3), min_size=1, max_size=5))
    copies = draw(st.lists(st.integers(1, 2), min_size=1, max_size=3)) if twins else [1]
    while at < ENDS:
        rows: list[bytes] = []
        for _ in range(sizes[len(frames) % len(sizes)]):
            rows += [row(number)] * copies[number % len(copies)]
            number += 1
        frames.append((at, tuple(rows)))
        at += gaps[len(frames) % len(gaps)]
    return Upstream(frames)


def networks(most_lag: float) -> st.SearchStrategy[Network]:
    return st.builds(
        Network,
        lag=st.floats(0.0, most_lag),
        jitters=st.lists(st.floats(0.0, 1.0), min_size=1, max_size=7).map(tuple),
        grouping=st.sampled_from([0.001, 0.05, 0.3]),
    )


def unique_rows(spec: SeamSpec) -> bool:
    return spec.identity is not None and spec.unique and spec.window is not None


few = settings(max_examples=40, suppress_health_check=[HealthCheck.too_slow])


@few
@given(upstreams(), networks(12.0), networks(3.0), st.booleans(), st.sampled_from(sorted(KINDS)))
def test_nothing_is_lost_and_nothing_doubled(
    upstream: Upstream, old: Network, new: Network, drops_queue: bool, kind: str
) -> None:
    spec = KINDS[kind]
    found = Rotation(upstream, old, new, spec, drops_queue=drops_queue, builds=spec.window is not None).run()
    truth = upstream.truth
    if unique_rows(spec):
        truth = Counter(set(truth))
    assert found.published == truth
    assert found.verdict in (Verdict.CLOSE_OLD, Verdict.UNPROVED)
    assert found.seam.counts.forgotten == 0


@few
@given(upstreams(), networks(2.0), networks(2.0), st.floats(0.1, REACH - JITTER - 2.0))
def test_a_snapshot_is_not_published_again_and_proves_nothing(
    upstream: Upstream, old: Network, new: Network, snapshot: float
) -> None:
    found = Rotation(upstream, old, new, snapshot=snapshot, drops_queue=True).run()
    assert found.published == upstream.truth


@few
@given(upstreams(), networks(12.0), networks(20.0), st.sampled_from(sorted(KINDS)))
def test_a_new_session_that_lags_too_far_behind_doubles_rows_and_loses_none(
    upstream: Upstream, old: Network, new: Network, kind: str
) -> None:
    found = Rotation(upstream, old, new, KINDS[kind]).run()
    assert not upstream.truth - found.published
    if new.lag + JITTER + new.grouping <= old.lag + REACH:
        assert found.published == upstream.truth


@few
@given(upstreams(longest=1.0), networks(12.0), networks(3.0), st.floats(BEGAN, BEGAN + MOST))
def test_what_an_old_session_that_dies_had_not_brought_is_in_the_declared_gap(
    upstream: Upstream, old: Network, new: Network, dies_at: float
) -> None:
    old = Network(lag=old.lag, jitters=old.jitters, grouping=old.grouping, dies_at=dies_at)
    found = Rotation(upstream, old, new).run()
    assert not found.published - upstream.truth
    lost = upstream.truth - found.published
    subscribed_at = BEGAN + REACH
    if dies_at <= subscribed_at:
        return  # a gap as after any session that ends
    assert found.overlap is not None
    assert not lost or found.verdict is Verdict.DECLARE_GAP
    since, until = found.overlap.missed.since, found.overlap.missed.until
    for at, rows in upstream.frames:
        if lost.keys() & set(rows):
            assert at >= since - old.lag - JITTER - old.grouping
            assert at <= (until if until is not None else subscribed_at)


@few
@given(upstreams(), networks(4.0), networks(3.0), st.floats(BEGAN + REACH + 0.01, BEGAN + MOST))
def test_a_new_session_that_dies_costs_nothing(
    upstream: Upstream, old: Network, new: Network, dies_at: float
) -> None:
    new = Network(lag=new.lag, jitters=new.jitters, grouping=new.grouping, dies_at=dies_at)
    found = Rotation(upstream, old, new).run()
    if found.switched_at is not None:
        assert found.switched_at <= dies_at  # from then on the old one is closed: a gap like any other
        return
    assert found.published == upstream.truth


@few
@given(upstreams(), networks(12.0), networks(3.0), st.integers(3_500, 8_000))
def test_over_the_bound_rows_may_be_doubled_and_none_is_lost(
    upstream: Upstream, old: Network, new: Network, join_bytes: int
) -> None:
    found = Rotation(upstream, old, new, SeamSpec(join_bytes=join_bytes)).run()
    assert not upstream.truth - found.published
    doubled = found.published - upstream.truth
    assert doubled.total() <= found.seam.counts.forgotten


@few
@given(upstreams(twins=False), networks(6.0), networks(3.0), st.integers(1_500, 3_000), st.booleans())
def test_with_a_window_that_is_too_small_neither(
    upstream: Upstream, old: Network, new: Network, max_bytes: int, unique: bool
) -> None:
    spec = SeamSpec(identity=BY_ID, unique=unique, window=300.0, max_bytes=max_bytes)
    found = Rotation(upstream, old, new, spec, builds=True).run()
    assert found.published == upstream.truth


@few
@given(upstreams(twins=False, longest=1.0), networks(6.0), networks(3.0))
def test_of_a_document_with_metrics_the_partial_rows_are_dropped(
    upstream: Upstream, old: Network, new: Network
) -> None:
    spec = SeamSpec(has_metrics=True)
    found = Rotation(upstream, old, new, spec, partial=True, drops_queue=True).run()
    assert found.verdict is Verdict.CLOSE_OLD
    assert not found.partial_rows
    assert found.published == upstream.truth


@pytest.mark.parametrize("kind", ["content", "unique, window", "inferred, window"])
def test_tokens_that_live_five_seconds_one_after_the_other(kind: str) -> None:
    """A second expiry comes while the first join is open, and waits for it."""
    both = Sessions(KINDS[kind], reach=1.0)
    rotations, waited, number = 0, 0, 0
    while rotations < 30:
        if both.overlap is None:
            both.record()
        elif both.new is None and both.now - both.recorded_at >= both.reach:
            both.subscribe(least=1.0, most=2.0)
        elif both.verdict() is Verdict.CLOSE_OLD and not both.has_switched:
            both.switch()
            both.close(both.old)
        elif both.has_switched:
            waited += not both.seam.may_overlap(both.now)
            if both.seam.may_overlap(both.now):
                both.go_on_with_new()
                rotations += 1
        for source in both.open:
            both.bring(source, {"id": number}, {"id": number + 1})
        number += 2
        both.wait(0.05)
    assert waited
    assert [value["id"] for value in both.values] == list(range(number))

"""The schedule is the same for the same seed, and leaves nothing out."""

from __future__ import annotations

from collections import Counter

import pytest

from tests.chaos.kinds import DEFAULT, KINDS, chosen
from tests.chaos.schedule import CALM, FIRST, Fault, schedule


def drawn(seed: int = 1, *, seconds: float = 300.0, every: float = 3.0) -> list[Fault]:
    return schedule(DEFAULT, seed=seed, seconds=seconds, every=every, subscriptions=2)


def test_it_is_the_same_for_the_same_seed_and_another_for_another() -> None:
    assert drawn(1) == drawn(1)
    assert drawn(1) != drawn(2)


@pytest.mark.parametrize("seed", range(5))
def test_every_kind_comes_before_any_comes_again(seed: int) -> None:
    counts = Counter(fault.kind for fault in drawn(seed))
    assert set(counts) == set(DEFAULT)
    assert max(counts.values()) - min(counts.values()) <= 1


@pytest.mark.parametrize("seed", range(5))
def test_faults_come_in_their_time_and_last_as_long_as_their_kind(seed: int) -> None:
    faults = drawn(seed)
    assert len(faults) == pytest.approx(300 / 3, rel=0.25)
    assert [fault.at for fault in faults] == sorted(fault.at for fault in faults)
    assert faults[0].at >= FIRST
    assert faults[-1].at <= 300 - CALM
    for fault in faults:
        least, most = KINDS[fault.kind].seconds
        assert least <= fault.seconds <= most
    assert {fault.subscription for fault in faults} == {0, 1}


def test_without_kinds_there_are_none() -> None:
    assert schedule((), seed=1, seconds=60, every=3, subscriptions=1) == []


@pytest.mark.parametrize(
    ("text", "kinds"),
    [
        ("fin", ("fin",)),
        ("kill, fin,kill", ("kill", "fin")),
        ("default", tuple(DEFAULT)),
        ("all", tuple(KINDS)),
        ("default,-kill,silence", (*(kind for kind in DEFAULT if kind != "kill"), "silence")),
        ("-kill", tuple(kind for kind in DEFAULT if kind != "kill")),
        ("none", ()),
    ],
)
def test_kinds_are_chosen_by_name(text: str, kinds: tuple[str, ...]) -> None:
    assert chosen(text) == kinds


def test_a_kind_that_is_not_known_is_an_error_that_names_those_that_are() -> None:
    with pytest.raises(ValueError, match=r"no such kind of fault: fire; there are fin, rst"):
        chosen("fin,fire")

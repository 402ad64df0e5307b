"""Who of several silent subscriptions is probed."""

from __future__ import annotations

import itertools

import pytest

from connector.task.siblings import DELIVERS_WITHIN, PAUSE_FIRST, PAUSE_MOST, Networks, Siblings


@pytest.fixture
def siblings() -> Siblings:
    return Siblings(rng=lambda: 0.0)


def ask_all(siblings: Siblings, names: str, now: float) -> list[str]:
    """Let each ask, as they do every second; who may is probed."""
    probed = []
    for name in names:
        if siblings.may_probe(name, now):
            siblings.probed(name, now)
            probed.append(name)
    return probed


def test_while_all_are_silent_one_probes_for_all(siblings: Siblings) -> None:
    assert ask_all(siblings, "abc", 100.0) == ["a"]
    for second in range(1, int(PAUSE_FIRST)):
        assert ask_all(siblings, "abc", 100.0 + second) == []


def test_each_has_its_turn_and_the_pause_doubles_up_to_an_hour(siblings: Siblings) -> None:
    probes = [(now, name) for now in range(40_000) for name in ask_all(siblings, "abc", float(now))]
    assert [name for _, name in probes[:6]] == ["a", "b", "c", "a", "b", "c"]
    pauses = [later - earlier for (earlier, _), (later, _) in itertools.pairwise(probes)]
    assert pauses[:6] == [60, 120, 240, 480, 960, 1920]
    assert set(pauses[6:]) == {0.8 * PAUSE_MOST}  # with the least jitter


def test_once_one_delivers_each_of_the_others_may_be_probed(siblings: Siblings) -> None:
    assert ask_all(siblings, "abc", 100.0) == ["a"]
    siblings.delivered("a", 110.0)
    assert ask_all(siblings, "bc", 110.5) == ["b", "c"]


def test_ones_own_last_row_is_no_siblings(siblings: Siblings) -> None:
    siblings.delivered("a", 100.0)
    siblings.probed("b", 100.0)
    assert not siblings.may_probe("a", 101.0)
    siblings.delivered("c", 102.0)
    siblings.delivered("a", 103.0)
    assert siblings.may_probe("a", 104.0)


def test_who_delivered_some_time_ago_does_not_any_more(siblings: Siblings) -> None:
    siblings.delivered("a", 100.0)
    siblings.probed("b", 101.0)
    assert siblings.may_probe("c", 100.0 + DELIVERS_WITHIN)
    assert not siblings.may_probe("c", 100.1 + DELIVERS_WITHIN)


def test_a_row_begins_the_pauses_anew(siblings: Siblings) -> None:
    for now in range(2000):
        ask_all(siblings, "ab", float(now))
    siblings.delivered("a", 2000.0)
    assert ask_all(siblings, "ab", 2100.0) == ["a"]
    assert ask_all(siblings, "ab", 2100.0 + PAUSE_FIRST - 1) == []
    assert ask_all(siblings, "ab", 2100.0 + PAUSE_FIRST) == ["b"]


def test_who_asks_no_more_has_no_turn(siblings: Siblings) -> None:
    assert ask_all(siblings, "ab", 0.0) == ["a"]  # b is next, and asks no more
    assert ask_all(siblings, "a", PAUSE_FIRST) == ["a"]
    assert ask_all(siblings, "ab", PAUSE_FIRST + 1) == []


def test_who_is_gone_has_no_turn_and_takes_no_memory(siblings: Siblings) -> None:
    assert ask_all(siblings, "ab", PAUSE_FIRST - 5) == ["a"]
    assert ask_all(siblings, "ab", 2 * PAUSE_FIRST - 6) == []
    siblings.forget("b")
    assert ask_all(siblings, "a", 2 * PAUSE_FIRST) == ["a"]
    siblings.forget("a")
    assert siblings._asked_at == siblings._probed_at == {}


def test_networks_are_silent_each_by_itself() -> None:
    networks = Networks()
    networks.siblings("bsc").delivered("a", 100.0)
    networks.siblings("bsc").probed("b", 100.0)
    assert networks.siblings("bsc").may_probe("c", 101.0)
    networks.siblings("eth").probed("d", 100.0)
    assert not networks.siblings("eth").may_probe("c", 101.0)

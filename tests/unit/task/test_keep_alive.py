"""When silence is the end."""

import random

import pytest

from connector.task.vigil import Act, Patience, Vigil

LIMIT = 30.0


def test_a_strict_upstream_is_given_up_after_the_span() -> None:
    vigil = Vigil(Patience(keepalive_timeout=LIMIT, probe=False))
    assert vigil.look(10.0, 0.0) == (Act.WAIT, 20.0)
    assert vigil.look(30.0, 0.0)[0] is Act.GIVE_UP


def test_another_is_asked_first_and_given_up_after_a_second_span() -> None:
    vigil = Vigil(Patience(keepalive_timeout=LIMIT, probe=True))
    assert vigil.look(30.0, 0.0) == (Act.PROBE, LIMIT)
    assert vigil.look(31.0, 0.0) == (Act.WAIT, 29.0)
    assert vigil.look(60.0, 0.0)[0] is Act.GIVE_UP


@pytest.mark.parametrize("seed", range(20))
def test_a_quiet_peer_that_answers_is_never_given_up_however_late_we_look(seed: int) -> None:
    rng = random.Random(seed)
    vigil = Vigil(Patience(keepalive_timeout=LIMIT, probe=True))
    now = heard_at = 0.0
    for _ in range(500):
        act, wait = vigil.look(now, heard_at)
        assert act is not Act.GIVE_UP
        if act is Act.PROBE:
            heard_at = now + rng.random() * 0.01  # the pong
            now = heard_at
        else:
            now += wait + rng.random() * 0.05  # timers are late

"""When silence is the end."""

import random

import pytest

from connector.task.keep_alive import KeepAliveAction, KeepAliveMonitor, KeepAlivePolicy

LIMIT = 30.0


def test_a_strict_upstream_is_given_up_after_the_span() -> None:
    monitor = KeepAliveMonitor(KeepAlivePolicy(keepalive_timeout=LIMIT, probe=False))
    assert monitor.look(10.0, 0.0) == (KeepAliveAction.WAIT, 20.0)
    assert monitor.look(30.0, 0.0)[0] is KeepAliveAction.GIVE_UP


def test_another_is_asked_first_and_given_up_after_a_second_span() -> None:
    monitor = KeepAliveMonitor(KeepAlivePolicy(keepalive_timeout=LIMIT, probe=True))
    assert monitor.look(30.0, 0.0) == (KeepAliveAction.PROBE, LIMIT)
    assert monitor.look(31.0, 0.0) == (KeepAliveAction.WAIT, 29.0)
    assert monitor.look(60.0, 0.0)[0] is KeepAliveAction.GIVE_UP


@pytest.mark.parametrize("seed", range(20))
def test_a_quiet_peer_that_answers_is_never_given_up_however_late_we_look(seed: int) -> None:
    rng = random.Random(seed)
    monitor = KeepAliveMonitor(KeepAlivePolicy(keepalive_timeout=LIMIT, probe=True))
    now = heard_at = 0.0
    for _ in range(500):
        action, wait = monitor.look(now, heard_at)
        assert action is not KeepAliveAction.GIVE_UP
        if action is KeepAliveAction.PROBE:
            heard_at = now + rng.random() * 0.01  # the pong
            now = heard_at
        else:
            now += wait + rng.random() * 0.05  # timers are late

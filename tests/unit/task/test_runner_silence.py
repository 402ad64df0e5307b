"""A session that is alive and brings nothing any more: doubted, and replaced, by itself."""

from __future__ import annotations

from typing import Literal

import anyio
import pytest

from connector.task import KeepAlivePolicy
from connector.task.suspicion_policy import SuspicionPolicy
from tests.unit.task.fakes import FakeKeeper, token
from tests.unit.task.scenario import Scene, numbered, said, subscribed
from tests.unit.task.upstream import Peer

BY_HABIT = SuspicionPolicy(quiet_after="auto")
PATIENCE = KeepAlivePolicy(keepalive_timeout=10.0, probe=False)
NEVER = 1e6
BLIP = said('{"data":null,"errors":[{"message":"a blip"}]}')

After = Literal["rows", "snapshot", "nothing"]


class FallsSilent:
    """
    Sends rows, ``pace`` seconds apart, for ``spell`` seconds of the first session, and then keep-alives only.
    ``error``: before those comes a result with errors and no data. Later sessions bring rows again, or a
    snapshot, or nothing.
    """

    def __init__(
        self, *, pace: float = 0.005, spell: float = 40.0, later: After = "rows", error: bool = False
    ) -> None:
        self.pace = pace
        self.spell = spell
        self.error = error
        self.later = later
        self.opened_at: list[float] = []
        self.silent_at = 0.0
        self.sent = 0

    async def __call__(self, peer: Peer) -> None:
        await peer.greet()
        began_at = anyio.current_time()
        self.opened_at.append(began_at)
        if len(self.opened_at) == 1:
            await self._rows(peer, until=began_at + self.spell)
            self.silent_at = anyio.current_time()
            if self.error:
                await peer.send(BLIP)
        elif self.later == "rows":
            await self._rows(peer, until=NEVER)
        elif self.later == "snapshot":
            await self._row(peer)
        while True:
            await peer.send('{"type":"pong"}')
            await anyio.sleep(5.0)

    async def _rows(self, peer: Peer, *, until: float) -> None:
        while anyio.current_time() < until:
            await self._row(peer)
            await anyio.sleep(self.pace)

    async def _row(self, peer: Peer) -> None:
        await peer.send(numbered(self.sent))
        self.sent += 1


async def until_probed(scene: Scene, *, within: float) -> None:
    with anyio.fail_after(within):
        while not scene.told.probes:  # noqa: ASYNC110 - counters have no event
            await anyio.sleep(0.5)


async def test_a_fast_subscription_that_falls_silent_is_live_again_within_a_minute() -> None:
    upstream = FallsSilent()
    async with subscribed(upstream, keep_alive=PATIENCE, suspicion=BY_HABIT) as scene:
        await until_probed(scene, within=150)
        found_after = anyio.current_time() - upstream.silent_at
        assert scene.told.probes == ["dead"]
        assert 40 <= found_after <= 60
        assert scene.told.reconnects == ["probe"]
        # From the last row: what was seen only after the reopen, and the reopen itself.
        assert scene.told.gaps == ["unfilled"] * 2
        assert upstream.opened_at[1] - upstream.silent_at == pytest.approx(
            scene.told.uncovered_seconds, abs=2
        )
        await anyio.sleep(10)
        assert scene.told.probes == ["dead"]
        await scene.stop()
        assert scene.numbers == list(range(upstream.sent))


@pytest.mark.parametrize("later", ["nothing", "snapshot"])
async def test_where_the_next_session_is_silent_too_no_gap_is_declared_and_probes_become_rare(
    later: After,
) -> None:
    upstream = FallsSilent(pace=0.5, later=later)
    async with subscribed(upstream, keep_alive=PATIENCE, suspicion=BY_HABIT) as scene:
        await anyio.sleep(3600)
        told = scene.told
        assert set(told.probes) == {"nothing_proved"}
        assert 4 <= len(told.probes) <= 6
        assert told.uncovered_seconds <= len(told.probes)  # only what each reopen takes
        await scene.stop()


async def test_a_session_that_is_renewed_soon_is_not_probed_before() -> None:
    upstream = FallsSilent(pace=0.5, spell=30.0)
    keeper = FakeKeeper(token(expires_in=120.0))  # renewed after ninety seconds
    async with subscribed(upstream, keep_alive=PATIENCE, suspicion=BY_HABIT, keeper=keeper) as scene:
        await anyio.sleep(85)
        assert scene.told.reconnects == []
        keeper.put(token(2, expires_in=7200.0))
        await anyio.sleep(60)
        assert scene.told.reconnects == ["reopen"]
        assert scene.told.probes == []
        assert scene.told.gaps == ["unfilled"] * 2  # the next session shows it all the same
        assert scene.told.uncovered_seconds >= 55
        await scene.stop()


async def test_a_session_that_is_renewed_while_it_is_oddly_silent_was_dead_from_its_last_row_on() -> None:
    upstream = FallsSilent(pace=0.02, spell=30.0)
    keeper = FakeKeeper(token(expires_in=60.0))
    async with subscribed(upstream, keep_alive=PATIENCE, suspicion=BY_HABIT, keeper=keeper) as scene:
        await anyio.sleep(36)
        keeper.put(token(2, expires_in=7200.0))
        await anyio.sleep(30)
        assert scene.told.reconnects == ["reopen"]
        assert scene.told.gaps == ["unfilled"] * 2
        silent_for = upstream.opened_at[1] - upstream.silent_at
        assert 8 < silent_for < 25
        assert scene.told.uncovered_seconds == pytest.approx(silent_for, abs=0.5)
        await scene.stop()


async def test_one_that_was_silent_no_longer_than_it_often_is_was_not() -> None:
    upstream = FallsSilent(pace=6.0, spell=180.0)
    keeper = FakeKeeper(token(expires_in=250.0))
    async with subscribed(upstream, keep_alive=PATIENCE, suspicion=BY_HABIT, keeper=keeper) as scene:
        await anyio.sleep(185)
        keeper.put(token(2, expires_in=7200.0))
        await anyio.sleep(60)
        assert scene.told.reconnects == ["reopen"]
        assert scene.told.gaps == ["unfilled"]
        assert scene.told.uncovered_seconds < 1
        await scene.stop()


async def test_a_session_that_is_long_past_its_renewal_is_probed() -> None:
    """Where the token endpoint gives none there is nothing to wait for."""
    upstream = FallsSilent(pace=0.5, spell=30.0)
    keeper = FakeKeeper(token(expires_in=40.0))
    async with subscribed(upstream, keep_alive=PATIENCE, suspicion=BY_HABIT, keeper=keeper) as scene:
        await until_probed(scene, within=150)
        assert scene.told.reconnects == ["probe"]
        await scene.stop()


async def test_errors_without_data_end_a_session_soon_and_the_next_one_shows_since_when_it_was_dead() -> None:
    upstream = FallsSilent(pace=0.02, error=True)
    async with subscribed(upstream, keep_alive=PATIENCE, suspicion=BY_HABIT) as scene:
        await anyio.sleep(40 + 30)
        assert scene.told.reconnects == ["unknown"]
        assert 10 <= upstream.opened_at[1] - upstream.silent_at <= 15
        assert scene.told.probes == []
        assert scene.told.gaps == ["unfilled"]  # from the last row until the next session
        assert upstream.opened_at[1] - upstream.silent_at == pytest.approx(
            scene.told.uncovered_seconds, abs=2
        )
        await scene.stop()


async def test_where_it_is_off_a_silent_session_is_left_alone() -> None:
    async with subscribed(FallsSilent(pace=0.5), keep_alive=PATIENCE) as scene:
        await anyio.sleep(600)
        assert scene.told.reconnects == scene.told.probes == []
        await scene.stop()


async def test_a_stop_in_the_middle_of_a_probe_ends_as_any_other() -> None:
    upstream = FallsSilent(pace=0.5)
    async with subscribed(upstream, keep_alive=PATIENCE, suspicion=BY_HABIT) as scene:
        while not scene.told.reconnects:  # noqa: ASYNC110 - counters have no event
            await anyio.sleep(0.1)
        await scene.stop()
        assert scene.told.reconnects == ["probe"]
    assert scene.shared.networks.siblings("")._asked_at == {}

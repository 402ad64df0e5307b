"""A session that is alive and brings nothing any more: doubted, and replaced, by itself."""

from __future__ import annotations

from typing import Literal

import anyio

from connector.task import KeepAlivePolicy
from connector.task.suspicion_policy import SuspicionPolicy
from tests.unit.task.scenario import numbered, said, subscribed, until
from tests.unit.task.upstream import Peer

BY_HABIT = SuspicionPolicy(quiet_after="auto")
PATIENCE = KeepAlivePolicy(keepalive_timeout=10.0, probe=False)
BLIP = said('{"data":null,"errors":[{"message":"a blip"}]}')

After = Literal["rows", "snapshot", "nothing"]


class FallsSilent:
    """
    Sends rows, ``pace`` seconds apart, for ``spell`` seconds of the first session, and then keep-alives only.
    Later sessions bring rows again, or a snapshot, or ``nothing``.
    """

    def __init__(self, *, pace: float = 0.005, spell: float = 40.0, later: After = "rows") -> None:
        self.pace = pace
        self.spell = spell
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
        elif self.later == "rows":
            await self._rows(peer, until=began_at + 1e6)
        elif self.later == "snapshot":
            await self._row(peer)
        while True:
            await peer.send('{"type":"pong"}')
            await anyio.sleep(2.0)

    async def _rows(self, peer: Peer, *, until: float) -> None:
        while anyio.current_time() < until:
            await self._row(peer)
            await anyio.sleep(self.pace)

    async def _row(self, peer: Peer) -> None:
        await peer.send(numbered(self.sent))
        self.sent += 1


async def test_a_fast_subscription_that_falls_silent_is_live_again_within_a_minute() -> None:
    upstream = FallsSilent()
    async with subscribed(upstream, keep_alive=PATIENCE, suspicion=BY_HABIT) as scene:
        await until(lambda: scene.told.probes, within=150)
        found_after = anyio.current_time() - upstream.silent_at
        assert scene.told.probes == ["dead"]
        assert 40 <= found_after <= 60
        assert scene.told.reconnects == ["probe"]
        # From the last row: what was seen only after the reopen, and the reopen itself.
        assert scene.told.gaps == ["unfilled"] * 2
        assert 40 <= scene.told.uncovered_seconds <= found_after
        await anyio.sleep(60)
        assert scene.told.probes == ["dead"]
        await scene.stop()
        assert scene.numbers == list(range(upstream.sent))

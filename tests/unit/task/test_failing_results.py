"""Errors in the place of data, and then only keep-alives: the stream is dead although its session lives."""

from __future__ import annotations

from itertools import pairwise

import anyio
import pytest

from connector.task import KeepAlivePolicy, State
from tests.unit.task.fakes import FakeKeeper, token
from tests.unit.task.scenario import Flow, numbered, said, subscribed, until
from tests.unit.task.upstream import Peer

PATIENCE = KeepAlivePolicy(keepalive_timeout=10.0, probe=False)
BLIP = said('{"data":null,"errors":[{"message":"a blip"}]}')


async def keep_alive(peer: Peer, *, every: float = 2.0, frame: str = '{"type":"pong"}') -> None:
    while True:
        await peer.send(frame)
        await anyio.sleep(every)


@pytest.mark.parametrize("rows_before", [0, 1, 500])
@pytest.mark.parametrize(
    "failure",
    [
        '{"data":null,"errors":[{"message":"a blip"}]}',
        '{"errors":[{"message":"a blip"}]}',
        '{"data":{"rows":null},"errors":[{"message":"a blip","path":["rows"]}]}',
        '{"data":{"rows":[]},"errors":[{"message":"a blip"}]}',
        '{"errors":"a blip"}',
    ],
)
async def test_a_stream_that_failed_and_then_brings_only_keep_alives_is_reopened(
    failure: str, rows_before: int
) -> None:
    flow, failed = Flow(), list[float]()

    async def handler(peer: Peer) -> None:
        if failed:
            await flow(peer)
            return
        await peer.greet()
        for number in range(rows_before):
            await peer.send(numbered(number - rows_before))
            await anyio.sleep(0.01)
        await peer.send(said(failure))
        failed.append(anyio.current_time())
        await keep_alive(peer)

    async with subscribed(handler, keep_alive=PATIENCE) as scene:
        await until(lambda: flow.sessions)
        assert 9.9 <= anyio.current_time() - failed[0] <= 13
        assert scene.told.reconnects == ["unknown"]
        await scene.until_state(State.LIVE)
        await scene.stop()


async def test_errors_alone_are_no_sign_of_life_of_the_stream() -> None:
    sessions: list[float] = []

    async def handler(peer: Peer) -> None:
        sessions.append(anyio.current_time())
        await peer.greet()
        await keep_alive(peer, frame=BLIP)

    keeper = FakeKeeper(token(1))
    async with subscribed(handler, keep_alive=PATIENCE, keeper=keeper) as scene:
        await anyio.sleep(900)
        await scene.stop()
    assert 15 <= len(sessions) <= 60  # with a backoff that grows
    assert max(later - earlier for earlier, later in pairwise(sessions)) > 20
    assert keeper.accepted == []
    assert set(keeper.doubted) == {1}


@pytest.mark.parametrize("more", [numbered(7), said('{"data":{"rows":[]}}')])
async def test_a_stream_that_goes_on_after_errors_is_left_alone(more: str) -> None:
    async def handler(peer: Peer) -> None:
        await peer.greet()
        for number in range(300):
            await peer.send(numbered(number))
            await anyio.sleep(0.01)
        for _ in range(5):
            await peer.send(BLIP)
            await anyio.sleep(8)
            await peer.send(more)
        await keep_alive(peer)

    async with subscribed(handler, keep_alive=PATIENCE) as scene:
        await anyio.sleep(300)
        assert scene.told.sessions == 1
        assert scene.told.reconnects == []
        await scene.stop()


@pytest.mark.parametrize("more", ['{"data":null}', '{"data":{"rows":null}}', "{}"])
async def test_results_without_rows_are_no_sign_that_a_failed_stream_goes_on(more: str) -> None:
    async def handler(peer: Peer) -> None:
        await peer.greet()
        await peer.send(numbered(1))
        await peer.send(said('{"errors":[{"message":"boom"}]}'))
        await keep_alive(peer, every=3.0, frame=said(more))

    async with subscribed(handler, keep_alive=PATIENCE) as scene:
        await anyio.sleep(40)
        assert scene.told.reconnects[:1] == ["unknown"]
        assert "boom" in scene.last_error
        await scene.stop()

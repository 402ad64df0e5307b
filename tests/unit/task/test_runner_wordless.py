"""A dead token that is refused without a word: what a subscription does with the real keeper."""

from __future__ import annotations

import anyio
import pytest

from connector.auth import Grant, Keeper
from connector.subscription import SessionError, SocketClosed
from connector.subscription.errors import ConnectFailed, HandshakeRefused
from tests.unit.task.scenario import Flow, Scene, subscribed, until
from tests.unit.task.upstream import Peer


class Source:
    """Gives a new token each time, of a life that is not told."""

    def __init__(self) -> None:
        self.asked = 0

    async def fetch(self) -> Grant:
        self.asked += 1
        return Grant(access_token=f"t{self.asked}")

    async def changed(self) -> None:
        await anyio.sleep_forever()


@pytest.mark.parametrize(
    "end",
    [
        SocketClosed(4500, "Internal server error"),
        SocketClosed(None, ""),
        HandshakeRefused(503, "", None),
        ConnectFailed("the connection ended during the upgrade", is_answer=True),
    ],
    ids=str,
)
async def test_a_dead_token_that_is_refused_without_a_word_is_replaced(end: SessionError) -> None:
    source, flow = Source(), Flow()

    async def handler(peer: Peer) -> None:
        if peer.token == "t1":
            await peer.fail(end)
            await peer.wait_closed()
        else:
            await flow(peer)

    keeper = Keeper(source, clock=anyio.current_time)
    async with (
        subscribed(handler, keeper=keeper) as scene,  # type: ignore[arg-type]
        anyio.create_task_group() as group,
    ):
        group.start_soon(keeper.run)
        with anyio.fail_after(120):
            await until(lambda: scene.numbers, within=120)
        assert source.asked == 2
        assert scene.told.refusals == []
        group.cancel_scope.cancel()


async def test_where_no_token_helps_few_are_asked_for_and_the_alarm_is_raised() -> None:
    source = Source()

    async def handler(peer: Peer) -> None:
        await peer.close(4500, "Internal server error")
        await peer.wait_closed()

    def alarmed(scene: Scene) -> bool:
        return scene.told.refusals == ["closed"]

    keeper = Keeper(source, clock=anyio.current_time)
    async with (
        subscribed(handler, keeper=keeper) as scene,  # type: ignore[arg-type]
        anyio.create_task_group() as group,
    ):
        group.start_soon(keeper.run)
        await until(lambda: alarmed(scene), within=240)
        await anyio.sleep(600)
        assert source.asked <= 5
        group.cancel_scope.cancel()


# Tokens that are accepted at first, and bring nothing


@pytest.mark.parametrize(
    ("end", "lived"),
    [(SocketClosed(4500, "x"), 12.0), (SocketClosed(None, ""), 100.0)],
    ids=str,
)
async def test_a_dead_token_whose_sessions_last_for_a_while_without_a_row_is_replaced(
    end: SessionError, lived: float
) -> None:
    source, flow = Source(), Flow()

    async def handler(peer: Peer) -> None:
        if peer.token != "t1":
            await flow(peer)
            return
        await peer.greet()
        await anyio.sleep(lived)
        await peer.fail(end)
        await peer.wait_closed()

    keeper = Keeper(source, clock=anyio.current_time)
    async with (
        subscribed(handler, keeper=keeper) as scene,  # type: ignore[arg-type]
        anyio.create_task_group() as group,
    ):
        group.start_soon(keeper.run)
        await anyio.sleep(60 + lived)
        await until(lambda: scene.numbers, within=60 + 2 * lived)
        assert source.asked == 2
        assert scene.told.refusals == []
        group.cancel_scope.cancel()


async def test_where_no_token_brings_a_row_the_alarm_stays_through_sessions_that_bring_nothing() -> None:
    source = Source()

    async def handler(peer: Peer) -> None:
        await peer.greet()
        await anyio.sleep(12)
        await peer.close(4500, "x")
        await peer.wait_closed()

    keeper = Keeper(source, clock=anyio.current_time)
    async with (
        subscribed(handler, keeper=keeper) as scene,  # type: ignore[arg-type]
        anyio.create_task_group() as group,
    ):
        group.start_soon(keeper.run)
        await until(lambda: scene.told.refusals, within=300)
        await anyio.sleep(300)
        assert scene.told.refusals == ["closed"]
        assert source.asked <= 5
        group.cancel_scope.cancel()


async def test_a_quiet_subscription_that_its_server_ends_every_few_minutes_is_no_alarm() -> None:
    source = Source()

    async def handler(peer: Peer) -> None:
        await peer.greet()
        await anyio.sleep(200)
        await peer.close(1001, "idle")
        await peer.wait_closed()

    keeper = Keeper(source, clock=anyio.current_time)
    async with (
        subscribed(handler, keeper=keeper) as scene,  # type: ignore[arg-type]
        anyio.create_task_group() as group,
    ):
        group.start_soon(keeper.run)
        await anyio.sleep(3600)
        assert scene.told.refusals == []
        assert source.asked <= 7
        group.cancel_scope.cancel()


async def test_a_session_that_lasts_without_a_row_ends_the_alarm() -> None:
    source = Source()

    async def handler(peer: Peer) -> None:
        await peer.greet()
        if not alarmed:
            await anyio.sleep(12)
            await peer.close(4500, "x")
        await peer.wait_closed()

    keeper = Keeper(source, clock=anyio.current_time)
    alarmed: list[str | None] = []
    async with (
        subscribed(handler, keeper=keeper) as scene,  # type: ignore[arg-type]
        anyio.create_task_group() as group,
    ):
        group.start_soon(keeper.run)
        await until(lambda: scene.told.refusals, within=300)
        alarmed.append("closed")
        await anyio.sleep(200)
        assert scene.told.refusals == ["closed"]
        await anyio.sleep(300)
        assert scene.told.refusals == ["closed", None]
        assert not keeper.fresh_tokens_do_not_help
        group.cancel_scope.cancel()

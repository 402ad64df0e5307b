"""Several that have something heavy to do at once do not do it back to back."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from itertools import pairwise
from typing import Any, cast

import pytest

from connector.subscription.channel import Channel
from connector.subscription.messages import Subprotocol
from connector.subscription.protocol import Delivered
from connector.subscription.turns import HEAVY, MOST_TURNS, turn_for
from tests.unit.subscription.machines import subscribed

MANY = 6
FRAME = b'{"type":"next","payload":{"data":{"rows":["%s"]}}}' % (b"y" * MOST_TURNS * HEAVY)


class Socket:
    """Has a frame ready whenever it is asked."""

    part_came_at = 0.0
    received_bytes = 0

    async def recv(self, *, decode: bool) -> bytes:
        assert not decode
        return FRAME


def channel() -> Channel:
    return Channel(cast(Any, Socket()), subscribed(Subprotocol.TRANSPORT_WS), cast(Any, None))


async def turns_between(work: list[Callable[[], Awaitable[object]]], times: int = 2) -> list[int]:
    """Run all of ``work`` at once, ``times`` over; return how many turns the loop made between two pieces."""
    turns = 0
    done: list[int] = []

    async def count() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    async def repeat(piece: Callable[[], Awaitable[object]]) -> None:
        for _ in range(times):
            await piece()
            done.append(turns)

    counting = asyncio.ensure_future(count())
    await asyncio.gather(*map(repeat, work))
    counting.cancel()
    assert len(done) == times * len(work)
    return [later - sooner for sooner, later in pairwise(done)]


async def test_others_have_turns_between_pieces_of_heavy_work_of_anybody() -> None:
    between = await turns_between([lambda: turn_for(len(FRAME))] * MANY)
    assert min(between) >= MOST_TURNS - 1


async def test_what_is_light_takes_few_turns() -> None:
    assert max(await turns_between([lambda: turn_for(HEAVY)] * MANY)) <= 3


async def test_large_messages_of_several_subscriptions_do_not_come_back_to_back() -> None:
    between = await turns_between([channel().next_event for _ in range(MANY)])
    assert min(between) >= MOST_TURNS - 1


async def test_who_is_cancelled_before_its_turn_loses_no_message() -> None:
    one = channel()
    cancelled = asyncio.ensure_future(one.next_event())
    await asyncio.sleep(0)
    cancelled.cancel()
    with pytest.raises(asyncio.CancelledError):
        await cancelled
    cast(Any, one.socket).recv = None  # whoever asks again has it, and needs no other
    assert isinstance(await one.next_event(), Delivered)


def test_each_loop_has_turns_of_its_own() -> None:
    for _ in range(2):
        assert len(asyncio.run(turns_between([lambda: turn_for(len(FRAME))] * 2))) == 3

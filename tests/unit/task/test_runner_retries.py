"""What lies between two sessions: pauses, tokens, refusals."""

from __future__ import annotations

import asyncio

import anyio
import pytest

from connector.subscription import SessionSettings, Subprotocol
from connector.subscription.errors import HandshakeRefused
from connector.task import State
from tests.unit.task.fakes import FakeKeeper, token
from tests.unit.task.scenario import COMPLETE, TARGET, Flow, numbered, quiet, said, subscribed, until
from tests.unit.task.upstream import Peer


@pytest.mark.parametrize("ending", ["lost", "reopen"])
async def test_two_sessions_are_as_far_apart_as_is_wanted(ending: str) -> None:
    flow, moments = Flow(), list[float]()
    keeper = FakeKeeper(token(1, expires_in=10.0 if ending == "reopen" else None))

    async def handler(peer: Peer) -> None:
        moments.append(anyio.current_time())
        try:
            await flow(peer)
        finally:
            moments.append(anyio.current_time())

    async with subscribed(handler, keeper=keeper, reopen_pause=15.0) as scene:
        await until(lambda: scene.numbers)
        if ending == "lost":
            await scene.upstream.open[0].close(1012)
        keeper.put(token(2))
        await until(lambda: flow.sessions == 2)
        await scene.stop()
    assert moments[2] - moments[1] > 14
    # What the server wrote after its own Close nobody can have received.
    assert scene.numbers == sorted(set(scene.numbers))


async def test_a_refused_upgrade_is_followed_by_no_pause() -> None:
    async with subscribed(quiet, reopen_pause=1e6) as scene:
        scene.upstream.refusals.extend(HandshakeRefused(503, "Busy", None) for _ in range(3))
        await scene.until_state(State.LIVE)
        assert len(scene.upstream.attempts) == 4
        await scene.stop()


@pytest.mark.parametrize("beside", [0, 3])
async def test_a_cancellation_that_nobody_asked_for_ends_the_session_and_not_the_subscription(
    beside: int,
) -> None:
    """It does not show which deadlines of libraries may leave one behind."""
    async with subscribed(quiet) as scene:
        went_on = False
        scene.upstream.refusals.append(asyncio.CancelledError())
        scene.upstream.refusals.extend(HandshakeRefused(503, "Busy", None) for _ in range(beside))
        await scene.until_state(State.LIVE)
        assert len(scene.upstream.attempts) == 2 + beside
        await scene.stop()
        went_on = True
    assert went_on  # a group that is cancelled leaves what is in it, and says nothing


async def test_who_has_stopped_vouches_for_no_token() -> None:
    keeper = FakeKeeper(token(1))
    async with subscribed(Flow(), keeper=keeper) as scene:
        await until(lambda: scene.numbers)
        await scene.stop()
    assert keeper.forgotten == ["s"]


async def test_after_a_lost_connection_it_goes_on() -> None:
    flow = Flow()
    async with subscribed(flow) as scene:
        for session in (1, 2, 3):
            await until(lambda: scene.told.sessions == session and flow.sent > session * 20)  # noqa: B023
            await scene.upstream.open[0].close(None)
        await until(lambda: flow.sessions == 4 and len(scene.told.gaps) == 3)
        await scene.stop()
    assert scene.told.reconnects == ["connection_lost"] * 3
    assert scene.told.gaps == ["unfilled"] * 3
    assert scene.numbers == sorted(scene.numbers)


async def test_a_refused_token_is_rejected_and_a_fresh_one_used() -> None:
    keeper, flow = FakeKeeper(token(1)), Flow()

    async def handler(peer: Peer) -> None:
        if peer.token == "t1":
            await peer.initialised.wait()
            await peer.send('{"type":"connection_error","payload":"Unauthorized"}')
            await peer.wait_closed()
        else:
            await flow(peer)

    async with subscribed(handler, keeper=keeper) as scene:
        await until(lambda: keeper.rejected == [1])
        keeper.put(token(2))
        await until(lambda: scene.numbers)
        assert set(keeper.accepted) == {2}
        assert scene.told.refusals == []
        await until(lambda: scene.last_error == "")
        await scene.stop()
    assert flow.tokens == ["t2"]
    assert scene.told.reconnects == ["unauthorized"]


async def test_sessions_that_each_bring_a_row_and_end_are_opened_ever_more_slowly() -> None:
    opened: list[float] = []

    async def handler(peer: Peer) -> None:
        opened.append(anyio.current_time())
        await peer.greet()
        await peer.send(numbered(len(opened)))
        await peer.close()

    async with subscribed(handler) as scene:
        await anyio.sleep(600)
        await scene.stop()
    # Without growing waits there would be one every few milliseconds; at the most, one in thirty seconds.
    assert 20 <= len(opened) <= 150
    assert len(scene.numbers) == len(opened)


async def test_the_alarm_ends_with_a_session_that_lasts() -> None:
    flow, keeper, refused = Flow(), FakeKeeper(token(1)), list[Peer]()

    async def handler(peer: Peer) -> None:
        if len(refused) < 2:
            refused.append(peer)
            keeper.put(token(1 + len(refused)))
            await peer.close(4403, "Forbidden")
        else:
            await flow(peer)

    async with subscribed(handler, keeper=keeper) as scene:
        await until(lambda: scene.told.refusals == ["unauthorized"])
        await until(lambda: scene.told.refusals == ["unauthorized", None])
        assert scene.state is State.LIVE
        await scene.stop()


async def test_errors_for_the_only_result_and_then_complete_are_a_refusal() -> None:
    async def handler(peer: Peer) -> None:
        await peer.greet()
        await peer.send(said('{"errors":[{"message":"Variable \\"$n\\" got invalid value"}]}'))
        await peer.send(COMPLETE)
        await peer.wait_closed()

    async with subscribed(handler) as scene:
        await until(lambda: scene.told.reconnects)
        await scene.stop()
    assert scene.told.reconnects == ["document_refused"]
    assert 'Variable "$n"' in scene.last_error
    assert State.LIVE not in scene.told.states


async def test_completing_after_rows_is_no_refusal_whatever_errors_came() -> None:
    async def handler(peer: Peer) -> None:
        await peer.greet()
        await peer.send(numbered(1))
        await peer.send(said('{"errors":[{"message":"a blip"}]}'))
        await peer.send(COMPLETE)
        await peer.wait_closed()

    async with subscribed(handler) as scene:
        await until(lambda: scene.told.reconnects)
        await scene.stop()
    assert scene.told.reconnects[0] == "completed"


async def test_errors_of_one_session_say_nothing_of_the_next() -> None:
    sessions: list[Peer] = []

    async def handler(peer: Peer) -> None:
        sessions.append(peer)
        await peer.greet()
        if len(sessions) == 1:
            await peer.send(said('{"errors":[{"message":"a blip"}]}'))
            await peer.close(1012)
        else:
            await peer.send(COMPLETE)
        await peer.wait_closed()

    async with subscribed(handler) as scene:
        await until(lambda: len(scene.told.reconnects) == 2)
        await scene.stop()
    assert scene.told.reconnects[1] == "completed"


async def test_a_gap_begins_when_the_session_is_told_to_close_or_with_a_later_row() -> None:
    """What the endpoint has not sent until then it will not send, however long it takes to say goodbye."""
    keeper = FakeKeeper(token(1, expires_in=60.0))
    async with subscribed(Flow(pace=0.2), keeper=keeper) as scene:
        await until(lambda: len(scene.numbers) > 10)
        scene.upstream.lingers = 4.0
        keeper.put(token(2))
        await until(lambda: scene.told.gaps, within=100)
        assert 3.8 < scene.told.uncovered_seconds < 4.5
        await scene.stop()


async def test_it_is_reopened_with_the_next_token_before_this_one_ends() -> None:
    keeper, flow = FakeKeeper(token(1, expires_in=60.0)), Flow(pace=0.2)
    ends_at = anyio.current_time() + 60.0
    async with subscribed(flow, keeper=keeper) as scene:
        await until(lambda: len(scene.numbers) > 10)
        keeper.put(token(2))
        await until(lambda: flow.sessions == 2)
        assert anyio.current_time() < ends_at
        await scene.stop()
    assert flow.tokens == ["t1", "t2"]
    assert scene.told.reconnects == ["reopen"]
    assert State.REOPENING in scene.told.states
    assert scene.numbers == list(range(len(scene.numbers)))


async def test_another_subprotocol_is_offered_first_when_the_server_does_not_speak_what_it_selected() -> None:
    offered: list[tuple[Subprotocol, ...]] = []

    async def handler(peer: Peer) -> None:
        offered.append(peer.offered)
        if len(offered) == 1:
            await peer.close(1002, "no such protocol")
        else:
            await quiet(peer)

    async with subscribed(handler) as scene:
        await scene.until_state(State.LIVE)
        await scene.stop()
    assert offered == [SessionSettings().subprotocols, SessionSettings().subprotocols[::-1]]


async def test_where_both_subprotocols_are_refused_there_is_a_wait() -> None:
    async def handler(peer: Peer) -> None:
        await peer.close(1002, "no such protocol")

    async with subscribed(handler) as scene:
        await until(lambda: len(scene.told.reconnects) == 2)
        opened = len(scene.upstream.attempts)
        await anyio.sleep(20)  # half a minute at first
        assert len(scene.upstream.attempts) == opened
        await scene.stop()


async def test_another_target_is_tried_at_once_although_a_failure_is_waited_out() -> None:
    async with subscribed(quiet) as scene:
        scene.upstream.refusals.append(HandshakeRefused(404, "", None))  # half a minute at first
        await until(lambda: scene.told.reconnects)
        began = anyio.current_time()
        scene.runner.retarget(TARGET, SessionSettings())
        await scene.until_state(State.LIVE)
        assert anyio.current_time() - began < 1
        await scene.stop()

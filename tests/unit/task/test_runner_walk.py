"""The walk of a row through a subscription, and what is waited for before the first socket."""

from __future__ import annotations

import pytest

from connector.task import State
from tests.unit.publish.fakes import FakeBrokers
from tests.unit.task.fakes import FakeKeeper, token
from tests.unit.task.scenario import DLQ, Flow, brokers_with, numbered, said, subscribed, until
from tests.unit.task.upstream import Peer


async def test_every_row_that_was_sent_is_published_once_and_in_order() -> None:
    flow = Flow()
    async with subscribed(flow) as scene:
        await until(lambda: len(scene.numbers) > 100)
        await scene.stop()
        await until(lambda: not scene.upstream.open)
    assert scene.numbers == list(range(flow.sent))
    assert scene.told.rows_received == scene.told.rows_acknowledged == flow.sent
    assert scene.nothing_is_left()


async def test_a_record_carries_its_key_and_its_headers() -> None:
    async with subscribed(Flow()) as scene:
        await until(lambda: scene.numbers)
        await scene.stop()
    record = scene.brokers.records()[0]
    assert record.key == b"0"
    assert [name for name, _ in record.headers] == ["connector", "received_at"]


async def test_no_socket_is_opened_before_the_topic_was_found() -> None:
    async with subscribed(Flow(), brokers=FakeBrokers()) as scene:
        await scene.until_state(State.WAITING)
        await until(lambda: scene.last_error)
        assert scene.upstream.attempts == []
        scene.brokers.create("t")
        await until(lambda: scene.numbers)
        assert scene.last_error == ""
        await scene.stop()


async def test_no_socket_is_opened_before_the_dead_letter_topic_was_found() -> None:
    async with subscribed(Flow(), dead_letter_topic=DLQ) as scene:
        await until(lambda: "topic dlq" in scene.last_error)
        assert (scene.state, scene.upstream.attempts) == (State.WAITING, [])
        scene.brokers.create(DLQ)
        await until(lambda: scene.numbers)
        await scene.stop()


async def test_no_socket_is_opened_before_the_brokers_answered_whatever_the_topics_name_is() -> None:
    brokers = FakeBrokers()
    brokers.freeze()
    async with subscribed(Flow(), brokers=brokers, topic="t{n}") as scene:
        await scene.until_state(State.WAITING)
        await until(lambda: scene.last_error)
        await scene.stop()
        assert scene.upstream.attempts == []


async def test_rows_find_the_topics_of_their_fields() -> None:
    async def ten(peer: Peer) -> None:
        await peer.greet()
        for number in range(10):
            await peer.send(numbered(number))
        await peer.wait_closed()

    brokers = brokers_with(*(f"t.{number}" for number in range(10)))
    async with subscribed(ten, brokers=brokers, topic="t.{n}") as scene:
        await until(lambda: scene.told.rows_acknowledged == 10)
        await scene.stop()
    assert all(len(brokers.values(f"t.{number}")) == 1 for number in range(10))


async def test_its_states_are_told_in_their_order_with_the_token_in_the_url() -> None:
    flow = Flow()
    async with subscribed(flow, keeper=FakeKeeper(token(7))) as scene:
        await until(lambda: scene.numbers)
        await scene.stop()
    states = [state.value for state in scene.told.states]
    opening = ["token", "connecting", "initialising", "subscribing", "live", "stopped"]
    assert [state for state in states if state != "waiting"] in (opening, ["token", *opening])
    assert flow.tokens == ["t7"]
    assert scene.told.sessions == 1


@pytest.mark.parametrize("message", [said('{"errors":[{"message":"\\xff"}]}').encode("latin-1"), b"{}"])
async def test_broken_messages_end_sessions_and_never_the_subscription(message: bytes) -> None:
    flow, broken = Flow(), list[Peer]()

    async def handler(peer: Peer) -> None:
        if broken:
            await flow(peer)
            return
        broken.append(peer)
        await peer.greet()
        await peer.send(message.replace(b"\\xff", b"\xff"))
        await peer.close(1011, "broken")

    async with subscribed(handler) as scene:
        await until(lambda: len(scene.numbers) > 5)
        await scene.stop()

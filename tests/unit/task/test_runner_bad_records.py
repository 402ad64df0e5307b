"""Records that cannot be published: what a subscription fails for, and what it tolerates."""

from __future__ import annotations

import pytest
from structlog.testing import capture_logs

from connector.task import State, Tolerance
from tests.unit.task.scenario import (
    DLQ,
    Flow,
    brokers_with,
    numbered,
    numbers_in,
    said,
    subscribed,
    until,
)
from tests.unit.task.upstream import Peer

TOLERANT = Tolerance(bad=True, failures=50, rows=100)


async def test_a_poisoned_record_fails_the_subscription_and_rows_around_it_are_published() -> None:
    async with subscribed(Flow(), brokers=brokers_with("t", bad={50})) as scene:
        with capture_logs() as lines:
            await scene.until_state(State.FAILED)
        await until(lambda: not scene.upstream.open)
        assert not scene.ended.is_set()
        assert "refused for invalid" in scene.last_error
        assert scene.told.failed == ["invalid"]
        assert [line["log_level"] for line in lines if "cannot be published" in line["event"]] == ["error"]
        assert scene.nothing_is_left()
        received = scene.told.rows_received
        await scene.stop()
    assert sorted(scene.numbers) == [number for number in range(received) if number != 50]
    assert received > 50


async def test_a_poisoned_record_goes_to_the_dead_letter_topic_and_the_subscription_stays_live() -> None:
    brokers = brokers_with("t", DLQ, bad={50})
    async with subscribed(Flow(), brokers=brokers, tolerance=TOLERANT, dead_letter_topic=DLQ) as scene:
        await until(lambda: len(scene.numbers) > 100)
        assert scene.state is State.LIVE
        assert "refused for invalid" in scene.last_error
        await scene.stop()
    received = scene.told.rows_received
    assert sorted(scene.numbers) == [number for number in range(received) if number != 50]
    assert numbers_in(brokers, DLQ) == [50]
    assert (scene.told.failed, scene.told.letters, scene.told.skipped) == (["invalid"], ["invalid"], [])
    assert scene.told.rows_acknowledged == received - 1
    assert scene.nothing_is_left()
    assert scene.told.sessions == 1
    letter = dict(brokers.records(DLQ)[0].headers)
    assert letter["connector"] == b"c"
    assert "received_at" in letter


async def test_that_a_session_lasts_is_no_relief_of_a_row_that_it_brought() -> None:
    brokers = brokers_with("t", DLQ, bad={3})
    async with subscribed(Flow(0.1), brokers=brokers, tolerance=TOLERANT, dead_letter_topic=DLQ) as scene:
        await until(lambda: len(scene.numbers) > 100)  # it is proven by then
        assert "refused for invalid" in scene.last_error
        await scene.stop()


async def test_without_a_dead_letter_topic_a_poisoned_record_is_skipped() -> None:
    async with subscribed(Flow(), brokers=brokers_with("t", bad={50}), tolerance=TOLERANT) as scene:
        await until(lambda: len(scene.numbers) > 100)
        await scene.stop()
    assert sorted(scene.numbers) == [number for number in range(scene.told.rows_received) if number != 50]
    assert (scene.told.skipped, scene.told.letters) == (["invalid"], [])


@pytest.mark.parametrize("dead_letter_topic", [DLQ, None])
async def test_when_all_are_bad_it_fails_with_what_came_before_accounted_for(
    dead_letter_topic: str | None,
) -> None:
    brokers = brokers_with("t", DLQ, bad=set(range(30, 90)))
    async with subscribed(
        Flow(limit=90), brokers=brokers, tolerance=TOLERANT, dead_letter_topic=dead_letter_topic
    ) as scene:
        await scene.until_state(State.FAILED)
        await until(lambda: not scene.upstream.open)
        assert "50 of the last 100 rows" in scene.last_error
        assert scene.nothing_is_left()
        received = scene.told.rows_received
        await scene.stop()
    assert received >= 80
    assert scene.numbers == list(range(30))
    assert len(scene.told.failed) == received - 30
    if dead_letter_topic:
        assert numbers_in(brokers, DLQ) == list(range(30, received))


async def test_a_row_whose_fields_name_the_dead_letter_topic_is_bad() -> None:
    async def four(peer: Peer) -> None:
        await peer.greet()
        for number in ('"t.0"', '"dlq"', '"__consumer_offsets"', '"a/b"'):
            await peer.send(said(f'{{"data":{{"rows":[{{"n":{number}}}]}}}}'))
        await peer.wait_closed()

    brokers = brokers_with("t", "t.0", DLQ)
    async with subscribed(
        four, brokers=brokers, topic="{n}", tolerance=TOLERANT, dead_letter_topic=DLQ
    ) as scene:
        await until(lambda: len(scene.told.letters) == 3)
        await scene.stop()
    assert brokers.values("t.0") == [b'{"n":"t.0"}']
    assert brokers.values(DLQ) == [b'{"n":"dlq"}', b'{"n":"__consumer_offsets"}', b'{"n":"a/b"}']
    assert [record.key for record in brokers.records(DLQ)] == [b"dlq", b"__consumer_offsets", b"a/b"]
    stages = [dict(record.headers)["__connect.errors.stage"] for record in brokers.records(DLQ)]
    assert stages == [b"TRANSFORMATION"] * 3


BROKEN_RESULT = '{"id":"1","type":"next","payload":{"data":{"rows":[{"n":s3cret'


NOT_ALL_ROWS = [
    BROKEN_RESULT,
    said('{"data":["s3cret"]}'),
    said('{"data":{"rows":"s3cret"}}'),
    said('{"data":{"rows":[{"n":"s3cret"}],"rows":[{"n":2}]}}'),
    said('{"data":{"rows":[{"n":"s3cret"}]},"pending":[{"id":"0","path":["rows"]}],"hasNext":true}'),
    said('{"incremental":[{"items":[{"n":"s3cret"}],"path":["rows",0]}],"hasNext":false}'),
]


@pytest.mark.parametrize("tolerant", [True, False])
@pytest.mark.parametrize("broken", NOT_ALL_ROWS)
async def test_a_result_that_cannot_be_read(tolerant: bool, broken: str) -> None:
    async def handler(peer: Peer) -> None:
        await peer.greet()
        await peer.send(numbered(1))
        await peer.send(broken)
        await peer.send(numbered(2))
        await peer.wait_closed()

    brokers = brokers_with("t", DLQ)
    tolerance = TOLERANT if tolerant else Tolerance()
    async with subscribed(
        handler, brokers=brokers, tolerance=tolerance, dead_letter_topic=DLQ, object_rows=True
    ) as scene:
        if tolerant:
            await until(lambda: scene.numbers == [1, 2] and scene.told.letters)
            assert scene.told.reconnects == []
        else:
            await until(lambda: scene.told.reconnects)
            assert scene.told.reconnects[0] == "protocol_violation"
        await scene.stop()
    kept = broken.replace("s3cret", "***").encode()
    assert brokers.values(DLQ) == ([kept] if tolerant else [])
    assert scene.told.failed == (["frame"] if tolerant else [])
    assert scene.told.letters == scene.told.failed


async def test_a_frame_of_another_protocol_ends_the_session_and_is_kept() -> None:
    sessions: list[Peer] = []

    async def handler(peer: Peer) -> None:
        await peer.greet()
        sessions.append(peer)
        await peer.send(numbered(len(sessions)))
        await peer.send("<html>s3cret</html>")
        await peer.wait_closed()

    brokers, only_one = brokers_with("t", DLQ), Tolerance(bad=True, failures=1, rows=1)
    async with subscribed(handler, brokers=brokers, tolerance=only_one, dead_letter_topic=DLQ) as scene:
        await until(lambda: len(scene.told.letters) >= 2)
        assert scene.state is not State.FAILED  # it is no row
        await scene.stop()
    assert set(brokers.values(DLQ)) == {b"<html>***</html>"}
    assert set(scene.told.letters) == {"protocol"}
    assert scene.told.failed == []
    assert scene.told.reconnects[:2] == ["protocol_violation"] * 2
    assert dict(brokers.records(DLQ)[0].headers)["__connect.errors.stage"] == b"TASK_POLL"

"""Other settings while rows flow: the next producer has them, and nothing is lost, doubled or reordered."""

from dataclasses import replace

import anyio
import pytest

from connector.errors import RetriableError
from connector.kafka import BrokerUnreachable, ProducerBroken
from tests.unit.publish.fakes import FakeBrokers
from tests.unit.publish.rows import KAFKA, Seen, numbered, publish, publishing

OTHER = replace(KAFKA, client_id="other")


async def test_the_same_settings_change_nothing(brokers: FakeBrokers) -> None:
    seen = Seen()
    async with publishing(brokers, seen) as publisher:
        await publish(publisher, seen, numbered([1]))
        await seen.all_settled()
        publisher.reconfigure(replace(KAFKA))
        await anyio.sleep(60)
    assert (brokers.settings, len(brokers.producers)) == ([], 1)


async def test_what_is_in_flight_lands_and_the_rest_goes_to_the_next_producer_in_order(
    brokers: FakeBrokers,
) -> None:
    seen = Seen()
    brokers.latency["t", 0] = 2.0
    async with publishing(brokers, seen) as publisher:
        for start in range(0, 40, 10):
            await publish(publisher, seen, numbered(range(start, start + 10)))
            await anyio.sleep(0.1)
        await anyio.sleep(1.0)  # the first batch is written, and not yet acknowledged
        publisher.reconfigure(OTHER)
        await seen.all_settled()
        first, second = brokers.producers
        assert brokers.settings == [OTHER]
        assert (first.closed, second.closed) == ("discarded", None)
    assert brokers.values() == [b"%06d" % number for number in range(40)]
    assert (seen.rebuilt, brokers.most_in_flight) == (0, 1)
    assert seen.states == ["connecting", "up"]


async def test_the_old_producer_delivers_until_another_starts(brokers: FakeBrokers) -> None:
    seen = Seen()
    async with publishing(brokers, seen) as publisher:
        await publish(publisher, seen, numbered([1]))
        brokers.start_errors.extend([BrokerUnreachable("wrong password")] * 6)
        publisher.reconfigure(OTHER)
        for number in range(2, 30):
            await publish(publisher, seen, numbered([number]))
            began = anyio.current_time()
            await seen.all_settled()
            assert anyio.current_time() - began < 1
            await anyio.sleep(5)
        assert len(brokers.producers) == 2
        assert brokers.producers[0].closed == "discarded"
    assert brokers.values() == [b"%06d" % number for number in range(1, 30)]


async def test_settings_that_come_while_others_are_tried_are_tried_at_once(brokers: FakeBrokers) -> None:
    seen = Seen()
    async with publishing(brokers, seen) as publisher:
        await publish(publisher, seen, numbered([1]))
        brokers.start_errors.extend([BrokerUnreachable("wrong password")] * 10)
        publisher.reconfigure(OTHER)
        await anyio.sleep(40)
        brokers.start_errors.clear()
        publisher.reconfigure(KAFKA)
        await anyio.sleep(0.2)
        assert len(brokers.producers) == 2


async def test_at_the_start_too_new_settings_are_tried_at_once(brokers: FakeBrokers) -> None:
    seen = Seen()
    brokers.start_errors.extend([BrokerUnreachable("wrong password")] * 1000)
    async with publishing(brokers, seen) as publisher:
        await anyio.sleep(200)
        assert (publisher.state, publisher.error) == ("connecting", "wrong password")
        brokers.start_errors.clear()
        publisher.reconfigure(OTHER)
        await anyio.sleep(0.2)
        assert (publisher.state, publisher.error) == ("up", None)


async def test_settings_that_come_while_a_producer_starts_are_not_missed(brokers: FakeBrokers) -> None:
    async with publishing(brokers, Seen()) as publisher:
        await anyio.sleep(0.005)
        assert brokers.producers == []
        publisher.reconfigure(OTHER)
        await anyio.sleep(1)
        assert [producer.closed for producer in brokers.producers] == ["discarded", None]


async def test_a_producer_that_breaks_meanwhile_is_replaced_by_one_with_the_new_settings(
    brokers: FakeBrokers,
) -> None:
    seen = Seen()
    async with publishing(brokers, seen) as publisher:
        await publish(publisher, seen, numbered([1]))
        await seen.all_settled()
        brokers.start_errors.append(BrokerUnreachable("not yet"))
        publisher.reconfigure(OTHER)
        brokers.failures["t", 0].append(ProducerBroken("gone"))
        await publish(publisher, seen, numbered(range(2, 9)))
        await seen.all_settled()
        await anyio.sleep(60)
        assert [producer.closed for producer in brokers.producers[:-1]] == ["discarded"] * (
            len(brokers.producers) - 1
        )
    assert brokers.values() == [b"%06d" % number for number in range(1, 9)]


@pytest.mark.parametrize("pause", [0.0, 0.005, 0.012, 0.02, 0.5, 3.0])
async def test_no_producer_is_forgotten_when_all_is_cancelled(brokers: FakeBrokers, pause: float) -> None:
    seen = Seen()
    brokers.latency["t", 0] = 2.0
    async with publishing(brokers, seen) as publisher:
        await publish(publisher, seen, numbered([1]))
        await anyio.sleep(0.1)
        publisher.reconfigure(OTHER)
        await anyio.sleep(pause)
    assert all(producer.closed for producer in brokers.producers)


async def test_a_stall_is_explained_once_for_each_reason(brokers: FakeBrokers) -> None:
    seen = Seen()
    async with publishing(brokers, seen) as publisher:
        await publish(publisher, seen, numbered([1]))
        await seen.all_settled()
        brokers.freeze()
        brokers.reason = "the certificate has expired"
        await publish(publisher, seen, numbered([2]))
        await anyio.sleep(13)
        assert (publisher.state, publisher.error) == ("stalled", "the certificate has expired")
        brokers.reason = None
        await anyio.sleep(20)
        assert (publisher.state, publisher.error, brokers.explained) == ("stalled", None, 2)
        brokers.thaw()
        await seen.all_settled()
        await anyio.sleep(60)
        assert (publisher.state, brokers.explained) == ("up", 2)


async def test_an_error_of_any_kind_is_told(brokers: FakeBrokers) -> None:
    brokers.start_errors.append(RetriableError("no token"))
    async with publishing(brokers, Seen()) as publisher:
        await anyio.sleep(0.1)
        assert publisher.error == "no token"

"""With epochs a producer is replaced between two of them, and its successor starts when it is gone."""

from dataclasses import replace

import anyio
import pytest
import structlog
from structlog.testing import capture_logs

from connector.kafka import BrokerUnreachable, ProducerBroken
from tests.unit.publish.fakes import FakeBrokers, FakeProducer
from tests.unit.publish.rows import KAFKA, NOW, Seen, numbered, publishing
from tests.unit.publish.test_epochs import COMMITTED, committing, values

OTHER = replace(KAFKA, client_id="other")


class Exclusive(FakeBrokers):
    """Brokers that count the producers that were started while another was in use."""

    def __init__(self) -> None:
        super().__init__()
        self.fenced = 0
        self.create("t")

    async def start_producer(self) -> FakeProducer:
        self.fenced += any(producer.closed is None for producer in self.producers)
        return await super().start_producer()


async def test_the_successor_starts_when_the_epoch_has_ended_and_the_old_producer_is_gone() -> None:
    brokers, seen = Exclusive(), Seen()
    with capture_logs() as lines:
        structlog.configure(cache_logger_on_first_use=False)
        async with committing(brokers, seen) as (publisher, epochs):
            publisher.add({"t": numbered([0])}, seen.submission(1), NOW)
            publisher.reconfigure(OTHER)
            await anyio.sleep(60)
            publisher.add({"t": numbered([1])}, seen.submission(1), NOW)  # of the same epoch
            await epochs.close()
            publisher.add({"t": numbered([2])}, seen.submission(1), NOW)
            await anyio.sleep(60)
            assert len(brokers.producers) == 1
            epochs.end()
            await epochs.close()
            epochs.end()
            old, new = brokers.producers
            assert (old.acknowledged, new.acknowledged) == (values(0, 1), values(2))
            assert (old.closed, new.closed) == ("discarded", None)
            await anyio.sleep(60)
    assert (brokers.fenced, brokers.settings, seen.rebuilt) == (0, [OTHER], 0)
    assert len(seen.settled) == 3
    assert brokers.values() == values(0, 1, 2)
    assert [line["reason"] for line in lines if line["event"] == "kafka producer replaced"] == [
        "the settings of kafka changed"
    ]


async def test_between_two_epochs_the_producer_is_replaced_at_once() -> None:
    brokers, seen = Exclusive(), Seen()
    async with committing(brokers, seen) as (publisher, epochs):
        publisher.reconfigure(OTHER)
        publisher.add({"t": numbered([0])}, seen.submission(1), NOW)
        await epochs.close()
        old, new = brokers.producers
        assert (old.acknowledged, new.acknowledged) == ([], values(0))
    assert brokers.fenced == 0


async def test_settings_that_come_while_a_producer_starts_lead_to_another() -> None:
    brokers = Exclusive()
    async with publishing(brokers, Seen(), COMMITTED) as publisher:
        await anyio.sleep(0.005)
        assert brokers.producers == []
        publisher.reconfigure(OTHER)
        await anyio.sleep(1)
        assert [producer.closed for producer in brokers.producers] == ["discarded", None]
    assert brokers.fenced == 0


async def test_rows_wait_for_a_successor_that_does_not_start_and_corrected_settings_are_tried_at_once() -> (
    None
):
    brokers, seen = Exclusive(), Seen()
    async with committing(brokers, seen) as (publisher, epochs):
        brokers.start_errors.extend([BrokerUnreachable("wrong password")] * 1000)
        publisher.reconfigure(OTHER)
        publisher.add({"t": numbered([0])}, seen.submission(1), NOW)
        await anyio.sleep(200)
        assert (publisher.state, publisher.error, publisher.held) == ("connecting", "wrong password", 1)
        brokers.start_errors.clear()
        publisher.reconfigure(KAFKA)
        with anyio.fail_after(1):
            await epochs.close()
        epochs.end()
    assert (brokers.fenced, len(seen.settled)) == (0, 1)


async def test_a_producer_that_breaks_before_the_boundary_is_followed_by_one_with_the_new_settings() -> None:
    brokers, seen = Exclusive(), Seen()
    async with committing(brokers, seen) as (publisher, epochs):
        brokers.failures["t", 0].append(ProducerBroken("gone"))
        publisher.add({"t": numbered([0])}, seen.submission(1), NOW)
        publisher.reconfigure(OTHER)
        await epochs.close()
        epochs.end()
        await anyio.sleep(60)
        assert len(brokers.producers) == 2
    assert (brokers.fenced, seen.rebuilt, len(seen.settled)) == (0, 1, 1)


@pytest.mark.parametrize("pause", [0.0, 0.005, 0.015, 0.03])
async def test_no_producer_is_forgotten_when_all_is_cancelled_at_the_boundary(pause: float) -> None:
    brokers, seen = Exclusive(), Seen()
    async with committing(brokers, seen) as (publisher, epochs):
        publisher.add({"t": numbered([0])}, seen.submission(1), NOW)
        publisher.reconfigure(OTHER)
        await epochs.close()
        epochs.end()
        await anyio.sleep(pause)
    assert all(producer.closed for producer in brokers.producers)

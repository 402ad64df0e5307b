"""One producer after the other: rebuilding, quiescing, watching, stopping."""

import anyio
import pytest
import structlog
from structlog.testing import capture_logs

from connector.kafka import BrokerUnreachable, NotAllowed, ProducerBroken
from connector.publish import PublishSettings
from tests.unit.publish.fakes import FakeBrokers
from tests.unit.publish.rows import Seen, numbered, publish, publishing, row


async def test_a_refused_batch_lets_batches_of_other_senders_land_and_nothing_is_sent_twice() -> None:
    brokers, seen = FakeBrokers(), Seen()
    brokers.create("t", refuses=lambda record: "invalid" if record.value == b"000007" else None)
    brokers.create("slow")
    brokers.latency["slow", 0] = 3.0
    slow = Seen()
    async with publishing(brokers, seen) as publisher:
        await publish(publisher, slow, numbered(range(5)), "slow")
        await anyio.sleep(0.001)
        await publish(publisher, slow, numbered(range(5, 10)), "slow")
        await publish(publisher, seen, numbered(range(20)))
        await seen.all_settled()
        await slow.all_settled()

    assert brokers.values("slow") == [b"%06d" % number for number in range(10)]
    assert brokers.values() == [b"%06d" % number for number in range(20) if number != 7]
    assert seen.rebuilt == len(seen.refused) == brokers.refused > 1
    assert set(seen.refused) == {"invalid"}
    assert [producer.begun_when_broken for producer in brokers.producers] == [0] * len(brokers.producers)
    assert {producer.closed for producer in brokers.producers[:-1]} == {"discarded"}


async def test_content_that_is_refused_is_no_word_of_the_brokers_state(brokers: FakeBrokers) -> None:
    seen = Seen()
    brokers.create("bad", refuses=lambda record: "invalid")
    structlog.configure(cache_logger_on_first_use=False)
    with capture_logs() as lines:
        async with publishing(brokers, seen) as publisher:
            await publish(publisher, seen, numbered(range(20)), "bad")
            await seen.all_settled()
            assert seen.rebuilt > 20
            brokers.failures["t", 0].append(ProducerBroken("gone"))
            await publish(publisher, seen, numbered([1]))
            await seen.all_settled()
            await anyio.sleep(1)
    assert [line["event"] for line in lines if line["event"] == "kafka answers"] == ["kafka answers"] * 2


async def test_what_does_not_land_in_time_is_sent_again() -> None:
    brokers, seen, slow = FakeBrokers(), Seen(), Seen()
    brokers.create("t", refuses=lambda record: "invalid")
    brokers.create("slow")
    brokers.latency["slow", 0] = 100.0
    async with publishing(brokers, seen) as publisher:
        await publish(publisher, slow, numbered([1]), "slow")
        await anyio.sleep(0.001)
        began = anyio.current_time()
        await publish(publisher, seen, numbered([1]))
        await seen.all_settled()
        await anyio.sleep(began + 4.9 - anyio.current_time())
        assert len(brokers.producers) == 1
        await anyio.sleep(0.5)
        assert len(brokers.producers) == 2
        brokers.latency["slow", 0] = 0.01
        await slow.all_settled()
    assert brokers.values("slow") == [b"000001"]


@pytest.mark.parametrize("error", [ProducerBroken("gone"), NotAllowed("to write to topic t")])
async def test_rows_survive_broken_producers(brokers: FakeBrokers, error: ProducerBroken) -> None:
    seen = Seen()
    brokers.failures["t", 0].extend([error] * 4)
    async with publishing(brokers, seen) as publisher:
        await publish(publisher, seen, numbered(range(20)))
        await anyio.sleep(0.001)
        await publish(publisher, seen, numbered(range(20, 30)))
        await seen.all_settled()
    assert brokers.values() == [b"%06d" % number for number in range(30)]
    assert (seen.rebuilt, len(brokers.producers), seen.failed) == (4, 5, [])


async def test_trouble_long_ago_does_not_slow_down_the_next_rebuild(brokers: FakeBrokers) -> None:
    seen = Seen()
    async with publishing(brokers, seen) as publisher:
        for number in range(30):
            brokers.failures["t", 0].append(ProducerBroken("gone"))
            began = anyio.current_time()
            await publish(publisher, seen, numbered([number]))
            await seen.all_settled()
            assert anyio.current_time() - began < 3
    assert seen.rebuilt == 30


async def test_an_outage_at_the_start_only_delays(brokers: FakeBrokers) -> None:
    seen = Seen()
    brokers.start_errors.extend([BrokerUnreachable("no answer from nowhere:9092")] * 5)
    async with publishing(brokers, seen) as publisher:
        publisher.topic("t")
        assert not publisher.answered.is_set()
        await publish(publisher, seen, numbered([1]))
        await seen.all_settled()
        assert publisher.answered.is_set()
    assert seen.states == ["connecting", "up"]
    assert seen.rebuilt == 0


async def test_brokers_that_do_not_answer_are_stalled_and_then_up(brokers: FakeBrokers) -> None:
    seen = Seen()
    async with publishing(brokers, seen) as publisher:
        await publish(publisher, seen, numbered([1]))
        await seen.all_settled()
        brokers.freeze()
        await publish(publisher, seen, numbered([2]))
        await anyio.sleep(9)
        assert publisher.state == "up"
        await anyio.sleep(3)
        assert publisher.state == "stalled"
        brokers.thaw()
        await seen.all_settled()
        await anyio.sleep(2)
        assert publisher.state == "up"
    assert seen.states == ["connecting", "up", "stalled", "up"]
    assert seen.rebuilt == 0
    assert brokers.values() == [b"000001", b"000002"]


async def test_brokers_that_never_answer_get_another_producer(brokers: FakeBrokers) -> None:
    seen = Seen()
    settings = PublishSettings(give_up_after=20.0)
    async with publishing(brokers, seen, settings) as publisher:
        await publisher.topic("t").ready.wait()
        brokers.freeze()
        await publish(publisher, seen, numbered([1]))
        await publish(publisher, seen, numbered([2]))
        await anyio.sleep(40)
        assert (seen.rebuilt, publisher.state) == (1, "connecting")
        brokers.thaw()
        await seen.all_settled()
    assert brokers.values() == [b"000001", b"000002"]


async def test_a_publisher_with_nothing_left_stops_and_another_discards(brokers: FakeBrokers) -> None:
    seen = Seen()
    async with publishing(brokers, seen) as publisher:
        await publish(publisher, seen, numbered([1]))
        await seen.all_settled()
        assert publisher.held == 0
    assert brokers.producers[0].closed == "stopped"

    async with publishing(brokers, seen) as publisher:
        await publisher.topic("t").ready.wait()
        brokers.freeze()
        await publish(publisher, seen, numbered([1]))
        assert publisher.held == 1
    assert brokers.producers[1].closed == "discarded"


async def test_replaced_times_are_told_with_the_frame_that_had_them(brokers: FakeBrokers) -> None:
    seen = Seen()
    async with publishing(brokers, seen) as publisher:
        await publisher.topic("t").ready.wait()
        late = [row(b"", moment=10**15), row(b"", moment=10**15), row(b"")]
        assert publisher.add({"t": late}, seen.submission(3), 10**12) == 2
        assert publisher.add({"t": numbered([1])}, seen.submission(1), 10**12) == 0
        await seen.all_settled()


async def test_topics_of_one_frame_share_its_submission(brokers: FakeBrokers) -> None:
    seen = Seen()
    brokers.create("u")
    brokers.latency["u", 0] = 5.0
    async with publishing(brokers, seen) as publisher:
        await publisher.topic("t").ready.wait()
        await publisher.topic("u").ready.wait()
        submission = seen.submission(3)
        publisher.add({"t": numbered([1, 2]), "u": numbered([3])}, submission, 0)
        await anyio.sleep(1)
        assert (submission.pending, seen.settled) == (1, [])
        await seen.all_settled()
    assert seen.settled == [submission]


async def test_a_topic_is_the_same_for_everybody(brokers: FakeBrokers) -> None:
    async with publishing(brokers, Seen()) as publisher:
        assert publisher.topic("t") is publisher.topic("t")


async def test_a_refused_topic_does_not_hold_up_its_siblings_for_long(brokers: FakeBrokers) -> None:
    seen, others = Seen(), Seen()
    brokers.create("u")
    brokers.failures["t", 0].extend([NotAllowed("to write to topic t")] * 1000)
    async with publishing(brokers, seen) as publisher:
        await publish(publisher, seen, numbered([1]))
        began = anyio.current_time()
        for number in range(200):
            await publish(publisher, others, numbered([number]), "u")
            await others.all_settled()
            await anyio.sleep(1)
        assert anyio.current_time() - began < 300
    assert brokers.values("u") == [b"%06d" % number for number in range(200)]
    assert seen.rebuilt < 30
    assert publisher.held == 1


@pytest.mark.parametrize("error", [ProducerBroken("gone"), NotAllowed("to write to topic t")])
@pytest.mark.parametrize("wait", range(10))
async def test_a_topic_is_found_while_another_breaks_every_producer(
    brokers: FakeBrokers, error: ProducerBroken, wait: int
) -> None:
    seen = Seen()
    brokers.failures["t", 0].extend([error] * 10_000)
    async with publishing(brokers, seen) as publisher:
        await publish(publisher, seen, numbered([1]))
        await anyio.sleep(5 * wait)
        brokers.create("new")
        began = anyio.current_time()
        await publisher.topic("new").ready.wait()
        assert anyio.current_time() - began < (0.5 if isinstance(error, NotAllowed) else 60)

"""The finder of topics: found, created, missing, gone."""

import anyio
import pytest
import structlog
from structlog.testing import capture_logs

from connector.kafka import BrokerUnreachable, NewTopics, NotAllowed, TopicLimits, positive_hash
from connector.publish import PublishSettings
from tests.unit.publish.fakes import FakeBrokers
from tests.unit.publish.rows import Seen, numbered, publish, publishing, row

KEY = next(key for key in (b"%d" % number for number in range(99)) if positive_hash(key) % 5 == 4)
"""Its partition goes when five become two."""

CREATE = PublishSettings(create=NewTopics(partitions=3))


@pytest.fixture(autouse=True)
def _no_cached_loggers() -> None:
    structlog.configure(cache_logger_on_first_use=False)


async def test_without_create_a_missing_topic_is_told_once_and_becomes_ready_later() -> None:
    brokers, seen = FakeBrokers(), Seen()
    with capture_logs() as logs:
        async with publishing(brokers, seen) as publisher:
            topic = publisher.topic("late")
            await anyio.sleep(300)
            assert not topic.ready.is_set()
            assert topic.explain() == "topic late does not exist: create it, or set topics.create to true"
            brokers.create("late", 2)
            await topic.ready.wait()
            assert (len(topic.senders), topic.error) == (2, None)
            await publish(publisher, seen, numbered(range(10)), "late")
            await seen.all_settled()
    assert [log["event"] for log in logs if log.get("topic") == "late"] == [
        "topic is not ready",
        "topic is ready",
    ]
    assert brokers.admin_calls == []
    assert len(brokers.producers) == 1


async def test_missing_topics_do_not_hold_up_others() -> None:
    brokers, seen = FakeBrokers(), Seen()
    brokers.create("here")
    async with publishing(brokers, seen) as publisher:
        for number in range(10):
            publisher.topic(f"missing-{number}")
        began = anyio.current_time()
        await publisher.topic("here").ready.wait()
        assert anyio.current_time() - began < 1


async def test_topics_are_created_and_their_limits_learned() -> None:
    brokers, seen = FakeBrokers(), Seen()
    brokers.create("old", 1, limits=TopicLimits(max_batch_bytes=1000))
    async with publishing(brokers, seen, CREATE) as publisher:
        old, new = publisher.topic("old"), publisher.topic("new")
        await old.ready.wait()
        await new.ready.wait()
        assert (len(old.senders), len(new.senders)) == (1, 3)
        submission = await publish(publisher, seen, [row(b"x" * 2000)], "old")
        assert len(submission.errors) == 1
    assert brokers.refused == 0


async def test_what_a_topic_was_created_with_is_known_though_brokers_have_not_heard() -> None:
    brokers, seen = FakeBrokers(), Seen()
    brokers.is_slow_to_hear = True
    create = PublishSettings(create=NewTopics(config={"max.message.bytes": "1000"}))
    async with publishing(brokers, seen, create) as publisher:
        await publisher.topic("new").ready.wait()
        await publish(publisher, seen, [row(b"x" * 300) for _ in range(30)], "new")
        submission = await publish(publisher, seen, [row(b"x" * 2000)], "new")
        await seen.all_settled()
        assert len(submission.errors) == 1
    assert brokers.refused == 0
    assert len(brokers.values("new")) == 30


async def test_the_refusal_of_one_topic_does_not_hold_up_others() -> None:
    brokers, seen = FakeBrokers(), Seen()
    brokers.create_errors["bad"] = BrokerUnreachable("topic bad could not be created: a policy")
    brokers.create_errors["forbidden"] = NotAllowed("to create topic forbidden")
    async with publishing(brokers, seen, CREATE) as publisher:
        bad, forbidden = publisher.topic("bad"), publisher.topic("forbidden")
        await publisher.topic("good").ready.wait()
        await anyio.sleep(60)
        assert bad.error == "topic bad could not be created: a policy"
        assert forbidden.error is not None
        assert "to create topic forbidden" in forbidden.error
        del brokers.create_errors["bad"]
        await bad.ready.wait()
        assert not forbidden.ready.is_set()


async def test_who_may_not_create_a_topic_may_still_write_to_it() -> None:
    brokers, seen = FakeBrokers(), Seen()
    brokers.create("theirs")
    brokers.create_errors["theirs"] = NotAllowed("to create topic theirs")
    async with publishing(brokers, seen, CREATE) as publisher:
        await publish(publisher, seen, numbered([1]), "theirs")
        await seen.all_settled()
    assert brokers.values("theirs") == [b"000001"]


async def test_more_partitions_are_noticed_and_used() -> None:
    brokers, seen = FakeBrokers(), Seen()
    grown = brokers.create("t", 1)
    async with publishing(brokers, seen) as publisher:
        await publish(publisher, seen, numbered(range(4)))
        grown.partitions = 4
        await anyio.sleep(61)
        await publish(publisher, seen, numbered(range(4, 12)))
        await seen.all_settled()
    assert [len(brokers.values("t", number)) for number in range(4)] == [6, 2, 2, 2]
    assert len(brokers.producers) == 1


async def test_a_topic_that_is_gone_is_created_again_without_another_producer() -> None:
    brokers, seen = FakeBrokers(), Seen()
    async with publishing(brokers, seen, CREATE) as publisher:
        await publish(publisher, seen, numbered(range(30)))
        await seen.all_settled()
        del brokers.topics["t"]
        brokers.batches.clear()
        await publish(publisher, seen, numbered(range(30, 60)))
        await seen.all_settled()
    assert sum(len(brokers.values("t", number)) for number in range(3)) == 30
    assert len(brokers.producers) == 1


@pytest.mark.parametrize("settings", [CREATE, PublishSettings()], ids=["create", "existing"])
async def test_a_topic_that_is_gone_while_its_batch_waits_is_looked_for_and_told(
    settings: PublishSettings,
) -> None:
    brokers, seen = FakeBrokers(), Seen()
    brokers.create("t")
    async with publishing(brokers, seen, settings) as publisher:
        await publish(publisher, seen, numbered(range(3)))
        await seen.all_settled()
        brokers.admin_calls.clear()
        brokers.freeze()
        await publish(publisher, seen, numbered(range(3)))
        await anyio.sleep(0.1)
        del brokers.topics["t"]
        brokers.missing = {"t"}
        await anyio.sleep(8)
        if settings.create is not None:
            assert brokers.topics["t"].partitions == 3
            await anyio.sleep(8)
            assert "is created" in (publisher.error or "")
        else:
            assert publisher.topics_not_ready == 1
            assert publisher.error == "topic t does not exist: create it, or set topics.create to true"
            brokers.create("t")
        brokers.missing = set()
        brokers.thaw()
        await seen.all_settled()
    assert len(brokers.producers) == 1


async def test_a_topic_that_is_gone_holds_up_nobody_and_comes_back_with_fewer_partitions() -> None:
    brokers, seen = FakeBrokers(), Seen()
    brokers.create("t", 5)
    brokers.create("other")
    others = Seen()
    with capture_logs() as logs:
        async with publishing(brokers, seen) as publisher:
            await publish(publisher, seen, numbered(range(20)))
            await seen.all_settled()
            del brokers.topics["t"]
            await publish(publisher, seen, [row(b"%d" % number, key=KEY) for number in range(20)])
            await publish(publisher, seen, numbered(range(20)))  # every sender finds out by itself
            await publish(publisher, others, numbered(range(5)), "other")
            await others.all_settled()
            await anyio.sleep(600)
            assert (len(seen.settled), seen.rebuilt, publisher.state) == (1, 0, "stalled")
            assert publisher.held == 40
            brokers.batches.clear()
            brokers.create("t", 2)
            await seen.all_settled()
            assert len(publisher.topic("t").senders) == 2
            await publish(publisher, seen, numbered(range(4)))
            await seen.all_settled()
    keyed = [
        record.value for number in range(2) for record in brokers.records("t", number) if record.key == KEY
    ]
    assert keyed == [b"%d" % number for number in range(20)]
    assert seen.rebuilt == 1
    told = [log["event"] for log in logs if log.get("topic") == "t"]
    assert told == ["topic is ready", "topic is not ready", "topic is ready"]


@pytest.mark.parametrize("settings", [PublishSettings(), CREATE], ids=["existing", "create"])
async def test_a_topic_that_may_not_be_written_to_is_not_ready_before_it_may(
    settings: PublishSettings,
) -> None:
    brokers, seen = FakeBrokers(), Seen()
    brokers.create("t")
    brokers.create("free")
    brokers.forbidden |= {"t", "by-name"}
    brokers.create("by-name")
    async with publishing(brokers, seen, settings) as publisher:
        topic = publisher.topic("t", awaited=True)
        await publish(publisher, seen, numbered([1]), "by-name")  # its rows are here, whatever becomes of it
        await publish(publisher, seen, numbered([1]), "free")
        await anyio.sleep(300)
        assert not topic.ready.is_set()
        assert "do not allow to write to topic t" in topic.explain()
        brokers.forbidden.clear()
        await publish(publisher, seen, numbered([1]))
        await seen.all_settled()
    assert brokers.values() == [b"000001"]

"""Topics that can never exist, and topics that are too many."""

import anyio

from connector.kafka import ContentRefused, NewTopics
from connector.publish import PublishSettings
from connector.records.bad import Stage
from tests.unit.publish.fakes import FakeBrokers
from tests.unit.publish.rows import Seen, numbered, publish, publishing

CREATE = PublishSettings(create=NewTopics())


def impossible(topic: str) -> ContentRefused:
    return ContentRefused("topic", f"topic {topic} cannot exist: it collides with q.q")


async def test_rows_of_a_topic_that_can_never_exist_are_bad_and_hold_up_nobody(brokers: FakeBrokers) -> None:
    seen = Seen()
    brokers.create_errors["q_q"] = impossible("q_q")
    async with publishing(brokers, seen, CREATE) as publisher:
        with anyio.fail_after(10):
            await publish(publisher, seen, numbered(range(3)), "q_q")
            await publish(publisher, seen, numbered(range(3)), "t")
            await publish(publisher, seen, numbered(range(3)), "q_q")
            await seen.all_settled()
    assert [record.reason for record in seen.bad] == ["topic"] * 6
    assert {record.topic for record in seen.bad} == {"q_q"}
    assert {record.stage for record in seen.bad} == {Stage.PRODUCE}
    assert len(brokers.values("t")) == 3


async def test_a_refused_topic_is_looked_for_again_after_minutes(brokers: FakeBrokers) -> None:
    seen = Seen()
    brokers.create_errors["q_q"] = impossible("q_q")
    async with publishing(brokers, seen, CREATE) as publisher:
        await publish(publisher, seen, numbered(range(3)), "q_q")
        del brokers.create_errors["q_q"]
        await anyio.sleep(600)
        await publish(publisher, seen, numbered(range(3)), "q_q")
        await seen.all_settled()
    assert len(seen.bad) == 3
    assert len(brokers.values("q_q")) == 3


async def test_a_subscription_s_own_topic_that_can_never_exist_is_waited_for_and_told(
    brokers: FakeBrokers,
) -> None:
    seen = Seen()
    brokers.create_errors["q_q"] = impossible("q_q")
    async with publishing(brokers, seen, CREATE) as publisher:
        topic = publisher.topic("q_q", awaited=True)
        await anyio.sleep(60)
        assert not topic.ready.is_set()
        assert publisher.error == topic.explain() == str(impossible("q_q"))
        del brokers.create_errors["q_q"]
        with anyio.fail_after(60):
            await topic.ready.wait()
        assert publisher.error is None


async def test_rows_make_no_more_topics_than_they_may(brokers: FakeBrokers) -> None:
    seen = Seen()
    settings = PublishSettings(create=NewTopics(), topics_max=3)
    async with publishing(brokers, seen, settings) as publisher:
        await publisher.topic("own", awaited=True).ready.wait()
        for number in range(10):
            await publish(publisher, seen, numbered([number]), f"row-{number}")
        await publish(publisher, seen, numbered([10]), "row-0")
        await publish(publisher, seen, numbered([11]), "own")
        await seen.all_settled()
    assert sorted(name for name in brokers.topics if name != "t") == ["own", "row-0", "row-1", "row-2"]
    assert [record.reason for record in seen.bad] == ["topics_max"] * 7
    assert "topics.max" in str(seen.bad[0].error)


async def test_a_topic_that_takes_no_row_is_refused_whole_and_tried_again_after_minutes(
    brokers: FakeBrokers,
) -> None:
    seen, others = Seen(), Seen()
    brokers.create("q", 4, refuses=lambda record: "topic")
    async with publishing(brokers, seen) as publisher:
        await publish(publisher, seen, numbered(range(20)), "q")
        for number in range(20, 60):
            await publish(publisher, seen, numbered([number]), "q")
            await publish(publisher, others, numbered([number]), "t")
            await anyio.sleep(0.1)
        await seen.all_settled()
        await others.all_settled()
        assert seen.rebuilt <= 4  # one for each partition at most
        assert [record.reason for record in seen.bad] == ["topic"] * 60
        assert "topic q takes no rows" in str(seen.bad[-1].error)
        brokers.create("q", 4)
        await anyio.sleep(600)
        await publish(publisher, seen, numbered(range(5)), "q")
        await seen.all_settled()
    assert len(seen.bad) == 60
    assert len(brokers.values("t")) == 40
    assert sum(len(brokers.values("q", partition)) for partition in range(4)) == 5

"""The tools that other tests look at Kafka with."""

import sys
from collections.abc import Callable

import anyio
import pytest
from aiokafka import AIOKafkaProducer
from aiokafka.errors import MessageSizeTooLargeError
from anyio.to_thread import run_sync

from tests.brokers.admin import create_topic
from tests.brokers.cluster import KafkaCluster
from tests.brokers.fixtures import StartKafka
from tests.brokers.java_producer import java_partitions
from tests.brokers.reader import end_offsets, read_all


async def test_a_reader_tells_all_of_a_record(kafka: KafkaCluster, topic_name: Callable[[], str]) -> None:
    topic = await create_topic(kafka.bootstrap_servers, topic_name(), partitions=2)
    async with AIOKafkaProducer(bootstrap_servers=kafka.bootstrap_servers) as producer:
        headers = [("connector", b"dex")]
        await producer.send_and_wait(
            topic, b"value", b"key", partition=1, timestamp_ms=1_700_000_000_123, headers=headers
        )
        await producer.send_and_wait(topic, b"value", partition=0)

    first, second = sorted(
        await read_all(kafka.bootstrap_servers, topic), key=lambda record: record.partition
    )
    assert (first.key, first.value, first.headers) == (None, b"value", ())
    assert (second.partition, second.offset, second.timestamp_ms) == (1, 0, 1_700_000_000_123)
    assert (second.key, second.value, second.headers) == (b"key", b"value", (("connector", b"dex"),))
    assert await end_offsets(kafka.bootstrap_servers, topic) == {0: 1, 1: 1}


async def test_a_reader_gives_up_at_its_deadline(kafka: KafkaCluster, topic_name: Callable[[], str]) -> None:
    topic = await create_topic(kafka.bootstrap_servers, topic_name())
    with pytest.raises(TimeoutError, match="0 records"):
        await read_all(kafka.bootstrap_servers, topic, until=1, deadline=0.5)


async def test_java_and_aiokafka_choose_the_same_partitions(
    kafka: KafkaCluster, topic_name: Callable[[], str]
) -> None:
    topic = await create_topic(kafka.bootstrap_servers, topic_name(), partitions=7)
    keys = [b"", b"0x00", "ключ".encode(), bytes(range(256)), *(b"%d" % number for number in range(50))]
    async with AIOKafkaProducer(bootstrap_servers=kafka.bootstrap_servers) as producer:
        sent = [await producer.send(topic, b"", key) for key in keys]
        ours = [(await future).partition for future in sent]

    assert await java_partitions(kafka, topic, keys) == ours
    (unkeyed,) = await java_partitions(kafka, topic, [None])
    assert 0 <= unkeyed < 7
    assert sum((await end_offsets(kafka.bootstrap_servers, topic)).values()) == len(keys)  # none of Java's


async def test_what_java_complains_of_is_told_and_it_can_be_asked_again(
    kafka: KafkaCluster, topic_name: Callable[[], str]
) -> None:
    with pytest.raises(AssertionError, match="UnknownTopicOrPartition"):
        await java_partitions(kafka, topic_name(), [b"key"])
    topic = await create_topic(kafka.bootstrap_servers, topic_name())
    with anyio.move_on_after(0.01) as cut:
        await java_partitions(kafka, topic, [b"key"])
    assert cut.cancelled_caught

    assert await java_partitions(kafka, topic, [b"key"] * 3) == [0, 0, 0]


async def test_a_killed_broker_comes_back_with_its_data_and_settings(
    start_kafka: StartKafka, topic_name: Callable[[], str]
) -> None:
    own = await run_sync(lambda: start_kafka(config={"message.max.bytes": "5000"}))
    topic = await create_topic(own.bootstrap_servers, topic_name())
    async with AIOKafkaProducer(bootstrap_servers=own.bootstrap_servers) as producer:
        await producer.send_and_wait(topic, b"kept")
        with pytest.raises(MessageSizeTooLargeError):
            await producer.send_and_wait(topic, bytes(6_000))
    broker = own.broker(1)
    broker.freeze()
    broker.kill()
    assert not broker.is_running
    await run_sync(broker.restart)

    assert [record.value for record in await read_all(own.bootstrap_servers, topic)] == [b"kept"]


WATCHED = """
import subprocess, sys, time
from tests.brokers import reaper
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(300)"], start_new_session=True)
reaper.watch(child.pid)
print("started", flush=True)
time.sleep(300)
"""


async def test_no_broker_outlives_a_killed_test_run(pytestconfig: pytest.Config) -> None:
    async with await anyio.open_process([sys.executable, "-c", WATCHED], cwd=pytestconfig.rootpath) as run:
        assert run.stdout is not None
        said = b""
        while not said.endswith(b"\n"):  # an unbuffered child writes the line in two pieces
            said += await run.stdout.receive()
        assert said == b"started\n"
        run.kill()
        with anyio.fail_after(30.0), pytest.raises(anyio.EndOfStream):  # the child holds the other end too
            await run.stdout.receive()

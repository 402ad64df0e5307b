"""Publishing to a secured broker: other credentials, renewed certificates and tokens that end, amid rows."""

from __future__ import annotations

import shutil
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path

import anyio
import pytest
from structlog.testing import capture_logs
from structlog.typing import EventDict

from connector.kafka import KafkaSettings, NotAllowed, Producer
from connector.publish import PublishSettings
from tests.brokers.admin import create_topic
from tests.brokers.reader import read_all
from tests.brokers.secured import SecuredKafka
from tests.integration.kafka.securing import PASSWORD, Tokens, over_mtls, over_oauth, over_scram
from tests.integration.publish.publishing import CREATE, EXISTING, Running, numbered, publishing, until

ROWS = 40
"""In a frame."""


@pytest.fixture
def user(secured: SecuredKafka, topic_name: Callable[[], str]) -> str:
    name = topic_name()[-40:]
    secured.set_password(name, PASSWORD)
    return name


@pytest.fixture
async def topic(secured: SecuredKafka, topic_name: Callable[[], str]) -> str:
    return await create_topic(secured.cluster.bootstrap_servers, topic_name(), partitions=2)


@asynccontextmanager
async def flowing(
    settings: KafkaSettings, topic: str, publishing_settings: PublishSettings = EXISTING
) -> AsyncIterator[Running]:
    """Frames of numbered rows, a hundred a second; all of them are delivered in the end."""
    frames = 0

    async def flow() -> None:
        nonlocal frames
        while True:
            await running.add(topic, numbered(range(frames * ROWS, (frames + 1) * ROWS)))
            frames += 1
            await anyio.sleep(0.01)

    async with publishing(settings.bootstrap_servers, publishing_settings, settings) as running:
        async with anyio.create_task_group() as group:
            group.start_soon(flow)
            await until(lambda: len(running.settled) > 20)
            yield running
            group.cancel_scope.cancel()
        await running.all_settled()
    assert not running.failed
    assert len(running.settled) == frames


async def assert_each_once_and_in_order(secured: SecuredKafka, topic: str) -> None:
    values = [int(record.value or b"") for record in await read_all(secured.cluster.bootstrap_servers, topic)]
    assert values == list(range(len(values)))
    assert values


async def more(running: Running, frames: int = 50) -> None:
    """Wait until so many more frames are through."""
    settled = len(running.settled)
    await until(lambda: len(running.settled) >= settled + frames)


async def test_topics_are_created_over_tls_and_scram(
    secured: SecuredKafka, user: str, topic_name: Callable[[], str]
) -> None:
    topic = topic_name()
    secured.allow(user, "WRITE", "CREATE", "DESCRIBE_CONFIGS", topic=topic)
    async with flowing(over_scram(secured, user), topic, CREATE) as running:
        assert running.states == ["connecting", "up"]
    await assert_each_once_and_in_order(secured, topic)


def was_replaced(lines: Sequence[EventDict], times: int) -> bool:
    """Whether a producer was replaced so many times; until then the old one delivers, and needs its right."""
    return [line["event"] for line in lines].count("kafka producer replaced") == times


async def test_another_user_takes_over_amid_rows(
    secured: SecuredKafka, user: str, topic: str, topic_name: Callable[[], str]
) -> None:
    other = topic_name()[-40:]
    secured.set_password(other, PASSWORD)
    for name in (user, other):
        secured.allow(name, "WRITE", topic=topic)
    settings = over_scram(secured, user)
    with capture_logs() as lines:
        async with flowing(settings, topic) as running:
            for times, name in enumerate((other, user, other), start=1):
                running.publisher.reconfigure(replace(settings, security=over_scram(secured, name).security))
                await until(partial(was_replaced, lines, times))
                await more(running)
            secured.forbid(user, "WRITE", topic=topic)  # nobody uses it any more
            await more(running)
            assert running.rebuilt == 0
    await assert_each_once_and_in_order(secured, topic)


async def test_a_rotated_password_that_the_broker_does_not_know_yet_costs_nothing(
    secured: SecuredKafka, user: str, topic: str
) -> None:
    secured.allow(user, "WRITE", topic=topic)
    settings = over_scram(secured, user)
    async with flowing(settings, topic) as running:
        running.publisher.reconfigure(over_scram(secured, user, "the-next-one"))
        await more(running, 100)
        assert running.publisher.state == "up"
        secured.set_password(user, "the-next-one")
        await more(running, 100)
    assert running.states == ["connecting", "up"]
    await assert_each_once_and_in_order(secured, topic)


async def test_renewed_certificates_are_used_for_the_next_connection(
    secured: SecuredKafka, topic: str, tmp_path: Path, topic_name: Callable[[], str]
) -> None:
    """The new certificate has another subject, so that the broker's rights show which one is used."""
    first, second = topic_name()[-20:], topic_name()[-20:]
    secured.allow(first, "WRITE", topic=topic)
    certificate, key = tmp_path / "client.pem", tmp_path / "client.key"

    def install(user: str) -> None:
        made = secured.certificate(user)
        shutil.copy(made.certificate, certificate)
        shutil.copy(made.key, key)

    async def write_anew() -> None:
        """Write over a connection that was not there before."""
        for connection in list(producer._inner.client._conns.values()):
            connection.close()
        batch = producer.new_batch(1000)
        batch.extend([(b"k", b"1", time.time_ns() // 1_000_000, [], None)])
        await producer.write(batch, topic, 0)

    install(first)
    settings = over_mtls(secured, None)
    tls = replace(settings.security.tls, certificate_file=certificate, key_file=key)
    producer = await Producer.start(replace(settings, security=replace(settings.security, tls=tls)))
    try:
        install(second)
        await write_anew()  # as it was started
        await producer.renew()
        with pytest.raises(NotAllowed, match=f"to write to topic {topic}"):
            await write_anew()
    finally:
        await producer.discard()


async def test_connections_that_end_with_their_token_lose_and_double_nothing(
    secured: SecuredKafka, topic: str, topic_name: Callable[[], str]
) -> None:
    principal = topic_name()
    secured.allow(principal, "WRITE", topic=topic)
    asked = 0

    class Short(Tokens):
        async def token(self) -> str:
            nonlocal asked
            asked += 1
            self.value = secured.token(principal, life=4)
            return self.value

        def accepted(self, token: str) -> None: ...

    tokens = Short("")
    async with flowing(over_oauth(secured, tokens), topic) as running:
        before = asked
        await until(lambda: asked >= before + 4)
        assert running.rebuilt == 0
    await assert_each_once_and_in_order(secured, topic)
    assert running.states == ["connecting", "up"]

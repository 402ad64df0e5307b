"""
An idempotent producer (``acks=all``), with a deadline round everything that aiokafka may hang in.

It hands batches over whole. What was not acknowledged when it breaks belongs to the caller, who builds
a new one: aiokafka consumes sequence numbers for a refused batch, so no producer outlives a failure.
"""

from __future__ import annotations

from asyncio import Future
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import Any

import anyio
from aiokafka import AIOKafkaProducer
from aiokafka import errors as kafka_errors

from connector.errors import ConnectorError
from connector.kafka.batch import Batch, RecordBatch
from connector.kafka.diagnosis.rights import refuses_write
from connector.kafka.error_codes import error_code
from connector.kafka.errors import (
    IDEMPOTENT_WRITES,
    BrokerUnreachable,
    FileUnusable,
    NotAllowed,
    ProducerBroken,
    TopicMissing,
    translate_error,
)
from connector.kafka.internals import (
    BatchQueue,
    Guard,
    ProduceRequests,
    RequestRefused,
    Silence,
    abort,
    closing_bootstrap,
    create_none_by_asking,
    fetch_operations,
    leaderless,
    metadata_time,
    pace_metadata,
    replace_ssl_context,
    waited_for,
    watch_while_leaderless,
)
from connector.kafka.options import client_options, load_context
from connector.kafka.request_size import RequestSize
from connector.kafka.settings import KafkaSettings
from connector.tls import RotatingContext

REQUEST_OVERHEAD_BYTES = 64 * 1024

METADATA_TIMEOUT = 5.0
"""Seconds that `Producer.write` looks for a topic that it does not know."""


class Producer:
    """A started producer. Use `Producer.start`."""

    def __init__(
        self,
        inner: Any,
        settings: KafkaSettings,
        size: RequestSize,
        certificates: RotatingContext | None = None,
        silence: Silence | None = None,
    ) -> None:
        self._inner = inner
        self._settings = settings
        self._certificates = certificates
        self._size = size
        self._silence = silence or Silence()
        self._requests = ProduceRequests(inner, size)
        self._guard = Guard(inner.client, self._requests.is_throttled)
        self._queue = BatchQueue(inner)

    @classmethod
    async def start(cls, settings: KafkaSettings, size: RequestSize | None = None) -> Producer:
        """
        Connect and obtain a producer id. ``size`` is what was learned of requests, `None` where nothing was.

        Raises:
            BrokerUnreachable: No broker answered within twice the request timeout.
            NotAllowed: An ACL forbids it.
            FileUnusable: A file with certificates cannot be used.
        """
        certificates = RotatingContext(settings.security.tls) if settings.security.uses_tls else None
        context = await load_context(settings.security.tls, certificates.current) if certificates else None
        inner = AIOKafkaProducer(
            **client_options(settings, context),
            acks="all",
            enable_idempotence=True,
            compression_type=settings.compression,
            max_batch_size=settings.max_batch_bytes,
            # send_batch() does not check it; it only groups partitions into requests.
            max_request_size=settings.max_batch_bytes + REQUEST_OVERHEAD_BYTES,
            linger_ms=0,
            retry_backoff_ms=round(settings.retry_backoff * 1000),
            metadata_max_age_ms=round(settings.metadata_max_age * 1000),
        )
        create_none_by_asking(inner.client)
        silence = pace_metadata(inner.client, settings.retry_backoff)
        watch_while_leaderless(inner)
        size = size or RequestSize(settings.max_request_bytes)
        producer = cls(inner, settings, size, certificates, silence)
        started = False
        try:
            with anyio.fail_after(settings.request_timeout * 2), closing_bootstrap(inner.client):
                await inner.start()
            started = True
        except TimeoutError:
            raise BrokerUnreachable(f"no answer from {settings.bootstrap_servers}") from None
        except kafka_errors.ClusterAuthorizationFailedError:
            raise NotAllowed(IDEMPOTENT_WRITES) from None
        except (kafka_errors.KafkaError, OSError, AttributeError, AssertionError) as error:
            raise BrokerUnreachable(
                f"no broker of {settings.bootstrap_servers} can be used ({type(error).__name__})"
            ) from None
        finally:
            if not started:
                await producer.discard()
        return producer

    def is_of(self, settings: KafkaSettings) -> bool:
        """Whether it was made with ``settings``."""
        return self._settings == settings

    @property
    def max_batch_bytes(self) -> int:
        """The most that a batch may have by the settings."""
        return self._settings.max_batch_bytes

    def new_batch(self, max_bytes: int) -> RecordBatch:
        """Return an empty batch of at most ``max_bytes``, and of what the settings and brokers allow."""
        most = min(max_bytes, self._settings.max_batch_bytes, self._size.batch_limit)
        return RecordBatch(most, self._settings.compression)

    def offer(
        self, batch: Batch, topic: str, partition: int, answered: Callable[[ConnectorError | None], None]
    ) -> bool:
        """
        Queue ``batch`` if nothing is in its way, and return whether it was.

        ``answered`` is then called, once: with ``None`` when the brokers acknowledged it, else with what
        `write` raises.
        """
        count = self.known_partitions(topic)
        if count is None or partition >= count:
            return False
        future = self._queue.append(batch, topic, partition)
        if future is None:
            return False
        future.add_done_callback(partial(_answer, topic, answered))
        return True

    async def write(self, batch: Batch, topic: str, partition: int) -> None:
        """
        Hand ``batch`` over and return once the brokers acknowledged it.

        Cancelling leaves open whether it was written.

        Raises:
            QueueFull: Not taken within the request timeout; the same batch may be offered again.
            BrokerUnreachable: Not taken, for no broker told of the topic; as above.
            TopicMissing: Not taken, for the topic is gone, or has fewer partitions now; as above.
            ContentRefused: Refused whole for what is in it. The producer must not be used any more.
            NotAllowed: Refused by an ACL. The producer must not be used any more.
            ProducerBroken: The producer must not be used any more.
        """
        count = self.known_partitions(topic)
        if count is None:
            count = await self.partitions(topic, timeout=METADATA_TIMEOUT)
        if partition >= count:
            raise TopicMissing(topic)
        try:
            await (await self._inner.send_batch(batch, topic, partition=partition))
        except (
            kafka_errors.KafkaError,
            kafka_errors.IllegalOperation,
            RequestRefused,
            AssertionError,
            TypeError,
            OSError,
        ) as error:
            raise translate_error(error, topic=topic) from None

    async def partitions(self, topic: str, *, timeout: float) -> int:
        """
        Return the number of partitions, asking the brokers where it is not known.

        Raises:
            TopicMissing: It was not there within ``timeout`` seconds.
            BrokerUnreachable: No broker answered within ``timeout`` seconds.
            NotAllowed: We may not describe it.
        """
        client = self._inner.client
        heard_at = metadata_time(client)
        try:
            with anyio.fail_after(timeout):
                return len(await self._inner.partitions_for(topic))
        except (TimeoutError, kafka_errors.UnknownTopicOrPartitionError):
            if metadata_time(client) == heard_at:
                raise BrokerUnreachable(f"no answer from {self._settings.bootstrap_servers}") from None
            raise TopicMissing(topic) from None
        except kafka_errors.TopicAuthorizationFailedError:
            raise NotAllowed(f"to describe topic {topic}") from None
        except (kafka_errors.KafkaError, OSError) as error:
            raise translate_error(error, topic=topic) from None

    async def require_write(self, topic: str, *, timeout: float) -> None:
        """
        Ask whether we may write to ``topic``; brokers that do not tell within ``timeout`` seconds may let us.

        Raises:
            NotAllowed: We may not.
        """
        try:
            with anyio.fail_after(timeout):
                answer = await fetch_operations(self._inner.client, [topic])
        except (kafka_errors.KafkaError, OSError, TimeoutError, NotImplementedError, ValueError):
            return
        if refuses_write(answer, topic):
            raise NotAllowed(f"to write to topic {topic}")

    def known_partitions(self, topic: str) -> int | None:
        """Return the number of partitions as last heard of; ``None`` where unknown."""
        known = self._inner.client.cluster.partitions_for_topic(topic)
        return len(known) if known else None

    def refusal(self) -> str | None:
        """Return what brokers did last instead of acknowledging; ``None`` where nothing is known."""
        if self._size.error is not None:
            return self._size.error
        if (place := leaderless(self._inner)) is not None:
            topic, partition = place
            return f"partition {partition} of topic {topic} has no leader: look at the brokers that hold it"
        for (topic, partition), code in self._requests.refusals.items():
            return f"the brokers answer {error_code(code)} for partition {partition} of topic {topic}"
        return self._size.trouble or self._requests.waiting

    @property
    def missing_topics(self) -> set[str]:
        """Topics that brokers know no more, and that batches wait for here."""
        return {topic for topic in waited_for(self._inner) if self.known_partitions(topic) is None}

    @property
    def unheard_for(self) -> float:
        """Seconds for which no broker that it knows has answered; 0 where one did, or none was asked."""
        return self._silence.lasts_for

    @property
    def throttled_for(self) -> float:
        """Seconds until every broker takes requests again that takes none for a quota; 0 where all do."""
        return self._requests.throttled_for

    async def renew(self) -> None:
        """Use certificates whose files have changed for the connections that are opened from now on."""
        if self._certificates is not None:
            tls = self._settings.security.tls
            # What is not read in time is looked at again soon; the last good certificates serve.
            with suppress(FileUnusable):
                replace_ssl_context(self._inner.client, await load_context(tls, self._certificates.current))

    async def stop(self, *, timeout: float) -> None:
        """Let what is queued be acknowledged, within ``timeout`` seconds; then as `discard`."""
        with anyio.CancelScope(shield=True), anyio.move_on_after(timeout):
            await self._inner.flush()
        await self.discard()

    async def discard(self) -> None:
        """Close without sending, within seconds, whatever the brokers do."""
        await abort(self._inner, self._requests)


def _answer(topic: str, answered: Callable[[ConnectorError | None], None], future: Future[Any]) -> None:
    if future.cancelled():
        answered(ProducerBroken("the producer gave a batch up"))
        return
    error = future.exception()
    answered(None if error is None else translate_error(error, topic=topic))

"""Where the rows go."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from pydantic import AfterValidator, BeforeValidator, WithJsonSchema

from connector.config.mistake import Mistake
from connector.config.section import Section, setting
from connector.config.security import SecuritySection
from connector.config.values import (
    Duration,
    DurationOrNone,
    Flag,
    Servers,
    Size,
    Text,
    Whole,
    choice,
    size_within,
)

Compression = Annotated[
    Literal["none", "gzip", "snappy", "lz4", "zstd"], choice("none", "gzip", "snappy", "lz4", "zstd")
]


def _setting(value: object) -> str:
    """A topic's setting as Kafka wants it: text."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, (str, int, float)):
        return str(value)
    raise Mistake("must be a single value", "write it as Kafka documents it")


def _automatic_or_count(most: int) -> tuple[AfterValidator, WithJsonSchema]:
    def check(value: int) -> int:
        if value != -1 and not 1 <= value <= most:
            raise Mistake(f"must be -1 (the broker's default) or from 1 to {most}", "write -1 or a count")
        return value

    schema = {"type": "integer", "minimum": -1, "maximum": most, "not": {"const": 0}}
    return AfterValidator(check), WithJsonSchema(schema)


def _count(most: int) -> tuple[AfterValidator, WithJsonSchema]:
    def check(value: int) -> int:
        if not 1 <= value <= most:
            raise Mistake(f"must be from 1 to {most}", "write a count")
        return value

    return AfterValidator(check), WithJsonSchema({"type": "integer", "minimum": 1, "maximum": most})


_INT16, _INT32 = 2**15 - 1, 2**31 - 1
"""What the fields of CreateTopics hold."""

TopicSetting = Annotated[
    str, BeforeValidator(_setting), WithJsonSchema({"type": ["string", "number", "boolean"]})
]


class ProducerSection(Section):
    """How batches are sent."""

    linger: DurationOrNone = setting(
        "0s",
        "How long a batch waits for more rows. Where many small ones come, they leave together, every 7 ms.",
    )
    # A request's length is an int32, and there is more in it than one batch.
    max_batch_bytes: Annotated[Size, *size_within("1KiB", "1GiB")] = setting(
        "900KiB", "The largest batch; a topic's own limit lowers it further."
    )
    max_request_bytes: Annotated[Size, *size_within("2KiB", "1GiB")] = setting(
        "1MiB",
        "The largest produce request; batches are within it. Less than brokers and proxies take "
        "(socket.request.max.bytes); it is halved where they end connections on larger ones.",
    )
    request_timeout: Duration = setting("30s", "How long a broker may take to answer.")
    retry_backoff: Duration = setting("100ms", "How long to wait before a request is sent again.")
    metadata_max_age: Duration = setting("5m", "How long the knowledge of brokers and partitions is kept.")


class KafkaSection(Section):
    """The brokers."""

    from_preset: ClassVar[frozenset[str]] = frozenset({"client_id"})

    bootstrap_servers: Servers = setting(
        ..., "Brokers to ask for the cluster: host:port, with commas between."
    )
    client_id: Text = setting(..., "How the brokers' logs call us. Default: the connector's name.")
    compression: Compression = setting("none", "How batches are compressed.")
    security: SecuritySection = setting({}, "How connections are secured, and as whom they are made.")
    producer: ProducerSection = setting({}, "How batches are sent.")


class TopicsSection(Section):
    """The topics that rows go to."""

    create: Flag = setting(
        True,
        "Create topics that are missing. With false no admin call is made, but for the settings of the "
        "offsets topic.",
    )
    partitions: Annotated[Whole, *_automatic_or_count(_INT32)] = setting(
        -1, "Partitions of a created topic; -1: the broker's default."
    )
    replication_factor: Annotated[Whole, *_automatic_or_count(_INT16)] = setting(
        -1, "Copies of a created topic; -1: the broker's default."
    )
    max: Annotated[Whole, *_count(100_000)] = setting(
        1000,
        "How many topics the fields of rows may name. A row of one more is a bad record (`topics_max`).",
    )
    config: dict[str, TopicSetting] = setting(
        {}, "Settings of a created topic, as Kafka calls them (retention.ms: …)."
    )

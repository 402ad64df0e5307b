"""Asking for metadata creates topics, where brokers may do so and are not told otherwise."""

from __future__ import annotations

from functools import partial
from types import FunctionType, MethodType
from typing import Any

from aiokafka import AIOKafkaClient
from aiokafka.protocol.metadata import MetadataRequest


def create_none_by_asking(client: Any) -> None:
    """
    Have ``client``, an ``AIOKafkaClient``, ask for the metadata of topics without having them created.

    Its code runs with a ``MetadataRequest`` that says so (``allow_auto_topic_creation``, KIP-4). Brokers
    before 0.11 do not know that.
    """
    inner = AIOKafkaClient._metadata_update
    request = partial(MetadataRequest, allow_auto_topic_creation=False)
    names = {**inner.__globals__, "MetadataRequest": request}
    client._metadata_update = MethodType(FunctionType(inner.__code__, names), client)

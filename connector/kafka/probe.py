"""Asking the brokers what we may do, without doing it."""

from __future__ import annotations

from collections.abc import Sequence

from connector.kafka.report import BrokerReport
from connector.kafka.settings import KafkaSettings


async def probe(settings: KafkaSettings, topics: Sequence[str], *, create: bool) -> BrokerReport:
    """
    Connect to every broker, and ask for each right on each of ``topics``. Publishes and creates nothing.

    ``create`` says whether missing topics would be created; without it no admin call is made. Never raises
    for what the brokers do: the report tells.
    """
    raise NotImplementedError

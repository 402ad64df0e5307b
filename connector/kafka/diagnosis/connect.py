"""
One connection to one broker, and what is wrong with it by name: aiokafka's clients keep that to their log.
"""

from __future__ import annotations

import ssl
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from aiokafka import errors as kafka_errors

from connector.kafka.diagnosis.refusal import Attempt, CannotConnect, diagnose, no_tls
from connector.kafka.internals import BrokerConnection, TokenRefused
from connector.kafka.options import BearerTokenProvider, security_options
from connector.kafka.security import Security
from connector.kafka.settings import KafkaSettings

_MAYBE_PLAIN = ("closed", "tls", "timeout", "unreachable")
"""What TLS looks like towards a listener that does not speak it."""

_FOREIGN = (kafka_errors.KafkaError, TokenRefused, OSError, AssertionError, ValueError, LookupError)


@dataclass(frozen=True, kw_only=True, slots=True)
class ConnectedBroker:
    """A broker that answers: the connection to it, and what it says of the cluster."""

    connection: BrokerConnection
    metadata: Any


@asynccontextmanager
async def connect(
    settings: KafkaSettings, host: str, port: int, context: ssl.SSLContext | None, *, timeout: float
) -> AsyncIterator[ConnectedBroker]:
    """
    Connect to a broker, prove who we are, and ask it for the cluster.

    ``context`` is that of `connector.kafka.options.ssl_context`, ``timeout`` the seconds of each step. The
    provider of a token is told whether it was accepted.

    Raises:
        CannotConnect: It cannot be used.
    """
    security = settings.security
    options = security_options(security, context)
    connection = _connection(settings, host, port, options, timeout)
    try:
        try:
            await connection.connect()
            metadata = await connection.fetch_metadata()
        except _FOREIGN as error:
            attempt = Attempt(stage=connection.stage, security=security, offered=connection.offered)
            reason, what = diagnose(error, attempt)
            if reason in _MAYBE_PLAIN and context is not None and connection.stage == "connect":
                reason, what = await _perhaps_plain(settings, host, port, timeout) or (reason, what)
            _report_to_provider(options, accepted=False if reason == "token" else None)
            raise CannotConnect(format_address(host, port), reason, what) from None
        _report_to_provider(options, accepted=True)
        yield ConnectedBroker(connection=connection, metadata=metadata)
    finally:
        await connection.aclose()


def format_address(host: str, port: int) -> str:
    """Return ``host:port``, as a user writes it."""
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def _connection(
    settings: KafkaSettings, host: str, port: int, options: Mapping[str, Any], timeout: float
) -> BrokerConnection:
    return BrokerConnection(
        host, port, client_id=settings.client_id, request_timeout_ms=round(timeout * 1000), **options
    )


async def _perhaps_plain(
    settings: KafkaSettings, host: str, port: int, timeout: float
) -> tuple[str, str] | None:
    """Whether the broker greets without TLS, to whom no credentials are shown then."""
    connection = _connection(settings, host, port, security_options(Security(), None), timeout)
    try:
        await connection.connect()
    except _FOREIGN:
        return None
    finally:
        await connection.aclose()
    return no_tls(settings.security)


def _report_to_provider(options: Mapping[str, Any], *, accepted: bool | None) -> None:
    provider = options.get("sasl_oauth_token_provider")
    if isinstance(provider, BearerTokenProvider) and accepted is not None:
        provider.report(accepted=accepted)

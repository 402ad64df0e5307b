"""
One connection to one broker, and what is wrong with it by name: aiokafka's clients keep that to their log.
"""

from __future__ import annotations

import ssl
from collections.abc import AsyncIterator, Awaitable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import anyio
from aiokafka import errors as kafka_errors
from aiokafka.conn import AIOKafkaConnection
from aiokafka.protocol.admin import SaslHandShakeRequest
from aiokafka.protocol.metadata import MetadataRequest

from connector.kafka.diagnosis.refusal import Attempt, CannotConnect, Stage, TokenRefused, diagnose, no_tls
from connector.kafka.options import Bearer, security_options
from connector.kafka.security import Security
from connector.kafka.settings import KafkaSettings

CLOSE_WITHIN = 1.0
"""Seconds."""

_MAYBE_PLAIN = ("closed", "tls", "timeout", "unreachable")
"""What TLS looks like towards a listener that does not speak it."""

_FOREIGN = (kafka_errors.KafkaError, TokenRefused, OSError, AssertionError, ValueError, LookupError)


class Connection(AIOKafkaConnection):  # type: ignore[misc]
    """Remembers how far it came, and does not take a refused token for an accepted one."""

    stage: Stage = "connect"
    offered: tuple[str, ...] = ()

    async def _do_version_lookup(self) -> None:
        self.stage = "greet"
        await super()._do_version_lookup()
        self.stage = "ask"

    async def _do_sasl_handshake(self) -> None:
        self.stage = "authenticate"
        await super()._do_sasl_handshake()
        self.stage = "ask"

    def authenticator_oauth(self) -> Any:
        return _StrictBearer(super().authenticator_oauth())

    def send(self, request: Any, expect_response: bool = True) -> Awaitable[Any]:
        answer: Awaitable[Any] = super().send(request, expect_response)
        return self._note(answer) if isinstance(request, SaslHandShakeRequest) else answer

    async def _note(self, answer: Awaitable[Any]) -> Any:
        response = await answer
        # A peer's words: what is none of a mechanism (RFC 4422 §3.1) is left out.
        names = (str(name) for name in response.enabled_mechanisms)
        self.offered = tuple(name for name in names if name.replace("-", "").replace("_", "").isalnum())[:10]
        return response


class _StrictBearer:
    """RFC 7628 §3.2.2: a refused token is answered with a challenge, which aiokafka does not look at."""

    def __init__(self, inner: Any) -> None:
        self._inner = inner

    async def step(self, challenge: bytes | None) -> Any:
        if challenge:
            raise TokenRefused
        return await self._inner.step(challenge)


@dataclass(frozen=True, kw_only=True, slots=True)
class Met:
    """A broker that answers: the connection to it, and what it says of the cluster."""

    connection: Connection
    metadata: Any


@asynccontextmanager
async def meet(
    settings: KafkaSettings, host: str, port: int, context: ssl.SSLContext | None, *, timeout: float
) -> AsyncIterator[Met]:
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
            metadata = await connection.send(MetadataRequest([]))
        except _FOREIGN as error:
            attempt = Attempt(stage=connection.stage, security=security, offered=connection.offered)
            reason, what = diagnose(error, attempt)
            if reason in _MAYBE_PLAIN and context is not None and connection.stage == "connect":
                reason, what = await _perhaps_plain(settings, host, port, timeout) or (reason, what)
            _tell_provider(options, accepted=False if reason == "token" else None)
            raise CannotConnect(shown(host, port), reason, what) from None
        _tell_provider(options, accepted=True)
        yield Met(connection=connection, metadata=metadata)
    finally:
        await _close(connection)


def shown(host: str, port: int) -> str:
    """Return ``host:port``, as a user writes it."""
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def _connection(
    settings: KafkaSettings, host: str, port: int, options: Mapping[str, Any], timeout: float
) -> Connection:
    return Connection(
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
        await _close(connection)
    return no_tls(settings.security)


def _tell_provider(options: Mapping[str, Any], *, accepted: bool | None) -> None:
    provider = options.get("sasl_oauth_token_provider")
    if isinstance(provider, Bearer) and accepted is not None:
        provider.tell(accepted=accepted)


async def _close(connection: Connection) -> None:
    with anyio.move_on_after(CLOSE_WITHIN, shield=True):
        closed = connection.close()
        if closed is not None and connection.stage != "connect":
            await closed

"""One connection to one broker, as aiokafka's clients open them, that remembers how far it came."""

from __future__ import annotations

from collections.abc import Awaitable, Sequence
from typing import Any, Literal

import anyio
from aiokafka.conn import AIOKafkaConnection
from aiokafka.protocol.admin import SaslHandShakeRequest
from aiokafka.protocol.metadata import MetadataRequest
from aiokafka.protocol.transaction import InitProducerIdRequest

from connector.kafka.internals.metadata import OperationsRequest

CLOSE_TIMEOUT = 1.0
"""Seconds."""

Stage = Literal["connect", "greet", "authenticate", "ask"]
"""How far a connection came: nothing yet, the API versions, SASL, the first request."""

_NO_TIMEOUT = 2**31 - 1  # what a producer without transactions sends


class TokenRefused(Exception):
    """The broker answered OAUTHBEARER with an error (RFC 7628 §3.2.2)."""


class BrokerConnection(AIOKafkaConnection):  # type: ignore[misc]
    """
    Takes no refused token for an accepted one, and tells what an error alone does not.

    ``stage`` is how far it came, ``offered`` the SASL mechanisms that the broker named when it was asked.
    """

    stage: Stage = "connect"
    offered: tuple[str, ...] = ()

    async def fetch_metadata(self) -> Any:
        """Ask for the cluster without its topics: ``brokers`` of the answer holds (id, host, port, rack)."""
        return await self.send(MetadataRequest([]))

    async def fetch_producer_id(self) -> Any:
        """Ask for a producer id without transactions; ``error_code`` of the answer says whether we may."""
        return await self.send(InitProducerIdRequest(None, _NO_TIMEOUT))

    async def fetch_operations(self, topics: Sequence[str]) -> Any:
        """Ask what we may do with each of ``topics``; see `OperationsResponse`."""
        return await self.send(OperationsRequest(topics))

    async def aclose(self) -> None:
        """Close within a second, also when cancelled."""
        with anyio.move_on_after(CLOSE_TIMEOUT, shield=True):
            closed = self.close()
            # Until it is connected nothing would ever say that it is closed.
            if closed is not None and self.stage != "connect":
                await closed

    # What the library calls

    def send(self, request: Any, expect_response: bool = True) -> Awaitable[Any]:
        answer: Awaitable[Any] = super().send(request, expect_response)
        return self._note_offered(answer) if isinstance(request, SaslHandShakeRequest) else answer

    def authenticator_oauth(self) -> Any:
        return _StrictBearer(super().authenticator_oauth())

    async def _do_version_lookup(self) -> None:
        self.stage = "greet"
        await super()._do_version_lookup()
        self.stage = "ask"

    async def _do_sasl_handshake(self) -> None:
        self.stage = "authenticate"
        await super()._do_sasl_handshake()
        self.stage = "ask"

    async def _note_offered(self, answer: Awaitable[Any]) -> Any:
        response = await answer
        # A peer's words: what is none of a mechanism (RFC 4422 §3.1) is left out.
        names = (str(name) for name in response.enabled_mechanisms)
        self.offered = tuple(name for name in names if name.replace("-", "").replace("_", "").isalnum())[:10]
        return response


class _StrictBearer:
    """A refused token is answered with a challenge (RFC 7628 §3.2.2), which aiokafka does not look at."""

    def __init__(self, inner: Any) -> None:
        self._inner = inner

    async def step(self, challenge: bytes | None) -> Any:
        if challenge:
            raise TokenRefused
        return await self._inner.step(challenge)

"""Our transport as a client of the reference servers."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import anyio

from connector.refusals import classify
from connector.subscription import (
    Delivered,
    GraphQLRequest,
    RawPayload,
    SessionError,
    SessionSettings,
    Subprotocol,
    Transport,
)
from connector.upstream import Opening
from tests.references.servers import Kind, ReferenceServer
from tests.unit.subscription.driving import connect, result_in, results_of

MODERN, LEGACY = Subprotocol.TRANSPORT_WS, Subprotocol.LEGACY_WS
KINDS: list[Kind] = ["modern", "legacy"]
SPOKEN: Mapping[Kind, Subprotocol] = {"modern": MODERN, "legacy": LEGACY}
WITHIN = 60.0
"""Seconds that anything here may take on a busy machine."""

TICKS = "subscription ($n: Int!) { ticks(n: $n) { rows { number text } } }"


def opening(server: ReferenceServer, init_payload: Mapping[str, object] | None = None) -> Opening:
    """Return what opens ``server`` without credentials."""
    return Opening(url=server.url, headers={}, init_payload=init_payload)


def settings_for(kind: Kind, **changes: Any) -> SessionSettings:
    """Return settings that offer what a server of this kind speaks first."""
    spoken = SPOKEN[kind]
    other = LEGACY if spoken is MODERN else MODERN
    values = {"subprotocols": (spoken, other), "ack_timeout": WITHIN, "open_timeout": WITHIN, **changes}
    return SessionSettings(**values)


def transport(
    server: ReferenceServer, *, init_payload: Mapping[str, object] | None = None, **settings: Any
) -> Transport:
    """Return a transport that offers what ``server`` speaks first."""
    values = settings_for(server.kind, **settings)
    return Transport(opening(server, init_payload), values, payload_type=RawPayload)


def transport_to(url: str, kind: Kind, **settings: Any) -> Transport:
    """Return a transport to a server of this kind that is reached at ``url``."""
    where = Opening(url=url, headers={}, init_payload=None)
    return Transport(where, settings_for(kind, **settings), payload_type=RawPayload)


@dataclass
class Delivery:
    """What came, and how it ended; ``error`` is ``None`` after a close on purpose."""

    results: list[Delivered] = field(default_factory=list)
    error: SessionError | None = None

    @property
    def data(self) -> list[Any]:
        """The ``data`` of each result."""
        return [result_in(result).get("data") for result in self.results]

    @property
    def numbers(self) -> list[int]:
        """The numbers of the ``ticks`` that came."""
        return [int(row["number"]) for data in self.data for row in data["ticks"]["rows"]]

    @property
    def reason(self) -> str:
        """What the table of refusals calls the end."""
        assert self.error is not None
        return classify(self.error.symptom).reason


async def deliver(one: Transport, request: GraphQLRequest) -> Delivery:
    """Connect, subscribe, and take what comes until the end."""
    delivery = Delivery()
    try:
        with anyio.fail_after(WITHIN):
            await connect(one)
            await _take(one, request, delivery)
    except SessionError as error:
        delivery.error = error
    finally:
        one.abort()
    return delivery


@asynccontextmanager
async def delivering(one: Transport, request: GraphQLRequest) -> AsyncIterator[Delivery]:
    """Connect, and take what comes while the block runs; leaving it waits for the end."""
    delivery = Delivery()

    async def run() -> None:
        try:
            with anyio.fail_after(WITHIN):
                await _take(one, request, delivery)
        except SessionError as error:
            delivery.error = error

    await connect(one)
    try:
        async with anyio.create_task_group() as group:
            group.start_soon(run)
            yield delivery
    finally:
        one.abort()


async def _take(one: Transport, request: GraphQLRequest, delivery: Delivery) -> None:
    async for result in results_of(one, request):
        delivery.results.append(result)

"""A transport with short timeouts, driven through its steps, and results taken apart."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import anyio
import msgspec
import pytest

from connector.subscription import (
    Delivered,
    GraphQLRequest,
    ProtocolViolation,
    SessionError,
    SessionSettings,
    Transport,
    Unreadable,
)
from connector.subscription.errors import ConnectFailed
from connector.subscription.messages import RawEnvelope, RawPayload
from connector.upstream import Opening, Placement, Target

TOKEN = 'ory_at_Zq+b/c=d%e"f'
REQUEST = GraphQLRequest("subscription { n }")


def transport(url: str, *, opening: Opening | None = None, **settings: Any) -> Transport:
    """Return a transport with short timeouts."""
    values = {"open_timeout": 5.0, "ack_timeout": 5.0, "close_timeout": 5.0, **settings}
    opening = opening or Target(url=url).opening(None)
    return Transport(opening, SessionSettings(**values), payload_type=RawPayload)


def with_token(url: str, place: str = "url") -> Opening:
    """Return what opens ``url`` with `TOKEN`."""
    name, template = ("token", "{token}") if place == "url" else ("Authorization", "Bearer {token}")
    placement = Placement(place=place, name=name, template=template)  # type: ignore[arg-type]
    return Target(url=url, placements=(placement,)).opening(TOKEN)


async def connect(one: Transport) -> None:
    """Open the socket and wait for the acknowledgement; leave nothing open where that fails."""
    try:
        await one.open()
        await one.initialise()
    except BaseException:
        one.abort()
        raise


async def results_of(one: Transport, request: GraphQLRequest) -> AsyncIterator[Delivered]:
    """Start the operation and yield each result until the socket ends."""
    await one.start(request)
    while (delivered := await one.receive()) is not None:
        yield delivered


def result_in(delivered: Delivered) -> dict[str, Any]:
    """Return the result in a message, decoded: ``data``, ``errors``, ``extensions``."""
    payload = msgspec.json.decode(delivered.frame, type=RawEnvelope).payload
    whole: dict[str, Any] = msgspec.json.decode(payload, type=dict[str, Any])
    return whole


def number_of(result: object) -> int:
    """Return the number in a `row`; raise what the product may raise where no result can be read."""
    assert isinstance(result, Delivered)
    if isinstance(result.payload, Unreadable):
        raise ProtocolViolation(result.payload.said, result.frame)
    found: int = result_in(result)["data"]["n"][0]
    return found


async def live(url: str) -> Transport:
    """Return a transport whose operation was started."""
    one = transport(url)
    await connect(one)
    await one.start(REQUEST)
    return one


async def deliver(one: Transport) -> tuple[list[int], SessionError | None]:
    """Return the numbers of the rows that came, and how it ended."""
    numbers: list[int] = []
    try:
        with anyio.fail_after(20):
            await connect(one)
            async for result in results_of(one, REQUEST):
                numbers.append(number_of(result))
    except SessionError as error:
        return numbers, error
    finally:
        one.abort()
    return numbers, None


async def refused(url: str, **settings: object) -> str:
    """Return why no socket was opened; neither token nor password are in it, nor in what it came from."""
    with pytest.raises(ConnectFailed) as caught:
        await connect(transport(url, opening=with_token(url), **settings))
    assert caught.value.symptom.place == "connect"
    assert caught.value.__context__ is None
    said = str(caught.value).removeprefix("cannot connect: ")
    for secret in (TOKEN, "ory_at", "hunter2", "somebody"):
        assert secret not in said
    return said

"""The stand-in upstream ends a connection as npm graphql-ws does, for the same mistake."""

import pytest

from tests.references.servers import ReferenceServer
from tests.standins.behaviour import Close
from tests.standins.client import PlainClient, plain_client
from tests.standins.tokens import TokenAuthority
from tests.standins.upstream import StandInUpstream

pytestmark = pytest.mark.slow  # what tests stand on, and not what they test

QUIET = {"query": "subscription { quiet }"}


async def mistake(client: PlainClient, kind: str) -> Close | None:
    """Make the mistake; the server's Close."""
    if kind == "subscribe before the ack":
        await client.send("subscribe", id="1", payload=QUIET)
        return await client.end()
    await client.initialise()
    if kind == "a second init":
        await client.send("connection_init")
    elif kind == "an id in use":
        for _ in range(2):
            await client.send("subscribe", id="1", payload=QUIET)
    elif kind == "an unknown type":
        await client.send("start", id="1", payload=QUIET)
    elif kind == "no query":
        await client.send("subscribe", id="1", payload={})
    else:
        await client.socket.send("no json")
    return await client.end()


@pytest.mark.parametrize(
    "kind",
    [
        "subscribe before the ack",
        "a second init",
        "an id in use",
        "an unknown type",
        "no query",
        "no json",
    ],
)
async def test_a_mistake_has_the_same_close_code(
    upstream: StandInUpstream, authority: TokenAuthority, modern_reference: ReferenceServer, kind: str
) -> None:
    async with plain_client(upstream.url, authority.issue()) as client:
        ours = await mistake(client, kind)
    async with plain_client(modern_reference.url) as client:
        theirs = await mistake(client, kind)
    assert ours is not None
    assert theirs is not None
    assert ours.code == theirs.code


@pytest.mark.parametrize("offered", [None, "mqtt"])
async def test_no_common_subprotocol_has_the_same_close(
    upstream: StandInUpstream,
    authority: TokenAuthority,
    modern_reference: ReferenceServer,
    offered: str | None,
) -> None:
    async with plain_client(upstream.url, authority.issue(), subprotocol=offered) as client:
        ours = await client.end()
    async with plain_client(modern_reference.url, subprotocol=offered) as client:
        theirs = await client.end()
    assert ours == theirs

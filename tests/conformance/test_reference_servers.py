"""The npm reference servers start, serve both subprotocols, and tell what they saw."""

from tests.references.servers import ReferenceServer
from tests.standins.behaviour import LEGACY, MODERN, Close
from tests.standins.client import plain_client


async def test_the_modern_reference_serves_greetings_and_ticks(modern_reference: ReferenceServer) -> None:
    async with plain_client(modern_reference.url) as client:
        await client.initialise()
        await client.subscribe("subscription { greetings }")
        greetings = [(await client.next())["payload"]["data"]["greetings"] for _ in range(5)]
        assert greetings[0] == "Hi"
        assert await client.next() == {"id": "1", "type": "complete"}
        await client.subscribe("subscription { ticks(n: 2) { rows { number text } } }", identifier="2")
        ticks = [(await client.next())["payload"]["data"]["ticks"]["rows"][0] for _ in range(2)]
        assert [tick["number"] for tick in ticks] == ["0", "1"]
    await modern_reference.until(lambda: modern_reference.closed)
    assert modern_reference.connections == 1
    assert modern_reference.closed[0].code == 1000
    assert modern_reference.messages() == ["connection_init", "subscribe", "subscribe"]
    assert modern_reference.events[1].subprotocol == MODERN


async def test_the_legacy_reference_serves_ticks_and_stays_quiet(legacy_reference: ReferenceServer) -> None:
    async with plain_client(legacy_reference.url, subprotocol=LEGACY) as client:
        await client.initialise()
        await client.subscribe("subscription { ticks(n: 1) { rows { number } } }")
        assert (await client.next())["payload"]["data"]["ticks"]["rows"] == [{"number": "0"}]
        assert (await client.next())["type"] == "complete"
        await client.subscribe("subscription { quiet }", identifier="2")
        assert await client.during(0.3) == []
        client.socket.transport.abort()
    await legacy_reference.until(lambda: legacy_reference.closed)
    assert legacy_reference.closed[0].code == 1006


async def test_the_modern_reference_stays_quiet_and_breaks(modern_reference: ReferenceServer) -> None:
    async with plain_client(modern_reference.url) as client:
        await client.initialise()
        await client.subscribe("subscription { quiet }")
        assert await client.during(0.3) == []
        await client.subscribe("subscription { breaks }", identifier="2")
        results = [(await client.next())["payload"] for _ in range(3)]
        assert [("errors" in result) for result in results] == [False, True, False]
        await client.send("subscribe", id="1", payload={"query": "subscription { quiet }"})
        assert await client.end() == Close(4409, "Subscriber for 1 already exists")

"""One socket, its steps, and that nothing is subscribed."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import anyio
import pytest

from connector.probe import Endpoint, Finding, Judge, probe_endpoint
from connector.refusals import classify, remedy_of
from connector.subscription import SessionSettings, Subprotocol
from connector.task import KeepAlivePolicy
from connector.upstream import Placement, Target
from tests.standins.behaviour import Close, Fin, HttpRefusal
from tests.standins.tokens import TokenAuthority
from tests.standins.upstream import StandInUpstream

OFFERS = (Subprotocol.LEGACY_WS, Subprotocol.TRANSPORT_WS)
SETTINGS = SessionSettings(subprotocols=OFFERS, open_timeout=20, ack_timeout=20, close_timeout=20)


def endpoint(url: str, **settings: Any) -> Endpoint:
    return Endpoint(
        subject=url,
        target=Target(url=url, placements=(Placement(place="url", name="token"),)),
        settings=replace(SETTINGS, **settings),
        keep_alive=KeepAlivePolicy(keepalive_timeout=20, probe=False),
        judge=Judge(classify=classify, remedy=remedy_of),
    )


async def probed(
    upstream: StandInUpstream, token: str | None, *, is_unproven: bool = False, **settings: Any
) -> dict[str, Finding]:
    with anyio.fail_after(50):
        found = await probe_endpoint(
            endpoint(upstream.url, **settings), token, is_unproven=is_unproven, tell=lambda doing: None
        )
    kinds = {message["type"] for session in upstream.sessions for message in session.received}
    assert kinds <= {"connection_init", "ping", "pong"}
    return {one.check: one for one in found}


async def test_every_step_is_seen_and_the_socket_closed_in_good_order() -> None:
    authority = TokenAuthority()
    async with StandInUpstream(authority) as upstream:
        upstream.behave(keepalive_interval=0.1)
        found = await probed(upstream, authority.issue())
        assert list(found) == ["connection", "handshake", "subprotocol", "connection_ack", "keep-alive"]
        assert {one.outcome for one in found.values()} == {"ok"}
        await upstream.until(lambda: [s.record.ending for s in upstream.sessions] == ["client close"])


async def test_a_keep_alive_before_the_acknowledgement_does_not_count() -> None:
    authority = TokenAuthority()
    async with StandInUpstream(authority) as upstream:
        upstream.behave(before_ack=("ka",), keepalive=None)
        one = endpoint(upstream.url)
        one = replace(one, keep_alive=KeepAlivePolicy(keepalive_timeout=0.5, probe=False))
        found = await probe_endpoint(one, authority.issue(), tell=lambda doing: None)
        assert (found[-1].check, found[-1].outcome, found[-1].needed) == ("keep-alive", "failed", False)


async def test_what_came_before_a_refusal_was_well() -> None:
    authority = TokenAuthority()
    async with StandInUpstream(authority) as upstream:
        upstream.behave(at_upgrade=HttpRefusal(status=402, body="No active billing period"))
        found = await probed(upstream, authority.issue())
    assert [one.outcome for one in found.values()] == ["ok", "refused"]
    refused = found["handshake"]
    assert refused.facts == {"reason": "points", "status": 402}
    assert "No active billing period" in refused.detail
    assert refused.remedy == remedy_of("points")


@pytest.mark.parametrize(
    ("trouble", "outcome"),
    [(Close(4401, "Unauthorized"), "refused"), (Close(1011), "failed"), (Fin(), "failed")],
)
async def test_an_end_in_the_place_of_the_keep_alive_is_told(trouble: Close | Fin, outcome: str) -> None:
    authority = TokenAuthority()
    async with StandInUpstream(authority) as upstream:
        upstream.behave(keepalive=None)
        async with anyio.create_task_group() as group:

            async def end() -> None:
                await upstream.until(lambda: upstream.sessions and upstream.sessions[0].acked)
                upstream.begin(trouble)

            group.start_soon(end)
            found = await probed(upstream, authority.issue())
    assert found["connection_ack"].outcome == "ok"
    assert found["keep-alive"].outcome == outcome


async def test_the_subprotocol_that_it_speaks_is_found_though_it_selects_the_other() -> None:
    authority = TokenAuthority()
    async with StandInUpstream(authority) as upstream:
        upstream.next_connection(instead_of_ack=Close(4406, "Subprotocol not acceptable"))
        upstream.behave(keepalive_interval=0.1)
        found = await probed(upstream, authority.issue())
        assert found["subprotocol"].facts["subprotocol"] == "graphql-transport-ws"
        assert found["connection_ack"].outcome == "ok"


async def test_without_a_token_it_is_only_seen_whether_somebody_answers() -> None:
    async with StandInUpstream(TokenAuthority()) as upstream:
        found = await probed(upstream, None, is_unproven=True)
        assert [(one.check, one.outcome) for one in found.values()] == [
            ("connection", "ok"),
            ("handshake", "not checked"),
        ]
        await upstream.stop_listening()
        found = await probed(upstream, None, is_unproven=True)
        assert [(one.check, one.outcome) for one in found.values()] == [("connection", "failed")]

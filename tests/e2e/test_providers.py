"""The presets, each against a stand-in that behaves as its provider does, on Apache Kafka."""

from __future__ import annotations

from typing import Any

import pytest

from connector import __version__
from tests.e2e.connector_process import at_least
from tests.e2e.recoveries import ACKED, recovery
from tests.e2e.stage import Stage
from tests.slow import first_of
from tests.standins.behaviour import LEGACY, MODERN, Close, ErrorOnConnection, Fin, InBandError

REASONS = "connector_reconnects_total"
LOST = Fin()


def config(stage: Stage, preset: str, **endpoint: Any) -> dict[str, Any]:
    """A configuration that knows of the provider only what its preset says."""
    return stage.config(endpoint={"preset": preset, **endpoint})


def with_key(stage: Stage, preset: str, **endpoint: Any) -> dict[str, Any]:
    """The same with a key that never expires."""
    whole = config(stage, preset, **endpoint)
    del whole["oauth"]
    return whole | {"token": "${env:API_KEY}"}


async def test_goldrush_acknowledges_any_key_and_refuses_a_bad_one_on_subscribing(stage: Stage) -> None:
    stage.upstream.behave(
        subprotocols=(MODERN,),
        credentials_in="init",
        credentials_name="GOLDRUSH_API_KEY",
        refuse_at="subscribe",
        refusal=InBandError(
            "errors", "Authentication required.", extensions={"code": "INVALID_TOKEN"}, ends=True
        ),
    )
    async with stage.start(with_key(stage, "goldrush"), API_KEY=stage.authority.issue()) as connector:
        await connector.until_metric(ACKED, at_least(100))
        assert await connector.stop() == 0
    await stage.assert_exact(stage.upstream.feed)
    async with stage.start(with_key(stage, "goldrush"), API_KEY="a-bad-key") as connector:
        await connector.until_metric("connector_refused_alarm", at_least(1), reason="unauthorized")
        assert await connector.metric("connector_token_alarm") == 1
        assert len(stage.upstream.attempts) <= 4
        assert await connector.stop() == 0


@pytest.mark.slow
async def test_ohip_is_pinged_and_left_alone_before_the_next_session(stage: Stage) -> None:
    stage.upstream.behave(
        subprotocols=(MODERN,),
        credentials_in="init",
        credentials_name="Authorization",
        keepalive=None,
        on_stop="completes",
    )
    whole = config(
        stage,
        "ohip",
        url=f"{stage.upstream.url}?key=0123456789abcdef",
        init_payload={"x-app-key": "the-key-of-the-application"},
        ping_interval="200ms",
        reopen_pause="5s",
        close_timeout="1s",
    )
    whole["oauth"] |= {"scope": "api", "headers": {"x-app-key": "the-key-of-the-application"}}
    async with stage.start(whole) as connector:
        await connector.until_metric(ACKED, at_least(100))
        first = stage.upstream.sessions[-1]
        await stage.upstream.until(lambda: [m["type"] for m in first.received].count("ping") >= 3)
        assert stage.upstream.attempts[-1].path.endswith("?key=0123456789abcdef")
        payload = first.received[0]["payload"]
        assert isinstance(payload, dict)
        assert payload["x-app-key"] == "the-key-of-the-application"
        assert payload["Authorization"].startswith("Bearer ")
        assert stage.oauth.requests[0].headers["x-app-key"] == "the-key-of-the-application"
        assert stage.oauth.requests[0].auth == "basic"
        attempts = len(stage.upstream.attempts)
        async with recovery(connector, "OHIP: 4409, one consumer"):
            stage.upstream.next_connection(at_subscribe=Close(4409, "Subscriber already exists"))
            stage.upstream.begin(LOST)
        refused, accepted = stage.upstream.attempts[attempts:]
        assert accepted.at - refused.at >= 5
        assert await connector.metric(REASONS, reason="already_subscribed") == 1
        assert await connector.stop() == 0
        assert stage.upstream.sessions[-1].received[-1]["type"] == "complete"
    await stage.assert_exact(stage.upstream.feed)


@pytest.mark.parametrize("subprotocol", first_of([MODERN, LEGACY]))
async def test_hasura_keeps_alive_before_the_ack_and_ends_a_session_with_its_token(
    stage: Stage, subprotocol: str
) -> None:
    expired = ErrorOnConnection("Could not verify JWT: JWTExpired")
    stage.upstream.behave(
        subprotocols=(subprotocol,),
        credentials_in="init",
        credentials_name="headers.Authorization",
        before_ack=("ka", "ping") if subprotocol == MODERN else ("ka",),
        keepalive="ka",
        keepalive_interval=0.5,
        refusal=expired,
        closes_at_expiry=True,
    )
    whole = config(stage, "hasura")
    whole["oauth"] |= {"scope": "api"}
    async with stage.start(whole) as connector:
        await connector.until_metric(ACKED, at_least(100))
        async with recovery(connector, f"Hasura on {subprotocol}: JWTExpired ends the session"):
            stage.authority.expire(stage.authority.issued[-1].value)
        assert await connector.metric(REASONS, reason="unauthorized") >= 1
        assert await connector.metric(REASONS, reason="refused_at_init") == 0
        assert await connector.stop() == 0
    await stage.assert_exact(stage.upstream.feed)


@pytest.mark.slow
async def test_tibber_is_told_who_we_are_and_bears_with_too_many_connections(stage: Stage) -> None:
    stage.upstream.behave(
        subprotocols=(MODERN,), credentials_in="init", credentials_name="token", keepalive="websocket ping"
    )
    async with stage.start(with_key(stage, "tibber"), API_KEY=stage.authority.issue()) as connector:
        await connector.until_metric(ACKED, at_least(100))
        agent = stage.upstream.attempts[-1].headers["user-agent"]
        assert agent == f"graphql-kafka-connector/{__version__}"
        async with recovery(connector, "Tibber: 4429, too many open connections"):
            stage.upstream.next_connection(instead_of_ack=Close(4429, "Too many open connections"))
            stage.upstream.begin(LOST)
        assert await connector.metric(REASONS, reason="too_many_sessions") == 1
        assert await connector.stop() == 0
    await stage.assert_exact(stage.upstream.feed)


@pytest.mark.slow
async def test_the_token_goes_to_several_places_at_once(stage: Stage) -> None:
    both = [{"in": "url", "name": "token"}, {"in": "init", "name": "headers.Authorization"}, {"in": "header"}]
    async with stage.start(config(stage, "bitquery", credentials=both)) as connector:
        await connector.until_metric(ACKED, at_least(100))
        assert await connector.stop() == 0
    (session,), (attempt,) = stage.upstream.sessions, stage.upstream.attempts
    token = stage.authority.issued[0].value
    assert attempt.token == token
    assert attempt.headers["authorization"] == f"Bearer {token}"
    assert session.received[0]["payload"] == {"headers": {"Authorization": f"Bearer {token}"}}

"""What somebody proves himself with is replaced while the connector runs; open sessions are left alone."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import anyio
import pytest

from tests.brokers.secured import SecuredKafka
from tests.e2e.conftest import OpenStage
from tests.e2e.connector_process import at_least
from tests.e2e.reloading import flowing, reloaded
from tests.e2e.test_kafka_security import allow_all_that_is_documented, secured_stage
from tests.e2e.test_kafka_security import kafka as kafka_section
from tests.standins.behaviour import Fin
from tests.standins.feed import Feed
from tests.standins.tokens import make_secret


async def test_a_rotated_client_secret_is_used_without_a_restart(open_with: OpenStage) -> None:
    async with open_with("bsc") as stage:
        file = stage.directory / "client-secret"
        file.write_text(stage.oauth.client_secret + "\n")
        config = stage.config()
        config["oauth"]["client_secret"] = f"${{file:{file}}}"
        async with stage.start(config) as connector:
            await flowing(connector, "bsc")
            # While all is well no token is asked for, and the session is left alone.
            old, stage.oauth.client_secret = stage.oauth.client_secret, make_secret()
            file.write_text(stage.oauth.client_secret + "\n")
            assert await reloaded(connector) == {"oauth.client_secret": "***"}
            await flowing(connector, "bsc")
            assert (len(stage.oauth.requests), len(stage.upstream.sessions)) == (1, 1)
            # The next request is made with it.
            stage.authority.revoke_all()
            stage.upstream.begin(Fin())
            await connector.until_metric("connector_sessions_opened_total", at_least(2))
            assert [request.status for request in stage.oauth.requests] == [200, 200]
            # Rotated while the connector is refused: it asks at once.
            stage.oauth.client_secret = make_secret()
            stage.authority.revoke_all()
            stage.upstream.begin(Fin())
            await connector.until_metric("connector_token_requests_total", at_least(1), outcome="refused")
            file.write_text(stage.oauth.client_secret + "\n")
            await connector.until_metric("connector_sessions_opened_total", at_least(3))
            await flowing(connector, "bsc")
            assert [request.status for request in stage.oauth.requests] == [200, 200, 401, 200]
            assert old not in connector.text
            assert await connector.stop() == 0
        await stage.assert_exact(stage.upstream.feed)


@pytest.mark.slow
async def test_a_rotated_token_is_used_for_the_next_session(open_with: OpenStage) -> None:
    async with open_with("bsc") as stage:
        old, new = stage.authority.issue(), stage.authority.issue()
        file = stage.directory / "token"
        file.write_text(old)
        config = stage.config()
        del config["oauth"]
        config["token"] = f"${{file:{file}}}"
        async with stage.start(config) as connector:
            await flowing(connector, "bsc")
            file.write_text(new)
            assert await reloaded(connector) == {"token": "***"}
            await flowing(connector, "bsc")
            assert len(stage.upstream.sessions) == 1
            stage.authority.revoke(old)
            stage.upstream.begin(Fin())
            await connector.until_metric("connector_sessions_opened_total", at_least(2))
            assert [attempt.token for attempt in stage.upstream.attempts] == [old, new]
            assert await connector.stop() == 0
        await stage.assert_exact(stage.upstream.feed)


@pytest.mark.slow
async def test_a_rotated_header_is_used_for_the_next_session(open_with: OpenStage) -> None:
    async with open_with("bsc") as stage:
        file = stage.directory / "key"
        file.write_text("the-first-key")
        config = stage.config(endpoint={"headers": {"X-Key": f"${{file:{file}}}"}})
        async with stage.start(config) as connector:
            await flowing(connector, "bsc")
            file.write_text("the-second-key")
            assert await reloaded(connector) == {"endpoint.headers.X-Key": "***"}
            assert len(stage.upstream.sessions) == 1
            stage.upstream.begin(Fin())
            await connector.until_metric("connector_sessions_opened_total", at_least(2))
            keys = [attempt.headers["x-key"] for attempt in stage.upstream.attempts]
            assert keys == ["the-first-key", "the-second-key"]
            assert "the-second-key" not in connector.text
            assert await connector.stop() == 0


async def test_a_rotated_password_of_kafka_is_used_without_a_restart(
    secured: SecuredKafka, tmp_path: Path, topic_name: Callable[[], str]
) -> None:
    user, prefix = topic_name(), topic_name()
    passwords = [make_secret("wrong"), make_secret("first"), make_secret("second")]
    secured.set_password(user, passwords[1])
    allow_all_that_is_documented(secured, user, prefix)
    file = tmp_path / "kafka-password"
    file.write_text(passwords[0])
    sasl = {"mechanism": "SCRAM-SHA-256", "username": user, "password": f"${{file:{file}}}"}
    feed = Feed("bsc", rate=200)
    async with secured_stage(secured, tmp_path, prefix, feed, secrets=lambda: passwords) as stage:
        async with stage.start(
            stage.config(kafka=kafka_section(secured, "SASL_TLS", sasl=sasl))
        ) as connector:
            await connector.until(lambda: connector.logs("kafka cannot be reached"), what="a refusal")
            assert not stage.upstream.attempts
            file.write_text(passwords[1])
            assert await reloaded(connector) == {"kafka.security.sasl.password": "***"}
            await flowing(connector, "bsc")
            await anyio.to_thread.run_sync(secured.set_password, user, passwords[2])
            file.write_text(passwords[2])
            await reloaded(connector, 2)
            await connector.until(lambda: connector.logs("kafka producer replaced"), what="another producer")
            await flowing(connector, "bsc")
            assert len(stage.upstream.sessions) == 1
            assert await connector.stop() == 0
        await stage.assert_exact(feed)

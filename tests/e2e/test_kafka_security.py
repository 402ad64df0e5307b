"""The whole connector on a secured broker: with the rights that the documentation names, and with fewer."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import anyio
import pytest

from tests.brokers.admin import create_topic
from tests.brokers.secured import PLAIN_PASSWORD, PLAIN_USER, SecuredKafka
from tests.e2e.command import checks, run_command
from tests.e2e.connector_process import at_least
from tests.e2e.stage import Stage, open_stage
from tests.slow import first_of
from tests.standins.feed import Feed
from tests.standins.oauth import StandInOAuth, TokenAnswer
from tests.standins.tokens import TokenAuthority, make_secret

ACKED = "connector_rows_acked_total"


class BrokerTokens(TokenAuthority):
    """Tokens that the broker knows ``user`` by; ``audience`` of another makes it refuse them."""

    def __init__(self, secured: SecuredKafka, user: str, *, life: float = 3600.0) -> None:
        super().__init__(life=life)
        self.audience: str | None = None
        self._secured = secured
        self._user = user

    def make_value(self, life: float) -> str:
        if self.audience is None:
            return self._secured.token(self._user, life=life)
        return self._secured.token(self._user, life=life, audience=self.audience)


@asynccontextmanager
async def secured_stage(
    secured: SecuredKafka,
    directory: Path,
    prefix: str,
    *feeds: Feed,
    secrets: Callable[[], Iterable[str]] = tuple,
) -> AsyncIterator[Stage]:
    """A stage on the secured broker; ``secrets`` are searched for besides its own."""
    async with open_stage(secured.cluster, directory, prefix, *feeds) as stage:
        of_stage = stage.secrets
        stage.secrets = lambda: [*of_stage(), *secrets()]  # type: ignore[method-assign]
        yield stage


def kafka(secured: SecuredKafka, listener: str, **security: Any) -> dict[str, Any]:
    """The section of one listener; files are named beside nothing, so by their full paths."""
    protocol = {"TLS": "SSL", "MTLS": "SSL", "SASL": "SASL_PLAINTEXT"}.get(listener, "SASL_SSL")
    if protocol.endswith("SSL"):
        security["tls"] = {"ca_file": str(secured.authority.file), **security.get("tls", {})}
    return {"bootstrap_servers": secured.servers(listener), "security": {"protocol": protocol, **security}}


def allow_all_that_is_documented(secured: SecuredKafka, user: str, prefix: str) -> None:
    """What docs/kafka-security.md lists for a connector that creates its topics."""
    secured.allow(user, "WRITE", "CREATE", "DESCRIBE_CONFIGS", topic=f"{prefix}.", prefixed=True)
    secured.allow(user, "READ", topic=f"{prefix}.offsets")


@pytest.mark.parametrize("mechanism", first_of(["SCRAM-SHA-512", "SCRAM-SHA-256"]))
async def test_scram_over_tls_with_acls(
    secured: SecuredKafka, tmp_path: Path, topic_name: Callable[[], str], mechanism: str
) -> None:
    user, prefix, password = topic_name(), topic_name(), make_secret("pässword")
    secured.set_password(user, password)
    allow_all_that_is_documented(secured, user, prefix)
    feed = Feed("bsc", rate=500)
    sasl = {"mechanism": mechanism, "username": user, "password": "${env:KAFKA_PASSWORD}"}
    async with secured_stage(secured, tmp_path, prefix, feed, secrets=lambda: [password]) as stage:
        config = stage.config(kafka=kafka(secured, "SASL_TLS", sasl=sasl), log={"level": "debug"})
        async with stage.start(config, KAFKA_PASSWORD=password) as connector:
            await connector.until_metric(ACKED, at_least(1000))
            _, body = await connector.readyz()
            assert body["kafka"] == {"state": "up", "error": None, "token": None}
            assert await connector.stop() == 0
        assert not [line for line in connector.logs() if line["level"] in ("warning", "error")]
        await stage.assert_exact(feed)


@pytest.mark.slow
async def test_plain_over_tls(secured: SecuredKafka, tmp_path: Path, topic_name: Callable[[], str]) -> None:
    prefix = topic_name()
    allow_all_that_is_documented(secured, PLAIN_USER, prefix)
    feed = Feed("bsc", rate=500)
    sasl = {"mechanism": "plain", "username": PLAIN_USER, "password": PLAIN_PASSWORD}
    async with secured_stage(secured, tmp_path, prefix, feed, secrets=lambda: [PLAIN_PASSWORD]) as stage:
        config = stage.config(kafka=kafka(secured, "SASL_TLS", sasl=sasl), log={"level": "debug"})
        async with stage.start(config) as connector:
            await connector.until_metric(ACKED, at_least(500))
            assert await connector.stop() == 0
        await stage.assert_exact(feed)


@pytest.mark.slow
async def test_mtls_with_the_right_to_write_alone(
    secured: SecuredKafka, tmp_path: Path, topic_name: Callable[[], str]
) -> None:
    user, prefix, password = topic_name()[-20:], topic_name(), make_secret()
    files = secured.certificate(user, password=password)
    feed = Feed("bsc", rate=500)
    topic = await create_topic(secured.cluster.bootstrap_servers, f"{prefix}.bsc", partitions=4)
    secured.allow(user, "WRITE", topic=topic)
    tls = {
        "certificate_file": str(files.certificate),
        "key_file": str(files.key),
        "key_password": "${env:KEY_PASSWORD}",
    }
    async with secured_stage(secured, tmp_path, prefix, feed, secrets=lambda: [password]) as stage:
        config = stage.config(
            kafka=kafka(secured, "MTLS", tls=tls), topics={"create": False}, log={"level": "debug"}
        )
        async with stage.start(config, KEY_PASSWORD=password) as connector:
            await connector.until_metric(ACKED, at_least(500))
            assert await connector.stop() == 0
        await stage.assert_exact(feed)


@pytest.mark.slow
async def test_a_wrong_password_is_named_until_the_broker_knows_it(
    secured: SecuredKafka, tmp_path: Path, topic_name: Callable[[], str]
) -> None:
    user, prefix, password = topic_name(), topic_name(), make_secret()
    secured.set_password(user, "another")
    allow_all_that_is_documented(secured, user, prefix)
    feed = Feed("bsc", rate=500)
    sasl = {"mechanism": "SCRAM-SHA-512", "username": user, "password": password}
    async with secured_stage(secured, tmp_path, prefix, feed, secrets=lambda: [password]) as stage:
        config = stage.config(kafka=kafka(secured, "SASL_TLS", sasl=sasl))
        async with stage.start(config) as connector:
            await connector.until(lambda: connector.logs("kafka cannot be reached"))
            status, body = await connector.readyz()
            assert (status, body["kafka"]["state"]) == (503, "connecting")
            assert f"does not accept user {user} with this password" in body["kafka"]["error"]
            assert connector.logs("kafka cannot be reached")[0]["error"] == body["kafka"]["error"]
            assert not stage.upstream.sessions  # streams are billed
            secured.set_password(user, password)
            await connector.until_metric(ACKED, at_least(500))
            status, body = await connector.readyz()
            assert (status, body["kafka"]["error"]) == (200, None)
            assert await connector.stop() == 0
        await stage.assert_exact(feed)


@pytest.mark.slow
async def test_a_rotated_password_file_is_used_without_a_restart(
    secured: SecuredKafka, tmp_path: Path, topic_name: Callable[[], str]
) -> None:
    """The file is changed before the broker knows the new password, as rotations go."""
    user, prefix, old, new = topic_name(), topic_name(), make_secret(), make_secret()
    secured.set_password(user, old)
    allow_all_that_is_documented(secured, user, prefix)
    file = tmp_path / "password"
    file.write_text(old)
    feed = Feed("bsc", rate=500)
    sasl = {"mechanism": "SCRAM-SHA-512", "username": user, "password": f"${{file:{file}}}"}
    async with secured_stage(secured, tmp_path, prefix, feed, secrets=lambda: [old, new]) as stage:
        config = stage.config(kafka=kafka(secured, "SASL_TLS", sasl=sasl), log={"level": "debug"})
        async with stage.start(config) as connector:
            await connector.until_metric(ACKED, at_least(500))
            file.write_text(new)
            kept = "kafka cannot be reached with its new settings, the old connection serves"
            await connector.until(lambda: connector.logs(kept))
            assert user in connector.logs(kept)[0]["error"]
            acked = await connector.metric(ACKED)
            await connector.until_metric(ACKED, at_least(acked + 500))
            secured.set_password(user, new)
            await connector.until(lambda: connector.logs("kafka producer replaced"))
            acked = await connector.metric(ACKED)
            await connector.until_metric(ACKED, at_least(acked + 500))
            assert await connector.metric("connector_kafka_rebuilds_total") == 0
            assert len(stage.upstream.sessions) == 1
            assert await connector.stop() == 0
        await stage.assert_exact(feed)


@pytest.mark.slow
async def test_a_wrong_password_is_corrected_by_its_file(
    secured: SecuredKafka, tmp_path: Path, topic_name: Callable[[], str]
) -> None:
    user, prefix, wrong, right = topic_name(), topic_name(), make_secret(), make_secret()
    secured.set_password(user, right)
    allow_all_that_is_documented(secured, user, prefix)
    file = tmp_path / "password"
    file.write_text(wrong)
    feed = Feed("bsc", rate=500)
    sasl = {"mechanism": "SCRAM-SHA-256", "username": user, "password": f"${{file:{file}}}"}
    async with secured_stage(secured, tmp_path, prefix, feed, secrets=lambda: [wrong, right]) as stage:
        config = stage.config(kafka=kafka(secured, "SASL_TLS", sasl=sasl))
        async with stage.start(config) as connector:
            await connector.until(lambda: connector.logs("kafka cannot be reached"))
            file.write_text(right)
            await connector.until_metric(ACKED, at_least(500))
            assert await connector.stop() == 0
        await stage.assert_exact(feed)


@pytest.mark.slow
async def test_a_missing_client_certificate_is_named(
    secured: SecuredKafka, tmp_path: Path, topic_name: Callable[[], str]
) -> None:
    async with (
        secured_stage(secured, tmp_path, topic_name(), Feed("bsc")) as stage,
        stage.start(stage.config(kafka=kafka(secured, "MTLS"))) as connector,
    ):
        await connector.until(lambda: connector.logs("kafka cannot be reached"))
        _, body = await connector.readyz()
        assert "wants a client certificate" in body["kafka"]["error"]
        assert await connector.stop() == 0


@pytest.mark.slow
async def test_a_missing_right_is_named_and_the_rows_come_once_it_is_granted(
    secured: SecuredKafka, tmp_path: Path, topic_name: Callable[[], str]
) -> None:
    user, prefix, password = topic_name(), topic_name(), make_secret()
    secured.set_password(user, password)
    topic = await create_topic(secured.cluster.bootstrap_servers, f"{prefix}.bsc", partitions=4)
    other = await create_topic(secured.cluster.bootstrap_servers, f"{prefix}.eth", partitions=4)
    secured.allow(user, "DESCRIBE", topic=topic)
    secured.allow(user, "WRITE", topic=other)
    feed, sibling = Feed("bsc", rate=200), Feed("eth", rate=200)
    sasl = {"mechanism": "SCRAM-SHA-512", "username": user, "password": password}
    async with secured_stage(secured, tmp_path, prefix, feed, sibling) as stage:
        config = stage.config(kafka=kafka(secured, "SASL_TLS", sasl=sasl), topics={"create": False})
        async with stage.start(config) as connector:
            await connector.until(lambda: connector.logs("topic is not ready"))
            line = connector.logs("topic is not ready")[0]
            assert f"the brokers do not allow to write to topic {topic}" in line["error"]
            await connector.until_metric(ACKED, at_least(500), subscription="eth")
            assert not feed.listeners  # what has nowhere to go is not billed
            secured.allow(user, "WRITE", topic=topic)
            await connector.until_metric(ACKED, at_least(500), subscription="bsc")
            assert await connector.stop() == 0
        await stage.assert_exact(feed)
        await stage.assert_exact(sibling)


def oauthbearer(secured: SecuredKafka, oauth: StandInOAuth) -> dict[str, Any]:
    return kafka(
        secured,
        "OAUTH",
        sasl={"mechanism": "OAUTHBEARER"},
        oauth={
            "token_url": oauth.url,
            "client_id": oauth.client_id,
            "client_secret": oauth.client_secret,
            "scope": "api",
        },
    )


@pytest.mark.slow
async def test_oauthbearer_names_a_token_that_the_broker_refuses_and_recovers_with_another(
    secured: SecuredKafka, tmp_path: Path, topic_name: Callable[[], str]
) -> None:
    user, prefix = topic_name(), topic_name()
    allow_all_that_is_documented(secured, user, prefix)
    tokens = BrokerTokens(secured, user)
    tokens.audience = "somebody-else"
    feed = Feed("bsc", rate=500)
    async with StandInOAuth(tokens) as oauth:
        secrets = lambda: [oauth.client_secret, *tokens.values]  # noqa: E731
        async with secured_stage(secured, tmp_path, prefix, feed, secrets=secrets) as stage:
            config = stage.config(kafka=oauthbearer(secured, oauth), log={"level": "debug"})
            async with stage.start(config) as connector:
                await connector.until(lambda: connector.logs("token rejected"))
                _, body = await connector.readyz()
                assert "does not accept the token" in body["kafka"]["error"]
                assert connector.logs("token rejected")[0]["tokens_for"] == "kafka"
                tokens.audience = None
                await connector.until_metric(ACKED, at_least(500))
                _, body = await connector.readyz()
                assert body["kafka"]["token"]["state"] == "valid"
                assert await connector.metric("connector_kafka_token_requests_total", outcome="obtained") >= 2
                assert await connector.metric("connector_kafka_token_state", state="valid") == 1
                assert await connector.stop() == 0
            await stage.assert_exact(feed)


@pytest.mark.slow
async def test_check_shows_the_brokers_a_token_of_their_own_endpoint(
    secured: SecuredKafka, tmp_path: Path, topic_name: Callable[[], str]
) -> None:
    user, prefix = topic_name(), topic_name()
    allow_all_that_is_documented(secured, user, prefix)
    tokens = BrokerTokens(secured, user)
    async with StandInOAuth(tokens) as oauth:
        secrets = lambda: [oauth.client_secret, *tokens.values]  # noqa: E731
        async with secured_stage(secured, tmp_path, prefix, Feed("bsc"), secrets=secrets) as stage:
            config = stage.config(kafka=oauthbearer(secured, oauth))
            done = await run_command(stage, config, "check", "--json")
            assert done.returncode == 0, done.stdout
            assert checks(done)[f"{prefix}.bsc", "right to write"]["outcome"] == "ok"

            tokens.audience = "somebody-else"
            done = await run_command(stage, config, "check", "--json")
            assert done.returncode == 4
            assert "does not accept the token" in done.stdout

            oauth.delete_client()
            done = await run_command(stage, config, "check", "--json")
            assert done.returncode == 4
            assert "invalid_client" in done.stdout


@pytest.mark.slow
async def test_oauthbearer_waits_for_its_token_endpoint_and_says_so(
    secured: SecuredKafka, tmp_path: Path, topic_name: Callable[[], str]
) -> None:
    user, prefix = topic_name(), topic_name()
    allow_all_that_is_documented(secured, user, prefix)
    feed = Feed("bsc", rate=500)
    async with (
        StandInOAuth(BrokerTokens(secured, user)) as oauth,
        secured_stage(secured, tmp_path, prefix, feed) as stage,
    ):
        oauth.behave(TokenAnswer(status=503))
        async with stage.start(stage.config(kafka=oauthbearer(secured, oauth))) as connector:
            await connector.until(lambda: connector.logs("kafka cannot be reached"))
            _, body = await connector.readyz()
            assert "no token for kafka: the token endpoint answered HTTP 503" in body["kafka"]["error"]
            assert oauth.count() < 20
            oauth.behave()
            await connector.until_metric(ACKED, at_least(500))
            assert await connector.stop() == 0
        await stage.assert_exact(feed)


@pytest.mark.slow
@pytest.mark.takes(80)
async def test_oauthbearer_with_tokens_of_ten_seconds_for_a_minute_loses_nothing(
    secured: SecuredKafka, tmp_path: Path, topic_name: Callable[[], str]
) -> None:
    """The broker ends connections at their token's expiry; for more than one life no new one is to be had."""
    user, prefix = topic_name(), topic_name()
    allow_all_that_is_documented(secured, user, prefix)
    tokens = BrokerTokens(secured, user, life=10)
    feed = Feed("bsc", rate=500)
    async with StandInOAuth(tokens) as oauth:
        secrets = lambda: [oauth.client_secret, *tokens.values]  # noqa: E731
        async with secured_stage(secured, tmp_path, prefix, feed, secrets=secrets) as stage:
            async with stage.start(stage.config(kafka=oauthbearer(secured, oauth))) as connector:
                await connector.until_metric(ACKED, at_least(500))
                for seconds, answer in (
                    (25, TokenAnswer()),
                    (15, TokenAnswer(status=503)),
                    (25, TokenAnswer()),
                ):
                    oauth.behave(answer)
                    await anyio.sleep(seconds)
                acked = await connector.metric(ACKED)
                await connector.until_metric(ACKED, at_least(acked + 500))
                assert await connector.stop() == 0
            await stage.assert_exact(feed)
            assert feed.emitted >= 500 * 50
            assert 5 <= oauth.count(status=200) <= 15
            assert oauth.count(status=503) <= 20

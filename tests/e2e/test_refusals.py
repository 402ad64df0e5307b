"""
Each refusal end to end on Apache Kafka: what is done, what an operator sees, how long until rows flow again.

Most of it happens to one running connector, one thing after the other; the last test holds its topic
against the ledger. Times are printed in the summary and not asserted.
"""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import anyio
import pytest

from tests.brokers.cluster import KafkaCluster
from tests.e2e.connector_process import ConnectorProcess, at_least
from tests.e2e.recoveries import ACKED, SESSIONS, noted, recovery, steady
from tests.e2e.stage import Stage, open_stage
from tests.standins.behaviour import (
    GATEWAY_FORBIDDEN,
    NO_BILLING,
    SLOW_CONSUMER,
    Close,
    ErrorOnConnection,
    Fin,
    HttpRefusal,
    InBandError,
    InConnection,
    Rst,
    Silence,
    Stall,
)
from tests.standins.feed import Feed

REASONS = "connector_reconnects_total"
LOST = Fin()
BASIC = 'Basic realm="x, Bearer error=none"'
INVALID = 'Bearer realm="api", error="invalid_token", error_description="The access token was revoked"'
NO_SCOPE = 'Bearer error="insufficient_scope", scope="api trades", error_description="More is needed"'


@dataclass
class Scene:
    """A connector that streams; each test leaves it so."""

    stage: Stage
    connector: ConnectorProcess

    @property
    def feed(self) -> Feed:
        return self.stage.upstream.feed

    async def reasons(self, reason: str) -> float:
        return await self.connector.metric(REASONS, reason=reason)

    async def rows_flow(self, rows: int = 200) -> None:
        """Wait for so many rows more."""
        acked = await self.connector.metric(ACKED)
        await self.connector.until_metric(ACKED, at_least(acked + rows))


@pytest.fixture(scope="module")
def anyio_backend() -> str:
    """One event loop for all of them."""
    return "asyncio"


@asynccontextmanager
async def open_scene(kafka: KafkaCluster, directory: Path) -> AsyncIterator[Scene]:
    async with open_stage(kafka, directory, f"refusals-{time.time_ns()}", Feed("bsc", rate=300)) as stage:
        stage.upstream.behave(keepalive_interval=0.5)
        config = stage.config(
            endpoint={
                "keepalive_timeout": "3s",
                "no_data_alarm": "2s",
                "close_timeout": "2s",
                "refusals": [
                    {"place": "close", "close_code": 4777, "text": "no plan", "action": "reconnect"},
                    {"close_code": 4778, "action": "wait", "reason": "asked_to_wait"},
                ],
            }
        )
        async with stage.start(config) as connector:
            await connector.until_metric(ACKED, at_least(100))
            yield Scene(stage, connector)


@pytest.fixture(scope="module")
async def scene(kafka: KafkaCluster, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Scene]:
    async with open_scene(kafka, tmp_path_factory.mktemp("scene")) as opened:
        yield opened


@pytest.fixture(scope="module")
async def second_scene(kafka: KafkaCluster, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Scene]:
    """Another one, since tokens that are refused time and again are replaced ever more slowly."""
    async with open_scene(kafka, tmp_path_factory.mktemp("second")) as opened:
        yield opened


# The token


async def test_an_expired_token_is_replaced(scene: Scene) -> None:
    tokens, refused = len(scene.stage.authority.issued), await scene.reasons("unauthorized")
    async with recovery(scene.connector, "token expired"):
        scene.stage.authority.expire(scene.stage.authority.issued[-1].value)
        scene.stage.upstream.begin(LOST)
    assert await scene.reasons("unauthorized") == refused + 1
    assert len(scene.stage.authority.issued) == tokens + 1


async def test_a_revoked_token_changes_nothing_until_the_next_connect(scene: Scene) -> None:
    tokens, sessions = len(scene.stage.authority.issued), await scene.connector.metric(SESSIONS)
    scene.stage.authority.revoke_all()
    await scene.rows_flow(600)
    assert len(scene.stage.authority.issued) == tokens
    assert await scene.connector.metric(SESSIONS) == sessions
    async with recovery(scene.connector, "token revoked, socket left open; then lost"):
        scene.stage.upstream.begin(LOST)
    assert len(scene.stage.authority.issued) == tokens + 1


@pytest.mark.parametrize(
    "trouble",
    [
        pytest.param(InBandError("frame"), id="error"),
        pytest.param(InBandError("errors", ends=True), id="errors in a result", marks=pytest.mark.slow),
        pytest.param(InBandError("data"), id="error as data"),
        pytest.param(Close(4403, "Forbidden"), id="close 4403"),
        pytest.param(Close(1008, "Unauthorized"), id="close 1008", marks=pytest.mark.slow),
    ],
)
async def test_a_token_refused_in_mid_stream_is_replaced(
    scene: Scene, trouble: InConnection, request: pytest.FixtureRequest
) -> None:
    refused = await scene.reasons("unauthorized")
    async with recovery(scene.connector, f"token revoked and refused mid-stream: {request.node.callspec.id}"):
        scene.stage.authority.revoke_all()
        scene.stage.upstream.begin(trouble)
    assert await scene.reasons("unauthorized") == refused + 1


# Patience


async def test_429_is_not_asked_again_before_retry_after(scene: Scene) -> None:
    tokens, attempts = scene.stage.oauth.count(), len(scene.stage.upstream.attempts)
    refusal = HttpRefusal(status=429, body="Too Many Sessions", retry_after="8")
    async with recovery(scene.connector, "429 with Retry-After: 8"):
        scene.stage.upstream.next_connection(at_upgrade=refusal)
        scene.stage.upstream.begin(LOST)
    refused, accepted = scene.stage.upstream.attempts[attempts:]
    assert (refused.status, accepted.status) == (429, 101)
    assert accepted.at - refused.at >= 8
    assert scene.stage.oauth.count() == tokens
    assert await scene.reasons("too_many_sessions") == 1


async def test_1013_is_answered_with_patience(scene: Scene) -> None:
    tokens, attempts = scene.stage.oauth.count(), len(scene.stage.upstream.attempts)
    async with recovery(scene.connector, "close 1013"):
        scene.stage.upstream.begin(SLOW_CONSUMER)
        since = time.monotonic()
    (attempt,) = scene.stage.upstream.attempts[attempts:]
    assert attempt.at - since >= 5
    assert scene.stage.oauth.count() == tokens
    assert await scene.reasons("overload") == 1


async def test_a_failing_gateway_is_tried_again_with_the_same_token(scene: Scene) -> None:
    tokens = scene.stage.oauth.count()
    async with recovery(scene.connector, "502, 503 and 424 at the handshake"):
        for status in (502, 503, 424):
            scene.stage.upstream.next_connection(at_upgrade=HttpRefusal.html(status))
        scene.stage.upstream.begin(LOST)
    assert await scene.reasons("server_error") == 3
    assert scene.stage.oauth.count() == tokens


# What is not known


async def test_an_unknown_refusal_is_retried_and_told_once(scene: Scene) -> None:
    tokens = scene.stage.oauth.count()
    async with recovery(scene.connector, "close 4999, not known, three times"):
        for number in range(3):
            reason = f"quota of the moon, request {number}f{number}7"
            scene.stage.upstream.next_connection(instead_of_ack=Close(4999, reason))
        scene.stage.upstream.begin(LOST)
    assert await scene.reasons("unknown") == 3
    (line,) = scene.connector.logs("refusal is not known")
    assert (line["place"], line["close_code"]) == ("close", 4999)
    assert "quota of the moon" in line["texts"][0]
    assert scene.stage.oauth.count() == tokens


async def test_the_configuration_says_what_a_refusal_means(scene: Scene) -> None:
    tokens = scene.stage.oauth.count()
    async with recovery(scene.connector, "close 4777, by a rule of the configuration"):
        scene.stage.upstream.next_connection(instead_of_ack=Close(4777, "Unauthorized: no plan"))
        scene.stage.upstream.begin(LOST)
    assert await scene.reasons("own_rule") == 1
    assert scene.stage.oauth.count() == tokens
    assert not [
        line for line in scene.connector.logs("refusal is not known") if line.get("close_code") == 4777
    ]


# Large and quiet


async def test_a_message_of_three_megabytes_arrives(scene: Scene) -> None:
    sessions, size = await scene.connector.metric(SESSIONS), 3_000
    received = await scene.connector.metric("connector_received_bytes_total")
    scene.feed.emit(1_000, row_bytes=dict.fromkeys(range(1_000), size))
    await scene.connector.until_metric("connector_received_bytes_total", at_least(received + 3_000_000))
    await scene.rows_flow()
    assert await scene.connector.metric(SESSIONS) == sessions


async def test_silence_with_keep_alives_is_an_alarm_and_no_reconnect(scene: Scene) -> None:
    sessions = await scene.connector.metric(SESSIONS)
    scene.stage.upstream.begin(Silence())
    await scene.connector.until_metric("connector_no_data_alarm", at_least(1))
    await anyio.sleep(4)  # longer than the silence that would end it
    assert await scene.connector.metric(SESSIONS) == sessions
    assert await scene.connector.state("bsc") == "live"
    since = time.monotonic()
    for session in scene.stage.upstream.live_sessions:
        session.resume()
    await scene.connector.until_metric("connector_no_data_alarm", lambda alarm: alarm == 0)
    noted("silence with keep-alives: alarm cleared once rows come", time.monotonic() - since)
    assert await scene.connector.metric(SESSIONS) == sessions


@pytest.mark.parametrize(
    "trouble", [Silence(keepalive=False), Stall()], ids=["silence without keep-alives", "TCP stall"]
)
async def test_a_dead_connection_is_given_up(
    scene: Scene, trouble: InConnection, request: pytest.FixtureRequest
) -> None:
    silent = await scene.reasons("silent")
    async with recovery(scene.connector, request.node.callspec.id):
        scene.stage.upstream.begin(trouble)
    assert await scene.reasons("silent") == silent + 1


async def test_every_row_of_all_this_is_accounted_for(scene: Scene) -> None:
    await ended(scene)


async def ended(scene: Scene) -> None:
    """No alarm is left, and what was written is in Kafka."""
    await scene.connector.until_metric("connector_refused_alarm", lambda alarm: alarm == 0)
    assert await scene.connector.metric("connector_token_alarm") == 0
    assert await scene.connector.stop() == 0
    await scene.stage.assert_exact(scene.feed)
    assert not scene.stage.upstream.violations
    print(scene.feed.ledger.summary())


# Refused at the next connect


@pytest.mark.parametrize(
    ("refusal", "what"),
    [
        ({"at_upgrade": HttpRefusal(status=401)}, "an HTTP body"),
        pytest.param(
            {"at_upgrade": HttpRefusal.json(401, "Unauthorized")},
            "an HTTP body in JSON",
            marks=pytest.mark.slow,
        ),
        ({"at_upgrade": HttpRefusal(status=400, body="", challenges=(BASIC, INVALID))}, "WWW-Authenticate"),
        ({"instead_of_ack": ErrorOnConnection("Unauthorized")}, "connection_error"),
        ({"at_subscribe": InBandError("frame", "Unauthorized")}, "an error frame"),
        ({"instead_of_ack": Close(1011, "Unauthorized")}, "a close reason"),
    ],
)
async def test_unauthorized_is_understood_in_every_form(
    second_scene: Scene, refusal: dict[str, Any], what: str
) -> None:
    refused = await second_scene.reasons("unauthorized")
    async with recovery(second_scene.connector, f"Unauthorized as {what}"):
        second_scene.stage.upstream.next_connection(**refusal)
        second_scene.stage.upstream.begin(LOST)
    assert await second_scene.reasons("unauthorized") == refused + 1


async def test_a_gateways_403_page_costs_one_fresh_token(second_scene: Scene) -> None:
    tokens, refused = second_scene.stage.oauth.count(), await second_scene.reasons("unauthorized")
    async with recovery(second_scene.connector, "403 with an HTML page"):
        second_scene.stage.upstream.next_connection(at_upgrade=GATEWAY_FORBIDDEN)
        second_scene.stage.upstream.begin(LOST)
    assert await second_scene.reasons("unauthorized") == refused + 1
    assert second_scene.stage.oauth.count() == tokens + 1


async def test_402_with_a_token_of_the_old_plan_costs_one_fresh_token(second_scene: Scene) -> None:
    tokens, points = second_scene.stage.oauth.count(), await second_scene.reasons("points")
    async with recovery(second_scene.connector, "402, and a fresh token is of the new plan"):
        second_scene.stage.upstream.next_connection(at_upgrade=NO_BILLING)
        second_scene.stage.upstream.begin(LOST)
    assert await second_scene.reasons("points") == points + 1
    assert second_scene.stage.oauth.count() == tokens + 1


async def test_every_row_between_these_refusals_is_accounted_for(second_scene: Scene) -> None:
    await ended(second_scene)


# Connectors of their own


async def test_points_used_up_cost_exactly_one_fresh_token_and_then_a_pause(stage: Stage) -> None:
    async with stage.start(stage.config()) as connector:
        await connector.until_metric(ACKED, at_least(100))
        tokens, attempts = stage.oauth.count(), len(stage.upstream.attempts)
        stage.upstream.behave(at_upgrade=HttpRefusal(status=402, body="No active billing period"))
        stage.upstream.begin(LOST)
        await connector.until_metric("connector_refused_alarm", at_least(1), reason="points")
        await anyio.sleep(8)
        assert stage.oauth.count() == tokens + 1
        assert [attempt.status for attempt in stage.upstream.attempts[attempts:]] == [402, 402]
        assert await connector.state("bsc") == "waiting"
        assert await connector.metric(REASONS, reason="points") == 2
        (line,) = connector.logs("refused until something changes")
        assert line["next_attempt_seconds"] >= 300
        assert "points" in line["remedy"]
        assert await connector.stop() == 0
    await stage.assert_exact(stage.upstream.feed)


async def test_a_missing_scope_costs_exactly_one_fresh_token_and_then_a_pause(stage: Stage) -> None:
    async with stage.start(stage.config()) as connector:
        await connector.until_metric(ACKED, at_least(100))
        tokens, attempts = stage.oauth.count(), len(stage.upstream.attempts)
        refusal = HttpRefusal(status=403, body="Forbidden", challenges=(BASIC, "Bearer", NO_SCOPE, "=,"))
        stage.upstream.behave(at_upgrade=refusal)
        stage.upstream.begin(LOST)
        await connector.until_metric("connector_refused_alarm", at_least(1), reason="insufficient_scope")
        await anyio.sleep(8)
        assert stage.oauth.count() == tokens + 1
        assert [attempt.status for attempt in stage.upstream.attempts[attempts:]] == [403, 403]
        assert await connector.metric(REASONS, reason="insufficient_scope") == 2
        (line,) = connector.logs("refused until something changes")
        assert line["next_attempt_seconds"] >= 200
        assert "needs the scope api trades" in line["error"]
        assert "oauth.scope" in line["remedy"]
        assert await connector.stop() == 0
    await stage.assert_exact(stage.upstream.feed)


@pytest.mark.slow
async def test_a_new_copied_token_ends_the_pause_of_used_up_points(stage: Stage) -> None:
    file = stage.directory / "token"
    file.write_text(stage.authority.issue())
    async with stage.start(with_token_file(stage, str(file))) as connector:
        await connector.until_metric(ACKED, at_least(100))
        stage.upstream.behave(at_upgrade=HttpRefusal(status=402, body="points limit exceeded"))
        stage.upstream.begin(LOST)
        await connector.until_metric("connector_refused_alarm", at_least(1), reason="points")
        what = "402, and a token of the new plan put into its file"
        async with recovery(connector, what, from_steady=False):
            stage.upstream.behave_again()
            file.write_text(stage.authority.issue())
        await connector.until_metric("connector_refused_alarm", lambda alarm: alarm == 0)
        assert await connector.stop() == 0
    await stage.assert_exact(stage.upstream.feed)


@pytest.mark.slow
async def test_the_copied_token_dies_and_the_next_one_is_awaited(stage: Stage) -> None:
    file = stage.directory / "token"
    file.write_text(old := stage.authority.issue())
    async with stage.start(with_token_file(stage, str(file))) as connector:
        await connector.until_metric(ACKED, at_least(100))
        stage.authority.revoke(old)
        attempts = len(stage.upstream.attempts)
        stage.upstream.begin(LOST)
        await connector.until_metric("connector_token_alarm", at_least(1))
        await anyio.sleep(6)
        assert 2 <= len(stage.upstream.attempts) - attempts <= 4
        _, body = await connector.readyz()
        assert body["token"]["state"] == "rejected"
        assert await connector.metric("connector_refused_alarm", reason="unauthorized") == 1
        what = "copied token dead, the next one put into its file"
        async with recovery(connector, what, from_steady=False):
            file.write_text(stage.authority.issue() + "\n")
        assert await connector.metric("connector_token_alarm") == 0
        await connector.until_metric("connector_refused_alarm", lambda alarm: alarm == 0)
        assert await connector.stop() == 0
    await stage.assert_exact(stage.upstream.feed)


async def test_a_given_token_serves_until_it_is_refused(stage: Stage) -> None:
    config = stage.config()
    del config["oauth"]
    token = stage.authority.issue()
    async with stage.start(config | {"token": "${env:TOKEN}"}, TOKEN=token) as connector:
        await connector.until_metric(ACKED, at_least(100))
        stage.authority.revoke(token)
        acked = await connector.metric(ACKED)
        await connector.until_metric(ACKED, at_least(acked + 300))
        stage.upstream.begin(LOST)
        await connector.until_metric("connector_refused_alarm", at_least(1), reason="unauthorized")
        await connector.until_metric("connector_token_alarm", at_least(1))
        assert len(stage.upstream.attempts) <= 4
        assert await connector.stop() == 0
    await stage.assert_exact(stage.upstream.feed)


def with_token_file(stage: Stage, file: str) -> dict[str, Any]:
    config = stage.config()
    del config["oauth"]
    return config | {"token_file": file}


async def test_an_application_deleted_while_a_socket_lives_keeps_the_socket(
    kafka: KafkaCluster, tmp_path_factory: pytest.TempPathFactory
) -> None:
    directory = tmp_path_factory.mktemp("deleted")
    feed = Feed("bsc", rate=300)
    async with open_stage(kafka, directory, f"deleted-{time.time_ns()}", feed, life=10) as stage:
        async with stage.start(stage.config()) as connector:
            await connector.until_metric(ACKED, at_least(100))
            since = time.monotonic()
            stage.oauth.delete_client()
            await connector.until_metric("connector_token_alarm", at_least(1))
            assert connector.logs("token endpoint refused")[0]["level"] == "error"
            assert await connector.state("bsc") == "live"
            await connector.until_metric("connector_token_state", at_least(1), state="refused")
            acked = await connector.metric(ACKED)
            await connector.until_metric(ACKED, at_least(acked + 1000))
            assert len(stage.upstream.sessions) == 1
            assert stage.oauth.count(status=401, since=since) <= 2
            assert await connector.stop() == 0
        await stage.assert_exact(feed)


@pytest.mark.slow
async def test_a_session_above_the_cap_of_streams_is_an_alarm_and_stays(
    kafka: KafkaCluster, tmp_path_factory: pytest.TempPathFactory
) -> None:
    directory = tmp_path_factory.mktemp("cap")
    feeds = [Feed("bsc", rate=200), Feed("eth", rate=200)]
    async with open_stage(kafka, directory, f"cap-{time.time_ns()}", *feeds) as stage:
        stage.upstream.stream_cap = 1
        config = stage.config(endpoint={"no_data_alarm": "2s"})
        async with stage.start(config) as connector:
            await connector.until_metric("connector_no_data_alarm", at_least(1))
            (line, *_) = connector.logs("no data although the session is alive")
            silent = line["subscription"]
            speaking = "eth" if silent == "bsc" else "bsc"
            await connector.until_metric(ACKED, at_least(300), subscription=speaking)
            assert await connector.metric("connector_no_data_alarm", subscription=speaking) == 0
            await anyio.sleep(11)  # longer than the silence that would end it
            assert len(stage.upstream.sessions) == 2
            assert (await connector.state("bsc"), await connector.state("eth")) == ("live", "live")
            assert "cap" in line["causes"]
            assert await connector.stop() == 0
        await stage.assert_exact(next(feed for feed in feeds if feed.name == speaking))


async def test_one_forbidden_document_costs_one_token_and_holds_up_no_other(
    kafka: KafkaCluster, tmp_path_factory: pytest.TempPathFactory
) -> None:
    directory = tmp_path_factory.mktemp("forbidden")
    good, bad = Feed("bsc", rate=300), Feed("eth", rate=300)
    async with open_stage(kafka, directory, f"forbidden-{time.time_ns()}", good, bad) as stage:
        async with stage.start(stage.config()) as connector:
            await connector.until_metric(ACKED, at_least(100), subscription="bsc")
            await connector.until_metric(ACKED, at_least(100), subscription="eth")
            await steady(connector, "bsc")
            await steady(connector, "eth")
            tokens = stage.oauth.count()
            stage.upstream.behave(feed="eth", at_subscribe=Close(4403, "Forbidden"))
            stage.upstream.begin(LOST, feed="eth")
            await connector.until_metric(
                "connector_refused_alarm", at_least(1), subscription="eth", reason="unauthorized"
            )
            await connector.until_metric(REASONS, at_least(4), subscription="eth", reason="unauthorized")
            assert stage.oauth.count() == tokens + 1
            for trouble in (Close(1012), Rst()):
                async with recovery(connector, "a sibling of a forbidden document loses its socket"):
                    stage.upstream.begin(trouble, feed="bsc")
            _, body = await connector.readyz()
            assert body["token"]["state"] == "valid"
            assert await connector.metric("connector_token_alarm") == 0
            assert stage.oauth.count() == tokens + 1
            assert await connector.stop() == 0
        await stage.assert_exact(good)

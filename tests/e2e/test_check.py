"""`connector check` on Apache Kafka: what is wrong is named before anything runs, and nothing is done."""

from __future__ import annotations

import json
import signal
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

import anyio
import pytest

from tests.brokers.admin import create_topic
from tests.brokers.reader import end_offsets
from tests.brokers.secured import SecuredKafka
from tests.e2e.command import checks, of_check, run_command, secrets_of
from tests.e2e.connector_process import PATIENCE, encodings
from tests.e2e.stage import Stage, open_stage
from tests.e2e.test_kafka_security import kafka as kafka_section
from tests.e2e.test_kafka_security import secured_stage
from tests.slow import first_of
from tests.standins.behaviour import Close, ErrorOnConnection, HttpRefusal, Silence
from tests.standins.feed import Feed
from tests.standins.oauth import TokenAnswer
from tests.standins.tokens import make_secret

KAFKA_IS_AWAY = {"bootstrap_servers": "127.0.0.1:1"}


def assert_nothing_was_subscribed(stage: Stage) -> None:
    kinds = [message["type"] for session in stage.upstream.sessions for message in session.received]
    assert set(kinds) <= {"connection_init", "ping", "pong"}, kinds
    assert not stage.upstream.violations


async def test_all_is_well_and_nothing_was_done(stage: Stage) -> None:
    topic = await create_topic(stage.kafka.bootstrap_servers, stage.topic("bsc"), partitions=3)
    done = await run_command(stage, stage.config(), "check", "--json")
    assert done.returncode == 0, done.stdout
    assert done.stderr == ""
    found = checks(done)
    assert {one["outcome"] for one in found.values()} <= {"ok", "not needed"}
    token = of_check(found, "token")
    assert token["life_seconds"] == pytest.approx(3600, abs=10)
    assert (token["subject"], token["scope"]) == (stage.oauth.url, None)
    assert of_check(found, "subprotocol")["subprotocol"] in ("graphql-ws", "graphql-transport-ws")
    assert of_check(found, "keep-alive")["seconds"] > 0
    assert found[topic, "exists"]["partitions"] == 3
    assert found[topic, "right to write"]["how"]
    assert_nothing_was_subscribed(stage)
    (session,) = stage.upstream.sessions
    await stage.upstream.until(lambda: session.record.ending == "client close")
    assert sum((await end_offsets(stage.kafka.bootstrap_servers, topic)).values()) == 0


@pytest.mark.slow
async def test_people_read_a_table(stage: Stage) -> None:
    done = await run_command(stage, stage.config(), "check")
    assert done.returncode == 0
    for said in ("lives 3600 s", "HTTP 101", "connection_ack", "will be created", "right to create"):
        assert said in done.stdout
    assert "nothing stands in the way" in done.stdout


@pytest.mark.slow
async def test_a_topic_that_will_be_created_is_not_created_by_it(stage: Stage) -> None:
    done = await run_command(stage, stage.config(), "check", "--json")
    found = checks(done)
    topic = stage.topic("bsc")
    assert found[topic, "exists"]["detail"] == "not there yet: will be created"
    assert found[topic, "exists"]["exists"] is False
    again = checks(await run_command(stage, stage.config(), "check", "--json"))
    assert again[topic, "exists"]["exists"] is False


@pytest.mark.slow
async def test_a_topic_that_must_exist_and_does_not_is_named(stage: Stage) -> None:
    done = await run_command(stage, stage.config(topics={"create": False}), "check", "--json")
    assert done.returncode == 3
    there = checks(done)[stage.topic("bsc"), "exists"]
    assert there["outcome"] == "failed"
    assert "does not exist" in there["detail"]


@pytest.mark.slow
async def test_topics_named_by_rows_and_the_dead_letter_topic_are_told_apart(stage: Stage) -> None:
    name = f"{stage.topic_prefix}.{{Transaction.Hash}}"
    subscriptions = [stage.subscription(stage.upstream.feed, topic=name)]
    letters = f"{stage.topic_prefix}.dlq"
    errors = {"tolerance": "all", "dead_letter_topic": letters}
    done = await run_command(
        stage, stage.config(subscriptions=subscriptions, errors=errors), "check", "--json"
    )
    assert done.returncode == 0
    found = checks(done)
    assert found[name, "rights"]["outcome"] == "not checked"
    assert found[letters, "exists"]["writers"] == "dead letters"


async def test_a_wrong_client_secret_is_named(stage: Stage) -> None:
    wrong = make_secret()
    done = await run_command(stage, stage.config(), "check", "--json", env={"E2E_CLIENT_SECRET": wrong})
    assert done.returncode == 4
    found = checks(done)
    token = of_check(found, "token")
    assert (token["outcome"], token["error"]) == ("refused", "invalid_client")
    assert "client id and secret" in token["remedy"]
    assert of_check(found, "connection")["outcome"] == "ok"  # somebody is there all the same
    assert of_check(found, "handshake")["outcome"] == "not checked"
    assert not [kind for kind, text in encodings(wrong) if text in done.stdout + done.stderr]


@pytest.mark.slow
async def test_credentials_outrank_what_cannot_be_reached(stage: Stage) -> None:
    stage.oauth.delete_client()
    config = stage.config(endpoint={"url": "ws://127.0.0.1:1/graphql"}, kafka=KAFKA_IS_AWAY)
    done = await run_command(stage, config, "check", "--json")
    assert done.returncode == 4
    found = checks(done)
    assert of_check(found, "connection")["outcome"] == "failed"
    assert of_check(found, "bootstrap server")["outcome"] == "failed"


@pytest.mark.slow
async def test_a_token_endpoint_that_is_down_is_no_refusal(stage: Stage) -> None:
    stage.oauth.behave(TokenAnswer.html(503))
    done = await run_command(stage, stage.config(), "check", "--json")
    assert done.returncode == 3
    assert "HTTP 503" in of_check(checks(done), "token")["detail"]


@pytest.mark.slow
async def test_another_scope_than_asked_for_is_told(stage: Stage) -> None:
    stage.oauth.behave(TokenAnswer(scope="api read"))
    token = of_check(checks(await run_command(stage, stage.config(), "check", "--json")), "token")
    assert (token["outcome"], token["scope"]) == ("ok", "api read")


async def test_an_endpoint_that_nobody_answers_at(stage: Stage) -> None:
    config = stage.config(endpoint={"url": "ws://127.0.0.1:1/graphql"})
    done = await run_command(stage, config, "check", "--json")
    assert done.returncode == 3
    connection = of_check(checks(done), "connection")
    assert connection["outcome"] == "failed"
    assert connection["reason"] == "unreachable"


@pytest.mark.slow
async def test_an_endpoint_that_takes_the_connection_and_says_nothing(stage: Stage) -> None:
    with socket.create_server(("127.0.0.1", 0)) as mute:
        url = f"ws://127.0.0.1:{mute.getsockname()[1]}/graphql"
        config = stage.config(endpoint={"url": url, "open_timeout": "1s"})
        done = await run_command(stage, config, "check", "--json")
    assert done.returncode == 3
    assert "1 s" in of_check(checks(done), "connection")["detail"]


@pytest.mark.slow
async def test_no_acknowledgement(stage: Stage) -> None:
    stage.upstream.behave(ack_delay=60.0)
    done = await run_command(stage, stage.config(endpoint={"ack_timeout": "500ms"}), "check", "--json")
    assert done.returncode == 3
    found = checks(done)
    assert of_check(found, "handshake")["outcome"] == "ok"
    assert of_check(found, "connection_ack")["reason"] == "no_ack"


@pytest.mark.slow
async def test_no_keep_alive_is_told_and_is_no_failure(stage: Stage) -> None:
    stage.upstream.behave(keepalive=None)
    done = await run_command(stage, stage.config(endpoint={"keepalive_timeout": "1s"}), "check", "--json")
    assert done.returncode == 0
    alive = of_check(checks(done), "keep-alive")
    assert (alive["outcome"], alive["needed"]) == ("failed", False)


@pytest.mark.slow
async def test_where_silence_is_usual_our_ping_is_answered(stage: Stage) -> None:
    stage.upstream.behave(keepalive=None)
    endpoint = {
        "preset": "generic",
        "url": stage.upstream.url,
        "credentials": {"in": "url", "name": "token"},
        "keepalive_timeout": "30s",
    }
    config = {**stage.config(), "endpoint": endpoint}
    config["oauth"] = {**config["oauth"], "scope": "api"}
    done = await run_command(stage, config, "check", "--json")
    assert done.returncode == 0, done.stdout
    assert "our ping was answered" in of_check(checks(done), "keep-alive")["detail"]


@pytest.mark.parametrize(
    ("behaviour", "check", "code", "reason"),
    first_of(
        [
            ({"at_upgrade": HttpRefusal(status=401)}, "handshake", 4, "unauthorized"),
            ({"at_upgrade": HttpRefusal.html(403)}, "handshake", 4, "unauthorized"),
            (
                {"at_upgrade": HttpRefusal(status=403, challenges=('Bearer error="insufficient_scope"',))},
                "handshake",
                4,
                "insufficient_scope",
            ),
            (
                {"at_upgrade": HttpRefusal(status=402, body="No active billing period")},
                "handshake",
                4,
                "points",
            ),
            (
                {"at_upgrade": HttpRefusal(status=429, body="Too Many Sessions")},
                "handshake",
                3,
                "too_many_sessions",
            ),
            ({"at_upgrade": HttpRefusal(status=502)}, "handshake", 3, "server_error"),
            ({"instead_of_ack": Close(4403, "Forbidden")}, "connection_ack", 4, "unauthorized"),
            ({"instead_of_ack": ErrorOnConnection("Unauthorized")}, "connection_ack", 4, "unauthorized"),
        ]
    ),
)
async def test_a_refusal_is_called_what_the_table_calls_it(
    stage: Stage, behaviour: dict[str, Any], check: str, code: int, reason: str
) -> None:
    stage.upstream.behave(**behaviour)
    done = await run_command(stage, stage.config(), "check", "--json")
    assert done.returncode == code, done.stdout
    refused = of_check(checks(done), check)
    assert refused["reason"] == reason
    assert refused["remedy"]
    assert_nothing_was_subscribed(stage)


@pytest.mark.slow
async def test_a_server_that_speaks_but_one_subprotocol_is_asked_for_it(stage: Stage) -> None:
    stage.upstream.behave(subprotocols=("graphql-transport-ws",))
    done = await run_command(stage, stage.config(), "check", "--json")
    assert done.returncode == 0
    assert of_check(checks(done), "subprotocol")["subprotocol"] == "graphql-transport-ws"


@pytest.mark.slow
async def test_a_token_that_is_given_has_no_known_life(stage: Stage) -> None:
    config = stage.config(token=stage.authority.issue())
    del config["oauth"]
    done = await run_command(stage, config, "check", "--json")
    assert done.returncode == 0
    token = of_check(checks(done), "token")
    assert token["life_seconds"] is None
    assert "not known" in token["detail"]


@pytest.mark.slow
async def test_mistakes_of_the_configuration_are_told_to_machines_too(stage: Stage) -> None:
    config = stage.config(tasks=0, delivery="exactly_once")
    done = await run_command(stage, config, "check", "--json")
    assert done.returncode == 2
    document = json.loads(done.stdout)
    assert {problem["path"] for problem in document["problems"]} == {"tasks", "delivery"}
    assert "2 problems found" in done.stderr


@pytest.mark.slow
async def test_an_interruption_ends_it_without_a_traceback(stage: Stage) -> None:
    stage.upstream.behave(ack_delay=60.0)
    (stage.directory / "run0").mkdir()
    file = stage.directory / "run0" / "c.yaml"
    file.write_text(json.dumps(stage.config(endpoint={"ack_timeout": "60s"})))
    process = await anyio.open_process(
        ["python", "-m", "connector", "check", "-c", str(file)], env=environment(stage), stdin=None
    )
    async with process:
        await stage.upstream.until(lambda: stage.upstream.sessions)
        process.send_signal(signal.SIGINT)
        with anyio.fail_after(PATIENCE):
            assert await process.wait() == 130
            assert process.stderr is not None
            said = b"".join([chunk async for chunk in process.stderr])
        assert b"Traceback" not in said


def environment(stage: Stage) -> dict[str, str]:
    import os
    import sys

    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}"
    return {**os.environ, **secrets_of(stage), "PATH": path}


# Kafka's security


@pytest.mark.slow
async def test_a_wrong_sasl_password_is_named(
    secured: SecuredKafka, tmp_path: Path, topic_name: Callable[[], str]
) -> None:
    user, password = topic_name(), make_secret()
    secured.set_password(user, "another")
    sasl = {"mechanism": "SCRAM-SHA-512", "username": user, "password": "${env:KAFKA_PASSWORD}"}
    async with secured_stage(
        secured, tmp_path, topic_name(), Feed("bsc"), secrets=lambda: [password]
    ) as stage:
        config = stage.config(kafka=kafka_section(secured, "SASL_TLS", sasl=sasl))
        done = await run_command(stage, config, "check", "--json", env={"KAFKA_PASSWORD": password})
    assert done.returncode == 4
    server = of_check(checks(done), "bootstrap server")
    assert (server["outcome"], server["reason"]) == ("refused", "credentials")
    assert f"does not accept user {user} with this password" in server["detail"]


@pytest.mark.slow
async def test_a_missing_client_certificate_is_named(
    secured: SecuredKafka, tmp_path: Path, topic_name: Callable[[], str]
) -> None:
    async with secured_stage(secured, tmp_path, topic_name(), Feed("bsc")) as stage:
        done = await run_command(stage, stage.config(kafka=kafka_section(secured, "MTLS")), "check", "--json")
    assert done.returncode == 4
    assert of_check(checks(done), "bootstrap server")["reason"] == "client_certificate"


@pytest.mark.slow
async def test_plaintext_on_a_tls_port_is_named(
    secured: SecuredKafka, tmp_path: Path, topic_name: Callable[[], str]
) -> None:
    async with secured_stage(secured, tmp_path, topic_name(), Feed("bsc")) as stage:
        config = stage.config(kafka={"bootstrap_servers": secured.servers("TLS")})
        done = await run_command(stage, config, "check", "--json")
    assert done.returncode == 3
    assert of_check(checks(done), "bootstrap server")["reason"] == "wants_tls"


@pytest.mark.slow
async def test_missing_rights_are_named_before_anything_runs(
    secured: SecuredKafka, tmp_path: Path, topic_name: Callable[[], str]
) -> None:
    user, prefix, password = topic_name(), topic_name(), make_secret()
    secured.set_password(user, password)
    topic = await create_topic(secured.cluster.bootstrap_servers, f"{prefix}.bsc", partitions=2)
    secured.allow(user, "DESCRIBE", topic=topic)
    sasl = {"mechanism": "SCRAM-SHA-256", "username": user, "password": password}
    letters = f"{prefix}.dlq"
    errors = {"tolerance": "all", "dead_letter_topic": letters}
    async with secured_stage(secured, tmp_path, prefix, Feed("bsc"), secrets=lambda: [password]) as stage:
        config = stage.config(kafka=kafka_section(secured, "SASL_TLS", sasl=sasl), errors=errors)
        done = await run_command(stage, config, "check", "--json")
        assert done.returncode == 4
        found = checks(done)
        assert found[topic, "right to describe"]["outcome"] == "ok"
        assert found[topic, "right to write"]["outcome"] == "missing"
        assert "grant WRITE" in found[topic, "right to write"]["detail"]
        assert found[topic, "right to describe configs"]["outcome"] == "missing"
        assert found[topic, "right to describe configs"]["needed"] is False
        assert found[letters, "right to write"]["outcome"] == "missing"
        secured.allow(user, "WRITE", "CREATE", "DESCRIBE_CONFIGS", topic=f"{prefix}.", prefixed=True)
        done = await run_command(stage, config, "check", "--json")
        assert done.returncode == 0, done.stdout


@pytest.mark.slow
async def test_it_speaks_through_tls_and_is_not_let_in_by_an_unknown_authority(
    secured: SecuredKafka, tmp_path: Path, topic_name: Callable[[], str]
) -> None:
    async with open_stage(secured.cluster, tmp_path, topic_name(), Feed("bsc")) as stage:
        section = {"bootstrap_servers": secured.servers("TLS"), "security": {"protocol": "SSL"}}
        done = await run_command(stage, stage.config(kafka=section), "check", "--json")
    assert done.returncode == 3
    assert of_check(checks(done), "bootstrap server")["reason"] == "untrusted"


@pytest.mark.slow
async def test_a_silence_after_the_acknowledgement_ends_in_time(stage: Stage) -> None:
    stage.upstream.behave(instead_of_ack=Silence(keepalive=False))
    done = await run_command(stage, stage.config(endpoint={"ack_timeout": "1s"}), "check", "--json")
    assert done.returncode == 3

"""The configuration as a whole: what is taken, and what it becomes."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from connector.config import Config, check_without_secrets
from tests.unit.config.conftest import GENERIC, Load, Outlined, Read, Refused

BITQUERY = """\
name: dex
endpoint: {preset: bitquery}
oauth: {client_id: me, client_secret: hush-hush}
kafka: {bootstrap_servers: "localhost:9092"}
subscriptions:
  - name: trades
    document: "subscription ($n: net) { EVM(network: $n) { DEXTrades { Block { Number } } } }"
    variables: {n: bsc}
    topic: dex.{n}.{Block.Number}
    key: Block.Number
"""


def placed(config: Config) -> list[tuple[str, str, str]]:
    """Where the token goes."""
    return [(one.in_, one.name, one.template) for one in config.endpoint.credentials]


def test_defaults_are_those_of_the_reference(read: Read) -> None:
    config = read()
    assert config.endpoint.preset == "generic"
    assert config.endpoint.subprotocol == "auto"
    assert config.endpoint.keepalive_timeout == 30.0
    assert config.endpoint.no_data_alarm == 300.0
    assert config.endpoint.max_message_bytes == 16 * 1024**2
    assert placed(config) == [("header", "Authorization", "Bearer {token}")]
    assert (config.endpoint.ping_interval, config.endpoint.reopen_pause) == (None, 0.0)
    assert config.endpoint.refusals == ()
    assert config.kafka.client_id == "shop"
    assert config.kafka.compression == "none"
    assert config.kafka.producer.linger == 0.0
    assert config.kafka.producer.max_batch_bytes == 900 * 1024
    assert config.topics.create is True
    assert config.inbox.max_bytes == 64 * 1024**2
    assert config.shutdown.drain == 20.0
    assert (config.http.host, config.http.port) == ("0.0.0.0", 8083)
    assert (config.log.level, config.log.format) == ("info", "auto")
    assert (config.tasks, config.token_source) == (1, "none")


def test_the_preset_fills_what_the_user_left_out(read: Read) -> None:
    config = read(BITQUERY)
    assert config.endpoint.url == "wss://streaming.bitquery.io/graphql"
    assert config.endpoint.keepalive_timeout == 10.0
    assert placed(config) == [("url", "token", "{token}")]
    assert config.oauth is not None
    assert config.oauth.token_url == "https://oauth2.bitquery.io/oauth2/token"
    assert (config.oauth.scope, config.oauth.auth) == ("api", "body")
    assert config.preset.rows_limit == 800


def test_a_subscription_becomes_a_plan(load: Load) -> None:
    (plan,) = load(BITQUERY).plans
    assert plan.rows == ("EVM", "DEXTrades")
    assert plan.key == (("Block", "Number"),)
    assert plan.topic == "dex.bsc.{Block.Number}"
    assert plan.cubes == 1
    assert plan.variables == {"n": "bsc"}


def test_credentials_elsewhere_than_the_preset_puts_them_take_that_places_names(read: Read) -> None:
    config = read(BITQUERY.replace("{preset: bitquery}", "{preset: bitquery, credentials: {in: header}}"))
    assert placed(config) == [("header", "Authorization", "Bearer {token}")]


def test_the_token_may_go_to_several_places(read: Read) -> None:
    both = "[{in: url, name: key}, {in: init, name: headers.Authorization}, {in: header}]"
    config = read(BITQUERY.replace("{preset: bitquery}", f"{{preset: bitquery, credentials: {both}}}"))
    assert placed(config) == [
        ("url", "key", "{token}"),
        ("init", "headers.Authorization", "Bearer {token}"),
        ("header", "Authorization", "Bearer {token}"),
    ]


def test_a_presets_credentials_are_completed_at_the_place_that_is_named(read: Read) -> None:
    text = GENERIC.replace("endpoint:\n", "endpoint:\n  preset: hasura\n  credentials: {in: init}\n")
    assert placed(read(text)) == [("init", "headers.Authorization", "Bearer {token}")]


@pytest.mark.parametrize(("written", "seconds"), [("15s", 15.0), ("none", None), ("1m", 60.0)])
def test_the_client_pings_as_often_as_is_written(read: Read, written: str, seconds: float | None) -> None:
    text = GENERIC.replace("endpoint:\n", f"endpoint:\n  preset: ohip\n  ping_interval: {written}\n")
    assert read(text + "token: a-token\n").endpoint.ping_interval == seconds


def test_a_preset_gives_its_pings_and_pauses(read: Read) -> None:
    endpoint = read(GENERIC.replace("endpoint:\n", "endpoint:\n  preset: ohip\n") + "token: t\n").endpoint
    assert (endpoint.ping_interval, endpoint.reopen_pause) == (15.0, 10.0)
    assert endpoint.subprotocol == "graphql-transport-ws"


@pytest.mark.parametrize(
    "host", ["0.0.0.0", "::", "localhost", "::1", "pod-1.svc.cluster.local", "my_pod", "h."]
)
def test_a_host_to_listen_on_is_a_name_or_an_address(read: Read, host: str) -> None:
    assert read(f"{GENERIC}http: {{host: '{host}'}}\n").http.host == host


@pytest.mark.parametrize(
    "servers", ["[::1]:9092", "kafka_1:9092, kafka-2:65535", "10.0.0.1:1", "kafka.:9092"]
)
def test_brokers_are_names_or_addresses_with_a_port(read: Read, servers: str) -> None:
    text = GENERIC.replace("localhost:9092", f"'{servers}'")
    assert read(text).kafka.bootstrap_servers == servers


def test_a_token_in_the_url_is_called_token_unless_a_name_is_given(read: Read) -> None:
    text = GENERIC.replace("endpoint:", "endpoint:\n  credentials: {in: url}") + "token: abc\n"
    assert placed(read(text)) == [("url", "token", "{token}")]


def test_the_token_has_one_source(refused: Refused) -> None:
    (problem,) = refused(
        GENERIC + "token: a\noauth: {token_url: 'http://h/', client_id: a, client_secret: b}\n"
    )
    assert (problem.where, problem.path) == ("shop.yaml:10", "token")
    assert "beside oauth" in problem.message


def test_bitquery_needs_a_token(refused: Refused) -> None:
    (problem,) = refused(BITQUERY.replace("oauth: {client_id: me, client_secret: hush-hush}\n", ""))
    assert "needs a token" in problem.message


def test_a_token_without_a_value_is_one_mistake(refused: Refused) -> None:
    (problem,) = refused(BITQUERY.replace("oauth: {client_id: me, client_secret: hush-hush}\n", "token:\n"))
    assert (problem.path, problem.message) == ("token", "has no value")


def test_a_token_file_is_looked_for_beside_the_configuration(
    read: Read, outlined: Outlined, refused: Refused
) -> None:
    text = GENERIC + "token_file: secret.txt\n"
    (problem,) = refused(text)
    assert (problem.path, problem.where) == ("token_file", "shop.yaml:10")
    config = read(text, files={"secret.txt": "t"})
    assert config.token_file is not None
    assert os.path.isabs(config.token_file)
    assert outlined(text, files={"secret.txt": ""}).plans


def test_the_environment_overrides_the_level(read: Read, refused: Refused) -> None:
    assert read(env={"CONNECTOR_LOG_LEVEL": "DEBUG"}).log.level == "debug"
    (problem,) = refused(env={"CONNECTOR_LOG_LEVEL": "loud"})
    assert problem.where == "environment"


def test_two_subscriptions_may_share_a_topic(load: Load) -> None:
    text = GENERIC + "  - {name: more, document: orders.graphql, topic: shop.orders}\n"
    assert [plan.topic for plan in load(text).plans] == ["shop.orders", "shop.orders"]


def test_the_examples_are_right() -> None:
    examples = Path(__file__).parents[3] / "docs" / "examples"
    files = sorted(examples.glob("*.yaml"))
    assert files
    for file in files:
        outline = check_without_secrets(file, env={})
        assert len(outline.plans) == file.read_text(encoding="utf-8").count("document:")


@pytest.mark.parametrize(
    ("written", "read_as"),
    [("auto", "auto"), ("off", "off"), ("'off'", "off"), ("false", "off"), ("on", "auto")],
)
def test_compression_is_switched_off_by_a_word_that_yaml_may_take_for_false(
    read: Read, written: str, read_as: str
) -> None:
    config = read(GENERIC.replace("endpoint:\n", f"endpoint:\n  compression: {written}\n"))
    assert config.endpoint.compression == read_as


@pytest.mark.parametrize(
    ("written", "read_as"),
    [("auto", "auto"), ("off", "off"), ("'off'", "off"), ("false", "off"), ("2m", 120.0), ("1h30m", 5400.0)],
)
def test_silence_is_looked_into_by_habit_after_a_duration_or_never(
    read: Read, written: str, read_as: float | str
) -> None:
    assert read(GENERIC).endpoint.quiet_after == "auto"
    config = read(GENERIC.replace("endpoint:\n", f"endpoint:\n  quiet_after: {written}\n"))
    assert config.endpoint.quiet_after == read_as


def test_international_hosts_have_the_names_that_dns_has_at_every_door(read: Read) -> None:
    text = GENERIC.replace("localhost:9092", "'bücher.example:9092, h:1 ,straße.example:2'")
    text = text.replace("ws://127.0.0.1:1/graphql", "wss://bücher.example:8443/graphql?a=b")
    text = text.replace("endpoint:\n", "endpoint:\n  proxy: http://me:s@bücher.example:3128\n")
    text += "oauth: {token_url: 'https://例え.テスト/token', client_id: a, client_secret: b}\n"
    config = read(text + "http: {host: bücher.example}\n")
    assert config.endpoint.url == "wss://xn--bcher-kva.example:8443/graphql?a=b"
    assert config.oauth is not None
    assert config.oauth.token_url == "https://xn--r8jz45g.xn--zckzah/token"
    servers = "xn--bcher-kva.example:9092, h:1 ,xn--strae-oqa.example:2"
    assert config.kafka.bootstrap_servers == servers
    assert str(config.endpoint.proxy).endswith("@xn--bcher-kva.example:3128")
    assert config.http.host == "xn--bcher-kva.example"

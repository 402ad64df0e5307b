"""What is refused, where it is said to be, and what to do."""

from __future__ import annotations

from pathlib import Path

import pytest

from connector.config import read_config
from connector.errors import ConfigError
from tests.unit.config.conftest import GENERIC, Refused


@pytest.mark.parametrize(
    ("old", "new", "path", "message"),
    [
        ("name: shop", "name: no", "name", "YAML reads it as false"),
        ("name: shop", "name: 0123", "name", "YAML reads it as a number"),
        ("name: shop", "name: sh/op", "name", "no legal name"),
        ("name: shop", "name: ''", "name", "is empty"),
        ("name: shop\n", "", "name", "is missing"),
        ("name: shop", "name:", "name", "has no value"),
        ("name: shop", "nam: shop", "nam", "unknown key"),
        ("name: shop", "name: [shop]", "name", "must be a string"),
        ("name: shop", "name: shop\ntasks: 65", "tasks", "less than or equal to 64"),
        ("name: shop", "name: shop\ntasks: true", "tasks", "not a whole number"),
        ("name: shop", "name: shop\ntasks: 1.5", "tasks", "not a whole number"),
        ("name: shop", "name: shop\nshutdown: 20s", "shutdown", "key: value pairs"),
        ("name: shop", "name: shop\nshutdown: {drain: 20}", "shutdown.drain", "without a unit"),
        ("name: shop", "name: shop\nshutdown: {drain: 0s}", "shutdown.drain", "longer than nothing"),
        ("name: shop", "name: shop\nshutdown: {drain: 20 parsecs}", "shutdown.drain", "not a duration"),
        ("name: shop", "name: shop\nshutdown: {drain: 400d}", "shutdown.drain", "longer than a year"),
        ("name: shop", "name: shop\ninbox: {max_bytes: 1ZiB}", "inbox.max_bytes", "not a size"),
        ("name: shop", "name: shop\ninbox: {max_bytes: 10}", "inbox.max_bytes", "from 1KiB"),
        ("name: shop", "name: shop\nhttp: {port: 65536}", "http.port", "65535"),
        ("name: shop", "name: shop\nlog: {level: loud}", "log.level", "must be one of"),
        ("name: shop", "name: shop\ntopics: {create: maybe}", "topics.create", "neither true nor false"),
        ("name: shop", "name: shop\ntopics: {partitions: 0}", "topics.partitions", "must be -1"),
        ("name: shop", "name: shop\ntopics: {partitions: '0'}", "topics.partitions", "must be -1"),
        ("name: shop", "name: shop\ntopics: {partitions: 2147483648}", "topics.partitions", "2147483647"),
        (
            "name: shop",
            "name: shop\ntopics: {replication_factor: 32768}",
            "topics.replication_factor",
            "32767",
        ),
        ("name: shop", "name: shop\ntasks: '010'", "tasks", "not a whole number"),
        ("name: shop", "name: shop\ninbox: {max_bytes: 1000KiB}", "inbox.max_bytes", "from 1MiB to 64GiB"),
        (
            "kafka:",
            "kafka:\n  producer: {max_batch_bytes: 2GiB}",
            "kafka.producer.max_batch_bytes",
            "to 1GiB",
        ),
        ("kafka:", "kafka:\n  producer: {max_batch_bytes: 1}", "kafka.producer.max_batch_bytes", "from 1KiB"),
        ("name: shop", "name: shop\nhttp: {host: not a host}", "http.host", "neither a host nor"),
        ("name: shop", "name: shop\nhttp: {host: 300.1.1.1}", "http.host", "neither a host nor"),
        ("name: shop", "name: shop\nhttp: {host: 'localhost:80'}", "http.host", "neither a host nor"),
        ("localhost:9092", "localhost:0", "kafka.bootstrap_servers", "list of brokers"),
        ("localhost:9092", "localhost:65536", "kafka.bootstrap_servers", "a port in it is none"),
        ("localhost:9092", "h:1,localhost:9999999", "kafka.bootstrap_servers", "a port in it is none"),
        ("localhost:9092", f"{'h' * 64}:9092", "kafka.bootstrap_servers", "more than 63"),
        ("localhost:9092", f"{'h.' * 150}h:9092", "kafka.bootstrap_servers", "more than 253"),
        ("localhost:9092", "a..b:9092", "kafka.bootstrap_servers", "an empty part"),
        ("localhost:9092", "☃.example:9092", "kafka.bootstrap_servers", "IDNA 2008"),
        ("ws://127.0.0.1:1/graphql", "ws://h:0/", "endpoint.url", "a port that is none"),
        ("ws://127.0.0.1:1/graphql", "ws://h:65536/", "endpoint.url", "a port that is none"),
        ("ws://127.0.0.1:1/graphql", "ws://a..b/", "endpoint.url", "an empty part"),
        ("ws://127.0.0.1:1/graphql", f"ws://{'h' * 64}/", "endpoint.url", "more than 63"),
        ("ws://127.0.0.1:1/graphql", f"ws://{'h' * 300}/", "endpoint.url", "more than 253"),
        ("ws://127.0.0.1:1/graphql", "ws://a%00b/", "endpoint.url", "a character that no name"),
        ("ws://127.0.0.1:1/graphql", "ws://<HOST>/", "endpoint.url", "a character that no name"),
        ("ws://127.0.0.1:1/graphql", "ws://☃.example/", "endpoint.url", "IDNA 2008"),
        ("ws://127.0.0.1:1/graphql", "ws://h/bücher", "endpoint.url", "no URL"),
        ("name: shop", "name: shop\nhttp: {host: a..b}", "http.host", "an empty part"),
        ("localhost:9092", "300.1.1.1:9092", "kafka.bootstrap_servers", "list of brokers"),
        ("    topic: shop.orders", "    topic: t\n    key: nope", "subscriptions[0].key", "has no nope"),
        ("    topic: shop.orders", "    topic: t\n    key: a..b", "subscriptions[0].key", "no path"),
        ("    topic: shop.orders", "    topic: t\n    key: 5", "subscriptions[0].key", "neither a path"),
        (
            "    topic: shop.orders",
            "    topic: t\n    key: [id, id]",
            "subscriptions[0].key[1]",
            "key[0] too",
        ),
        ("ws://127.0.0.1:1/graphql", "http://h/graphql", "endpoint.url", "ws:// or wss://"),
        ("ws://127.0.0.1:1/graphql", "ws://u:p@h/graphql", "endpoint.url", "user or password"),
        ("ws://127.0.0.1:1/graphql", "ws://h/graphql#x", "endpoint.url", "fragment"),
        ("ws://127.0.0.1:1/graphql", "ws://h:99999/", "endpoint.url", "no URL"),
        ("ws://127.0.0.1:1/graphql", "ws:///x", "endpoint.url", "no URL"),
        ("  url: ws://127.0.0.1:1/graphql", "  preset: generic", "endpoint.url", "is missing"),
        ("localhost:9092", "localhost", "kafka.bootstrap_servers", "list of brokers"),
        ("localhost:9092", "PLAINTEXT://localhost:9092", "kafka.bootstrap_servers", "list of brokers"),
        ("    topic: shop.orders", "    topic: shop orders", "subscriptions[0].topic", "legal topic name"),
        ("    topic: shop.orders", "    topic: __consumer_offsets", "subscriptions[0].topic", "Kafka's own"),
        ("    topic: shop.orders", "    topic: shop.{x}", "subscriptions[0].topic", "neither a variable"),
        ("    topic: shop.orders", "    topic: '{'", "subscriptions[0].topic", "legal topic name"),
        ("orders.graphql", "order.graphql", "subscriptions[0].document", "is not there"),
        ("orders.graphql", ".", "subscriptions[0].document", "is a directory"),
        (
            "    topic: shop.orders",
            "    topic: t\n    key: [id.x, nope]",
            "subscriptions[0].key[1]",
            "has no nope",
        ),
        ("    topic: shop.orders", "    topic: t\n    key: [a..b]", "subscriptions[0].key[0]", "no path"),
        (
            "    topic: shop.orders",
            "    topic: t\n    headers: {connector: id}",
            "subscriptions[0].headers.connector",
            "sets itself",
        ),
        (
            "    topic: shop.orders",
            "    topic: t\n    variables: {on: off}",
            "subscriptions[0].variables.on",
            "means false",
        ),
        (
            "    topic: shop.orders",
            "    topic: t\n    variables: {x: .nan}",
            "subscriptions[0].variables.x",
            "JSON cannot hold",
        ),
        (
            "  - name: orders",
            "  - {name: orders, document: orders.graphql, topic: t}\n  - name: orders",
            "subscriptions[1].name",
            "too",
        ),
    ],
)
def test_one_mistake_is_named_by_its_key(
    refused: Refused, old: str, new: str, path: str, message: str
) -> None:
    assert old in GENERIC
    problems = refused(GENERIC.replace(old, new))
    assert [problem for problem in problems if problem.path == path and message in problem.message], problems
    assert all(problem.where.startswith("shop.yaml") for problem in problems)


@pytest.mark.parametrize(
    ("endpoint", "path"),
    [
        ("credentials: {in: url}\n  url: ws://h/?token=abc", "endpoint.url"),
        ("credentials: {in: header}\n  headers: {authorization: x}", "endpoint.headers.authorization"),
        ("credentials: {in: header, name: 'a b'}", "endpoint.credentials.name"),
        ("credentials: {in: init, name: t}\n  init_payload: {t: 1}", "endpoint.init_payload.t"),
        ("credentials: {template: Bearer}", "endpoint.credentials.template"),
        ("credentials: {template: '{token}{token}'}", "endpoint.credentials.template"),
        ("credentials: {in: cookie}", "endpoint.credentials.in"),
        ("credentials: []", "endpoint.credentials"),
        ("credentials: [{in: cookie}]", "endpoint.credentials[0].in"),
        ("credentials: [{in: url}, {in: header, template: x}]", "endpoint.credentials[1].template"),
        ("credentials: [{in: url}, {in: url}]", "endpoint.credentials[1].name"),
        (
            "credentials: [{in: header, name: X}, {in: header, name: x}]",
            "endpoint.credentials[1].name",
        ),
        ("credentials: [{in: header}]\n  headers: {authorization: x}", "endpoint.headers.authorization"),
        ("credentials: {in: init, name: a..b}", "endpoint.credentials.name"),
        (
            "credentials: {in: init, name: headers.A}\n  init_payload: {headers: {A: x, B: y}}",
            "endpoint.init_payload.headers",
        ),
        (
            "credentials: {in: init, name: headers.A}\n  init_payload: {headers: x}",
            "endpoint.init_payload.headers",
        ),
        ("ping_interval: never", "endpoint.ping_interval"),
        ("ping_interval: 0s", "endpoint.ping_interval"),
        ("reopen_pause: 5", "endpoint.reopen_pause"),
        ("headers: {Host: example}", "endpoint.headers.Host"),
        ("headers: {Sec-WebSocket-Key: x}", "endpoint.headers.Sec-WebSocket-Key"),
        ('headers: {X: "a\\nb"}', "endpoint.headers.X"),
        ("headers: {'a b': x}", "endpoint.headers"),
    ],
)
def test_what_clashes_at_the_endpoint_is_refused(refused: Refused, endpoint: str, path: str) -> None:
    text = GENERIC.replace("  url: ws://127.0.0.1:1/graphql", f"  {endpoint}")
    if "url: ws" not in endpoint:
        text = text.replace("endpoint:", "endpoint:\n  url: ws://h/g")
    (problem,) = refused(text + "token: a-token\n")
    assert problem.path == path


@pytest.mark.parametrize(
    ("old", "new", "path"),
    [
        ("name: shop\n", "name:\n", "name"),
        ("  url: ws://127.0.0.1:1/graphql", "  url:", "endpoint.url"),
        (GENERIC[GENERIC.index("subscriptions") :], "subscriptions:\n", "subscriptions"),
    ],
)
def test_a_key_without_a_value_is_one_mistake(refused: Refused, old: str, new: str, path: str) -> None:
    assert old in GENERIC
    (problem,) = refused(GENERIC.replace(old, new))
    assert (problem.path, problem.message) == (path, "has no value")


def test_the_remedy_of_a_word_in_capitals_is_that_word(refused: Refused) -> None:
    (problem,) = refused(GENERIC.replace("kafka:", "kafka:\n  compression: LZ4"))
    assert problem.remedy == "did you mean 'lz4'?"


@pytest.mark.parametrize("name", ["Authorization", "content-type", "Host", "a b"])
def test_headers_that_the_token_request_sets_itself_are_refused(refused: Refused, name: str) -> None:
    oauth = f"oauth: {{token_url: 'http://h/', client_id: a, client_secret: b, headers: {{'{name}': x}}}}\n"
    (problem,) = refused(GENERIC + oauth)
    assert problem.path == ("oauth.headers" if " " in name else f"oauth.headers.{name}")


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ("delivery: exactly_once", "delivery"),
        ("start: now", "start"),
    ],
)
def test_what_is_not_built_is_refused_by_name(refused: Refused, text: str, path: str) -> None:
    (problem,) = refused(f"{GENERIC}{text}\n")
    assert problem.path == path
    assert "not built yet" in problem.message


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ("120", "is a number without a unit"),
        ("0s", "must be longer than nothing"),
        ("true", "is not a duration"),
        ("always", "is not a duration"),
        ("[2m]", "is not a duration"),
    ],
)
def test_a_silence_that_is_none_is_told_with_what_could_stand_there(
    refused: Refused, value: str, message: str
) -> None:
    (problem,) = refused(GENERIC.replace("endpoint:", f"endpoint:\n  quiet_after: {value}"))
    assert (problem.path, problem.message) == ("endpoint.quiet_after", message)
    assert problem.remedy == "write auto, off, or a duration such as 2m"


@pytest.mark.parametrize(
    ("old", "new", "path"),
    [
        ("    topic:", "    backfill: {cursor: id}\n    topic:", "subscriptions[0].backfill"),
        ("    topic:", "    cursor: id\n    topic:", "subscriptions[0].cursor"),
        ("    topic:", "    start: now\n    topic:", "subscriptions[0].start"),
        ("    topic:", "    value: {format: avro}\n    topic:", "subscriptions[0].value.format"),
    ],
)
def test_what_is_not_built_is_refused_in_its_section(refused: Refused, old: str, new: str, path: str) -> None:
    (problem,) = refused(GENERIC.replace(old, new))
    assert problem.path == path
    assert "not built yet" in problem.message


def test_all_mistakes_are_reported_at_once_in_the_order_of_the_file(refused: Refused) -> None:
    problems = refused(
        "name: no\n"
        "endpoint: {preset: bitqury, keepalive_timeout: 10}\n"
        "oauth: {client_id: 1, client_secret: '${env:NOPE}'}\n"
        "kafka: {bootstrap_server: x}\n"
        "subscriptions:\n"
        "  - {name: a, document: orders.graphql, topik: t, rows: orderz}\n"
        "  - name: b\n"
        "    document: 'subscription {'\n"
        "    topic: t\n"
    )
    assert [(problem.where.removeprefix("shop.yaml:"), problem.path) for problem in problems] == [
        ("1", "name"),
        ("2", "endpoint.preset"),
        ("2", "endpoint.keepalive_timeout"),
        ("3", "oauth.client_secret"),
        ("3", "oauth.client_id"),
        ("4", "kafka.bootstrap_servers"),
        ("4", "kafka.bootstrap_server"),
        ("6", "subscriptions[0].topic"),
        ("6", "subscriptions[0].topik"),
        ("6", "subscriptions[0].rows"),
        ("8:30", "subscriptions[1].document"),
    ]
    remedies = {problem.path: problem.remedy for problem in problems}
    assert remedies["endpoint.preset"] == "did you mean 'bitquery'?"
    assert remedies["kafka.bootstrap_server"] == "did you mean 'bootstrap_servers'?"
    assert remedies["subscriptions[0].rows"] == "did you mean 'orders'?"


def test_a_mistake_in_a_document_names_the_documents_line(refused: Refused) -> None:
    (problem,) = refused(files={"orders.graphql": "subscription {\n  a { b } }\n}"})
    assert problem.where == "orders.graphql:3:1"
    assert problem.path == "subscriptions[0].document"


@pytest.mark.parametrize("style", ["|", "|-", "|2"])
def test_a_mistake_in_an_inline_document_names_the_configurations_line(refused: Refused, style: str) -> None:
    inline = f"document: {style}\n\n      subscription {{\n        a {{ b }} }}\n      }}\n"
    (problem,) = refused(GENERIC.replace("document: orders.graphql\n", inline))
    line = next(n for n, text in enumerate(GENERIC.split("\n"), 1) if "document" in text) + 4
    assert problem.where.startswith(f"shop.yaml:{line}:")


def test_a_missing_document_offers_its_neighbour(refused: Refused) -> None:
    (problem,) = refused(GENERIC.replace("orders.graphql", "order.graphql"))
    assert problem.remedy == "did you mean 'orders.graphql'?"


def test_there_must_be_a_subscription(refused: Refused) -> None:
    problems = refused(GENERIC[: GENERIC.index("subscriptions")] + "subscriptions: []\n")
    assert [(problem.path, problem.message) for problem in problems] == [("subscriptions", "is empty")]


def test_a_configuration_that_cannot_be_read_is_said_to_be(tmp_path: Path) -> None:
    for path, message in ((tmp_path / "nope.yaml", "is not there"), (tmp_path, "is a directory")):
        with pytest.raises(ConfigError, match=message):
            read_config(path, env={})
    with pytest.raises(ConfigError, match="not a path"):
        read_config("a\0b", env={})

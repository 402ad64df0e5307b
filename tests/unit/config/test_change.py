"""What is different between two configurations, and what of it can be applied to what runs."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from connector.config import Change, LoadedConfig, Part, compare, shown_values
from tests.standins.certificates import Authority
from tests.unit.config.conftest import GENERIC, ORDERS, Load

WHOLE = """\
name: shop
endpoint:
  url: ws://127.0.0.1:1/graphql
  headers: {X-Key: "key-of-the-shop"}
  init_payload: {tenant: {id: 1, flag: true}}
oauth: {token_url: "http://127.0.0.1:1/token", client_id: me, client_secret: "${file:secret}"}
kafka: {bootstrap_servers: "localhost:9092"}
log: {level: info}
subscriptions:
  - {name: orders, document: orders.graphql, topic: shop.orders}
  - {name: returns, document: "subscription { returns { id } }", topic: shop.returns, variables: {}}
"""
FILES = {"secret": "the-first-secret\n"}

Differ = Callable[..., Change]


@pytest.fixture
def differ(load: Load) -> Differ:
    """What is different once ``old`` in the whole configuration, or in a file, is ``new``."""

    def _differ(old: str, new: str, *, files: dict[str, str] | None = None) -> Change:
        before = load(WHOLE, files=FILES)
        assert old in WHOLE
        return compare(before, load(WHOLE.replace(old, new), files={**FILES, **(files or {})}))

    return _differ


def test_the_same_is_no_change(differ: Differ) -> None:
    change = differ("name: shop", "name: shop")
    assert not change
    assert change == Change()


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("name: shop", "name:   shop   # a comment"),
        ("log: {level: info}\n", ""),
        (", variables: {}", ""),
        ("topic: shop.orders}", "topic: shop.orders, key: []}"),
        ("{name: orders, document: orders.graphql,", "{document: orders.graphql, name: orders,"),
    ],
)
def test_what_means_the_same_is_no_change(differ: Differ, old: str, new: str) -> None:
    assert not differ(old, new)


def test_the_order_of_subscriptions_means_nothing(differ: Differ) -> None:
    orders, returns = WHOLE.splitlines(keepends=True)[-2:]
    assert not differ(orders + returns, returns + orders)


def test_a_document_counts_by_what_it_says(differ: Differ) -> None:
    moved = differ("document: orders.graphql", "document: moved.graphql", files={"moved.graphql": ORDERS})
    assert not moved
    said = differ("name: shop", "name: shop", files={"orders.graphql": ORDERS.replace("    at\n", "")})
    assert (said.changed, said.keys) == (("orders",), ("subscriptions[orders].document",))


def test_subscriptions_come_go_and_change_by_name(differ: Differ) -> None:
    change = differ("name: orders, document: orders.graphql", "name: sales, document: orders.graphql")
    assert (change.added, change.removed, change.changed) == (("sales",), ("orders",), ())
    assert change.keys == ("subscriptions[sales]", "subscriptions[orders]")
    change = differ("topic: shop.returns,", "topic: shop.back, key: id,")
    assert (change.added, change.removed, change.changed) == ((), (), ("returns",))
    assert change.keys == ("subscriptions[returns].topic", "subscriptions[returns].key")
    assert change.refused == ()


@pytest.mark.parametrize(("old", "new"), [("1", "true"), ("1", "1.0"), ("[1]", "[true]"), ("{a: 1}", "{}")])
def test_variables_are_compared_as_json(load: Load, old: str, new: str) -> None:
    def with_value(value: str) -> LoadedConfig:
        document = "subscription ($v: JSON) { a(v: $v) { id } }"
        return load(
            f'{GENERIC}  - {{name: b, document: "{document}", topic: t, variables: {{v: {value}}}}}\n'
        )

    assert compare(with_value(old), with_value(new)).keys == ("subscriptions[b].variables",)


@pytest.mark.parametrize(
    ("old", "new", "part", "key"),
    [
        ("level: info", "level: debug", Part.LOG, "log.level"),
        ("level: info", "format: json", Part.LOG, "log.format"),
        ("client_id: me", "client_id: you", Part.TOKEN, "oauth.client_id"),
        ("${file:secret}", "another-secret", Part.TOKEN, "oauth.client_secret"),
        ("key-of-the-shop", "another-key", Part.ENDPOINT, "endpoint.headers.X-Key"),
        ("{id: 1, flag: true}", "{id: 2, flag: true}", Part.ENDPOINT, "endpoint.init_payload.tenant"),
        ("{id: 1, flag: true}", "{id: true, flag: true}", Part.ENDPOINT, "endpoint.init_payload.tenant"),
    ],
)
def test_log_and_secrets_are_taken_while_running(
    differ: Differ, old: str, new: str, part: Part, key: str
) -> None:
    change = differ(old, new)
    assert (set(change.parts), change.keys, change.refused) == ({part}, (key,), ())


SASL = """kafka:
  bootstrap_servers: "localhost:9092"
  security: {protocol: SASL_PLAINTEXT, sasl: {mechanism: PLAIN, username: alice, password: the-first-one}}
"""
BEARER = """kafka:
  bootstrap_servers: "localhost:9092"
  security:
    protocol: SASL_PLAINTEXT
    sasl: {mechanism: OAUTHBEARER}
    oauth: {token_url: "https://idp.example/t", client_id: it, client_secret: mysecret, tls: {ca_file: a.pem}}
"""


@pytest.mark.parametrize(
    ("kafka", "old", "new", "key"),
    [
        (SASL, "alice", "bob", "sasl.username"),
        (SASL, "the-first-one", "another-one", "sasl.password"),
        (BEARER, "client_id: it", "client_id: you", "oauth.client_id"),
        (BEARER, "mysecret", "another-secret", "oauth.client_secret"),
        (BEARER, "a.pem", "b.pem", "oauth.tls.ca_file"),
    ],
)
def test_what_proves_us_to_the_brokers_is_taken_while_running(
    load: Load, kafka: str, old: str, new: str, key: str
) -> None:
    authority = Authority().pem.decode()
    files = {**FILES, "a.pem": authority, "b.pem": authority}
    whole = WHOLE.replace('kafka: {bootstrap_servers: "localhost:9092"}\n', kafka)
    change = compare(load(whole, files=files), load(whole.replace(old, new), files=files))
    assert (set(change.parts), change.keys, change.refused) == (
        {Part.KAFKA},
        (f"kafka.security.{key}",),
        (),
    )


@pytest.mark.parametrize(
    ("old", "new", "key"),
    [("PLAIN,", "SCRAM-SHA-256,", "sasl.mechanism"), ("SASL_PLAINTEXT", "SASL_SSL", "protocol")],
)
def test_another_way_to_reach_the_brokers_needs_a_restart(load: Load, old: str, new: str, key: str) -> None:
    whole = WHOLE.replace('kafka: {bootstrap_servers: "localhost:9092"}\n', SASL)
    change = compare(load(whole, files=FILES), load(whole.replace(old, new), files=FILES))
    assert change.refused == (f"kafka.security.{key}",)


def test_a_secret_changes_with_its_file(differ: Differ) -> None:
    change = differ("name: shop", "name: shop", files={"secret": "the-second-secret\n"})
    assert (set(change.parts), change.keys) == ({Part.TOKEN}, ("oauth.client_secret",))


@pytest.mark.parametrize(
    ("old", "new", "keys"),
    [
        ("name: shop", "name: mall", ("name", "kafka.client_id")),
        ("ws://127.0.0.1:1/", "ws://127.0.0.1:2/", ("endpoint.url",)),
        ("localhost:9092", "localhost:9093", ("kafka.bootstrap_servers",)),
        ("log: {level: info}", "tasks: 2", ("tasks",)),
        ("log: {level: info}", "http: {port: 1}", ("http.port",)),
        ("log: {level: info}", "inbox: {max_bytes: 1MiB}", ("inbox.max_bytes",)),
        ("log: {level: info}", "topics: {config: {retention.ms: 1}}", ("topics.config.retention.ms",)),
        ("log: {level: info}", "reload: false", ("reload",)),
        ("http://127.0.0.1:1/token", "http://127.0.0.1:2/token", ("oauth.token_url",)),
        (
            '{X-Key: "key-of-the-shop"}',
            '{X-Keys: "key-of-the-shop"}',
            ("endpoint.headers.X-Key", "endpoint.headers.X-Keys"),
        ),
        ("{id: 1, flag: true}", "{id: 1}", ("endpoint.init_payload.tenant",)),
        ("{id: 1, flag: true}", "{id: 2}", ("endpoint.init_payload.tenant",)),
        ("{id: 1, flag: true}", "{flag: false}", ("endpoint.init_payload.tenant",)),
    ],
)
def test_anything_else_needs_a_restart(differ: Differ, old: str, new: str, keys: tuple[str, ...]) -> None:
    change = differ(old, new)
    assert (set(change.refused), change.parts) == (set(keys), frozenset())


def test_another_source_of_tokens_is_named_by_its_section(load: Load) -> None:
    before = load(WHOLE, files=FILES)
    oauth = next(line for line in WHOLE.splitlines() if line.startswith("oauth"))
    after = load(WHOLE.replace(oauth, "token: a-token-of-ours"))
    assert set(compare(before, after).refused) == {"oauth", "token"}
    assert set(compare(after, before).refused) == {"oauth", "token"}


def test_of_a_mixed_change_all_is_named(differ: Differ) -> None:
    change = differ(
        "localhost:9092", "localhost:9093", files={"orders.graphql": ORDERS.replace("at", "on: at")}
    )
    assert change.refused == ("kafka.bootstrap_servers",)
    assert change.keys == ("kafka.bootstrap_servers", "subscriptions[orders].document")


def test_what_is_shown_is_what_is_different_without_secrets(load: Load) -> None:
    before = load(WHOLE, files=FILES)
    text = WHOLE.replace("name: returns", "name: gone").replace("level: info", "level: debug")
    text = text.replace("shop.orders", "shop.sales").replace("key-of-the-shop", "another-key")
    after = load(text, files={"secret": "the-second-secret"})
    shown = shown_values(compare(before, after), after)
    assert shown["log.level"] == "debug"
    assert shown["endpoint.headers.X-Key"] == "***"
    assert shown["oauth.client_secret"] == "***"
    assert shown["subscriptions[orders].topic"] == "shop.sales"
    assert shown["subscriptions[returns]"] is None
    assert isinstance(shown["subscriptions[gone]"], dict)
    assert len(shown) == 6
    assert "second" not in str(shown)


@pytest.mark.parametrize(
    ("old", "new", "key"),
    [
        ("first-password", "second-password", "kafka.security.sasl.password"),
        ("first-secret", "second-secret", "kafka.security.oauth.client_secret"),
        ("first-key", "second-key", "kafka.security.oauth.headers.X-Key"),
    ],
)
def test_secrets_of_kafka_are_taken_while_running(load: Load, old: str, new: str, key: str) -> None:
    security = "{protocol: SASL_PLAINTEXT, sasl: {mechanism: PLAIN, username: u, password: first-password}}"
    if "oauth" in key:
        oauth = (
            "{token_url: 'http://t/', client_id: i, client_secret: first-secret, headers: {X-Key: first-key}}"
        )
        security = f"{{protocol: SASL_PLAINTEXT, sasl: {{mechanism: OAUTHBEARER}}, oauth: {oauth}}}"
    text = GENERIC.replace("subscriptions:", f"  security: {security}\nsubscriptions:", 1)
    before, after = load(text), load(text.replace(old, new))
    change = compare(before, after)
    assert (set(change.parts), change.keys, change.refused) == ({Part.KAFKA}, (key,), ())
    assert new in after.secrets
    assert shown_values(change, after) == {key: "***"}

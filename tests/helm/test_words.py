"""Words of the configuration: a release with a wrong one would count as deployed, and be rolled back to."""

import json
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
import yaml

from connector.config import check_without_secrets
from connector.config.chart_schema import chart_schema
from connector.errors import ConfigError
from tests.helm.objects import Object, merged
from tests.helm.runner import Helm, RefusedError

jsonschema: Any = import_module("jsonschema")  # it has no types

DEFAULTS: Object = {"http": {"host": "0.0.0.0", "port": 8083}, "shutdown": {"drain": "20s"}}


def at(path: str, value: object) -> Object:
    """A tree with this value at this path."""
    for key in reversed(path.split(".")):
        value = {key: value}
    assert isinstance(value, dict)
    return value


def subscription(**more: object) -> tuple[str, object]:
    own = {"name": "s", "topic": "t", "rows": "a", "document": "subscription { a { id } }", "identity": "id"}
    return "subscriptions", [own | more]


REFUSED: list[tuple[str, object]] = [
    subscription(identity=5),
    subscription(add_fields="perhaps"),
    subscription(dedup=True),
    subscription(dedup="on"),
    subscription(dedup="OFF"),
    subscription(dedup="10m"),
    subscription(dedup={"window": "0s"}),
    subscription(dedup={"window": True}),
    subscription(dedup={"window": "10"}),
    subscription(dedup={"windows": "10m"}),
    subscription(dedup={"max_bytes": "1KiB"}),
    ("log.level", "loud"),
    ("log.format", "xml"),
    ("log.colour", "red"),
    ("logs", {}),
    ("log", None),
    ("kafka", None),
    ("kafka.compression", "zst"),
    ("kafka.security.protocol", "TLS"),
    ("kafka.security", {"protocol": "SASL_SSL", "sasl": {"mechanism": "GSSAPI"}}),
    ("kafka.producer.max_batch_bytes", "2GiB"),
    ("oauth.auth", "post"),
    ("oauth.token_url", "ftp://login.example/token"),
    ("topics.create", "maybe"),
    ("topics.partitions", 0),
    ("topics.partitions", "0"),
    ("topics.max", "100001"),
    ("endpoint.preset", "bitqueri"),
    ("endpoint.uri", "wss://h.example/"),
    ("endpoint.url", "https://h.example/"),
    ("endpoint.rotation", "sometimes"),
    ("endpoint.credentials", {"in": "query", "name": "token", "template": "{token}"}),
    ("endpoint.ack_timeout", "10"),
    ("endpoint.ack_timeout", "0s"),
    ("endpoint.quiet_after", "0s"),
    ("endpoint.quiet_after", True),
    ("endpoint.quiet_after", "sometimes"),
    ("errors.tolerance", "some"),
    ("delivery", "at_most_once"),
    ("tasks", 0),
    ("tasks", "0"),
    ("tasks", "65"),
    ("tasks", 1.5),
    ("inbox.max_bytes", "64"),
    ("inbox.max_bytes", 64),
    ("inbox.max_bytes", "1023KiB"),
    ("inbox.max_bytes", "1MB"),
    ("inbox.max_bytes", "65GiB"),
    ("inbox.max_bytes", "64Mib"),
    ("name", ""),
    ("name", "a b"),
]
TAKEN: list[tuple[str, object]] = [
    subscription(identity=["id"], add_fields="true"),
    subscription(dedup=False),
    subscription(dedup="off"),
    subscription(dedup="window"),
    subscription(dedup="${env:DEDUP}"),
    subscription(dedup={}),
    subscription(dedup={"window": False}),
    subscription(dedup={"window": "1h30m", "max_bytes": "64MiB"}),
    subscription(dedup={"window": "${env:WINDOW}"}),
    ("log.level", "INFO"),
    ("log.level", "${env:LEVEL}"),
    ("kafka.compression", "zstd"),
    ("kafka.security.protocol", "ssl"),
    ("oauth.auth", "basic"),
    ("oauth.token_url", "HTTPS://login.example/token"),
    ("topics.create", "False"),
    ("topics.create", "${file:/run/secrets/connector/create}"),
    ("topics.partitions", -1),
    ("topics.partitions", "-1"),
    ("topics.partitions", "12"),
    ("endpoint.compression", False),
    ("endpoint.ack_timeout", "1m30s"),
    ("endpoint.quiet_after", False),
    ("endpoint.quiet_after", "off"),
    ("endpoint.quiet_after", "2m"),
    ("endpoint.ping_interval", "none"),
    ("endpoint.proxy", "none"),
    ("kafka.producer.linger", "0ms"),
    ("tasks", "64"),
    ("tasks", "${env:TASKS}"),
    ("inbox.max_bytes", "1.1MB"),
    ("inbox.max_bytes", "64GiB"),
    ("inbox.max_bytes", "0.5 GiB"),
    ("inbox.max_bytes", 67108864),
]


@pytest.fixture(scope="module")
def schema(chart: Path) -> Object:
    """What Helm checks values with."""
    found: Object = json.loads((chart / "values.schema.json").read_text())
    return found


def is_of(schema: Object, config: Object) -> bool:
    rule = {**schema["properties"]["config"], "$defs": schema["$defs"]}
    return bool(jsonschema.Draft202012Validator(rule).is_valid(config))


def is_taken(values: Object, config: Object, directory: Path) -> bool:
    """Whether the connector takes it."""
    for name, text in values["documents"].items():
        (directory / name).write_text(text)
    file = directory / "connector.yaml"
    file.write_text(yaml.safe_dump(config))
    try:
        check_without_secrets(file, env={})
    except ConfigError:
        return False
    return True


@pytest.mark.parametrize(("path", "value"), REFUSED)
def test_a_word_that_the_connector_refuses_is_no_release(
    schema: Object, values: Object, tmp_path: Path, path: str, value: object
) -> None:
    config = merged(merged(DEFAULTS, values["config"]), at(path, value))
    assert not is_taken(values, config, tmp_path)
    assert not is_of(schema, config)


@pytest.mark.parametrize(("path", "value"), TAKEN)
def test_a_word_that_the_connector_takes_is_taken(
    schema: Object, values: Object, tmp_path: Path, path: str, value: object
) -> None:
    config = merged(merged(DEFAULTS, values["config"]), at(path, value))
    assert is_taken(values, config, tmp_path)
    assert is_of(schema, config)


@pytest.mark.parametrize(
    ("path", "value", "told"),
    [
        ("kafka.compression", "zst", "/config/kafka/compression"),
        ("endpoint.uri", "wss://h.example/", "'uri' not allowed"),
        ("inbox.max_bytes", "64", "/config/inbox/max_bytes"),
        ("kafka", None, "kafka"),
        ("token_file", "/run/secrets/connector/token", "keep one of oauth, token and token_file"),
        ("kafka.security.sasl", {"username": "me"}, "sasl.mechanism is missing"),
        ("kafka.client_id", "${NAME}", "that is no placeholder"),
    ],
)
def test_helm_refuses_it_and_names_the_key(
    helm: Helm, chart: Path, values: Object, path: str, value: object, told: str
) -> None:
    with pytest.raises(RefusedError) as refused:
        helm.template(chart, merged(values, {"config": at(path, value)}))
    assert told in str(refused.value)


def test_helm_takes_words_as_people_write_them(helm: Helm, chart: Path, values: Object) -> None:
    config: Object = {"log": {"level": "${env:LEVEL}"}, "tasks": "2", "topics": {"create": "false"}}
    sizes: Object = {"inbox": {"max_bytes": "128MiB"}, "kafka": {"security": {"protocol": "ssl"}}}
    more: Object = {"kafka": {"client_id": "$${NAME}"}, "endpoint": {"compression": "off"}}
    helm.template(chart, merged(values, {"config": merged(merged(config, sizes), more)}))


def test_the_chart_knows_the_words_of_today(chart: Path) -> None:
    file = chart / "values.schema.json"
    assert file.read_text() == chart_schema(file), "make generate"

"""Keys that were given and cannot act are warned of."""

from __future__ import annotations

import pytest

from tests.unit.config.conftest import GENERIC, Load, Outlined


@pytest.mark.parametrize(
    ("old", "new", "warnings"),
    [
        (
            "kafka:",
            "topics: {create: false, partitions: 3, config: {a: b}}\nkafka:",
            ["shop.yaml:4: topics.partitions does", "shop.yaml:4: topics.config does"],
        ),
        ("kafka:", "topics: {create: true, partitions: 3}\nkafka:", []),
        ("endpoint:", "endpoint:\n  credentials: {in: init}", ["shop.yaml:3: endpoint.credentials does"]),
        ("endpoint:", "endpoint:\n  rotation: never", ["shop.yaml:3: endpoint.rotation does"]),
        ("endpoint:", "token: x\nendpoint:\n  rotation: never\n  credentials: {in: init}", []),
        ("endpoint:", "endpoint:\n  http_url: http://h/", ["shop.yaml:3: endpoint.http_url does"]),
        ("kafka:", "inbox: {max_bytes: 8MiB}\nkafka:", ["shop.yaml:4: inbox.max_bytes is less"]),
        ("kafka:", "inbox: {max_bytes: 64MiB}\nkafka:", []),
        (
            "kafka:",
            "kafka:\n  producer: {max_batch_bytes: 4MiB}",
            ["shop.yaml:5: kafka.producer.max_batch_bytes is more"],
        ),
        ("kafka:", "kafka:\n  producer: {max_batch_bytes: 4MiB, max_request_bytes: 5MiB}", []),
        ("kafka:", "kafka:\n  producer: {max_request_bytes: '${env:A}', max_batch_bytes: 4MiB}", []),
        ("kafka:", "inbox: ${env:A}\nkafka:", []),
        ("kafka:", "topics: ${env:A}\noauth: ${env:A}\nkafka:", []),
        ("kafka:", "inbox: {max_bytes: '${env:A}'}\ntopics: {create: '${env:A}', partitions: 1}\nkafka:", []),
    ],
)
def test_what_does_nothing_is_warned_of(outlined: Outlined, old: str, new: str, warnings: list[str]) -> None:
    found = outlined(GENERIC.replace(old, new, 1)).warnings
    assert len(found) == len(warnings)
    for said, begins in zip(found, warnings, strict=True):
        assert said.partition("/shop.yaml")[0]
        assert begins in said


def test_a_preset_s_own_values_are_not_warned_of(load: Load) -> None:
    text = GENERIC.replace("url: ws://127.0.0.1:1/graphql", "preset: bitquery") + "token: x\n"
    inline = "'subscription { EVM { Trades { id } } }'"
    assert load(text.replace("orders.graphql", inline)).warnings == ()

"""Topic names from templates."""

import msgspec
import pytest

from connector.records.bad import Stage
from connector.records.fields import Fields
from connector.records.topics import EmptyTopicField, IllegalTopic, TopicTemplate, is_legal_topic


def name(template: str, row: bytes, **variables: object) -> str:
    topic = TopicTemplate(template, variables)
    fields = Fields(topic.paths)
    return topic.compile(fields)(msgspec.json.decode(row, type=fields.item_type))


@pytest.mark.parametrize(
    ("template", "row", "expected"),
    [
        ("trades", b"{}", "trades"),
        ("trades.{network}", b"{}", "trades.bsc"),
        ("{network}.{Block.Chain}.{side}", b'{"Block":{"Chain":"b_s-c"},"side":"buy"}', "bsc.b_s-c.buy"),
        ("t.{a}", b'{"a":7}', "t.7"),
        ("t.{a}", b'{"a":1.50}', "t.1.50"),
        ("t.{a}", b'{"a":"\\u0062"}', "t.b"),
        ("t.{a}.{a}", b'{"a":true}', "t.true.true"),
        ("{limit}", b"{}", "5"),
    ],
)
def test_placeholders_are_filled(template: str, row: bytes, expected: str) -> None:
    assert name(template, row, network="bsc", limit=5, nothing=None) == expected


def test_a_name_without_fields_is_static() -> None:
    assert TopicTemplate("t.{network}", {"network": "bsc"}).static == "t.bsc"
    assert TopicTemplate("t.{Block.Chain}", {"network": "bsc"}).static is None
    assert TopicTemplate("t.{Block.Chain}", {}).paths == (("Block", "Chain"),)


def test_a_variable_s_value_is_text_and_no_placeholder() -> None:
    assert TopicTemplate("t.{region}", {"region": "{id}"}).static == "t.{id}"
    with pytest.raises(IllegalTopic):
        name("t.{region}", b'{"id":"7"}', region="{id}")


@pytest.mark.parametrize(
    "row",
    [
        b'{"a":"x/y"}',
        b'{"a":"x y"}',
        '{"a":"é"}'.encode(),
        b'{"a":{"b":1}}',
        b'{"a":"x\\n"}',
        b'{"a":"%s"}' % (b"x" * 249),
        b'{"a":"\xff"}',
        b'{"a":"x\\n\xff"}',
    ],
)
def test_a_field_that_makes_an_illegal_name_is_told(row: bytes) -> None:
    with pytest.raises(IllegalTopic) as caught:
        name("t{a}", row)
    assert len(str(caught.value)) < 200


@pytest.mark.parametrize("row", [b"{}", b'{"a":null}', b'{"a":{}}', b'{"a":{"b":null}}', b'{"a":{"b":""}}'])
def test_a_field_that_is_missing_or_empty_makes_no_topic(row: bytes) -> None:
    with pytest.raises(EmptyTopicField) as caught:
        name("x.{a.b}", row)
    assert "a.b" in str(caught.value)
    assert caught.value.stage is Stage.TOPIC


@pytest.mark.parametrize("row", [b'{"a":"."}', b'{"a":".."}'])
def test_a_name_of_dots_is_illegal(row: bytes) -> None:
    with pytest.raises(IllegalTopic):
        name("{a}", row)


@pytest.mark.parametrize(
    ("candidate", "legal"),
    [
        *[(name, True) for name in ("a", "A.b_c-9", "x" * 249, "...")],
        *[(name, False) for name in ("x" * 250, "", ".", "..", "a\n", "a b", "ä")],
    ],
)
def test_kafka_s_rule_of_names(candidate: str, legal: bool) -> None:
    assert is_legal_topic(candidate) is legal

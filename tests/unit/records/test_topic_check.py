"""What may stand in a topic."""

from __future__ import annotations

import pytest

from tests.unit.records.planned import ROOT, findings, plan


def test_the_topic_holds_variables_their_defaults_and_named_fields() -> None:
    made = plan(
        topic="{network}.{limit}.{Block.Number}.{Transaction.Hash}",
        key=(("Block", "Number"),),
        headers=(("h", ("Transaction", "Hash")),),
    )
    assert made.topic == "bsc.5.{Block.Number}.{Transaction.Hash}"


@pytest.mark.parametrize(
    ("topic", "message"),
    [
        ("t.{Block.Number}", "neither a variable nor a row field named"),
        ("t.{netwrk}", "neither a variable"),
        ("t.{}", "hold no name"),
        ("t.{network", "no legal topic name"),
        ("..", "no legal topic name"),
        ("x" * 250, "no legal topic name"),
        ("ümlaut", "no legal topic name"),
        ("__transaction_state", "Kafka's own"),
    ],
)
def test_the_topic_must_be_legal(topic: str, message: str) -> None:
    (finding,) = findings(topic=topic)
    assert finding.key == "topic"
    assert message in finding.message


def test_a_variable_that_makes_the_topic_illegal_is_refused() -> None:
    (finding,) = findings(topic="t.{network}", variables={"network": "a/b"})
    assert finding.key == "topic"


@pytest.mark.parametrize("value", ["{id}", "{Block.Number}", "}", "a b"])
def test_a_variable_s_value_is_put_into_the_topic_literally(value: str) -> None:
    (finding,) = findings(topic="t.{network}", variables={"network": value}, key=(("Block", "Number"),))
    assert finding.key == "topic"
    assert "the value of $network" in finding.message
    assert value not in finding.message + finding.remedy


def test_the_topic_s_remedy_names_the_variables_of_the_document() -> None:
    found = findings(topic="t.{network}", variables={"netwrok": "bsc"})
    assert [finding.key for finding in found] == ["variables.netwrok", "variables"]
    (finding,) = findings(topic="t.{netwrok}")
    assert finding.remedy == "did you mean 'network'?"


@pytest.mark.parametrize("variables", [{}, {"x": None}, {"x": ["a"]}])
def test_a_variable_without_a_single_value_cannot_stand_in_a_topic(variables: dict[str, object]) -> None:
    (finding,) = findings("subscription ($x: X) { a(x: $x) }", ROOT, topic="t.{x}", variables=variables)
    assert "{x} is a variable without a single value" in finding.message


def test_an_empty_variable_in_the_topic_is_warned_of() -> None:
    assert plan(topic="t.{network}", variables={"network": ""}).warnings == (
        "the topic t.{network} holds the variable $network, which is empty",
    )
    assert plan(topic="t", variables={"network": ""}).warnings == ()

"""The topic of events: a name like others, and no topic for anything else."""

from __future__ import annotations

import pytest

from connector.config import compare
from tests.unit.config.conftest import GENERIC, Load, Outlined, Read, Refused


def with_events(topic: str, *, more: str = "") -> str:
    return f"{GENERIC}events_topic: {topic}\n{more}"


def test_by_default_there_is_none(load: Load) -> None:
    assert load().config.events_topic is None


def test_a_topic_is_told(load: Load) -> None:
    loaded = load(with_events("shop.events"))
    assert loaded.config.events_topic == "shop.events"
    assert loaded.warnings == ()


@pytest.mark.parametrize(
    ("topic", "message"),
    [
        ("a b", "no legal topic name"),
        ("'events.{network}'", "no legal topic name"),
        ("..", "no legal topic name"),
        ("__consumer_offsets", "Kafka's own"),
        ("''", "is empty"),
        ("7", "YAML reads it as a number"),
        ("'${file:topic.txt}'", "comes from a file"),
        ("{{ .Values.topic }}", "begins with a brace"),
        ("[a]", "must be a string"),
        ("shop.offsets", "belongs to the connector's offsets"),
    ],
)
def test_a_mistake_is_named_with_its_key(refused: Refused, topic: str, message: str) -> None:
    (problem,) = refused(with_events(topic))
    assert problem.path == "events_topic"
    assert message in problem.message
    assert problem.where.startswith("shop.yaml:")
    assert problem.remedy


def test_the_topic_of_rows_is_not_for_events(refused: Refused) -> None:
    (problem,) = refused(with_events("shop.orders"))
    assert (problem.path, problem.message) == ("subscriptions[0].topic", "is events_topic")


def test_a_template_that_gives_the_events_topic_is_a_mistake(refused: Refused) -> None:
    text = with_events("shop.events").replace(
        "topic: shop.orders", "topic: shop.{kind}\n    variables: {kind: events}"
    )
    document = "subscription O($kind: String) { orders(kind: $kind) { id } }"
    (problem,) = refused(text, files={"orders.graphql": document})
    assert (problem.path, problem.message) == ("subscriptions[0].topic", "is events_topic")


@pytest.mark.parametrize("tolerance", ["all", "none"])
def test_the_topic_of_dead_letters_is_not_for_events(refused: Refused, tolerance: str) -> None:
    errors = f"errors: {{tolerance: {tolerance}, dead_letter_topic: shop.own}}\n"
    (problem,) = refused(with_events("shop.own", more=errors))
    assert (problem.path, problem.message) == ("events_topic", "is errors.dead_letter_topic, too")


def test_what_is_not_known_yet_is_not_compared(read: Read, outlined: Outlined) -> None:
    assert outlined(with_events("'${env:T}'"))
    assert read(with_events("'${env:T}'"), env={"T": "shop.events"}).events_topic == "shop.events"


def test_another_topic_needs_a_restart(load: Load) -> None:
    before, after = load(with_events("a")), load(with_events("b"))
    assert compare(before, after).refused == ("events_topic",)

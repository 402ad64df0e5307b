"""What is done about bad rows: the keys, what does not fit together, and what may not be meant so."""

from __future__ import annotations

import pytest

from connector.config.errors import MOST_ROWS
from tests.unit.config.conftest import GENERIC, Load, Outlined, Read, Refused


def with_errors(errors: str) -> str:
    return f"{GENERIC}errors: {{{errors}}}\n"


def test_by_default_the_first_bad_row_stops_its_subscription(load: Load) -> None:
    errors = load().config.errors
    assert (errors.tolerance, errors.dead_letter_topic) == ("none", None)
    assert (errors.window.failures, errors.window.rows) == (50, 100)
    assert load().warnings == ()


def test_all_is_told(load: Load) -> None:
    text = "tolerance: all, dead_letter_topic: shop.dlq, window: {failures: 5, rows: 20}"
    loaded = load(with_errors(text))
    assert (loaded.config.errors.tolerance, loaded.config.errors.dead_letter_topic) == ("all", "shop.dlq")
    assert (loaded.config.errors.window.failures, loaded.config.errors.window.rows) == (5, 20)
    assert loaded.warnings == ()


@pytest.mark.parametrize(
    ("errors", "said"),
    [
        ("dead_letter_topic: shop.dlq", ["errors.dead_letter_topic does nothing"]),
        ("window: {failures: 5}", ["errors.window does nothing"]),
        (
            "tolerance: none, window: {failures: 5}, dead_letter_topic: d",
            ["errors.dead_letter_topic does nothing", "errors.window does nothing"],
        ),
        ("tolerance: all", ["are skipped"]),
        ("tolerance: all, window: {rows: 60}", ["are skipped"]),
    ],
)
def test_what_may_not_be_meant_so_is_a_warning(load: Load, errors: str, said: list[str]) -> None:
    warnings = load(with_errors(errors)).warnings
    assert len(warnings) == len(said)
    assert all(words in warning for words, warning in zip(said, warnings, strict=True))


@pytest.mark.parametrize(
    ("errors", "path", "message"),
    [
        ("tolerance: some", "errors.tolerance", "must be one of: none, all"),
        ("tolerance: yes", "errors.tolerance", "must be one of"),
        ("dead_letter_topic: a b", "errors.dead_letter_topic", "no legal topic name"),
        ("dead_letter_topic: 'dlq.{network}'", "errors.dead_letter_topic", "no legal topic name"),
        ("dead_letter_topic: ..", "errors.dead_letter_topic", "no legal topic name"),
        ("dead_letter_topic: __consumer_offsets", "errors.dead_letter_topic", "Kafka's own"),
        ("dead_letter_topic: ''", "errors.dead_letter_topic", "is empty"),
        ("dead_letter_topic: 7", "errors.dead_letter_topic", "YAML reads it as a number"),
        (f"dead_letter_topic: {'d' * 250}", "errors.dead_letter_topic", "no legal topic name"),
        ("window: 50", "errors.window", "key: value pairs"),
        ("window: {failures: 0}", "errors.window.failures", "greater than or equal to 1"),
        ("window: {failures: many}", "errors.window.failures", "not a whole number"),
        ("window: {rows: -1}", "errors.window.rows", "greater than or equal to 1"),
        (f"window: {{rows: {MOST_ROWS + 1}}}", "errors.window.rows", "less than or equal to"),
        ("window: {size: 5}", "errors.window.size", "unknown key"),
        ("window: {failures: 11, rows: 10}", "errors.window.failures", "never happens"),
        ("window: {failures: 101}", "errors.window.failures", "never happens"),
        ("window: {rows: 49}", "errors.window.rows", "never happens"),
        ("window: {failures: '11', rows: '10'}", "errors.window.failures", "never happens"),
        ("topic: dlq", "errors.topic", "unknown key"),
        ("dead_letter_topic: shop.orders, tolerance: all", "subscriptions[0].topic", "dead_letter_topic"),
        ("dead_letter_topic: shop.orders", "subscriptions[0].topic", "dead_letter_topic"),
    ],
)
def test_a_mistake_is_named_with_its_key(refused: Refused, errors: str, path: str, message: str) -> None:
    (problem,) = refused(with_errors(errors))
    assert problem.path == path
    assert message in problem.message


def test_a_template_that_gives_the_dead_letter_topic_is_a_mistake(refused: Refused) -> None:
    text = with_errors("tolerance: all, dead_letter_topic: shop.dlq").replace(
        "topic: shop.orders", "topic: shop.{kind}\n    variables: {kind: dlq}"
    )
    document = "subscription O($kind: String) { orders(kind: $kind) { id } }"
    (problem,) = refused(text, files={"orders.graphql": document})
    assert problem.path == "subscriptions[0].topic"
    assert problem.where == "shop.yaml:9"


def test_all_mistakes_are_told_at_once(refused: Refused) -> None:
    text = with_errors("tolerance: some, window: {failures: 5, rows: 4}, dead_letter_topic: shop.orders")
    paths = {problem.path for problem in refused(text)}
    assert paths == {"errors.tolerance", "errors.window.failures", "subscriptions[0].topic"}


def test_what_is_not_known_yet_is_not_compared(read: Read, outlined: Outlined) -> None:
    text = "dead_letter_topic: '${env:T}', window: {failures: '${env:F}', rows: '${env:R}'}, tolerance: all"
    assert outlined(with_errors(text))
    config = read(with_errors(text), env={"T": "dlq", "F": "3", "R": "4"})
    assert (config.errors.window.failures, config.errors.window.rows) == (3, 4)


@pytest.mark.parametrize("name", ["[orders]", "{a: b}", "5"])
def test_a_name_of_another_kind_is_one_mistake(refused: Refused, name: str) -> None:
    text = with_errors("tolerance: all, dead_letter_topic: dlq").replace("name: orders", f"name: {name}")
    assert [problem.path for problem in refused(text)] == ["subscriptions[0].name"]


@pytest.mark.parametrize("name", ["__connect.errors.topic", "original_bytes", "original_sha256"])
def test_headers_of_dead_letters_are_not_for_rows(refused: Refused, name: str) -> None:
    text = GENERIC.replace("topic: shop.orders", f"topic: t\n    headers: {{{name}: id}}")
    (problem,) = refused(text)
    assert "sets itself" in problem.message

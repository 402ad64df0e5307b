"""The topic of offsets is for offsets alone."""

from __future__ import annotations

import pytest

from tests.unit.config.conftest import GENERIC, Load, Refused


def test_offsets_are_kept_where_that_is_wanted(load: Load) -> None:
    assert load().config.offsets is False
    assert load(GENERIC + "offsets: true\n").config.offsets is True


@pytest.mark.parametrize(
    ("text", "path"),
    [
        (GENERIC.replace("topic: shop.orders", "topic: shop.offsets"), "subscriptions[0].topic"),
        (GENERIC + "errors: {tolerance: all, dead_letter_topic: shop.offsets}\n", "errors.dead_letter_topic"),
    ],
)
def test_nothing_else_goes_there(refused: Refused, load: Load, text: str, path: str) -> None:
    (problem,) = refused(text + "offsets: true\n")
    assert problem.path == path
    assert "keeps its offsets in" in problem.message
    assert not load(text).config.offsets


def test_a_template_that_gives_it_is_a_mistake(refused: Refused) -> None:
    text = GENERIC.replace("topic: shop.orders", "topic: shop.{kind}\n    variables: {kind: offsets}")
    document = "subscription O($kind: String) { orders(kind: $kind) { id } }"
    (problem,) = refused(text + "offsets: true\n", files={"orders.graphql": document})
    assert problem.path == "subscriptions[0].topic"

"""Documents as a configuration names them: files, inline texts, and what is neither."""

from __future__ import annotations

import pytest

from connector.config import LoadedConfig
from tests.unit.config.conftest import GENERIC, Load, Refused

OPEN = 'subscription {\n  orders(of: "${env:WALLET}", at: "{{shop}}") {\n    id\n  }\n}\n'


def warnings(config: LoadedConfig) -> list[str]:
    return [warning.rpartition("/")[2] for warning in config.plans[0].warnings]


def test_a_placeholder_in_a_file_is_warned_of_by_line(load: Load) -> None:
    config = load(files={"orders.graphql": OPEN})
    first, second = warnings(config)
    assert first.startswith("orders.graphql:2:14: ")
    assert "${env:WALLET}" in first
    assert "variables" in first
    assert second.startswith("orders.graphql:2:35: ")
    assert "{{shop}}" in second


def test_a_placeholder_in_an_inline_document_is_warned_of_by_the_configurations_line(load: Load) -> None:
    inline = 'document: |\n      subscription {\n        orders(of: "<SHOP>") { id }\n      }'
    (warning,) = warnings(load(GENERIC.replace("document: orders.graphql", inline)))
    assert warning.startswith("shop.yaml:10:20: ")


def test_a_document_out_of_a_file_placeholder_is_not_quoted(load: Load) -> None:
    text = GENERIC.replace("document: orders.graphql", "document: ${file:inline.txt}")
    (warning,) = warnings(load(text, files={"inline.txt": 'subscription { orders(of: "<SHOP>") { id } }'}))
    assert "placeholder" in warning
    assert "SHOP" not in warning


def test_a_placeholder_in_a_variables_value_is_warned_of_but_not_quoted(load: Load) -> None:
    document = "subscription ($of: [String], $at: String) { orders(of: $of, at: $at) { id } }"
    text = GENERIC + "    variables:\n      at: here\n      of: [x, '<SHOP>']\n"
    (warning,) = warnings(load(text, files={"orders.graphql": document}))
    assert warning.startswith("shop.yaml:12: subscriptions[0].variables.of[1] ")
    assert "SHOP" not in warning


def test_signs_of_percent_in_a_variables_filter_are_its_own(load: Load) -> None:
    document = "subscription ($where: Filter) { orders(where: $where) { id } }"
    text = GENERIC + "    variables: {where: {_like: ['%TOKEN%', '%BTC%'], is: '%TOKEN%'}}\n"
    (warning,) = warnings(load(text, files={"orders.graphql": document}))
    assert "variables.where.is " in warning


def test_a_warning_is_no_change(load: Load) -> None:
    moved = GENERIC.replace("kafka:", "\n\nkafka:")
    inline = 'document: |\n      subscription { orders(of: "<SHOP>") { id } }'
    plans = [load(text.replace("document: orders.graphql", inline)).plans for text in (GENERIC, moved)]
    assert plans[0] == plans[1]
    assert plans[0][0].warnings != plans[1][0].warnings


@pytest.mark.parametrize(
    ("document", "message", "remedy"),
    [
        ("subscription Orders", "holds no '{'", "whole GraphQL"),
        ('"\\nsubscription\\n"', "holds no '{'", "whole GraphQL"),
        ("|\n      # orders\n      subscription", "holds no '{'", "whole GraphQL"),
        ("https://shop.example/orders.graphql", "is a URL", "save the document"),
        ("orders", "is not there", "did you mean 'orders.graphql'?"),
        ("xyz", "is not there", "check the path"),
        ('"{name}.graphql"', "the name of a file", "no variable stands in it"),
    ],
)
def test_what_is_no_document_has_a_remedy(refused: Refused, document: str, message: str, remedy: str) -> None:
    (problem,) = refused(GENERIC.replace("orders.graphql", document))
    assert problem.path == "subscriptions[0].document"
    assert message in problem.message
    assert remedy in problem.remedy

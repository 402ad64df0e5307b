"""A text that is no YAML: the line with the other indent is named, and the quote that was never closed."""

from __future__ import annotations

import pytest

from tests.unit.config.conftest import GENERIC, Load, Refused

S3CRET = "hunter2hunter2"


@pytest.mark.parametrize(
    ("text", "line", "remedy"),
    [
        ("name: x\n  endpoint:\n    url: a\n", 2, "this line has 2 spaces, the key in line 1 has 0"),
        (
            "endpoint:\n    url: a\n  preset: b\n",
            3,
            "2 spaces, the lines before it have 4 (line 2) or 0 (line 1)",
        ),
        ("endpoint:\n\n    # text\n    url: a\n  preset: b\n", 5, "have 4 (line 4) or 0 (line 1)"),
        ("subscriptions:\n  - name: a\n   topic: b\n", 3, "3 spaces, the lines before it have 4 (line 2)"),
        ("subscriptions:\n  - name: a\n      topic: b\n", 3, "6 spaces, the key in line 2 has 4"),
        ("subscriptions:\n  - name: a\n - name: b\n", 3, "1 space, the lines before it have 4 (line 2) or 2"),
        ("  name: x\nendpoint: y\n", 2, "0 spaces, the lines before it have 2 (line 1)"),
        ("document: |\n      a\n    b\n  c: d\n", 3, "4 spaces, the text from line 2 on has 6"),
        ("a:\n  b: c\n  - d\n", 3, "a list item (-) stands among the keys that begin in line 2"),
        ("a:\n  - d\n  b: c\n", 3, "a key stands among the list items that begin in line 2"),
        ("endpoint:\n\turl: x\n", 2, "spaces, not tabs"),
        ("name:\tx\n", 1, "a space for the tab"),
    ],
)
def test_a_line_that_is_aligned_with_nothing_has_its_indent_named(
    refused: Refused, text: str, line: int, remedy: str
) -> None:
    (problem,) = refused(text)
    assert problem.where.startswith(f"shop.yaml:{line}:")
    assert remedy in problem.remedy


@pytest.mark.parametrize(
    ("text", "remedy"),
    [
        ('name: "abc\nendpoint:\n  url: x\n', "opens in line 1, column 7"),
        ("name: x\ntoken: 'abc\nkafka:\n  a: x\n", "opens in line 2, column 8"),
        ('a: "x\nb: "y"\n', "opens in line 1, column 4: it goes on until line 2"),
        ('a: "${env:X}\nb: c\nd: "e"\n', "opens in line 1, column 4: it goes on until line 3"),
        ("name: 'it's'\n", "opens in line 1, column 7 closes before the text's end: write ''"),
        ('name: "a "b" c"\n', 'write \\" for a quote'),
        ('name: "a\\d"\n', "write \\\\ for each \\ in the quote that opens in line 1, column 7"),
        ('name: "C:\\Users\\me"\n', "write \\\\ for each \\"),
    ],
)
def test_a_quote_that_does_not_close_where_it_should_is_named(
    refused: Refused, text: str, remedy: str
) -> None:
    (problem,) = refused(text)
    assert remedy in problem.remedy


@pytest.mark.parametrize(
    ("text", "remedy"),
    [
        ("name: a: b\n", "quote the value"),
        ('document: subscription { a(x: "y") }\n', "below '|'"),
        ("endpoint:\n  url:ws://x\n  preset: b\n", "a space behind the key in line 2"),
        ("endpoint:\n  preset bitquery\n  url: x\n", "a space behind the key in line 2"),
        ("topic: {network}.x\n", "quote the value"),
        ("key: [a, b\nname: x\n", "close the [ of line 1, column 6 with ]"),
        ("key: {a: b c: d}\n", "a comma between"),
        ("name: @x\n", "no plain text begins with @"),
        ("name: *.x\n", "quote the value"),
        ("document: | abc\n", "on the lines below"),
        ("a: 1\n---\nb: 2\n", "the line --- out"),
        ("a: 1\n<<<<<<< HEAD\nb: 2\n=======\nb: 3\n>>>>>>> other\n", "merge conflict"),
        ("a: \x01\n", "take that character out"),
    ],
)
def test_what_is_no_yaml_has_a_remedy_of_its_own(refused: Refused, text: str, remedy: str) -> None:
    (problem,) = refused(text)
    assert remedy in problem.remedy


@pytest.mark.parametrize("value", ["{network}", "{a: b}", "{{ .Values.topic }}"])
def test_a_text_that_begins_with_a_brace_is_to_be_quoted(refused: Refused, value: str) -> None:
    (problem,) = refused(GENERIC.replace("shop.orders", value))
    assert problem.path == "subscriptions[0].topic"
    assert "quote the value" in problem.remedy


def test_what_is_the_users_own_may_be_called_as_a_text_of_ours(load: Load) -> None:
    document = "subscription ($topic: Input) { orders(topic: $topic) { id } }"
    text = GENERIC + "    variables: {topic: {name: x}}\n"
    config = load(text, files={"orders.graphql": document})
    assert config.plans[0].variables == {"topic": {"name": "x"}}


@pytest.mark.parametrize(
    "text",
    [
        f'token: "{S3CRET}\nname: x\n',
        f"token: '{S3CRET}'{S3CRET}\n",
        f"token: {S3CRET}: {S3CRET}\n",
        f"token: [{S3CRET}\nname: x\n",
        f"token: {{{S3CRET}}}{S3CRET}\n",
        f"token: *{S3CRET}\n",
        f"  token: {S3CRET}\n{S3CRET}: x\n",
    ],
)
def test_no_value_is_quoted(refused: Refused, text: str) -> None:
    (problem,) = refused(text)
    assert S3CRET not in problem.message + problem.remedy

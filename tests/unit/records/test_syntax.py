"""Documents that do not parse: each is told what to do about it, by what stands there."""

from __future__ import annotations

import time

import pytest

from connector.records.document import read_document
from connector.records.plan import Finding, PlanError

OPERATION = "subscription { a { b } }"


def mistake(text: str) -> Finding:
    with pytest.raises(PlanError) as caught:
        read_document(text)
    return caught.value.findings[0]


@pytest.mark.parametrize(
    ("text", "remedy"),
    [
        (OPERATION + '\n{"network": "bsc"}', "'variables'"),
        (OPERATION + '\n\n{\n  "network": "bsc"\n}', "JSON follows"),
        (OPERATION + "\n{network: 'bsc'}", "JSON follows"),
        (OPERATION + '\n{limit: "5"}', "JSON follows"),
        (OPERATION + "\n{}", "JSON follows"),
        (OPERATION + '\n[{"a": 1}]', "JSON follows"),
        (OPERATION + '\nvariables:\n{"a": 1}', "'variables'"),
        (OPERATION + '\nQuery Variables\n{"a": 1}', "'variables'"),
        (OPERATION + '\nExample:\n{"a": 1}', "take out what follows the operation"),
        ('{"network": "bsc"}\n' + OPERATION, "JSON stands before"),
        (OPERATION + " {network: bsc}", "'variables'"),
    ],
)
def test_json_beside_the_operation_belongs_under_variables(text: str, remedy: str) -> None:
    assert remedy in mistake(text).remedy


@pytest.mark.parametrize(
    ("text", "message", "remedy"),
    [
        ('{"query": "subscription { a }", "variables": {}}', "body of a request", '"query"'),
        ('{\n  "operationName": "A",\n  "query": "subscription {\n a }"\n}', "body of a request", '"query"'),
        ('[{"query": "subscription { a }"}]', "body of a request", '"query"'),
        ("{ query: `subscription { a }` }", "body of a request", '"query"'),
        ("{'query': 'subscription { a }'}", "body of a request", '"query"'),
        ('{"id": "1", "type": "subscribe", "payload": {"query": "…"}}', "message of a websocket", '"query"'),
        ('{"data": {"a": []}}', "JSON of an answer", "that is to be sent"),
        ('{"network": "bsc"}', "such as variables", "'variables'"),
        ('"subscription { a }"', "JSON string", "keep only the text"),
        ("'subscription { a }'", "stands in quotes", "take the quotes out"),
        ('"""\nsubscription { a }\n"""', "stands in quotes", "take the quotes out"),
        ("```graphql\nsubscription { a }\n```", "is Markdown", "between the fences"),
        ("# Trades\n\n```\nsubscription { a }\n```\n", "is Markdown", "between the fences"),
        ("These are trades:\n\n~~~\nsubscription { a }\n~~~\n", "is Markdown", "between the fences"),
        ("subscription { a }\n```", "is Markdown", "between the fences"),
        ("gql`subscription { a }`", "gql tag", "between the quotes"),
        ("const Q = gql`\n  subscription { a }\n`;", "gql tag", "between the quotes"),
        ("import gql from 'graphql-tag';\nexport default gql(`{ a }`)", "gql tag", "between the quotes"),
        ("graphql`\nsubscription { a }`", "gql tag", "between the quotes"),
        ("const Q = /* GraphQL */ `subscription { a }`", "is a program", "without the quotes"),
        ('query = gql("""\nsubscription { a }\n""")', "gql tag", "between the quotes"),
        ('QUERY = """\nsubscription { a }\n"""', "is a program", "without the quotes"),
        ("`subscription { a }`", "backticks", "take the backticks out"),
        ('curl https://x -d \'{"query": "…"}\'', "a command", "keep only the GraphQL"),
        ("POST /graphql HTTP/1.1\nHost: x\n\n{}", "a command or a request", "keep only the GraphQL"),
        ("<!DOCTYPE html>\n<html></html>", "is a page", "save the GraphQL"),
        ("document: |\n  subscription { a }", "is YAML", "without the key"),
        ("subscription: |\n  a", "is YAML", "without the key"),
        ("s\0u\0b\0", "zero bytes", "UTF-8"),
    ],
)
def test_a_text_that_holds_a_document_says_what_it_is(text: str, message: str, remedy: str) -> None:
    found = mistake(text)
    assert message in found.message
    assert remedy in found.remedy


@pytest.mark.parametrize(
    ("text", "remedy"),
    [
        ("subscription {{ a }}", "one brace for two"),
        ("subscription {{\n  a { b }\n}}", "one brace for two"),
        ("subscription { a(x: 1) {{ b }} }", "one brace for two"),
        ("subscription { a(x: {{x}}) { b } }", "declare a variable"),
        ("subscription { a(x: [{{ x }}]) { b } }", "declare a variable"),
        ("subscription { a { {{fields}} } }", "declare a variable"),
        ("subscription { a(x: ${env:X}) { b } }", "declare a variable"),
        ("subscription { a { ...F } }\n${F}", "declare a variable"),
        ("subscription { a(x: <ADDRESS>) { b } }", "declare a variable"),
        ("subscription { a(x: %s) { b } }", "declare a variable"),
        ("{% raw %}\nsubscription { a }", "declare a variable"),
        ("// trades\nsubscription { a }", "'#'"),
        ("subscription {\n  a // here\n}", "'#'"),
        ("/* trades */\nsubscription { a }", "'#'"),
        ("-- trades\nsubscription { a }", "'#'"),
        ("<!-- trades -->\nsubscription { a }", "'#'"),
        ("Trades of BSC\nsubscription { a }", "'#'"),
        ("**Trades**\nsubscription { a }", "'#'"),
        ("---\nsubscription { a }", "line of dashes"),
        ("subscription { a };", "semicolon"),
        ("Subscription { a }", "small letters"),
        ("SUBSCRIPTION X { a }", "small letters"),
        ("Query { a }", "write a subscription"),
        ("subscribtion { a }", "did you mean 'subscription'?"),
        ("subscriptions { a }", "did you mean 'subscription'?"),
        ("subscribe { a }", "did you mean 'subscription'?"),
        ("Trades { a }", "'subscription' before 'Trades'"),
        ("subscription: { a }", "without the key"),
        ("subscription A: { a }", "take the colon out"),
        ("subscription { a(x: \u201cy\u201d) { b } }", "double quotes"),
        ("subscription { a(x: \u2018y\u2019) { b } }", "double quotes"),
        ("subscription { a(x: 'y') { b } }", "double quotes"),
        ("subscription\u00a0{ a }", "plain space"),
        ("subscription { a\u200b { b } }", "invisible"),
        ("subscription \uff5b a }", "write { there"),
        ("subscription { a { \u2026F } }", "write ... there"),
        ("subscription { a(x: \u20131) { b } }", "plain hyphen"),
        ("subscription { pr\u00e9nom }", "letters from A to Z"),
        ("subscription {\\n  a {\\n b }\\n}", "escaped"),
        ('subscription { a(x: \\"y\\") { b } }', "escaped"),
        ("subscription { a { b }", "'{' of line 1"),
        ("subscription {\n  a {\n    b\n  }\n", "close the '{' of line 1"),
        ("subscription { a } }", "take that brace out"),
        ("subscription { a(x: 1 { b } }", "close the '('"),
        ("subscription", "in braces"),
        ("subscription { # a { b } }", "comment"),
        ('subscription { a(x: "y) { b } }', 'with "'),
        ("subscription { a { ... } }", "behind the dots"),
        ("subscription { a { ... on { b } } }", "behind the dots"),
        ("subscription { a { ..F } }", "three dots"),
        ("subscription { a() { b } }", "empty parentheses"),
        ("subscription X() { a }", "empty parentheses"),
        ("subscription (network: String) { a }", "with its sign"),
        ("subscription { a(x = 1) { b } }", "name: value"),
        ('subscription { a(where: {"x": 1}) { b } }', "quotes of the name"),
        ("subscription { a { b.c } }", "a { b }"),
        ("subscription my-sub { a }", "names have letters"),
        ("subscription { a(x: 0xdead) { b } }", "stands in quotes"),
        ("subscription { a(x: .5) { b } }", "0.5"),
    ],
)
def test_what_does_not_parse_has_a_remedy_of_its_own(text: str, remedy: str) -> None:
    assert remedy in mistake(text).remedy


@pytest.mark.parametrize(
    "text",
    [
        "\ufeff" + OPERATION,
        "# Markdown's headings\n" + OPERATION,
        "subscription { a(x: [1,2,], y: {z: 1,},) { b, }, }",
        'subscription { a(x: "http://x/y") { b } }',
        'subscription { a(x: "{{", y: "```") { b } } # // ```',
        "subscription live @live { subscription { query mutation on } }",
    ],
)
def test_what_is_legal_is_taken(text: str) -> None:
    assert read_document(text).root


@pytest.mark.parametrize(
    "text",
    [
        OPERATION + " " * 20_000 + "?",
        "subscription { a } " * 2_000 + "?",
        "{" * 20_000,
        "-a" * 20_000,
        "{{" + " " * 20_000 + "x",
        "a-" * 20_000,
        '"' * 40_001,
        "gql " * 20_000,
        "\n" * 20_000 + "}",
    ],
)
def test_no_text_takes_long(text: str) -> None:
    begun = time.process_time()
    mistake(text)
    assert time.process_time() - begun < 10  # what grows with the square takes minutes

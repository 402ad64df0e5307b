"""Documents that were copied from elsewhere with more than the GraphQL."""

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
    ("text", "message", "remedy"),
    [
        (f"1. Subscribe:\n\n    ```graphql\n    {OPERATION}\n    ```\n", "is Markdown", "between the fences"),
        (f"- x:\n\t```\n\t{OPERATION}\n\t```\n", "is Markdown", "between the fences"),
        (f"- ```\n  {OPERATION}\n  ```\n", "is Markdown", "between the fences"),
        (f"- name: x\n  document: |\n    {OPERATION}", "is YAML", "without the key"),
        (f"- document: |\n    {OPERATION}", "is YAML", "without the key"),
        (f"subscriptions:\n  - name: x\n    document: |\n      {OPERATION}", "is YAML", "without the key"),
        (f"name: x\ntopic: t\ndocument: |\n  {OPERATION}", "is YAML", "without the key"),
        (f"const Q = gql<Foo>`\n  {OPERATION}\n`", "gql tag", "between the quotes"),
        (f"gql<Foo, Bar<X>>`{OPERATION}`", "gql tag", "between the quotes"),
        (f"/* GraphQL */ `\n{OPERATION}\n`", "in backticks", "between the backticks"),
        (f"/* GraphQL */`{OPERATION}`;", "in backticks", "between the backticks"),
        (f'String q = """\n{OPERATION}\n""";', "is a program", "without the quotes"),
        (f'private static final String Q = """\n{OPERATION}\n""";', "is a program", "without the quotes"),
        (f'val q = """\n{OPERATION}\n"""', "is a program", "without the quotes"),
        (f'string q = @"{OPERATION}";', "is a program", "without the quotes"),
        (f'const Q: &str = r#"{OPERATION}"#;', "is a program", "without the quotes"),
        (f"query: `{OPERATION}`", "is a program", "without the quotes"),
        (f"() => `{OPERATION}`", "is a program", "without the quotes"),
        (f"<?php\n$q = '{OPERATION}';", "is a program", "without the quotes"),
        (f"$query = '{OPERATION}';", "is a program", "without the quotes"),
        (f"cat <<EOF\n{OPERATION}\nEOF", "here-document", "between <<EOF and EOF"),
        (f"$q = <<<'GQL'\n{OPERATION}\nGQL;", "here-document", "between <<<GQL and GQL"),
        (f"QUERY = <<~GRAPHQL\n{OPERATION}\nGRAPHQL", "here-document", "between <<~GRAPHQL"),
        (f"{OPERATION}\nEOF\n", "here-document", "take EOF out"),
        (f"<<<<<<< HEAD\n{OPERATION}\n=======\n{OPERATION}\n>>>>>>> x", "conflict", "keep one side"),
        ("subscription {\n<<<<<<< HEAD\n  a\n=======\n  b\n>>>>>>> x\n}", "conflict", "keep one side"),
        (f"--- a/x\n+++ b/x\n@@ -1 +1 @@\n+{OPERATION}", "is a diff", "without the signs"),
        ("+subscription {\n+  a\n+}", "is a diff", "without the signs"),
        ("1 subscription {\n2   a\n3 }", "has numbers", "take the numbers"),
        ("  1: subscription {\n  2:   a\n  3: }", "has numbers", "take the numbers"),
        (" 1 | subscription {\n 2 |   a\n 3 | }", "has numbers", "take the numbers"),
        (f"1. {OPERATION}", "has numbers", "take the numbers"),
        ("> subscription {\n>   a\n> }", "a quotation", "take the '>'"),
        (f"$ {OPERATION}", "begins with '$'", "take the '$' before 'subscription' out"),
        (f">>> {OPERATION}", "begins with '>>>'", "take the '>>>'"),
        (f"- {OPERATION}", "begins with '-'", "take the '-'"),
        (f"({OPERATION})", "in brackets", "take the '('"),
        (f"[{OPERATION}]", "in brackets", "take the '['"),
        (f"; trades\n{OPERATION}", "comment of another language", "with '#'"),
        (f";; subscription to trades\n{OPERATION}", "comment of another language", "with '#'"),
        (f"{{# trades #}}\n{OPERATION}", "comment of another language", "with '#'"),
        (f"(* trades *)\n{OPERATION}", "comment of another language", "with '#'"),
    ],
)
def test_what_was_copied_along_is_named(text: str, message: str, remedy: str) -> None:
    found = mistake(text)
    assert message in found.message
    assert remedy in found.remedy


@pytest.mark.parametrize(
    ("text", "remedy"),
    [
        (f"Here is the document:\n\n{OPERATION}", "take out what stands before line 3"),
        (f"Here's what you need. It has (some) keys.\n{OPERATION}", "take out what stands before line 2"),
        (f"Orders\n{OPERATION}", "take out what stands before line 2"),
        (f"Query for trades:\n{OPERATION}", "take out what stands before line 2"),
        (f"subscription for trades:\n{OPERATION}", "take out what stands before line 2"),
        (f"{OPERATION}\nThis shows trades.", "take out what follows"),
        ("subscription {\n  ; trades\n  a\n}", "with '#'"),
        ("subscription { a { \u2026 } }", "what was left out"),
        ("subscription { a(x: \u2026) { b } }", "what was left out"),
        ("subscription { a { b \u2026 } }", "what was left out"),
        ("subscription { a { \u2026 on F { b } } }", "write ... there"),
        ("subscription { a(x: ...) { b } }", "the value that was left out"),
        ("subscription { * }", "name each field"),
        ("subscription { a(x: @region@) { b } }", "declare a variable"),
        ("subscription { a @region@ { b } }", "declare a variable"),
        ("subscription { a(x: @region) { b } }", "with $, not with @"),
        ("subscription { a(x: &quot;y&quot;) { b } }", 'write " for &quot;'),
        ("subscription&nbsp;{ a }", "write a space for &nbsp;"),
        ("subscription { a(x: &#39;y&#39;) { b } }", 'write " for &#39;'),
        ("subscription => { a }", "take the '=>' out"),
        ("subscription { a -> b }", "not a -> b"),
        ('subscription "S" { a }', "name without quotes"),
        ("subscription 'S' { a }", "name without quotes"),
        ("subscription `S` { a }", "name without quotes"),
        ("subscription S T { a }", "one word"),
        ("subscription S.T { a }", "one word"),
        ("subscription { a(x: ) { b } }", "a value behind the colon"),
        ("subscription { a(x > 1) { b } }", "comparisons"),
        ('subscription { a(x: "b" + $c) { b } }', "nothing is computed"),
        ("{ subscription { a { b } } }", "outer braces"),
        ("{ subscription Foo { a } }", "outer braces"),
        ("subscription { s: __schema { t } a { b } }", "take s: __schema out"),
    ],
)
def test_the_remedy_is_for_what_stands_there(text: str, remedy: str) -> None:
    assert remedy in mistake(text).remedy


@pytest.mark.parametrize(
    "text",
    [
        "gql<" * 20_000,
        "<<A " * 20_000,
        "/*" * 20_000 + "`",
        "&a" * 20_000,
        "1\n" * 20_000,
        "a: b\n" * 10_000 + "!",
        "x " * 20_000 + "\n" + "x\n" * 10_000,
        "- " * 20_000,
        "\nEOF " * 20_000,
    ],
)
def test_no_copied_text_takes_long(text: str) -> None:
    begun = time.process_time()
    mistake(text)
    assert time.process_time() - begun < 10  # what grows with the square takes minutes

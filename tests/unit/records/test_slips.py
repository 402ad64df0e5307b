"""Documents that are nearly right: each is told which sign is wrong, and little of theirs is quoted."""

from __future__ import annotations

import json

import pytest

from connector.records.document import read_document
from tests.unit.records.test_syntax import OPERATION, mistake


@pytest.mark.parametrize(
    ("text", "remedy"),
    [
        ("sub\u200escription { a }", "character behind 'sub' out"),
        ("subscription { a \x07 }", "take the invisible character out"),
        (OPERATION + "\x1a", "take the invisible character out"),
        ("\x1b[32m" + OPERATION, "take the invisible character out"),
        (OPERATION + '\n{"Authorization": "Bearer x"}', "endpoint.headers"),
        ('{"X-API-Key": "x"}\n' + OPERATION, "endpoint.headers"),
        ("subscription { <b>a</b> { b } }", "tags of HTML"),
        ('subscription { <span class="x">a</span> }', "tags of HTML"),
        ("subscription { a(x: <ADDRESS>) { b } }", "declare a variable"),
        ("subscription%20%7B%20a%20%7D", "as in a URL"),
        ("?query=subscription%20%7B%20a%20%7D", "as in a URL"),
        ("subscription { a(x: %s) { b } }", "declare a variable"),
        ('subscription { a(x: "\\d") { b } }', "write \\\\ for the sign"),
        ('subscription { a(x: "\\ud800") { b } }', "halves"),
        ("subscription { \\\n a { b } \\\n}", "ends of the lines"),
        ("subscription ($x) { a(x: $x) { b } }", "the variable's type"),
        ("subscription ($x = 1) { a(x: $x) { b } }", "the variable's type"),
        ("subscription ($x: Int?) { a(x: $x) { b } }", "take the '?' out"),
        ("subscription ($x: Int | null) { a(x: $x) { b } }", "one type"),
        ('subscription ({"x": "y"}) { a { b } }', "declare each variable"),
        ("subscription ($x: Int) { a($x) { b } }", "name: $name"),
        ("subscription { a(x: ?) { b } }", "declare a variable"),
        ("subscription { a(x: :y) { b } }", "declare a variable"),
        (OPERATION + ".", "take the dot out"),
        ("subscription { a: { b } }", "take the colon out"),
        ("subscription { a [ b ] }", "in braces"),
        ("subscription { a ( b ) }", "in braces"),
        ("subscription { a((x: 1)) { b } }", "one parenthesis for two"),
        ("subscription { a: b: c }", "one colon"),
        ("subscription { a/b }", "not a/b"),
        ("1. subscription {\n  a\n}", "take '1.' before 'subscription' out"),
        ("https://ide.example/query/1", "GraphQL of that page"),
        ("{\\rtf1\\ansi " + OPERATION + "}", "plain text"),
        (json.dumps({"cells": [{"source": [OPERATION]}]}), "keep only the GraphQL"),
        (json.dumps({"extensions": {"persistedQuery": {"version": 1}}}), "a hash is not sent"),
    ],
)
def test_a_sign_that_is_wrong_is_named(text: str, remedy: str) -> None:
    assert remedy in mistake(text).remedy


@pytest.mark.parametrize(
    "text",
    [
        "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJ4In0.c2lnbmF0dXJlLW9mLWl0",
        "ory_at_W8XbYZ0aPq3-LmNoPqRsTuVwXyZ",
        "token eyJhbGciOiJIUzI1NiJ9eyJzdWIiOiJ4In0c2lnbmF0dXJl",
        'subscription { a } "eyJhbGciOiJIUzI1NiJ9eyJzdWIiOiJ4In0c2lnbmF0dXJl',
    ],
)
def test_a_file_that_holds_a_token_is_not_quoted(text: str) -> None:
    """The names of two files are easily confused."""
    found = mistake(text)
    said = f"{found.message} {found.remedy}"
    assert not any(part in said for at in range(len(text) - 11) if " " not in (part := text[at : at + 12])), (
        said
    )


def test_names_of_common_length_are_quoted() -> None:
    assert "'EVM_ABI_Integer_Value_Arg'" in mistake("EVM_ABI_Integer_Value_Arg { a }").message
    assert read_document("subscription subscription { subscription }").root

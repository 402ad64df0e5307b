"""Documents: which can be subscribed to, and where a mistake is said to be."""

from __future__ import annotations

import inspect
import sys

import pytest

from connector.records.document import read_document
from connector.records.plan import PlanError


@pytest.mark.parametrize(
    ("text", "message", "place"),
    [
        ("", "is empty", None),
        ("# only a comment\n", "only comments", None),
        ("subscription {\n  a {\n  }\n}", "does not parse: Expected Name", (3, 3)),
        ("subscription { }", "does not parse", (1, 16)),
        ("subscription { a", "does not parse", (1, 17)),
        ("query { a }", "is a query", (1, 1)),
        ("{ a }", "is a query", (1, 1)),
        ("mutation { a }", "is a mutation", (1, 1)),
        ("subscription { a b }", "2 root fields: a, b", (1, 18)),
        ("subscription { x: a y: a }", "2 root fields: x, y", (1, 21)),
        ("subscription { a ...F } fragment F on S { b }", "2 root fields: a, b", (1, 43)),
        ("subscription { ... on S { a b } }", "2 root fields", (1, 29)),
        ("subscription { __typename }", "cannot be subscribed to", (1, 16)),
        ("subscription { a { ...F } }", "'F' is not defined", (1, 20)),
        ("subscription { a { ...F } } fragment F on X { b { ...F } }", "spreads itself", (1, 51)),
        (
            "subscription { ...F } fragment F on X { ...G } fragment G on X { ...F }",
            "spreads itself",
            (1, 66),
        ),
        ("subscription { a } fragment F on X { b }", "'F' is not used", (1, 20)),
        ("subscription { ...F } fragment F on X { a } fragment F on X { a }", "two fragments", None),
        ("subscription A { a } subscription A { a }", "two operations", None),
        ("subscription A { a } subscription { a }", "without a name", None),
        ("subscription A { a } subscription B { a }", "2 operations: A, B", None),
        ("fragment F on X { a }", "no operation", None),
        ("type X { a: Int }", "defines types", (1, 1)),
        ("subscription { a(x: $x) }", "$x is not declared", (1, 21)),
        ("subscription ($x: Int) { a }", "$x is never used", (1, 15)),
        ("subscription ($x: Int, $x: Int) { a(x: $x) }", "declared twice", (1, 1)),
        ("subscription { a { b b: c } }", "two different fields", (1, 22)),
        ("subscription { a { b(x: 1) b(x: 2) } }", "two different fields", (1, 28)),
        ("subscription { a { b b { c } } }", "two different fields", (1, 22)),
        ("subscription { a @skip(if: true) { b } }", "@skip may not stand at the root", (1, 18)),
        ("subscription ($x: Boolean = true) { a @include(if: $x) }", "@include may not stand", (1, 39)),
        ("subscription { ...R @include(if: true) } fragment R on S { a }", "at the root", (1, 21)),
        ("subscription { ... @skip(if: false) { a } }", "at the root", (1, 20)),
        ("subscription { ...R } fragment R on S { a @skip(if: false) }", "at the root", (1, 43)),
        ("subscription { a(x: 1, x: 2) }", "argument 'x' is given twice", (1, 24)),
        ("subscription { a { b @d(x: 1, x: 1) } }", "argument 'x' is given twice", (1, 31)),
        ("subscription { a(x: {y: [{z: 1, z: 1}]}) }", "key 'z' is given twice", (1, 33)),
        ("subscription { a } query { b(x: 1, x: 2) }", "without a name", None),
    ],
)
def test_a_document_that_cannot_be_subscribed_to(
    text: str, message: str, place: tuple[int, int] | None
) -> None:
    with pytest.raises(PlanError) as caught:
        read_document(text)
    (finding,) = caught.value.findings
    assert finding.key == "document"
    assert message in finding.message
    assert finding.remedy
    if place is not None:
        assert (finding.line, finding.column) == place


def test_fragments_are_put_in_and_equal_fields_merged() -> None:
    document = read_document(
        """
        subscription ($x: Int) { ...R }
        fragment R on S { root(x: $x) { a { b } ...C ... on T { a { d } } a { b } } }
        fragment C on T { a { c: real } e }
        """
    )
    assert document.root.response_name == "root"
    assert list(document.root.leaves()) == [("a", "b"), ("a", "c"), ("a", "d"), ("e",)]
    assert document.used_variables == {"x"}


@pytest.mark.parametrize(
    ("text", "remedy"),
    [
        ("subscription { a { } }", "select a field there"),
        ("subscription { a(x: & }", "correct the document there"),
        ("subscription { a( }", "close the '('"),
        ("{ a { b } }", "before the brace"),
        ("query { a }", "in its place"),
        ("mutation { a }", "nothing streams from it"),
        ("subscription { a { b } __typename }", "take __typename out"),
        ("subscription { __typename a { b } }", "take __typename out"),
        ("subscription { t: __typename a { b } }", "take t: __typename out"),
        ("subscription { ...F } fragment F on S { __typename a }", "take __typename out"),
        ("fragment F on S { a }", "add a subscription"),
        ("subscription A { a } query B { a }", "operation: A is the only subscription"),
        ("# subscription { a }", "on a line without '#'"),
    ],
)
def test_the_remedy_of_what_does_not_parse_fits_it(text: str, remedy: str) -> None:
    with pytest.raises(PlanError) as caught:
        read_document(text)
    assert remedy in caught.value.findings[0].remedy


def test_a_field_is_never_there_where_each_of_its_places_is_left_out() -> None:
    root = read_document(
        """
        subscription ($x: Boolean!) {
          a {
            never @skip(if: true)
            ... @include(if: false) { below { leaf } both }
            both
            some @skip(if: $x)
            always @include(if: true)
            merged @skip(if: true) { p }
            merged { q }
          }
        }
        """
    ).root
    there = {name: not field.is_never for name, field in (root.children or {}).items()}
    wanted = {"never": False, "below": False, "both": True, "some": True, "always": True, "merged": True}
    assert there == wanted
    merged = root.child("merged")
    assert merged is not None
    assert {name: child.is_never for name, child in (merged.children or {}).items()} == {
        "p": True,
        "q": False,
    }


def test_an_operation_is_picked_by_name_and_sent_by_name() -> None:
    text = "subscription A { a } subscription B { b } query C { c }"
    document = read_document(text, "B")
    assert (document.operation_name, document.root.response_name) == ("B", "b")
    assert read_document("subscription A { a }").operation_name is None
    with pytest.raises(PlanError, match="is a query"):
        read_document(text, "C")
    with pytest.raises(PlanError) as caught:
        read_document("subscription Orders { a }", "Order")
    (finding,) = caught.value.findings
    assert (finding.key, finding.remedy) == ("operation", "did you mean 'Orders'?")


def test_a_variable_in_a_directive_is_used() -> None:
    document = read_document("subscription ($x: Boolean!) { a { b @include(if: $x) } }")
    assert document.used_variables == {"x"}


@pytest.mark.parametrize(
    "text",
    [
        "subscription " + "{ a " * 5000 + "}" * 5000,
        "subscription { a(x: " + "[" * 5000 + "]" * 5000 + ") }",
        "subscription ($x: " + "[" * 5000 + "Int" + "]" * 5000 + ") { a(x: $x) }",
        "subscription " + "{ a " * 150 + "}" * 150,
    ],
)
def test_deep_nesting_is_no_traceback(text: str) -> None:
    try:
        read_document(text)
    except PlanError as error:
        assert "nested" in str(error)  # noqa: PT017 - shallow enough ones are taken


def test_a_stack_that_is_too_short_is_no_traceback() -> None:
    text = "subscription " + "{ a " * 100 + "}" * 100
    read_document(f"{text} ")  # another one, for documents are remembered
    limit = sys.getrecursionlimit()
    sys.setrecursionlimit(len(inspect.stack(0)) + 100)
    try:
        with pytest.raises(PlanError, match="nested too deeply"):
            read_document(text)
    finally:
        sys.setrecursionlimit(limit)


def test_fragments_that_grow_without_bound_are_refused() -> None:
    fragments = [f"fragment F{n} on X {{ a {{ ...F{n + 1} }} b {{ ...F{n + 1} }} }}" for n in range(40)]
    text = "subscription { r { ...F0 } }" + "".join(fragments) + "fragment F40 on X { c }"
    with pytest.raises(PlanError, match="more than"):
        read_document(text)

"""Where the rows are, and which fields of them a subscription may name."""

from __future__ import annotations

import pytest

from tests.unit.records.planned import ROOT, findings, plan


def test_rows_are_the_single_cube_by_its_alias() -> None:
    made = plan()
    assert (made.root, made.rows, made.cubes) == ("EVM", ("EVM", "trades"), 1)


def test_rows_are_the_root_field_of_any_other_endpoint() -> None:
    assert plan("subscription { x: a { b c { d } } }", ROOT).rows == ("x",)
    assert plan("subscription { tick }", ROOT).rows == ("tick",)


@pytest.mark.parametrize(
    ("document", "rows", "key", "message", "remedy"),
    [
        ("subscription { E { A { x } B { x } } }", None, "document", "2 cubes: A, B", "split"),
        ("subscription { E { A { x } B { x } } }", "E.A", "rows", "E.B is not covered", "split"),
        ("subscription { E { A { x } y } }", "E.A", "rows", "E.y is not covered", "split"),
        ("subscription { E { A { x { z } y { z } } } }", "E.A.x", "rows", "E.A.y is not covered", "split"),
        ("subscription { E { A { x } } }", "E.AA", "rows", "does not select 'AA'", "did you mean 'A'"),
        ("subscription { E { A { x } } }", "F.A", "rows", "does not select 'F'", "there is: E"),
        ("subscription { E { A { x } } }", "E.A.x.y", "rows", "does not select 'y'", "name what it selects"),
        ("subscription { E { A } }", None, "document", "A selects no rows", "select a cube"),
        ("subscription { E }", None, "document", "E selects no rows", "select a cube"),
        ("subscription { E { __typename } }", None, "document", "E selects no rows", "select a cube"),
        ("subscription { E { A @skip(if: true) { x } } }", None, "document", "selects no rows", "select"),
        ("subscription { E { A @skip(if: true) { x } } }", "E.A", "rows", "E.A is left out", "directive"),
    ],
)
def test_rows_must_cover_what_is_selected(
    document: str, rows: str | None, key: str, message: str, remedy: str
) -> None:
    (finding,) = findings(document, rows=tuple(rows.split(".")) if rows else None)
    assert finding.key == key
    assert message in finding.message
    assert remedy in finding.remedy


def test_rows_may_be_an_object_that_holds_several_lists() -> None:
    assert plan("subscription { E { A { x } B { x } } }", rows=("E",)).rows == ("E",)


@pytest.mark.parametrize(
    ("path", "message", "remedy"),
    [
        ("Block", "Block is not a leaf", "Block.Number, Block.Time"),
        ("Block.Numbr", "has no Block.Numbr", "did you mean 'Block.Number'?"),
        ("Hash", "has no Hash", "did you mean 'Transaction.Hash'?"),
        ("EVM.trades.Block.Time", "has no EVM", "write Block.Time"),
        ("Block.Time.x", "has no Block.Time.x", "did you mean 'Block.Time'?"),
        ("zzz", "has no zzz", "Block.Number"),
    ],
)
def test_a_path_must_end_at_a_leaf_of_a_row(path: str, message: str, remedy: str) -> None:
    split = tuple(path.split("."))
    found = findings(key=(("Block", "Number"), split), timestamp=split, headers=(("h", split),))
    assert [finding.key for finding in found] == ["key[1]", "timestamp", "headers.h"]
    for finding in found:
        assert message in finding.message
        assert remedy in finding.remedy


def test_a_field_that_is_left_out_of_every_answer_is_no_path() -> None:
    document = "subscription { a { b { c @include(if: false) d } } }"
    (finding,) = findings(document, ROOT, key=(("b", "d"), ("b", "c")))
    assert (finding.key, "b.c is left out" in finding.message) == ("key[1]", True)


def test_what_is_left_out_of_every_answer_is_neither_lost_nor_a_cube() -> None:
    document = "subscription { E { A { x } B @skip(if: true) { x } } }"
    assert plan(document).rows == ("E", "A")
    assert plan(document).cubes == 1
    assert plan(document, rows=("E", "A")).rows == ("E", "A")


def test_a_key_names_each_field_once() -> None:
    number = ("Block", "Number")
    (finding,) = findings(key=(number, ("Block", "Time"), number))
    assert (finding.key, finding.message) == ("key[2]", "Block.Number is key[0] too")


def test_a_root_that_is_not_selected_is_named_once() -> None:
    (finding,) = findings("subscription { a { b } }", ROOT, rows=("nope",))
    assert finding.message == "the document does not select 'nope'"


def test_plain_rows_have_no_fields() -> None:
    (finding,) = findings("subscription { tick }", ROOT, key=(("x",),))
    assert "plain values" in finding.remedy


def test_cubes_that_stay_silent_are_warned_of() -> None:
    silent = "subscription { chain: EVM { b: Balances { x } } }"
    assert plan(silent).warnings == ("EVM.Balances does not stream",)
    open_ended = "subscription { Solana { Instructions%s { x } } }"
    assert plan(open_ended % "").warnings == ("Solana.Instructions needs a filter",)
    assert plan(open_ended % "(where: {})").warnings == ("Solana.Instructions needs a filter",)
    assert plan(open_ended % "(where: {a: 1})").warnings == ()


def test_a_plan_hides_what_may_be_secret() -> None:
    shown = repr(plan(variables={"network": "hush"}))
    assert "hush" not in shown
    assert "subscription" not in shown


def test_every_mistake_is_found_at_once() -> None:
    found = findings(variables={}, topic="t t", key=(("x",),), timestamp=("Block",))
    assert [finding.key for finding in found] == ["variables", "key[0]", "timestamp", "topic"]


def test_a_path_through_a_list_is_refused() -> None:
    """Below the root of such an endpoint every field is a list: the path would be null in every record."""
    path = ("A", "x")
    document = "subscription { E { A { x } B { x } } }"
    found = findings(document, rows=("E",), key=(path,), timestamp=path, headers=(("h", path),))

    assert [finding.key for finding in found] == ["key[0]", "timestamp", "headers.h"]
    for finding in found:
        assert "leads through A, which is a list" in finding.message
        assert "rows: E.A" in finding.remedy


@pytest.mark.parametrize(
    ("document", "directives"),
    [
        ("subscription { a { b @stream(initialCount: 1) { c } } }", ["stream"]),
        ("subscription { a { ... @defer { b } } }", ["defer"]),
        ("subscription { a { ...F @defer } } fragment F on A { b { c @stream } }", ["defer", "stream"]),
        ("subscription { a { b @client } }", []),
    ],
)
def test_a_document_that_asks_for_incremental_delivery_is_warned_of(
    document: str, directives: list[str]
) -> None:
    warnings = plan(document, ROOT).warnings
    assert [text.split("@")[1].split(":")[0] for text in warnings] == directives


@pytest.mark.parametrize(
    ("document", "object_rows"),
    [
        ("subscription { a }", False),
        ("subscription { a { b } }", True),
        ("subscription { x: a { b } }", True),
    ],
)
def test_it_is_known_whether_fields_of_a_row_are_selected(document: str, object_rows: bool) -> None:
    assert plan(document, ROOT).object_rows is object_rows

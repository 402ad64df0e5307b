"""Fields that are added to a document, so that its rows have an identity and a cursor."""

from __future__ import annotations

from textwrap import dedent

import pytest

from connector.records.document import read_document
from connector.records.plan import SubscriptionPlan
from tests.unit.records.planned import KNOWN, ROOT, findings, plan


def paths(*written: str) -> tuple[tuple[str, ...], ...]:
    return tuple(tuple(path.split(".")) for path in written)


def text_of(document: str, **spec: object) -> str:
    return plan(document, KNOWN, add_fields=True, **spec).document_text


def row_of(row: str) -> str:
    """What a row selects once the fields of its identity and its cursor have been added."""
    before, after = "subscription ($x: Boolean = true) { E(x: $x) { A { ", " } } }"
    found = text_of(f"{before}{row}{after}")
    assert found.startswith(before)
    assert found.endswith(after)
    return found.removeprefix(before).removesuffix(after)


def identity(made: SubscriptionPlan) -> list[str]:
    return [".".join(path) for path in made.identity.fields] if made.identity else []


@pytest.mark.parametrize(
    ("row", "found"),
    [
        ("x", "x B { N Hash } T { Hash } Side"),
        ("B { N Hash } T { Hash } Side", "B { N Hash } T { Hash } Side"),
        ("B { N } T { x }", "B { N Hash } T { x Hash } Side"),
        ("T { I } C { I }", "T { I } C { I } B { N Hash } Side"),
        # Under another name the field is the same.
        ("b: B { n: N } T { Hash } s: Side", "b: B { n: N Hash } T { Hash } s: Side"),
        # The name stands for another field.
        ("B: X { N } Side", "B: X { N } Side _B: B { N Hash } T { Hash }"),
        ("B { N: Hash } T { Hash: x }", "B { N: Hash _N: N } T { Hash: x _Hash: Hash } Side"),
        (
            "B: X { x } _B: Y { x } T { Hash } Side",
            "B: X { x } _B: Y { x } T { Hash } Side _B_2: B { N Hash }",
        ),
        # It is there, but not in every answer.
        ("B @include(if: $x) { N } T { Hash } Side", "B @include(if: $x) { N } T { Hash } Side B { N Hash }"),
        (
            "b: B @include(if: $x) { N } T { Hash } Side",
            "b: B @include(if: $x) { N } T { Hash } Side B { N Hash }",
        ),
        ("B { N } T { Hash @skip(if: true) } Side", "B { N Hash } T { Hash @skip(if: true) Hash } Side"),
        # A selection of its own is not looked for in a fragment: the same field twice is merged.
        ("... on R { B { N } } T { Hash } Side", "… B { Hash }"),
        ("... { T { x } } B { N }", "... { T { x } } B { N Hash } T { Hash } Side"),
    ],
)
def test_what_is_missing_is_added_and_what_is_there_stays(row: str, found: str) -> None:
    assert row_of(row) == found.replace("…", row)


def test_a_plan_says_what_was_added_and_is_that_of_the_new_document() -> None:
    document = "subscription { e: E { a: A { B: X { N } Side } } }"
    made = plan(document, KNOWN, add_fields=True, key=paths("T.Hash"))
    assert made.added == paths("_B.N", "_B.Hash", "T.Hash")
    assert identity(made) == ["_B.Hash", "_B.N", "T.Hash", "Side"]
    assert (made.cursor, made.lacks, made.rows) == (("_B", "N"), (), ("e", "a"))
    assert read_document(made.document_text).root.response_name == "e"


def test_nothing_is_added_unless_it_is_asked_for_or_where_nothing_is_missing() -> None:
    document = "subscription { E { A { x } } }"
    assert plan(document, KNOWN).document_text == document
    whole = "subscription { E { A { B { N Hash } T { Hash } Side } } }"
    assert (text_of(whole), plan(whole, KNOWN, add_fields=True).added) == (whole, ())


def test_layout_and_comments_stay() -> None:
    before = dedent("""\
        # Trades {
        subscription {
          E {
            A(where: {x: "}"}) {  # all of them }
              T { x }  # a transaction
              B {
                x  # }
              }
            }
          }
        }
        """)
    after = dedent("""\
        # Trades {
        subscription {
          E {
            A(where: {x: "}"}) {  # all of them }
              T { x Hash }  # a transaction
              B {
                x  # }
                N Hash
              }
              Side
            }
          }
        }
        """)
    assert text_of(before) == after


@pytest.mark.parametrize(
    ("document", "found"),
    [
        (
            "subscription { ...Q } fragment Q on S { E { ...C } } fragment C on E { A { x } }",
            "subscription { ...Q } fragment Q on S { E { ...C } } "
            "fragment C on E { A { x B { N Hash } T { Hash } Side } }",
        ),
        (
            "subscription { E { A { ...R } } } fragment R on A { B { N } T { Hash } }",
            "subscription { E { A { ...R Side B { Hash } } } } fragment R on A { B { N } T { Hash } }",
        ),
        (
            "subscription { E { A { z { ...R } ...R Side T { Hash } } } } fragment R on A { B { N } }",
            "subscription { E { A { z { ...R } ...R Side T { Hash } B { Hash } } } } "
            "fragment R on A { B { N } }",
        ),
        (
            "subscription { E { A @include(if: false) { x } A { x } } }",
            "subscription { E { A @include(if: false) { x } A { x B { N Hash } T { Hash } Side } } }",
        ),
        (
            "subscription { E { A { x } } E { A { y } } }",
            "subscription { E { A { x B { N Hash } T { Hash } Side } } E { A { y } } }",
        ),
    ],
)
def test_rows_may_be_selected_by_fragments(document: str, found: str) -> None:
    assert text_of(document) == found


def test_of_several_operations_the_chosen_one_is_changed() -> None:
    document = "subscription a { E { A { x } } } subscription b { E { A { x } } }"
    made = plan(document, KNOWN, add_fields=True, operation="b")
    assert made.document_text == document[:-5] + "B { N Hash } T { Hash } Side } } }"
    assert made.operation_name == "b"


def test_a_cursor_alone_may_be_added() -> None:
    made = plan("subscription { a { x } }", ROOT, add_fields=True, cursor=("at",))
    assert made.document_text == "subscription { a { x at } }"
    assert (made.identity, made.cursor) == (None, ("at",))


def test_what_the_user_names_is_added_by_that_name() -> None:
    fragment = "fragment P on T { q: quote(a: 2) { y } }"
    made = plan(
        f"subscription {{ ticks {{ at: time p: pair(of: 1) {{ x }} ...P }} }} {fragment}",
        ROOT,
        add_fields=True,
        identity=paths("id", "p.id", "q.id", "at"),
        cursor=("sequence",),
    )
    assert made.document_text == (
        "subscription { ticks { at: time p: pair(of: 1) { x id } ...P id q: quote(a: 2) { id } sequence } } "
        + fragment
    )
    assert identity(made) == ["id", "p.id", "q.id", "at"]
    assert made.cursor == ("sequence",)


def test_a_field_that_the_user_names_may_be_under_a_condition() -> None:
    document = "subscription ($x: Boolean = true) { a { b @skip(if: $x) { c } } }"
    made = plan(document, ROOT, add_fields=True, identity=paths("b.d"))
    assert made.document_text == "subscription ($x: Boolean = true) { a { b @skip(if: $x) { c } b { d } } }"


@pytest.mark.parametrize(
    ("document", "spec", "key", "message"),
    [
        ("E { A { Side count } }", {}, "add_fields", "a row is made of many by count"),
        ("E { A { x(y: 1) } }", {}, "add_fields", "a row is made of many by x"),
        ("E { Z { x } }", {}, "add_fields", "rows of E.Z apart is not known"),
        ("E { A { Side count } }", {"cursor": ("x",)}, "add_fields", "a row is made of many by count"),
        ("E { A @include(if: $x) { x } }", {"cursor": ("y",)}, "add_fields", "E.A may be left out"),
        ("E { A { Side } }", {"identity": paths("Side.x")}, "identity[0]", "no Side.x"),
        ("E { A { B { N } } }", {"identity": paths("B")}, "identity[0]", "not a leaf"),
    ],
)
def test_what_cannot_be_added_is_told_with_its_reason(
    document: str, spec: dict[str, object], key: str, message: str
) -> None:
    variables = "($x: Boolean = true)" if "$x" in document else ""
    found = findings(f"subscription {variables} {{ {document} }}", KNOWN, add_fields=True, **spec)
    mine = [finding for finding in found if finding.key == key]
    assert len(mine) == 1
    assert message in mine[0].message

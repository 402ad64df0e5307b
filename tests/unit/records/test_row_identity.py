"""What tells a row from others, and where it stands in time: found in what is selected, or why not."""

from __future__ import annotations

from dataclasses import replace

import pytest

from connector.records.dedup import DedupWindow
from connector.records.plan import RowIdentity, SubscriptionPlan
from connector.upstream import IdentityKind
from tests.unit.records.planned import CUBE, KNOWN, ROOT, findings, plan

WHOLE = "B { Hash N } T { Hash } Side"


def of(row: str, **spec: object) -> SubscriptionPlan:
    """The plan of a cube; beside what is given its rows have a field that a variable may leave out."""
    document = f"subscription ($x: Boolean = true) {{ E {{ A {{ {row} v @skip(if: $x) }} }} }}"
    return plan(document, KNOWN, **spec)


def paths(*written: str) -> tuple[tuple[str, ...], ...]:
    return tuple(tuple(path.split(".")) for path in written)


def fields(made: SubscriptionPlan) -> list[str]:
    return [".".join(path) for path in made.identity.fields] if made.identity else []


def lacks(made: SubscriptionPlan) -> list[tuple[str, str]]:
    return [(lack.key, lack.message) for lack in made.lacks]


@pytest.mark.parametrize(
    ("row", "found"),
    [
        (WHOLE, "B.Hash B.N T.Hash Side"),
        ("B { N } T { Hash } Side", "B.N T.Hash Side"),
        ("B { N } T { I } C { I } Side", "B.N T.I C.I Side"),
        ("B { N } T { I Hash } C { I } Side", "B.N T.Hash Side"),
        ("b: B { n: N } t: T { Hash } s: Side", "b.n t.Hash s"),
        ("b: B { Hash } c: B { N } T { x: Hash Hash } Side", "b.Hash c.N T.Hash Side"),
        ("... on Row { B { N } ...F } Side", "B.N T.Hash Side"),
        ("B @include(if: true) { N } T @skip(if: false) { Hash } Side", "B.N T.Hash Side"),
        ("B @include(if: $x) { Hash N } B { N } T { Hash } Side", "B.N T.Hash Side"),
        ('calculate(expression: "$B_N") B { N } T { Hash } Side', "B.N T.Hash Side"),
    ],
)
def test_the_fields_of_a_known_cube_are_found_by_their_response_names(row: str, found: str) -> None:
    rest = " fragment F on Row { T { Hash } }" if "...F" in row else ""
    made = plan(
        f"subscription ($x: Boolean = true) {{ e: E {{ a: A {{ {row} v @skip(if: $x) }} }} }}{rest}", KNOWN
    )
    assert made.identity == RowIdentity(fields=paths(*found.split()), kind="advisory")
    assert made.cursor == next(path for path in made.identity.fields if path[-1].lower() == "n")
    assert made.lacks == ()
    assert made.dedup == DedupWindow()


@pytest.mark.parametrize(
    ("row", "identity", "cursor"),
    [
        ("x", "B.N, T.Hash, Side", "B.N"),
        ("B { N } Side", "T.Hash", None),
        ("B { N } T { I } Side", "T.Hash", None),
        ("B { N } C { I } Side T { I: x }", "T.Hash", None),
        ("B { x } T { Hash } Side", "B.N", "B.N"),
        ("N: B { x } B: T { Hash } Side", "B.N", "B.N"),
        ("B { N: Hash } T { Hash } Side", "B.N", "B.N"),
        ("B { N } T @include(if: false) { Hash } Side", "T.Hash", None),
        ("B { N } T { Hash @skip(if: true) } Side", "T.Hash", None),
        (
            "B { N } T { Hash @include(if: $x) } Side",
            "T.Hash (T.Hash only where @include or @skip let it)",
            None,
        ),
        ("B { N } ... @skip(if: $x) { T { Hash } } Side", "T.Hash (T.Hash only where @include", None),
    ],
)
def test_what_the_document_lacks_is_named(row: str, identity: str, cursor: str | None) -> None:
    made = of(row)
    assert (made.identity, made.dedup) == (None, None)
    said = dict(lacks(made))
    assert said["identity"].startswith(f"the document does not select {identity}")
    assert said.get("cursor") == (f"the document does not select {cursor}" if cursor else None)
    assert all("add_fields: true" in lack.remedy for lack in made.lacks)


@pytest.mark.parametrize(
    ("row", "metrics"),
    [
        ("count", "count"),
        ("n: count s: sum(of: x)", "n, s"),
        ("B { count }", "B.count"),
        ("B { M: N(maximum: B_N) }", "B.M"),
        ("a: x(y: 1) b: x(y: 2) c: x(y: 3) d: x(y: 4)", "a, b, c, …"),
    ],
)
def test_aggregates_have_no_identity(row: str, metrics: str) -> None:
    made = of(f"{WHOLE} {row}")
    assert (made.identity, made.cursor) == (None, None)
    assert lacks(made) == [("identity", f"a row is made of many by {metrics}")]


def test_a_metric_that_is_never_there_makes_no_aggregate() -> None:
    assert of(f"{WHOLE} count @skip(if: true)").identity is not None


def test_fields_with_arguments_are_ordinary_where_no_metrics_are_known() -> None:
    made = plan("subscription { a { price(in: USD) id } }", ROOT, identity=paths("id"))
    assert made.identity is not None


def test_a_field_with_arguments_is_another_field() -> None:
    """Whatever they mean: here no metrics are known."""
    rules = replace(KNOWN, metrics=frozenset())
    document = "subscription { E { A { B(x: 1) { Hash N } T { Hash } Side(of: y) } } }"
    bare = plan(document, rules)
    assert lacks(bare)[0] == ("identity", "the document does not select B.N, Side")
    assert plan(document, rules, add_fields=True).document_text == document.replace(
        " } } }", " _B: B { N Hash } _Side: Side } } }"
    )


def test_a_cube_that_may_be_left_out_has_no_identity() -> None:
    made = plan(f"subscription ($x: Boolean = true) {{ E {{ A @include(if: $x) {{ {WHOLE} }} }} }}", KNOWN)
    assert lacks(made) == [("identity", "E.A may be left out of an answer by its @include or @skip")]


@pytest.mark.parametrize(
    ("document", "message"),
    [
        ("subscription { E { Z { x } } }", "what tells the rows of E.Z apart is not known"),
        ("subscription { F { A { x } } }", "what tells the rows of F.A apart is not known"),
        ("subscription { E { U: A { Id Time } } }", "the document does not select B.N, T.Hash, Side"),
    ],
)
def test_a_cube_goes_by_its_name_in_the_schema(document: str, message: str) -> None:
    assert lacks(plan(document, KNOWN))[0] == ("identity", message)


def test_rows_of_several_cubes_have_no_identity() -> None:
    made = plan("subscription { E { U { Id Time } A { x } } }", KNOWN, rows=("E",))
    assert lacks(made) == [("identity", "E is no list of one cube")]


def test_other_endpoints_have_none_unless_it_is_named() -> None:
    assert lacks(plan("subscription { a { id } }", ROOT)) == [("identity", "none is set")]


def test_kinds_are_those_of_the_cube_and_what_the_user_names_is_unique() -> None:
    assert plan("subscription { E { U { Id Time } } }", KNOWN).identity == RowIdentity(
        fields=paths("Id"), kind="unique"
    )
    made = of("b: B { N } x", identity=paths("b.N", "x"), cursor=("x",))
    assert made.identity == RowIdentity(fields=paths("b.N", "x"), kind="unique")
    assert (made.cursor, made.lacks) == (("x",), ())


def test_what_the_user_leaves_out_is_taken_from_the_cube() -> None:
    assert of("B { N } x", identity=paths("x")).cursor == ("B", "N")
    assert lacks(of("x", identity=paths("x"))) == [("cursor", "the document does not select B.N")]
    made = of("B { N } T { Hash } Side", cursor=("Side",))
    assert (made.cursor, fields(made)) == (("Side",), ["B.N", "T.Hash", "Side"])


@pytest.mark.parametrize(
    ("spec", "key", "message", "remedy"),
    [
        ({"identity": ()}, "identity", "is an empty list", "take the key out"),
        ({"identity": paths("B.N", "nope")}, "identity[1]", "has no nope", "there is"),
        ({"identity": paths("B")}, "identity[0]", "is not a leaf", "B.N"),
        ({"identity": paths("B.N", "Side", "B.N")}, "identity[2]", "is identity[0] too", "take one out"),
        ({"identity": paths("v")}, "identity[0]", "v may be left out", "directive"),
        ({"identity": paths("w")}, "identity[0]", "w is left out of every answer", "directive"),
        ({"cursor": ("B",)}, "cursor", "is not a leaf", "B.N"),
        ({"cursor": ("nope",)}, "cursor", "has no nope", "there is"),
        ({"cursor": ("v",)}, "cursor", "v may be left out", "directive"),
    ],
)
def test_what_the_user_names_must_be_in_every_row(
    spec: dict[str, object], key: str, message: str, remedy: str
) -> None:
    document = (
        "subscription ($x: Boolean = true) { E { A { B { N } Side v @skip(if: $x) w @skip(if: true) } } }"
    )
    (finding,) = findings(document, KNOWN, **spec)
    assert finding.key == key
    assert message in finding.message
    assert remedy in finding.remedy


def test_the_users_identity_leads_through_no_list() -> None:
    found = findings("subscription { E { A { x } Z { x } } }", CUBE, rows=("E",), identity=paths("A.x"))
    assert [(finding.key, "which is a list" in finding.message) for finding in found] == [
        ("identity[0]", True)
    ]


def test_nobody_names_an_identity_of_aggregates() -> None:
    (finding,) = findings("subscription { E { A { Side count } } }", KNOWN, identity=paths("Side"))
    assert (finding.key, finding.message) == ("identity", "a row is made of many by count")


def test_repeats_are_dropped_where_there_is_an_identity_and_not_otherwise() -> None:
    window = DedupWindow(seconds=60.0, max_bytes=2**20)
    assert of(WHOLE, dedup=window).dedup == window
    assert of(WHOLE, dedup="off").dedup is None
    assert of("x", dedup="off").dedup is None
    (finding,) = findings("subscription { E { A { B { N } Side } } }", KNOWN, dedup=window)
    assert finding.key == "dedup"
    assert "these have none: the document does not select T.Hash" in finding.message
    assert "add_fields: true" in finding.remedy


@pytest.mark.parametrize(("kind", "rows"), [("unique", 2**21), ("advisory", 2**20)])
def test_a_window_holds_as_many_rows_as_its_memory(kind: IdentityKind, rows: int) -> None:
    window = DedupWindow(seconds=100.0, max_bytes=32 * 2**20)
    assert window.rows(kind) == rows
    assert window.rows_per_second(kind) == rows / 100.0

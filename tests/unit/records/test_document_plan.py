"""A wish and its document: rows, paths, variables and the topic."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connector.records.plan import DocumentRules, Finding, PlanError, SubscriptionPlan, SubscriptionWish
from connector.records.planning import plan_subscription

ROOT = DocumentRules()
CUBE = DocumentRules(
    rows_default="cube",
    warned_cubes={"EVM.Balances": "does not stream"},
    filtered_cubes={"Solana.Instructions": "needs a filter"},
)
TRADES = """
subscription ($network: evm_network!, $limit: Int = 5) {
  EVM(network: $network) {
    trades: DEXTrades(limit: $limit) {
      Block { Number Time }
      Transaction { Hash }
      __typename
    }
    __typename
  }
}
"""
CORPUS = Path(__file__).parents[4] / "shared" / "corpus" / "docs-operations.jsonl"


def plan(document: str = TRADES, rules: DocumentRules = CUBE, **wish: object) -> SubscriptionPlan:
    defaults: dict[str, object] = {"variables": {"network": "bsc"}} if document is TRADES else {}
    values = {"topic": "t", **defaults, **wish}
    return plan_subscription(SubscriptionWish(name="n", document=document, **values), rules)  # type: ignore[arg-type]


def findings(document: str = TRADES, rules: DocumentRules = CUBE, **wish: object) -> list[Finding]:
    with pytest.raises(PlanError) as caught:
        plan(document, rules, **wish)
    assert all(finding.message and finding.remedy for finding in caught.value.findings)
    return list(caught.value.findings)


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


@pytest.mark.parametrize(
    ("variables", "key", "message"),
    [
        ({}, "variables", "$network of type evm_network! has no value"),
        ({"network": None}, "variables.network", "is null"),
        ({"network": "x", "limits": 1}, "variables.limits", "declares no variable $limits"),
        ({"network": "x", "limit": "5"}, "variables.limit", "is a string, but declared as Int"),
        ({"network": "x", "limit": 2**31}, "variables.limit", "beyond 32 bits"),
        ({"network": "x", "limit": True}, "variables.limit", "is a boolean"),
        ({"network": "x", "limit": 1.5}, "variables.limit", "is a number"),
        ({"network": "x", "limit": [1]}, "variables.limit", "is a list"),
        ({"network": "x", "limit": {"a": 1}}, "variables.limit", "is a mapping"),
    ],
)
def test_variables_must_fit(variables: dict[str, object], key: str, message: str) -> None:
    (finding,) = findings(variables=variables)
    assert finding.key == key
    assert message in finding.message


@pytest.mark.parametrize(
    ("declared", "value", "fits"),
    [
        ("String", "x", True),
        ("String", 1, False),
        ("String", True, False),
        ("ID", 1, True),
        ("ID", 1.5, False),
        ("Float", 1, True),
        ("Float", "1", False),
        ("Boolean", False, True),
        ("Boolean", "false", False),
        ("[Int!]!", [1, 2], True),
        ("[Int!]!", 1, True),
        ("[Int!]!", [1, None], False),
        ("[Int]", [1, None], True),
        ("[[String]]", [["a"], [1]], False),
        ("Filter", {"a": 1}, True),
        ("Filter", [1], True),
        ("Int", None, True),
    ],
)
def test_types_are_checked_where_they_are_obvious(declared: str, value: object, fits: bool) -> None:
    document = f"subscription ($v: {declared}) {{ a(v: $v) }}"
    if fits:
        assert plan(document, ROOT, variables={"v": value}).variables == {"v": value}
    else:
        assert [f.key for f in findings(document, ROOT, variables={"v": value})] == ["variables.v"]


def test_a_value_that_is_not_known_yet_is_not_checked() -> None:
    made = plan(variables={"network": "x", "limit": "?"}, unchecked=frozenset({"limit"}), topic="t.{limit}")
    assert made.topic == "t.x"


def test_the_topic_holds_variables_their_defaults_and_named_fields() -> None:
    made = plan(
        topic="{network}.{limit}.{Block.Number}.{Transaction.Hash}",
        key=(("Block", "Number"),),
        headers=(("h", ("Transaction", "Hash")),),
    )
    assert made.topic == "bsc.5.{Block.Number}.{Transaction.Hash}"


@pytest.mark.parametrize(
    ("topic", "message"),
    [
        ("t.{Block.Number}", "neither a variable nor a row field named"),
        ("t.{netwrk}", "neither a variable"),
        ("t.{}", "hold no name"),
        ("t.{network", "no legal topic name"),
        ("..", "no legal topic name"),
        ("x" * 250, "no legal topic name"),
        ("ümlaut", "no legal topic name"),
        ("__transaction_state", "Kafka's own"),
    ],
)
def test_the_topic_must_be_legal(topic: str, message: str) -> None:
    (finding,) = findings(topic=topic)
    assert finding.key == "topic"
    assert message in finding.message


def test_a_variable_that_makes_the_topic_illegal_is_refused() -> None:
    (finding,) = findings(topic="t.{network}", variables={"network": "a/b"})
    assert finding.key == "topic"


@pytest.mark.parametrize("value", ["{id}", "{Block.Number}", "}", "a b"])
def test_a_variable_s_value_is_put_into_the_topic_literally(value: str) -> None:
    (finding,) = findings(topic="t.{network}", variables={"network": value}, key=(("Block", "Number"),))
    assert finding.key == "topic"
    assert "the value of $network" in finding.message
    assert value not in finding.message + finding.remedy


def test_the_topic_s_remedy_names_the_variables_of_the_document() -> None:
    found = findings(topic="t.{network}", variables={"netwrok": "bsc"})
    assert [finding.key for finding in found] == ["variables.netwrok", "variables"]
    (finding,) = findings(topic="t.{netwrok}")
    assert finding.remedy == "did you mean 'network'?"


@pytest.mark.parametrize("variables", [{}, {"x": None}, {"x": ["a"]}])
def test_a_variable_without_a_single_value_cannot_stand_in_a_topic(variables: dict[str, object]) -> None:
    (finding,) = findings("subscription ($x: X) { a(x: $x) }", ROOT, topic="t.{x}", variables=variables)
    assert "{x} is a variable without a single value" in finding.message


def test_an_empty_variable_in_the_topic_is_warned_of() -> None:
    assert plan(topic="t.{network}", variables={"network": ""}).warnings == (
        "the topic t.{network} holds the variable $network, which is empty",
    )
    assert plan(topic="t", variables={"network": ""}).warnings == ()


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


@pytest.mark.skipif(not CORPUS.is_file(), reason="the corpus of documented operations is not on this machine")
def test_documented_subscriptions_become_plans_or_findings() -> None:
    made, refused = 0, []
    for line in CORPUS.read_text(encoding="utf-8").splitlines():
        operation = json.loads(line)
        if operation["op"] == "subscription":
            try:
                plan(operation["src"])
                made += 1
            except PlanError as error:
                refused.append(error.findings)
    assert made + len(refused) > 400
    # What is refused has several cubes in one document, or variables without values.
    assert len(refused) < 10
    for group in refused:
        assert all("cubes" in finding.message or finding.key == "variables" for finding in group)


TOKENS = [
    "subscription",
    "query",
    "fragment",
    "on",
    "{",
    "}",
    "(",
    ")",
    ":",
    "...",
    "$x",
    "Int",
    "!",
    "a",
    "B",
]
TOKENS += ["[", "]", "@", '"""', '"', "#", "\n", "=", "1", "-", "F", "where", "__typename", "\\u", "&", "|"]
PATHS = st.lists(st.sampled_from(["a", "B", "F", "__typename"]), min_size=1, max_size=3).map(tuple)


@settings(max_examples=400, deadline=None)
@given(
    st.lists(st.sampled_from(TOKENS), max_size=40).map(" ".join) | st.text(max_size=60),
    st.none() | PATHS,
    st.lists(PATHS, max_size=2).map(tuple),
    st.sampled_from([ROOT, CUBE]),
    st.dictionaries(st.sampled_from("xy"), st.none() | st.integers() | st.text(max_size=3), max_size=2),
    st.text(alphabet="{}a.B$x", max_size=10),
)
def test_any_document_gives_a_plan_or_findings(
    text: str,
    rows: tuple[str, ...] | None,
    key: tuple[tuple[str, ...], ...],
    rules: DocumentRules,
    variables: dict[str, object],
    topic: str,
) -> None:
    for document in (
        text,
        f"subscription {{ {text} }}",
        f"subscription ($x: Int) {{ a(x: $x) {{ {text} }} }}",
    ):
        try:
            plan(document, rules, rows=rows, key=key, variables=variables, topic=topic)
        except PlanError as error:
            assert error.findings  # noqa: PT017 - any number of examples may raise or not

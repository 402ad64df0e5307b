"""
Fields are added to any document: it stays one, selects what it selected before by the same names, and its
rows have an identity. Documents as they are found in the wild, and generated ones.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connector.presets import BITQUERY
from connector.records.document import read_document
from connector.records.plan import DocumentRules, FieldPath, PlanError, SubscriptionPlan
from connector.records.selection import Selected
from tests.unit.records.planned import KNOWN, plan

CORPUS = Path(__file__).parents[4] / "shared" / "corpus" / "docs-operations.jsonl"
RULES = DocumentRules(
    rows_default="cube", cubes=BITQUERY.cubes, metrics=BITQUERY.metrics, expressions=BITQUERY.expressions
)

Shape = dict[FieldPath, tuple[str, str, bool, bool]]
"""What stands at each path: the field, its arguments, whether it is never, or not always, in an answer."""


def shape_of(text: str) -> Shape:
    root = read_document(text).root
    return dict(_shape(root, (root.response_name,)))


def _shape(field: Selected, path: FieldPath) -> Iterator[tuple[FieldPath, tuple[str, str, bool, bool]]]:
    yield path, (field.field_name, field.arguments, field.is_never, field.is_conditional)
    for name, child in (field.children or {}).items():
        yield from _shape(child, (*path, name))


def check(text: str, made: SubscriptionPlan) -> None:
    """Whether the document of ``made`` is ``text`` and nothing but the fields that were added."""
    before, after = shape_of(text), shape_of(made.document_text)
    for path, field in before.items():
        # What was there at times, or never, may be there always.
        assert after[path][:2] == field[:2]
        assert all(now <= then for now, then in zip(after[path][2:], field[2:], strict=True))
    added = {(*made.rows, *path[:length]) for path in made.added for length in range(1, len(path) + 1)}
    assert set(after) - set(before) <= added
    assert made.identity is not None
    for path in (*made.identity.fields, *([made.cursor] if made.cursor else [])):
        assert after[(*made.rows, *path)][2:] == (False, False)
    again = plan(made.document_text, made_rules(made), add_fields=True, variables=dict(made.variables))
    assert (again.document_text, again.added) == (made.document_text, ())


def made_rules(made: SubscriptionPlan) -> DocumentRules:
    return KNOWN if made.root == "E" else RULES


@pytest.mark.skipif(not CORPUS.is_file(), reason="the corpus of documented operations is not on this machine")
def test_documented_subscriptions_get_an_identity_or_a_reason() -> None:
    outcomes: Counter[str] = Counter()
    for line in CORPUS.read_text(encoding="utf-8").splitlines():
        operation = json.loads(line)
        if operation["op"] != "subscription":
            continue
        try:
            bare = plan(operation["src"], RULES)
        except PlanError:
            outcomes["no plan"] += 1
            continue
        if bare.identity is not None:
            outcomes["has one"] += 1
        try:
            made = plan(operation["src"], RULES, add_fields=True)
        except PlanError as error:
            (found,) = error.findings
            assert found.key == "add_fields"
            outcomes["many in one" if "made of many" in found.message else "cube not known"] += 1
            continue
        check(operation["src"], made)
        outcomes["whole" if made.added == () else "added"] += 1
    print(dict(outcomes), "of", outcomes.total() - outcomes["has one"])
    assert outcomes["added"] + outcomes["whole"] > 300
    assert outcomes["no plan"] < 10


NAMES = st.sampled_from(["B", "T", "C", "N", "Hash", "I", "Side", "x", "_B", "_Hash"])
CONDITIONS = st.sampled_from(["", "", "", " @include(if: $x)", " @skip(if: true)", " @include(if: true)"])
LEAVES = st.builds(
    lambda alias, name, condition: f"{alias}{name}{condition}",
    st.just("") | NAMES.map("{}: ".format),
    NAMES,
    CONDITIONS,
)


def _nested(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    selections = st.lists(inner, min_size=1, max_size=4).map(" ".join)
    fields = st.builds(lambda head, below: f"{head} {{ {below} }}", LEAVES, selections)
    fragments = st.builds(
        lambda head, condition, below: f"...{head}{condition} {{ {below} }}",
        st.sampled_from(["", " on R"]),
        CONDITIONS,
        selections,
    )
    return fields | fragments | st.just("...F")


ROWS = st.lists(st.recursive(LEAVES, _nested, max_leaves=8), min_size=1, max_size=5).map(" ".join)


@settings(max_examples=600, deadline=None)
@given(ROWS, ROWS, st.sampled_from(["A", "a: A", "...G"]), st.booleans())
def test_any_document_gets_an_identity(row: str, fragment: str, cube: str, breaks: bool) -> None:
    rows = f"A {{ x ...F {row} }}" if cube == "...G" else f"{cube} {{ x ...F {row} }}"
    inside, rest = (cube, f" fragment G on Q {{ {rows} }}") if cube == "...G" else (rows, "")
    fragment = fragment.replace("...F", "x")
    rest += f" fragment F on R {{ {fragment} }}"
    text = f"subscription ($x: Boolean = true) {{ E(x: $x) {{ {inside} }} }}{rest}"
    if breaks:
        text = text.replace("{ ", "{\n").replace(" }", "  # }\n}")
    try:
        plan(text, KNOWN)
    except PlanError:
        return  # fields of one name that differ
    check(text, plan(text, KNOWN, add_fields=True))

"""Documents as they are found in the wild, and any at all: a plan, or what is wrong."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connector.records.plan import DocumentRules, PlanError
from tests.unit.records.planned import CUBE, ROOT, plan

CORPUS = Path(__file__).parents[4] / "shared" / "corpus" / "docs-operations.jsonl"


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

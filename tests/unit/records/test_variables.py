"""Variables against those that the document declares."""

from __future__ import annotations

import pytest

from tests.unit.records.planned import ROOT, findings, plan


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

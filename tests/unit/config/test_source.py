"""YAML: lines, duplicates, and files that try to be more than a configuration."""

from __future__ import annotations

import pytest

from tests.unit.config.conftest import GENERIC, Read, Refused


@pytest.mark.parametrize(
    ("text", "where", "message"),
    [
        (b"", "shop.yaml", "is empty"),
        (b"# nothing\n", "shop.yaml", "is empty"),
        (b"- a\n", "shop.yaml:1", "not a mapping"),
        (b"name: a\n\tb: c\n", "shop.yaml:2:1", "does not parse"),
        (b"name: [a\n", "shop.yaml:2:1", "does not parse"),
        (b"name: *nowhere\n", "shop.yaml:1:7", "undefined alias"),
        (b"a: 1\n---\nb: 2\n", "shop.yaml:2:1", "does not parse"),
        (b"a: \x01\n", "shop.yaml", "does not parse"),
        (b"name: a\nother: \xff\n", "shop.yaml:2", "not in UTF-8"),
        ("name: a".encode("utf-16"), "shop.yaml:1", "not in UTF-8"),
        (b"a: &a [*a]\n", "shop.yaml:1", "levels"),
        (b"a: " + b"[" * 3000 + b"]" * 3000, "shop.yaml", "nested too deeply"),
        (b"a: " + b"[" * 60 + b"]" * 60, "shop.yaml:1", "levels"),
    ],
)
def test_what_is_no_configuration_is_refused(refused: Refused, text: bytes, where: str, message: str) -> None:
    (problem,) = refused(text)
    assert problem.where == where
    assert message in problem.message


def test_aliases_of_aliases_do_not_grow_without_bound(refused: Refused) -> None:
    lines = ["l0: &l0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"l{n}: &l{n} [{', '.join([f'*l{n - 1}'] * 10)}]" for n in range(1, 12)]
    (problem,) = refused("\n".join(lines))
    assert "values" in problem.message


def test_a_duplicate_key_names_both_lines(refused: Refused) -> None:
    (problem,) = refused(GENERIC + "name: other\n")
    assert problem.path == "name"
    assert "lines 1 and 10" in problem.message


@pytest.mark.parametrize(
    "line",
    ["x: !!python/object:os.system y", "x: !!int abc", "x: !!binary aGk=", 'x: "\\ud800"', "? [a]\n: b"],
)
def test_odd_values_are_problems(refused: Refused, line: str) -> None:
    assert refused(f"{GENERIC}{line}\n")


def test_anchors_and_merges_are_followed(read: Read) -> None:
    text = GENERIC.replace("  - name: orders", "  - &first\n    name: orders")
    text += "  - <<: *first\n    name: more\n"
    assert [plan.name for plan in read(text).plans] == ["orders", "more"]


def test_a_date_is_its_text(read: Read) -> None:
    inline = "'subscription ($d: String) { a(d: $d) }'\n    variables: {d: 2024-01-01}"
    (plan,) = read(GENERIC.replace("orders.graphql", inline)).plans
    assert plan.variables == {"d": "2024-01-01"}


def test_windows_line_ends_and_a_byte_order_mark_are_taken(read: Read) -> None:
    assert read(b"\xef\xbb\xbf" + GENERIC.replace("\n", "\r\n").encode()).name == "shop"

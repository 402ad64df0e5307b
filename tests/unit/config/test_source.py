"""YAML: lines, duplicates, and files that try to be more than a configuration."""

from __future__ import annotations

import pytest

from tests.unit.config.conftest import GENERIC, Load, Read, Refused


@pytest.mark.parametrize(
    ("text", "where", "message"),
    [
        (b"", "shop.yaml", "is empty"),
        (b"# nothing\n", "shop.yaml", "is empty"),
        (b"- a\n", "shop.yaml:1", "not a mapping"),
        (b"name: a\n\tb: c\n", "shop.yaml:2:1", "does not parse"),
        (b"name: [a\n", "shop.yaml:2:1", "does not parse"),
        (b"name: *nowhere\n", "shop.yaml:1:7", "alias (*…) stands for nothing"),
        (b"name: !no!where x\n", "shop.yaml:1:7", "tag (!…) is not known"),
        (b"name: &a x\ntopics: &a {}\n", "shop.yaml:2:9", "anchor (&…) is defined twice"),
        (b"a: 1\n---\nb: 2\n", "shop.yaml:2:1", "does not parse"),
        (b"a: \x01\n", "shop.yaml:1:4", "does not parse"),
        (b"a: b\nc: d\0\n", "shop.yaml:2:5", "does not parse"),
        (b"name: a\nother: \xff\n", "shop.yaml:2", "not in UTF-8"),
        ("name: a".encode("utf-16"), "shop.yaml:1", "not in UTF-8"),
        (b"a: &a [*a]\n", "shop.yaml:1", "levels"),
        (b"a:\n  " + b"[" * 100_000, "shop.yaml:2:43", "nested too deeply"),
        (b"- " * 100_000, "shop.yaml:1:81", "nested too deeply"),
        (b"a: b\n" * 26_000, "shop.yaml:25000:3", "more than 50000 keys and values"),
        (b"a: [" + b"- " * 39 + b"]", "shop.yaml:1:5", "does not parse"),
        (b"a:\n" + b"- " * 35 + b"[" * 20 + b"]" * 20, "shop.yaml:2", "levels"),
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


@pytest.mark.parametrize(
    ("old", "new", "path"),
    [
        ("name: shop", "name: shop\nlog: !!python/object:os.system {level: info}", "log"),
        ("name: shop", "name: shop\nlog: !own {level: info}", "log"),
        ("name: shop", "name: shop\nlog: !!set {level}", "log"),
        ("    topic:", "    key: !own [id]\n    topic:", "subscriptions[0].key"),
        ("name: shop", "name: !own shop", "name"),
    ],
)
def test_a_tag_is_refused_on_any_kind_of_value(refused: Refused, old: str, new: str, path: str) -> None:
    problems = refused(GENERIC.replace(old, new, 1))
    assert ("YAML tag" in problems[0].message, problems[0].path) == (True, path)


def test_a_tag_is_refused_on_a_key(refused: Refused) -> None:
    assert "line 10 with a YAML tag" in refused(f"{GENERIC}!own tasks: 2\n")[0].message


@pytest.mark.parametrize("number", ["010", "0x10", "0b11", "1_0", "1:10", "-010", "+0x1"])
def test_a_number_that_is_not_decimal_is_refused(refused: Refused, number: str) -> None:
    (problem,) = refused(f"{GENERIC}tasks: {number}\n")
    assert problem.path == "tasks"
    assert "write it in decimal" in problem.remedy


@pytest.mark.parametrize("number", ["0", "-7", "+7", "10", "-1.5", ".5", "1.e+3", "1.5e-3"])
def test_a_decimal_number_is_taken(load: Load, number: str) -> None:
    inline = f"'subscription ($n: Float) {{ a(n: $n) }}'\n    variables: {{n: {number}}}"
    (plan,) = load(GENERIC.replace("orders.graphql", inline)).plans
    assert plan.variables == {"n": float(number)}


def test_anchors_and_merges_are_followed(load: Load) -> None:
    text = GENERIC.replace("  - name: orders", "  - &first\n    name: orders")
    text += "  - <<: *first\n    name: more\n"
    assert [plan.name for plan in load(text).plans] == ["orders", "more"]


def test_a_date_is_its_text(load: Load) -> None:
    inline = "'subscription ($d: String) { a(d: $d) }'\n    variables: {d: 2024-01-01}"
    (plan,) = load(GENERIC.replace("orders.graphql", inline)).plans
    assert plan.variables == {"d": "2024-01-01"}


def test_windows_line_ends_and_a_byte_order_mark_are_taken(read: Read) -> None:
    assert read(b"\xef\xbb\xbf" + GENERIC.replace("\n", "\r\n").encode()).name == "shop"

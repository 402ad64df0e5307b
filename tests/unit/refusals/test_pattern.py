"""Patterns that a user gives end soon, whatever they are and whatever they are searched in."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector.refusals import LONGEST_TEXT, BadPattern, check_pattern, search_pattern


@pytest.mark.parametrize(
    ("pattern", "text"),
    [
        ("plan", "your PLAN ends"),
        ("PLAN", "your plan ends"),
        (r"\bplan expired\b", "the plan expired."),
        ("token.*expired", "token abc expired"),
        ("a|b|c.*", "xc"),
        ("(foo|bar) baz", "bar baz"),
        ("(?:foo|bar)?x", "x"),
        ("x{3}", "xxx"),
        ("x{2,}", "xxxx"),
        (".{0,50}plan.{0,50}end", "the plan will end"),
        (r"[\]\[^*+?()|]+", "*"),
        ("[]a*]", "]"),
        (r"\(a\+\)\+", "(a+)+"),
        ("a.*?b", "axxb"),
        ("(?P<name>x)y", "xy"),
        ("a{,3}", "a{,3}"),
        ("(?i)x", "X"),
        ("(a|b)+c", "ababc"),
        ("((x+)y)*z", "xxyz"),
        ("é|ß", "É"),
        ("^no$", "NO"),
        ("\N{REPLACEMENT CHARACTER}|[?]", "\ud800"),
    ],
)
def test_what_is_written_is_found(pattern: str, text: str) -> None:
    check_pattern(pattern)
    assert search_pattern(pattern, text)
    assert not search_pattern(pattern, "...")


@pytest.mark.parametrize(
    "pattern", ["(a+)+$", "(a*)*b", "(a|a)*b", "(?:a?){30}a{30}b", "(.*a){12}b", "(a?){999}b"]
)
def test_what_would_take_for_ever_elsewhere_ends_soon(pattern: str) -> None:
    check_pattern(pattern)
    started = time.process_time()
    assert not search_pattern(pattern, "a" * (LONGEST_TEXT - 1) + "!")
    assert time.process_time() - started < 2


@pytest.mark.parametrize("pattern", [r"(\pL{0,100}\pN{0,100}){0,9}x", "[^a]{0,900}[^b]{0,90}" * 20])
def test_what_could_take_too_long_is_refused(pattern: str) -> None:
    with pytest.raises(BadPattern, match="repeats too much") as caught:
        check_pattern(pattern)
    assert caught.value.is_too_large


@pytest.mark.parametrize(
    ("pattern", "message", "place"),
    [
        ("(", "missing )", None),
        ("ab[c", "missing ]", 2),
        ("a{2,1}", "invalid repetition", 1),
        ("a{1001}", "invalid repetition", 1),
        ("(a{1000}){1000}", "invalid repetition", None),
        ("*", "no argument for repetition operator", None),
        ("a|*b", "no argument for repetition operator", 2),
        ("a*|*b", "no argument for repetition operator", None),
        ("(?P<x", "invalid named capture group", None),
        ("a\\", "trailing \\", None),
        ("x(?=plan)p", "looks ahead or behind", 1),
        ("(?<!no )plan", "looks ahead or behind", 0),
        (r"(a)\1", "invalid escape sequence", 3),
        ("plan\ud800", "half of a surrogate pair", 4),
    ],
)
def test_what_is_no_pattern_is_refused_with_its_place(pattern: str, message: str, place: int | None) -> None:
    with pytest.raises(BadPattern) as caught:
        check_pattern(pattern)
    assert str(caught.value).startswith(message)
    assert caught.value.place == place
    assert caught.value.__cause__ is None


def test_an_error_quotes_nothing_of_the_pattern() -> None:
    with pytest.raises(BadPattern) as caught:
        check_pattern("hunter2[hunter2")
    assert "hunter2" not in str(caught.value)


@given(st.text("ab.*+?|(){}[]^$\\0123,:=!<", max_size=14), st.sampled_from(["a", "ab", "(", "b0"]))
def test_whatever_is_taken_ends_soon(pattern: str, text: str) -> None:
    try:
        check_pattern(pattern)
    except BadPattern:
        return
    started = time.process_time()
    search_pattern(pattern, (text * LONGEST_TEXT)[:LONGEST_TEXT] + "!")
    assert time.process_time() - started < 2

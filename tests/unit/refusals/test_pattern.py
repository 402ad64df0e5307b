"""Patterns that a user gives are weighed before they are used."""

import re
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector.refusals import LONGEST_TEXT, TooSlow, check_pattern


@pytest.mark.parametrize(
    "pattern",
    [
        "plan",
        r"\bplan expired\b",
        "token.*expired",
        "a|b|c.*",
        "(foo|bar) baz",
        "(?:foo|bar)?",
        "x{3}",
        "x{2,}",
        ".{0,50}plan.{0,50}end",
        r"[\]\[^*+?()|]+",
        "[]a*]",
        r"\(a\+\)\+",
        "a.*?b",
        "(?P<name>x)y",
        "(?=plan)p",
        "(?<!no )plan",
        "{}",
        "a{,3}",
    ],
)
def test_what_is_quick_is_taken(pattern: str) -> None:
    check_pattern(pattern)


@pytest.mark.parametrize(
    "pattern",
    [
        "(a+)+$",
        "(a*)*",
        "(a|a)*b",
        "(a|b)+",
        "(?:a?){30}",
        "(.*a){12}",
        ".*.*.*x",
        "(a{1,50}){1,50}",
        "a?" * 40 + "a" * 40,
        "((x+)y)*",
        "(?:(a|b)c)+",
        r"(\d+\s*)+x",
        "(?i)x",
        "(?#comment)x",
        "(x)(?(1)y|z)",
    ],
)
def test_what_could_take_for_ever_is_refused(pattern: str) -> None:
    with pytest.raises(TooSlow):
        check_pattern(pattern)


@pytest.mark.parametrize("pattern", ["(", "[a", "a{2,1}", "*", "(?P<x", "\\"])
def test_what_is_no_pattern_is_refused(pattern: str) -> None:
    with pytest.raises(re.error):
        check_pattern(pattern)


@given(st.text("ab.*+?|(){}[]^$\\0123,:=!<", max_size=14), st.sampled_from(["a", "ab", "(", "b0"]))
def test_whatever_is_taken_ends_soon(pattern: str, text: str) -> None:
    try:
        check_pattern(pattern)
    except (re.error, TooSlow, RecursionError, OverflowError, FutureWarning):
        return
    started = time.process_time()
    re.search(pattern, (text * LONGEST_TEXT)[:LONGEST_TEXT] + "!", re.IGNORECASE)
    assert time.process_time() - started < 10

"""
How long a regular expression may take.

Python's engine backtracks: ``(a+)+$`` takes for ever on a short text, and nothing can stop it. So a user's
pattern is weighed before it is used, by what it repeats: an upper bound of the steps on a text of
`LONGEST_TEXT` characters.
"""

from __future__ import annotations

import re

LONGEST_TEXT = 500
"""Characters of a text that patterns are searched in; texts of refusals are cut to it."""

MOST_STEPS = 1e8

_REPEAT = re.compile(r"\*|\+|\?|\{(\d*)(,?)(\d*)\}")
_GROUP = re.compile(r"\(\?(?::|P<\w+>|[=!]|<[=!]|>)|\((?!\?)")
_CLASS = re.compile(r"\[\^?\]?(?:\\.|[^\]\\])*\]", re.DOTALL)


class TooSlow(ValueError):
    """The pattern could take too long; the message says what to change."""


def check_pattern(pattern: str) -> None:
    """
    Return if ``pattern`` can be searched for.

    Raises:
        re.error: It is no regular expression.
        TooSlow: It may take too long, or is written in a way that cannot be weighed.
    """
    re.compile(pattern, re.IGNORECASE)
    if _Scan(pattern).steps() * LONGEST_TEXT > MOST_STEPS:
        raise TooSlow("repeats too much: at most one *, + or {n,}; write .{0,50} for the others")


class _Scan:
    """Walks along one pattern, which is known to compile."""

    def __init__(self, pattern: str) -> None:
        self._pattern = pattern
        self._at = 0

    def steps(self) -> float:
        """Return an upper bound of the ways to match what is left at one position, up to a closing ``)``."""
        ways, branches = 1.0, 0.0
        while self._at < len(self._pattern) and self._pattern[self._at] != ")":
            if self._pattern[self._at] == "|":
                self._at += 1
                branches, ways = branches + ways, 1.0
                continue
            inner = self._atom()
            ways *= self._repeated(inner)
        return branches + ways

    def _atom(self) -> float:
        """Step over one atom; return its ways to match."""
        text, at = self._pattern, self._at
        if text[at] == "\\":
            self._at += 2
            return 1.0
        if text[at] == "[":
            found = _CLASS.match(text, at)
            assert found is not None
            self._at = found.end()
            return 1.0
        if text[at] != "(":
            self._at += 1
            return 1.0
        opened = _GROUP.match(text, at)
        if opened is None:
            raise TooSlow("has a group of a kind that is not supported here: (?i), comments, conditions")
        self._at = opened.end()
        ways = self.steps()
        self._at += 1  # the closing parenthesis
        return ways

    def _repeated(self, inner: float) -> float:
        """Step over the repeats behind an atom; return how its ways to match grow."""
        found = _REPEAT.match(self._pattern, self._at)
        if found is None or found[0] == "{}":
            return inner
        self._at = found.end()
        if self._pattern[self._at : self._at + 1] in ("?", "+"):  # lazy, possessive
            self._at += 1
        most = _most(found)
        if inner > 1 and most > 1:
            raise TooSlow("repeats what repeats or has alternatives itself, as in (a+)+ or (a|b)*")
        return inner + 1 if most == 1 else float(most + 1)


def _most(repeat: re.Match[str]) -> int:
    """How often at most; open ends count as the longest text."""
    if repeat[0] in ("*", "+"):
        return LONGEST_TEXT
    if repeat[0] == "?":
        return 1
    least, comma, most = repeat[1], repeat[2], repeat[3]
    if most:
        return min(int(most), LONGEST_TEXT)
    return LONGEST_TEXT if comma else min(int(least or 0), LONGEST_TEXT)

"""
Regular expressions that users give, searched by RE2.

Python's own engine backtracks: ``(a+)+$`` takes for ever on a short text, and nothing can stop it. RE2 goes
over a text once, whatever the pattern; it has no look-ahead, look-behind or back-references for that.
It is imported where it is used, since most configurations have no pattern.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

LONGEST_TEXT = 500
"""Characters of a text that patterns are searched in; texts of refusals are cut to it."""

MOST_MEMORY = 2**20
"""Bytes that a compiled pattern may take; it bounds the time that a search takes, too."""

_LOOKS_AROUND = ("(?=", "(?!", "(?<=", "(?<!", "(?<")


class BadPattern(ValueError):
    """
    The pattern cannot be used; the message says why, without quoting it, and goes on after "it".

    ``place`` is the index of the character that is wrong, ``None`` where that is not known. ``is_too_large``
    is set where it is well formed and could take too long.
    """

    def __init__(self, message: str, *, place: int | None = None, is_too_large: bool = False) -> None:
        super().__init__(message)
        self.place = place
        self.is_too_large = is_too_large


def check_pattern(pattern: str) -> None:
    """
    Return if ``pattern`` can be searched for.

    Raises:
        BadPattern: It cannot.
    """
    import re2

    try:
        _compiled(pattern)
    except UnicodeEncodeError as error:
        raise BadPattern("half of a surrogate pair", place=error.start) from None
    except re2.error as error:
        raise _bad_pattern(pattern, error.args[0].decode("utf-8", "replace")) from None


def search_pattern(pattern: str, text: str) -> bool:
    """Return whether ``pattern``, which was checked, fits somewhere in ``text``, in any case."""
    return _compiled(pattern).search(text.encode("utf-8", "replace")) is not None


@lru_cache(maxsize=256)
def _compiled(pattern: str) -> Any:
    import re2

    options = re2.Options()
    options.case_sensitive = False
    options.never_capture = True
    options.max_mem = MOST_MEMORY
    options.log_errors = False
    return re2.compile(pattern, options)


def _bad_pattern(pattern: str, said: str) -> BadPattern:
    """Return our error for what RE2 said: a sentence, a colon, and the part of the pattern that is meant."""
    message, _, part = said.partition(": ")
    if message.startswith("pattern too large"):
        return BadPattern("repeats too much", is_too_large=True)
    if message == "invalid repetition size":
        message = "invalid repetition, which may be up to 1000 in all"
    if part in _LOOKS_AROUND:
        message = "looks ahead or behind, which is not supported here"
    # The first of several may not be the one that is meant; the whole is no place.
    is_certain = part and part != pattern and pattern.count(part) == 1
    return BadPattern(message, place=pattern.index(part) if is_certain else None)

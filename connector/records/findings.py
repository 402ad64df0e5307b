"""Making findings: where a node stands, what was probably meant."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from difflib import get_close_matches

from connector.records.plan import Finding


def place_of(node: object) -> tuple[int, int]:
    """Line and column, counted from 1, of a parsed node."""
    loc = getattr(node, "loc", None)
    if loc is None:
        return 1, 1
    return loc.start_token.line, loc.start_token.column


def finding(
    message: str, remedy: str, node: object = None, *, line: int | None = None, column: int | None = None
) -> Finding:
    if node is not None:
        line, column = place_of(node)
    return Finding(key="document", message=message, remedy=remedy, line=line, column=column)


def repeated(names: Sequence[str]) -> list[str]:
    """The names that come more than once."""
    return [name for name, count in Counter(names).items() if count > 1]


def did_you_mean(wrong: str, names: Sequence[str]) -> str | None:
    """A remedy that names the nearest of ``names``, or all of them where they are few; else ``None``."""
    close = get_close_matches(wrong, names, n=1, cutoff=0.6)
    if close:
        return f"did you mean {close[0]!r}?"
    if 0 < len(names) <= 12:
        return f"there is: {', '.join(names)}"
    return None

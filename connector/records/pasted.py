"""Texts that are a GraphQL document with something before its lines, as in a terminal, a diff or a page."""

from __future__ import annotations

import re
from itertools import pairwise

from connector.records.wrapped import KEEP_GRAPHQL, Said

COMMENT = "begin each line of a comment with '#'"

_KEYWORD = r"(?P<word>subscription|query|mutation|fragment)\b"
_CONFLICT = re.compile(r"^(<{7}|={7}|>{7}|\|{7})( |$)", re.MULTILINE)
_DIFF = re.compile(r"diff --git |index [0-9a-f]+\.\.|--- \S+\n\+\+\+ |@@ -\d")
_NUMBER = re.compile(r"[ \t]*(\d{1,6})[ \t]*[:.)|\u2502]?(?=[ \t]|$|[A-Za-z{}])")
_BEFORE = re.compile(rf"(?P<sign>[^\w\s{{}}#\"'`]{{1,3}})[ \t]*{_KEYWORD}(?!\]|\s*(?:=|->))")
_FOREIGN_COMMENT = re.compile(r"\{#|\{/\*|\(\*|%+ |REM\b|;+[ \t]*\w|dnl\b")
_END_OF_HERE = re.compile(r"\n[ \t]*(EOF|EOT|EOL|END|EOS|GRAPHQL|GQL)[ \t]*;?\s*\Z")
_OPERATION = re.compile(rf"^[ \t]*{_KEYWORD}", re.MULTILINE)
_LONGEST = 2000
_NEAR = 80


def pasted(text: str) -> Said | None:
    """Say what stands before the lines of ``text``, or between them, where that is known."""
    start = text.lstrip("\ufeff").strip()
    if _CONFLICT.search(text):
        what = "keep one side, and take the lines with <<<<<<<, ======= and >>>>>>> out"
        return "holds an open conflict of a merge", what
    lines = [line for line in start[:_LONGEST].split("\n") if line.strip()]
    if _DIFF.match(start) or (len(lines) > 1 and all(line.startswith("+") for line in lines)):
        return "is a diff", f"{KEEP_GRAPHQL}, without the signs before its lines"
    if _is_numbered(lines):
        return "has numbers before its lines", "take the numbers before its lines out"
    before = _BEFORE.match(start)
    if before is not None and (before["sign"] == "-" or before["sign"][0] not in "/-<;"):
        return _sign(before["sign"], before["word"], len(lines) > 1 and all(line[0] == ">" for line in lines))
    listed = re.match(rf"(\d{{1,3}}[.)])[ \t]+{_KEYWORD}", start)
    if listed is not None:
        return "begins with the number of a list", f"take {listed[1]!r} before {listed['word']!r} out"
    if _FOREIGN_COMMENT.match(start):
        return "begins with a comment of another language", COMMENT
    return None


def end_of_here(text: str) -> Said | None:
    """The same for a last line that ended a here-document."""
    end = _END_OF_HERE.search(text[-_NEAR:])
    if end is None:
        return None
    return "ends with the end of a here-document", f"take {end[1]} out, the last line"


def _sign(sign: str, word: str, before_all: bool) -> Said:
    if sign in ("(", "["):
        return (
            f"stands in brackets: {sign}",
            f"take the {sign!r} before {word!r} out, and the one that closes it",
        )
    if before_all:
        return "is a quotation", f"take the {sign!r} before its lines out"
    return f"begins with {sign!r}", f"take the {sign!r} before {word!r} out"


def _is_numbered(lines: list[str]) -> bool:
    """Whether the first lines count: 1, 2; or the only one is numbered."""
    numbers = [_NUMBER.match(line) for line in lines[:3]]
    if not numbers or not all(numbers):
        return False
    counted = [int(found[1]) for found in numbers if found]
    return all(later > sooner for sooner, later in pairwise(counted))


def prose_before(text: str, position: int) -> str | None:
    """What to do where words stand at ``position``, and the operation begins on a line below."""
    line_end = text.find("\n", position)
    if line_end < 0 or "{" in text[position:line_end]:
        return None
    found = _OPERATION.search(text, line_end)
    if found is None or text.count("{", position, found.start()):
        return None
    number = text.count("\n", 0, found.start("word")) + 1
    return f"take out what stands before line {number}, where the {found['word']} begins; or {COMMENT}"

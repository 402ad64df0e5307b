"""
What to do about a text that is no YAML.

The parser says where it stopped; the mistake is often before that: a quote that was never closed, a line
with another indent. Lines, columns and signs are named, never what is in a value.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cached_property

import yaml

DEFAULT = "correct the YAML here"
_QUOTE_IT = "quote the value"
_CONFLICT = ("<<<<<<<", "=======", ">>>>>>>")
_DASHES = re.compile(r" *(?:- +)*")
_SPACE = r"[\u00a0\u1680\u2000-\u200f\u202f\u205f-\u2064\u3000\ufeff]"
_NO_SPACES = re.compile(rf"^ *(- +)*{_SPACE}|:{_SPACE}")
"""In an indent, or behind the colon of a key."""
_BRACKETS = {"{": "}", "[": "]"}


def remedy_for(text: str, error: yaml.YAMLError, loader: type[yaml.SafeLoader]) -> str:
    """Return what to do about ``error``, which ``loader`` raised for ``text``."""
    if not isinstance(error, yaml.MarkedYAMLError) or error.problem_mark is None:
        return "take that character out; in double quotes it may be written as an escape"
    return _Stop(text, error, loader).remedy()


class _Stop:
    """Where the parser stopped, and what is around it."""

    def __init__(self, text: str, error: yaml.MarkedYAMLError, loader: type[yaml.SafeLoader]) -> None:
        self._text = text
        self._lines = text.split("\n")
        self._problem = error.problem or ""
        self._context = error.context or ""
        self._begun = error.context_mark
        assert error.problem_mark is not None
        self._mark = error.problem_mark
        self._loader = loader
        self._line = self._lines[self._mark.line] if self._mark.line < len(self._lines) else ""

    def remedy(self) -> str:
        if self._line.startswith(_CONFLICT) or (self._begun and self._at(self._begun).startswith(_CONFLICT)):
            return "solve the merge conflict, and take its lines (<<<<<<<, =======, >>>>>>>) out"
        for look in (
            self._unseen,
            self._documents,
            self._quoted,
            self._tab,
            self._flow,
            self._colon,
            self._block,
            self._sign,
        ):
            found = look()
            if found is not None:
                return found
        return DEFAULT

    def _unseen(self) -> str | None:
        """Characters that look like spaces and are none, where YAML wants spaces."""
        for number in range(max(0, self._mark.line - 1), min(self._mark.line + 1, len(self._lines))):
            if _NO_SPACES.search(self._lines[number]):
                return f"write plain spaces for the characters in line {number + 1} that only look like them"
        return None

    def _documents(self) -> str | None:
        """A second document, or what follows the end of the first."""
        above = self._above(self._mark.line)
        ended = above is not None and self._lines[above].strip() == "..."
        if "another document" not in self._problem and not (ended and "<document start>" in self._problem):
            return None
        sign = "..." if ended else "---"
        return f"a configuration is one document: take the line {sign} out, or all that follows it"

    def _quoted(self) -> str | None:
        """A text in quotes that does not end, or not where it should."""
        if self._begun is not None and "quoted scalar" in self._context:
            where = self._place(self._begun)
            if "escape" in self._problem or "hexadecimal" in self._problem:
                return f"write \\\\ for each \\ in the quote that opens in {where}, or use single quotes"
            return f"close the quote that opens in {where}"
        last = self._last
        if "found '<scalar>'" not in self._problem and "mapping values" not in self._problem:
            return None
        if not isinstance(last, yaml.ScalarToken) or last.style not in ("'", '"'):
            return None
        where = self._place(last.start_mark)
        if last.start_mark.line < last.end_mark.line:
            until = last.end_mark.line + 1
            return f"close the quote that opens in {where}: it goes on until line {until}"
        inside = "''" if last.style == "'" else '\\"'
        return (
            f"the quote that opens in {where} closes before the text's end: write {inside} for a quote in it"
        )

    def _tab(self) -> str | None:
        if "\\t" not in self._problem:
            return None
        is_indent = not self._line[: self._mark.column].strip()
        return "indent with spaces, not tabs" if is_indent else "write a space for the tab"

    def _flow(self) -> str | None:
        """Brackets that are not closed, or that were meant as text."""
        if self._begun is not None and "flow" in self._context:
            opened = self._at(self._begun)[:1]
            close = _BRACKETS.get(opened, "its counterpart")
            return (
                f"close the {opened} of {self._place(self._begun)} with {close}, and put a comma between two "
                f"values; if it is part of a text, {_QUOTE_IT}"
            )
        last = self._last
        if isinstance(last, yaml.FlowMappingEndToken | yaml.FlowSequenceEndToken):
            return f"{_QUOTE_IT}: what begins with {{ or [ is no text to YAML"
        return None

    def _colon(self) -> str | None:
        """A colon too much, or one that is missing before."""
        if "could not find expected ':'" in self._problem and self._begun is not None:
            return f"write a colon and a space behind the key in line {self._begun.line + 1}, or {_QUOTE_IT}"
        if "mapping values" not in self._problem:
            return None
        if re.search(r":\s", self._line[: self._mark.column]):
            return f"{_QUOTE_IT}, or write it below '|': it holds a colon and a space"
        above = self._above(self._mark.line)
        if above is None:
            return None
        if re.search(r":(\s|$)", self._lines[above]) is None:
            return f"write a colon and a space behind the key in line {above + 1}"
        mine, other = self._indent(self._mark.line), self._key_indent(above)
        return (
            f"mind the indent: this line has {_spaces(mine)}, the key in line {above + 1} has {other} and "
            "a value already; align the two"
        )

    def _block(self) -> str | None:
        """A line that is aligned with none of the lines that it could belong to."""
        if "<block end>" not in self._problem and "<document start>" not in self._problem:
            return None
        if self._line.lstrip().startswith("%"):
            return f"{_QUOTE_IT}: no value begins with %"
        mine, line = self._indent(self._mark.line), self._mark.line
        if "found '-'" in self._problem and self._begun is not None:
            began = self._begun.line + 1
            return f"mind the indent: a list item (-) stands among the keys that begin in line {began}"
        if "found '?'" in self._problem and self._begun is not None:
            began = self._begun.line + 1
            return f"mind the indent: a key stands among the list items that begin in line {began}"
        last = self._last
        if isinstance(last, yaml.ScalarToken) and last.style in ("|", ">"):
            first = self._below(last.start_mark.line)
            return (
                f"mind the indent: this line has {_spaces(mine)}, the text from line {first + 1} on has "
                f"{self._indent(first)}; indent it by as much"
            )
        others = [f"{indent} (line {number + 1})" for number, indent in self._levels(line)]
        if not others:
            return None
        known = " or ".join(others)
        return f"mind the indent: this line has {_spaces(mine)}, the lines before it have {known}; align it"

    def _sign(self) -> str | None:
        if "block scalar" in self._context:
            return "write the text on the lines below the '|', indented"
        if "alias" in self._context or "anchor" in self._context:
            return f"{_QUOTE_IT}: what begins with * or & is no text to YAML"
        if "cannot start any token" in self._problem or "expected the node content" in self._problem:
            return f"{_QUOTE_IT}: no plain text begins with {self._at(self._mark)[:1]}"
        return None

    @cached_property
    def _last(self) -> yaml.Token | None:
        """The last token that ends before the parser stopped."""
        last = None
        try:
            for token in yaml.scan(self._text, Loader=self._loader):
                if token.end_mark.index > self._mark.index:
                    break
                if not isinstance(token, yaml.BlockEndToken | yaml.StreamStartToken):
                    last = token
        except yaml.YAMLError:
            pass
        return last

    def _levels(self, line: int) -> Iterator[tuple[int, int]]:
        """The lines above with the indents that are open there, each less than the one below it."""
        least = None
        for number in range(line - 1, -1, -1):
            if not self._is_filled(number):
                continue
            for indent in dict.fromkeys((self._key_indent(number), self._indent(number))):
                if least is None or indent < least:
                    least = indent
                    yield number, indent
            if least == 0:
                return

    def _above(self, line: int) -> int | None:
        return next((number for number in range(line - 1, -1, -1) if self._is_filled(number)), None)

    def _below(self, line: int) -> int:
        numbers = range(line + 1, len(self._lines))
        return next((number for number in numbers if self._lines[number].strip()), line)

    def _is_filled(self, number: int) -> bool:
        line = self._lines[number].strip()
        return bool(line) and not line.startswith("#")

    def _indent(self, number: int) -> int:
        line = self._lines[number]
        return len(line) - len(line.lstrip(" "))

    def _key_indent(self, number: int) -> int:
        """The column of what follows the dashes of list items."""
        found = _DASHES.match(self._lines[number])
        return found.end() if found else 0

    def _at(self, mark: yaml.Mark) -> str:
        return self._lines[mark.line][mark.column :] if mark.line < len(self._lines) else ""

    @staticmethod
    def _place(mark: yaml.Mark) -> str:
        return f"line {mark.line + 1}, column {mark.column + 1}"


def _spaces(count: int) -> str:
    return f"{count} space{'' if count == 1 else 's'}"

"""The parts of a Markdown page that can be checked."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

_FENCE = re.compile(r"^ *```+ *([\w-]*)")
_SPAN = re.compile(r"(?<!`)`([^`]+)`(?!`)")
_LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
_HEADING = re.compile(r"^#+ +(.*?) *$")


@dataclass(frozen=True, kw_only=True, slots=True)
class Piece:
    """``text`` that begins in ``line``; ``language`` is that of a fenced block, empty for none."""

    line: int
    text: str
    language: str = ""


@dataclass(frozen=True, kw_only=True)
class Page:
    """One file; ``root`` is the directory of the repository."""

    root: Path
    path: Path
    text: str

    @classmethod
    def read(cls, root: Path, path: Path) -> Page:
        """Return the page at ``path``."""
        return cls(root=root, path=path, text=path.read_text(encoding="utf-8"))

    @property
    def name(self) -> str:
        """Its path from the root."""
        return str(self.path.relative_to(self.root))

    def blocks(self) -> Iterator[Piece]:
        """The fenced blocks."""
        opened: Piece | None = None
        inside: list[str] = []
        for number, line in enumerate(self.text.splitlines(), 1):
            fence = _FENCE.match(line)
            if opened is None and fence:
                opened, inside = Piece(line=number + 1, text="", language=fence[1]), []
            elif opened is not None and fence:
                yield Piece(line=opened.line, text="\n".join(inside), language=opened.language)
                opened = None
            elif opened is not None:
                inside.append(line)

    def prose(self) -> Iterator[Piece]:
        """The lines outside of fenced blocks."""
        within = False
        for number, line in enumerate(self.text.splitlines(), 1):
            if _FENCE.match(line):
                within = not within
            elif not within:
                yield Piece(line=number, text=line)

    def spans(self) -> Iterator[Piece]:
        """What stands in backticks on one line."""
        for piece in self.prose():
            for found in _SPAN.finditer(piece.text):
                yield Piece(line=piece.line, text=found[1])

    def links(self) -> Iterator[Piece]:
        """The targets of links."""
        for piece in self.prose():
            for found in _LINK.finditer(_SPAN.sub("", piece.text)):
                yield Piece(line=piece.line, text=found[1])

    def anchors(self) -> set[str]:
        """What ``#…`` may name."""
        headings = (_HEADING.match(piece.text) for piece in self.prose())
        return {_slug(heading[1]) for heading in headings if heading}


def _slug(heading: str) -> str:
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")

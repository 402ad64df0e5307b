"""Texts of others on a terminal: what would move its cursor or turn the line around is escaped."""

from __future__ import annotations

_OF_LINES = frozenset("\n\t")


def printable(text: str) -> str:
    """
    ``text`` with what is not printable escaped.

    Names, paths and answers come from others: no terminal shall obey what is in them, and no line be forged.
    """
    return text if text.isprintable() else "".join(map(_shown, text))


def printable_lines(text: str) -> str:
    """The same for a text of several lines, such as a traceback: line feeds and tabs stay."""
    return "".join(letter if letter in _OF_LINES else _shown(letter) for letter in text)


def _shown(letter: str) -> str:
    return letter if letter.isprintable() else letter.encode("unicode_escape").decode()

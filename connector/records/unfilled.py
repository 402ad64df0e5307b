"""Texts in a document that look like placeholders: nobody fills them in, so that they match nothing."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING

from connector.records.findings import finding
from connector.records.plan import Finding

if TYPE_CHECKING:
    from graphql import Token

_TEMPLATE = "declare a variable in its place, and give its value under the subscription's key 'variables'"
_WRITE = f"write the value; or {_TEMPLATE}"
_OWNERS = frozenset(
    ["wallet", "token", "contract", "mint", "pool", "pair", "account", "program", "trader", "user", "creator"]
)
_THINGS = _OWNERS.union(["address", "key", "id", "hash", "market", "signer", "name", "value"])
_VERBS = frozenset(
    ["insert", "enter", "add", "put", "replace", "paste", "change", "the", "a", "an", "my", "to", "check"]
)
_SHAPES: tuple[tuple[re.Pattern[str], str], ...] = (
    (re.compile(r"\$\{[^{}\s][^{}\n]{0,80}\}"), f"{_TEMPLATE}, where ${{env:…}} and ${{file:…}} are filled"),
    (
        re.compile(r"\{\{[^{}\n]{0,80}\}\}|\{%[^{}\n]{0,80}%\}|<%[^<>\n]{0,80}%>|#\{[^{}\n]{0,80}\}"),
        _TEMPLATE,
    ),
    (re.compile(r"\$\([A-Za-z_]\w{0,80}\)|%\([A-Za-z_]\w{0,80}\)[sd]|%[A-Z][A-Z_0-9]{1,80}%"), _TEMPLATE),
    # What is in quotes is a text to GraphQL, whatever it looks like.
    (re.compile(r"^\$[A-Za-z_]\w{0,80}$"), "take the quotes away where it is a variable: $name"),
    (
        re.compile(r"^(?:\{[A-Za-z_][\w .-]{0,80}\}|\{\d\}|%s|@[A-Z][A-Z_]{2,80}@|\[[A-Za-z_ -]{3,80}\])$"),
        _TEMPLATE,
    ),
    (re.compile(r"^<[^<>=\n]{1,80}>$"), _WRITE),
    (
        re.compile(
            r"^(?:0x)?(?:change[-_ ]?me|replace[-_ ]?me|to ?do|fix ?me|placeholder|\.{3}|\u2026|x{4,})$", re.I
        ),
        _WRITE,
    ),
)
_HUMP = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|[-_ ]+")
_LONGEST = 80


def looks_unfilled(text: str) -> tuple[str, str] | None:
    """The part of ``text`` that looks like a placeholder, and what to do; ``None`` where there is none."""
    plain = text.strip()
    for shape, remedy in _SHAPES:
        found = shape.search(plain)
        if found:
            return found[0], remedy
    return (plain, _WRITE) if _asks_for_a_value(plain.rpartition(":")[2]) else None


def _asks_for_a_value(text: str) -> bool:
    """Whether it says in words what to write: YOUR_WALLET, token mint address, 0xMinerAddressHere."""
    if len(text) > _LONGEST or not re.fullmatch(r"[A-Za-z][\w -]*|0x[A-Z][\w -]*", text):
        return False
    words = [word.lower() for word in _HUMP.split(text.removeprefix("0x").rstrip("0123456789_- ")) if word]
    if len(words) < 2:
        return False
    if "your" in words or (words[-1] in ("here", "input") and _THINGS.intersection(words)):
        return True
    # The names of arguments and events have small letters and no spaces: walletAddress, token_address.
    return (" " in text or text.isupper()) and "address" in words and _THINGS.union(_VERBS).issuperset(words)


@lru_cache(maxsize=8)
def unfilled(text: str) -> tuple[Finding, ...]:
    """
    Return each literal of a document that looks like a placeholder, with its place.

    ``text`` is a document that parses. Comments and descriptions are no literals of it.
    """
    from graphql import Lexer, Source, TokenKind

    found = []
    lexer = Lexer(Source(text))
    while (token := lexer.advance()).kind is not TokenKind.EOF:
        if token.kind not in (TokenKind.STRING, TokenKind.BLOCK_STRING) or _is_formula(token):
            continue
        said = looks_unfilled(token.value or "")
        if said is not None:
            what = f'the text "{said[0]}" looks like a placeholder, and is sent as it stands'
            found.append(finding(what, said[1], line=token.line, column=token.column))
    return tuple(found)


def _is_formula(token: Token) -> bool:
    """Whether it is the value of Bitquery's ``expression``, where $ stands before a field's name."""
    name = token.prev and token.prev.prev
    return name is not None and name.value == "expression"

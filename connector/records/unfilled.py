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
_OPENERS = frozenset(["insert", "enter", "paste", "provide", "example", "dummy", "sample", "my"])
_WORDS = _THINGS.union(_VERBS, _OPENERS, ["your", "here", "input", "of"])
_SHAPES: tuple[tuple[re.Pattern[str], str], ...] = (
    (re.compile(r"\$\{[^{}\s][^{}\n]{0,80}\}"), f"{_TEMPLATE}, where ${{env:…}} and ${{file:…}} are filled"),
    (re.compile(r"\$env[:.][A-Za-z_]\w{0,80}", re.I), f"{_TEMPLATE}, where ${{env:NAME}} is filled"),
    (
        re.compile(
            r"\{\{[^{}\n]{0,80}\}\}|\{%[^{}\n]{0,80}%\}|<[%?][^<>\n]{0,80}[%?]>|[#%]\{[^{}\n]{0,80}\}"
        ),
        _TEMPLATE,
    ),
    (re.compile(r"\$\([A-Za-z_]\w{0,80}\)|%\([A-Za-z_]\w{0,80}\)[sd]"), _TEMPLATE),
    # What is in quotes is a text to GraphQL, whatever it looks like. $BTC is what posts call a coin.
    (
        re.compile(r"^\$(?![A-Z]{2,5}$)[A-Za-z_]\w{0,80}$|^\$TOKEN$"),
        "take the quotes away where it is a variable: $name",
    ),
    (
        re.compile(
            r"^(?:(?:0x)?\{ ?[A-Za-z_][\w .-]{0,80}\}|\{\d\}|%s|@{1,2}[A-Za-z]\w{2,80}@{1,2}"
            r"|__[A-Z]\w{0,80}__|\[\[[^][:\n]{1,80}\]\]|<<[^<>\n]{1,80}>>)$"
        ),
        _TEMPLATE,
    ),
    (re.compile(r"^<(?![a-z]{1,2}>)[^<>=\n]{1,80}>$|<{3}[^<>\n]{1,80}>{3}"), _WRITE),
    (
        re.compile(
            r"^(?:0x)?(?:(?:change|replace|set|fill|edit|update)[-_ ]?(?:me|this)|fill[-_ ]?(?:me[-_ ]?)?in"
            r"|to ?do|fix ?me|tbd|placeholder|\[redacted\]|\.{3}|\u2026|x{4,}|\?{3,}|\*{3,})$"
            r"|^(?:to ?do|fix ?me) ?:",
            re.I,
        ),
        _WRITE,
    ),
    (re.compile(r"^replace[-_ ]?with(?=[-_ A-Z])", re.I), _WRITE),
    (re.compile(rf"^(?:0x)?your[-_ ]?(?:{'|'.join(sorted(_THINGS))})(?:here)?\d*$", re.I), _WRITE),
    # An address as pages show it, with its middle left out.
    (
        re.compile(
            r"^0x[0-9a-f]{1,64}(?:\.{2,3}|\u2026)[0-9a-f]{0,64}$"
            r"|^(?=\D{0,64}\d)(?=.{0,64}[A-Za-z])[^\W_]{3,64}(?:\.{3}|\u2026)[^\W_]{3,64}$",
            re.I,
        ),
        _WRITE,
    ),
)
_MARKED = re.compile(
    # Inside of a text, or with signs that have other uses, the words tell: 0x<ADDRESS>, {WALLET}, #WALLET#.
    r"(?:^|(?<=0x)|(?<![\w<>/]))<(?P<angled>[A-Za-z][\w .-]{0,80})>(?![\w<>])"
    r"|\{(?P<braced>[A-Z][A-Z0-9_]{0,80})\}"
    r"|^[\u00ab\u2039] ?(?P<quoted>[A-Za-z][\w .-]{0,80}?) ?[\u00bb\u203a]$"
    r"|^(?P<sign>[#!~|@*=+^-]{1,3})(?P<signed>[A-Z][\w -]{0,80})(?P=sign)$"
    r"|^\[(?P<listed>[A-Za-z][\w -]{2,80})\]$|^__(?P<scored>[a-z]\w{0,80})__$"
    r"|^\(\( ?(?P<doubled>[A-Za-z][\w -]{0,80}?) ?\)\)$|^0x(?P<hex>[A-Za-z][A-Za-z_-]{0,80})$"
)
_FOR_SHELLS = re.compile(r"%(?P<name>[A-Z][A-Z_0-9]{1,80})%")
_LIKE = re.compile(r"like", re.I)
_HUMP = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|[-_ ]+")
_LONGEST = 80


def looks_unfilled(text: str, name: str = "") -> tuple[str, str] | None:
    """
    The part of ``text`` that looks like a placeholder, and what to do; ``None`` where there is none.

    ``name`` is the argument that it is the value of: signs of percent are at home in ``like``.
    """
    plain = text.strip().replace("&lt;", "<").replace("&gt;", ">")
    for shape, remedy in _SHAPES:
        found = shape.search(plain)
        if found:
            return found[0], remedy
    marked = _marked(plain)
    if marked is not None:
        return marked, _WRITE
    shell = None if _LIKE.search(name) else _FOR_SHELLS.search(plain)
    if shell and _THINGS.intersection(_words(shell["name"])):
        return shell[0], _TEMPLATE
    return (plain, _WRITE) if _asks_for_a_value(plain.rpartition(":")[2]) else None


def _marked(plain: str) -> str | None:
    """What stands between signs that mean a placeholder only around some words."""
    for found in _MARKED.finditer(plain):
        kind = found.lastgroup or ""
        words = _words(found[kind])
        is_known = bool(_THINGS.intersection(words)) and _WORDS.issuperset(words)
        if is_known or (kind == "angled" and found[kind].isupper() and "</" not in plain):
            return found[0]
        if kind == "braced" and plain != found[0] and "_" in found[kind]:
            return found[0]
    return None


def _words(text: str) -> list[str]:
    return [word.lower() for word in _HUMP.split(text.rstrip("0123456789_- ")) if word]


def _asks_for_a_value(text: str) -> bool:
    """Whether it says in words what to write: YOUR_WALLET, token mint address, 0xMinerAddressHere."""
    if len(text) > _LONGEST or not re.fullmatch(r"[A-Za-z][\w -]*|0x[A-Z][\w -]*", text):
        return False
    words = _words(text.removeprefix("0x"))
    if len(words) < 2:
        return False
    if "your" in words or (words[-1] in ("here", "input") and _THINGS.intersection(words)):
        return True
    # The names of arguments and events have small letters and no spaces: walletAddress, token_address.
    if " " not in text and not text.isupper():
        return False
    if words[0] in _OPENERS and _THINGS.union(_VERBS).issuperset(words[1:]) and words[1:] != ["market"]:
        return True
    return "address" in words and _THINGS.union(_VERBS).issuperset(words)


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
        if token.kind not in (TokenKind.STRING, TokenKind.BLOCK_STRING) or _name_of(token) == "expression":
            continue  # Bitquery's formulas, where $ stands before a field's name
        said = looks_unfilled(token.value or "", _name_of(token))
        if said is not None:
            what = f'the text "{said[0]}" looks like a placeholder, and is sent as it stands'
            found.append(finding(what, said[1], line=token.line, column=token.column))
    return tuple(found)


def _name_of(token: Token) -> str:
    """The name that ``token`` is the value of."""
    name = token.prev and token.prev.prev
    return (name.value if name is not None else None) or ""

"""
What to do about a document that does not parse.

The parser tells what it met; what the writer meant is told by what stands there.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterator
from difflib import get_close_matches

from connector.records.pasted import COMMENT, end_of_here, pasted, prose_before
from connector.records.signs import TEMPLATE, markup, name_of_operation
from connector.records.slips import declaration, encoded, selection, unseen
from connector.records.wrapped import HEADERS_ELSEWHERE, KEYWORDS, VARIABLES_ELSEWHERE, Said, wrapped

DEFAULT = "correct the document there"

_COMMENT = COMMENT
_LETTERS = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_ \t\r\n"
_NEAR = 80
"""Characters that are looked back or ahead, so that no text takes long."""
_SIGNS = {
    "`": "take the backticks out",
    ";": "take the semicolon out; nothing ends with one here",
    "\\": 'the text is escaped, as in JSON: write its \\n as line breaks and its \\" as plain quotes',
    "'": 'write double quotes (") around a text',
    "~": "keep only what stands between the fences (~~~)",
    "*": _COMMENT,
}
_HEADERS = re.compile(
    r"[\"']?(authorization|[\w-]*api-?key|cookie|content-type|accept)[\"']?\s*:", re.IGNORECASE
)
_LEFT_OUT = {
    "\u2026": "write there what was left out: fields of a selection, or a value",
    "*": "name each field that is wanted; no sign stands for all",
}
_KINDS = {
    "Zs": "write a plain space for that one, which only looks like it",
    "Pd": "write a plain hyphen (-) there",
    "Pi": 'write plain double quotes (") around a text',
    "Pf": 'write plain double quotes (") around a text',
    **dict.fromkeys(("Cc", "Cf", "Zl", "Zp"), "take the invisible character out there"),
}
"""Categories of Unicode's, for signs that look like those of GraphQL."""


def remedy_for(text: str, position: int, said: str) -> Said:
    """
    Return what is wrong, as a sentence about "the document", and what to do.

    ``position`` is where the parser stopped in ``text``, ``said`` its own words.
    """
    whole = pasted(text) or wrapped(text) or end_of_here(text)
    if whole is not None:
        return whole
    for look in _LOOKS:
        remedy = look(text, position, said)
        if remedy is not None:
            return f"does not parse: {said}", remedy
    return f"does not parse: {said}", DEFAULT


def _around_it(text: str, position: int, said: str) -> str | None:
    """JSON, or a title of it, before or behind the operation."""
    opened = list(_open(text, position))
    at = text[position : position + 1] or " "
    begin = opened[0] if opened else position
    is_json = text[:position].rstrip().endswith(("{", ":")) and (at in "\"'}" or "found String" in said)
    before = _bare(text[:begin]).lstrip("\ufeff").rstrip().rstrip(":").rstrip(_LETTERS)
    elsewhere = HEADERS_ELSEWHERE if _HEADERS.search(text, begin, position + _NEAR) else VARIABLES_ELSEWHERE
    if not before and len(opened) == 1 and text[begin] == "{" and at in "\"'":
        return f"JSON stands before the operation: {elsewhere}"
    if not before.endswith("}"):
        return None
    if (len(opened) == 1 and is_json) or (not opened and at in '["'):
        return f"JSON follows the operation: {elsewhere}"
    if not opened and re.match(r"(query[ _])?variables\b", text[position:], re.IGNORECASE):
        return f"only GraphQL may follow the operation: {VARIABLES_ELSEWHERE}"
    return None


def _template(text: str, position: int, said: str) -> str | None:
    """Placeholders of template languages, and doubled braces."""
    near = text[max(0, position - 2) : position + 2]
    if "${" in near or "#{" in text[max(0, position - 1) : position + 2]:
        return f"nothing fills ${{…}} in a document: {TEMPLATE}"
    if "{%" in near or "<%" in near:
        return f"nothing fills in templates: {TEMPLATE}"
    if re.match(r"<[\w .-]+>|%\(?\w+", text[position:]):
        return f"that is a placeholder: {TEMPLATE}"
    if "{{" in near:
        begin = position - 1 if text[position - 1 : position + 1] == "{{" else position
        is_name = re.match(r"\{\{[-~]?\s*[\w.$|' ]+\s*[-~]?}}", text[begin : begin + _NEAR])
        if is_name and text[:begin].rstrip().endswith(tuple(":,([{}")):
            return f"nothing fills {{{{…}}}} in a document: {TEMPLATE}"
        return "write one brace for two: { and }, here and where they close"
    return None


def _comment(text: str, position: int, said: str) -> str | None:
    begin = position - 1 if text[position - 1 : position + 1] in ("--", "/*", "//") else position
    if text[begin:].startswith("---"):
        return "take the line of dashes out, and what is no GraphQL"
    return _COMMENT if text[begin:].startswith(("//", "/*", "--", "<!--", "*/")) else None


def _sign(text: str, position: int, said: str) -> str | None:
    at = text[position : position + 1]
    if at == ";" and not text[:position].rpartition("\n")[2].strip() and re.match(r";+ *\w", text[position:]):
        return _COMMENT
    if at in ("\u2026", "*") and re.match(r".\s*([],})]|\Z)", text[position : position + _NEAR]):
        return _LEFT_OUT[at]
    if at.isascii():
        return _SIGNS.get(at)
    plain = unicodedata.normalize("NFKC", at)
    if unicodedata.category(at) not in _KINDS and plain.isascii() and plain.isprintable() and plain.strip():
        return f"write {plain} there"
    low_quotes = ("\u201a", "\u201e", "\u2032", "\u2033")
    if at in low_quotes:
        return _KINDS["Pi"]
    other = "names have letters from A to Z, digits and _; other text stands in double quotes"
    return "write a plain hyphen (-) there" if at == "\u2212" else _KINDS.get(unicodedata.category(at), other)


def _keyword(text: str, position: int, said: str) -> str | None:
    """Where an operation must begin, another word stands."""
    found = re.match(r"Unexpected Name '(\w+)'", said)
    if found is None:
        return None
    word = found[1]
    prose = prose_before(text, position)
    if prose is not None and re.match(
        r"[^\S\n]*([^\s({@]|\n\s*subscription\b)", text[position + len(word) :]
    ):
        return prose
    if word.lower() in ("query", "mutation"):
        return "write a subscription, with that word in small letters; only subscriptions stream"
    if word.lower() in KEYWORDS:
        return f"write {word.lower()!r} in small letters"
    meant = "subscription" if word.lower() == "subscribe" else None
    close = get_close_matches(word.lower(), KEYWORDS, n=1, cutoff=0.75)
    if meant or close:
        return f"did you mean {meant or close[0]!r}?"
    if re.match(r"\s*[({@]", text[position + len(word) :]):
        return f"write the word 'subscription' before {word!r}"
    if text[:position].rstrip().endswith("}"):
        return f"take out what follows the operation; or {_COMMENT}"
    return f"begin with the word 'subscription'; {_COMMENT}"


def _end(text: str, position: int, said: str) -> str | None:
    """The text ends too early, or one brace is too much."""
    opened = list(_open(text, position))
    if "found <EOF>" in said or "Unexpected <EOF>" in said:
        if "\n" not in text.strip() and "#" in text and not text.lstrip().startswith('"'):
            return "what follows '#' on a line is a comment: keep the line breaks (in YAML: document: |)"
        if not opened:
            return "write the fields that are wanted in braces: subscription { … }"
        sign = text[opened[-1]]
        close = {"{": "}", "(": ")", "[": "]"}[sign]
        many = f"; {len(opened)} are open" if len(opened) > 1 else ""
        return f"close the {sign!r} of line {_line(text, opened[-1])} with {close!r}{many}"
    if "Unterminated string" in said:
        return 'close the text with " on its line; one of several lines stands between """ and """'
    at = text[position : position + 1]
    if at == "}" and not opened:
        return "take that brace out, or open one before"
    if opened and text[opened[-1]] == "(" and at in ("{", "}"):
        return f"close the '(' of line {_line(text, opened[-1])} with ')'"
    return None


def _empty(text: str, position: int, said: str) -> str | None:
    before = text[:position].rstrip()
    at = text[position : position + 1]
    if at == "}" and before.endswith("{"):
        return "select a field there; a selection must not be empty"
    if at == ")" and before.endswith("("):
        return "take the empty parentheses out"
    if before.endswith("...") or re.search(r"\.\.\. *on$", before[-_NEAR:]):
        which = "...Name, or ... on Type { … }"
        return f"name a fragment behind the dots: {which}; or write the fields that were left out"
    if text[position:].startswith("...") and "Unexpected" in said:
        return "write the value that was left out there"
    if text[position:].startswith(".."):
        return "write three dots (...) there"
    return None


def _value(text: str, position: int, said: str) -> str | None:
    """Arguments, variables and names that are written otherwise."""
    before, at = text[:position].rstrip(), text[position : position + 1]
    if "Expected '$'" in said:
        return "declare a variable with its sign and type: ($name: String)"
    if at == ":" and re.search(rf"\b({'|'.join(KEYWORDS)})[\"']?( \w+)?$", before[-_NEAR:]):
        return "take the colon out"
    if "Expected ':'" in said:
        return "write name: value there"
    if "Expected Name, found String" in said:
        return 'take the quotes of the name away: name: value, not "name": value'
    if at == "." and "number" not in said:
        return "select a field of a field in braces: a { b }, not a.b"
    near = text[max(0, position - _NEAR) : position]
    if re.search(r"[A-Za-z_]\w*-[\w-]*$", near) or (re.search(r"[{}()] *[0-9]+$", near) and "number" in said):
        return "names have letters, digits and _, and begin with no digit; others stand in quotes"
    if "Invalid number" in said:
        return "write numbers in decimal, as 7 or 0.5; what is a text, such as an address, stands in quotes"
    return None


_Look = Callable[[str, int, str], str | None]
_LOOKS: tuple[_Look, ...] = (
    _around_it,
    encoded,
    unseen,
    declaration,
    _template,
    _comment,
    name_of_operation,
    markup,
    _keyword,
    _sign,
    _empty,
    selection,
    _end,
    _value,
)


def _open(text: str, end: int) -> Iterator[int]:
    """The positions of the brackets that are open at ``end``."""
    opened: list[int] = []
    bare = _bare(text[:end])
    for position, sign in enumerate(bare):
        if sign in "{([":
            opened.append(position)
        elif sign in "})]" and opened:
            opened.pop()
    return iter(opened)


_HIDDEN = re.compile(r'"""(?:\\"""|[^\\]|\\(?!"""))*?(?:"""|$)|"(?:\\.|[^"\\\n])*"?|#[^\n]*')


def _bare(text: str) -> str:
    """The text of the same length with its strings and comments blanked out."""
    return _HIDDEN.sub(lambda match: " " * len(match[0]), text)


def _line(text: str, position: int) -> int:
    return text.count("\n", 0, position) + 1

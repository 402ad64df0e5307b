"""What to do where a document is nearly right: a sign too many, one missing, or another language's."""

from __future__ import annotations

import re

from connector.records.signs import TEMPLATE

_NEAR = 80
"""Characters that are looked back or ahead, so that no text takes long."""

_TAGS = (
    "a|b|blockquote|body|br|button|code|div|em|font|h[1-6]|head|hr|html|i|img|input|li|link|mark|meta|ol|p|pre"
    "|script|section|small|span|strong|style|sub|sup|table|tbody|td|textarea|th|thead|title|tr|tt|u|ul|wbr"
)
_TAG = re.compile(rf"</?({_TAGS})(\s[^<>]{{0,200}})?/?>", re.IGNORECASE)
_OF_URLS = re.compile(r"%(20|0[AD]|7B|28|22)", re.IGNORECASE)
_DECLARED = re.compile(r"[(,\s]\$\w+\s*$")


def encoded(text: str, position: int, said: str) -> str | None:
    """Text as it stands in a URL or on a page of HTML."""
    if re.match(r"%[0-9a-f]{2}|\?", text[position:], re.IGNORECASE) and len(_OF_URLS.findall(text)) > 1:
        return "the text is encoded, as in a URL: decode it, so that %20 is a space and %7B a {"
    if _TAG.match(text[position : position + 300]):
        return "take the tags of HTML out, and keep what stands between them"
    if "Invalid character escape" in said:
        return 'in a text, \\ begins an escape such as \\n or \\": write \\\\ for the sign itself'
    if "Invalid Unicode escape" in said:
        return "write the character itself; \\ud800 to \\udfff are but halves of one"
    if text[position : position + 1] == "\\" and re.match(r"\\[ \t\r]*(\n|\Z)", text[position:]):
        return "take the \\ at the ends of the lines out"
    return None


def unseen(text: str, position: int, said: str) -> str | None:
    """A character that nobody sees, where the parser stopped or in the middle of the word there."""
    at = text[position : position + 1]
    if at.isascii() and at not in "\t\r\n" and not at.isprintable():
        return "take the invisible character out there"
    found = re.match(r"Unexpected Name '(\w+)'", said)
    if found is None:
        return None
    behind = text[position + len(found[1]) :][:1]
    if behind and not behind.isprintable() and not behind.isspace():
        return f"take the invisible character behind {found[1]!r} out"
    return None


def declaration(text: str, position: int, said: str) -> str | None:
    """Variables of an operation that are not declared as GraphQL does."""
    before, at = text[:position].rstrip(), text[position : position + 1]
    if "Expected '$'" in said and at == "{":
        return "declare each variable there ($name: String), and give its value under the key 'variables'"
    if "Expected '$'" in said and at == "|":
        return "a variable has one type, and may be null unless that ends with '!': ($name: String)"
    if at == "?" and re.search(r"\$\w+\s*(:\s*[\w\[\]!]+\s*)?$", before[-_NEAR:]):
        return "take the '?' out: a type that does not end with '!' may be null"
    if "Expected ':'" in said and _DECLARED.search(before[-_NEAR:]):
        return "write the variable's type behind it: ($name: String)"
    if "Expected Name, found '$'" in said and before.endswith(("(", ",")):
        return "write the argument's name before the variable: name: $name"
    if at in "?:" and before.endswith(":"):
        return f"write a value behind the colon; nothing fills {at} in a document: {TEMPLATE}"
    return None


def selection(text: str, position: int, said: str) -> str | None:
    """Fields and arguments with a sign that means nothing there."""
    before, at = text[:position].rstrip(), text[position : position + 1]
    if at == "." and before.endswith("}") and not text[position:].startswith(".."):
        return "take the dot out; nothing ends with one here"
    if at == "{" and "Expected Name" in said and before.endswith(":"):
        return "take the colon out before the '{'"
    if at == "[" and "Expected Name" in said:
        return "select fields of a field in braces: a { b }, not a [ b ]"
    if at == "(" and before.endswith("("):
        return "write one parenthesis for two: ( and ), here and where they close"
    if at == ":" and re.search(r"[{\s]\w+\s*:\s*\w+$", before[-_NEAR:]):
        return "rename a field by one name and one colon: new: field"
    if at == "/" and re.search(r"\w$", text[:position]) and re.match(r"/\w", text[position:]):
        return "select a field of a field in braces: a { b }, not a/b"
    if "Expected ':'" in said and at == ")":
        return "write name: value there; fields of a field are selected in braces: a { b }, not a(b)"
    return None

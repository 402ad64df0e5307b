"""What to do about signs that mean something elsewhere: around a name, in HTML, in a program."""

from __future__ import annotations

import html
import re

from connector.records.pasted import prose_before
from connector.records.wrapped import KEYWORDS

TEMPLATE = (
    "declare a variable in its place ($name), and give its value under the subscription's key 'variables'"
)
_NEAR = 80
"""Characters that are looked back or ahead, so that no text takes long."""


def name_of_operation(text: str, position: int, said: str) -> str | None:
    """The name of an operation, or what stands where it does."""
    near, at = text[max(0, position - _NEAR) : position], text[position : position + 1]
    if re.search(rf"\b({'|'.join(KEYWORDS)})\s+$", near) and at in ("'", '"', "`"):
        return "write the name without quotes, as in: subscription Name { … }"
    if re.search(r"\b(subscription|query|mutation)(\s+\w+)?\s*$", near) and at in ("=", "-"):
        return f"take the {'=>' if text[position:].startswith('=>') else at!r} out, before the '{{'"
    if re.search(r"\b(subscription|query|mutation)\s+[\w.-]+\s*$", near) and (
        at == "." or "found Name" in said or ("number" in said and near[-1:].isdecimal())
    ):
        return (
            prose_before(text, position)
            or "a name is one word of letters, digits and _: subscription Name { … }"
        )
    return None


def markup(text: str, position: int, said: str) -> str | None:
    """Escapes of HTML, directives that are none, and signs of other languages."""
    entity = re.match(r"&(?:[a-z]{2,6}|#\d{1,6}|#x[0-9a-f]{1,5});", text[position : position + _NEAR], re.I)
    if entity is not None:
        plain = {"\xa0": "a space", "'": '"'}.get(html.unescape(entity[0]), html.unescape(entity[0]))
        return f"the text is escaped, as in HTML: write {plain} for {entity[0]}, and so on"
    around = text[max(0, position - _NEAR) : position]
    at = text[position : position + 1]
    if re.match(r"@[\w.-]{1,80}@", text[position:]) or re.search(r"@[\w.-]{1,70}@\s*$", around):
        return f"that is a placeholder: {TEMPLATE}"
    if at == "@" and around.rstrip().endswith((":", "[")):
        return f"write a variable with $, not with @: {TEMPLATE}"
    if text[position - 1 : position + 1] == "->" or text[position : position + 2] == "->":
        return "select a field of a field in braces: a { b }, not a -> b"
    if at in ")}," and around.rstrip().endswith(":"):
        return "write a value behind the colon"
    if at in "<>=!" and re.search(r"\(\s*\w+\s*$", around) and "Expected ':'" not in said:
        return "write name: value there; comparisons are arguments of the endpoint's own, such as {gt: 1}"
    if at in "+|" and around.count("(") > around.count(")"):
        return f"nothing is computed in a document: {TEMPLATE}"
    return None

"""Texts that hold a GraphQL document inside of something else: JSON, Markdown, a program, a page."""

from __future__ import annotations

import json
import re

KEYWORDS = ("subscription", "query", "mutation", "fragment")

Said = tuple[str, str]
"""What the text is, and what to do."""

KEEP_GRAPHQL = "keep only the GraphQL in it"
_UNESCAPE = 'with its \\n as line breaks and its \\" as plain quotes'
VARIABLES_ELSEWHERE = "take it out, and put the variables under the subscription's key 'variables'"
HEADERS_ELSEWHERE = "take it out; headers belong under endpoint.headers, and a token under 'token' or 'oauth'"

_KEYS_OF_A_REQUEST = ("query", "operationName", "variables", "extensions", "payload", "id", "type")
_REQUEST = re.compile(rf"[\[{{(]*\s*\{{\s*[\"']?({'|'.join(_KEYS_OF_A_REQUEST)})[\"']?\s*:\s*[\"'`{{]")
_FENCE = re.compile(r"^[ \t]*(?:[-*+>][ \t]+|\d{1,3}[.)][ \t]+)?(```|~~~)", re.MULTILINE)
_TAG = re.compile(
    r"^[^\n#`\"]*\b(gql|graphql)\s*(<[^`\"\n]{0,200}>\s*)?(/\*.*?\*/\s*)?(\(\s*)?(`|[fr]?\"\"\"|[fr]?'''|\")",
    re.MULTILINE,
)
_PROGRAM = re.compile(
    r"(export\b|import\b|from\b|const\b|let\b|var\b|return\b|package\b|use strict|def\b|async\b|val\b|my \$"
    r"|(public|private|protected|internal|static|final|readonly)\s|<\?|\$\w+(->\w+)*\s*[=(]"
    r"|use [\w\\:{}]{1,80};|(async\s*)?\([^()\n]{0,80}\)\s*=>|[A-Za-z_]\w*\s*:\s*[`(]"
    # With a type before the name or behind it: String q = """, string q = @", q: str = """.
    r"|([A-Za-z_][\w.<>\[\]]{0,80}[ \t]+)?[A-Za-z_][\w.]*\s*(:[ \t]*[\w&'<>\[\]. ]{1,80})?:?="
    r"\s*(@|\$@?|r#*|[fr])?[\"'`(])"
)
_COMMAND = re.compile(r"(\$ )?(curl|wget|http|https|websocat|wscat)\s")
_PAGE = re.compile(r"<(!doctype|!--|\?xml|[a-z][\w-]*[\s>/])", re.IGNORECASE)
_YAML = re.compile(
    r"(document|subscription|query|mutation|graphql)[\"']?\s*:\s*([|>][-+]?\s*$|[\"'{]|(query|subscription)\b)",
    re.M,
)
_KEYS = re.compile(
    r"-[ \t]+[\"']?[\w-]{1,80}[\"']?[ \t]*:(\s|$)"
    r"|[\w-]{1,80}[ \t]*:[ \t]*([^\s{}]{1,200}[ \t]*)?\n[ \t]*(-[ \t]+)?[\w-]{1,80}[ \t]*:(\s|$)"
)
"""A list of mappings of YAML's, or two lines with keys."""
_COMMENTED = re.compile(r"(/\*(?:[^*]|\*(?!/)){0,2000}\*/\s*)+`")
_HERE = re.compile(
    r"(?<!<)(<<[-~]?|<<<)[ \t]*(?P<quote>[\"']?)(?P<word>[A-Z_]\w{0,40})(?P=quote)[ \t]*$", re.M
)
_FILE = re.compile(r"[^\s\"()]{1,200}\.(graphql|gql|txt|json)")
_BEGINNING = 2000
"""Characters in which a here-document opens."""
_HTTP = re.compile(r"(POST|GET) \S+( HTTP/|\s*$)", re.MULTILINE)


def wrapped(text: str) -> Said | None:
    """Say what the whole of ``text`` is, where that is something else than GraphQL and known."""
    start = _start(text)
    if "\0" in text:
        return "holds zero bytes", "save it as text in UTF-8"
    if _is_json(start) or _REQUEST.match(start):
        return _json(start)
    if _FENCE.search(text):
        return "is Markdown", "keep only what stands between the fences (```)"
    if _TAG.search(text):
        return "is a program with a gql tag", "keep only what stands between the quotes of the tag"
    if _COMMENTED.match(start):
        return "stands in backticks behind a comment", "keep only what stands between the backticks"
    if start.startswith("`"):
        return "stands in backticks", "take the backticks out"
    if start.startswith(('"""', "'")):
        return "stands in quotes", "take the quotes out"
    return _others(start)


def _others(start: str) -> Said | None:
    if re.fullmatch(r"(https?|wss?)://\S+", start):
        return "holds a URL, which is not fetched", "save the GraphQL of that page here"
    if start and not re.search(r"[\s{}()%]", start) and start.lower() not in KEYWORDS:
        # It may be anything, a token too.
        return "holds one word, and no GraphQL", "write a subscription in it: subscription Name { … }"
    if start.startswith("{\\rtf"):
        return "is a document of a word processor (RTF)", "save it as plain text"
    if _FILE.fullmatch(start):
        return "is the name of a file with a '{' in it", "give the name itself: no variable stands in it"
    here = _HERE.search(start[:_BEGINNING])
    if here is not None:
        what = f"keep only the lines between {here[1]}{here['word']} and {here['word']}"
        return "is a here-document of a program", what
    if _COMMAND.match(start) or _HTTP.match(start):
        return "is a command or a request that sends a document", KEEP_GRAPHQL
    if start.startswith("<!--"):
        return "has a comment as HTML has it", "begin each line of a comment with '#'"
    if start.startswith("<?php"):
        return "is a program", f"{KEEP_GRAPHQL}, without the quotes around it"
    if _PAGE.match(start):
        return (
            "is a page of HTML or XML",
            "save the GraphQL itself: this may be the page that shows it, or a sign-in",
        )
    if _YAML.match(start) or _KEYS.match(start):
        return "is YAML", f"{KEEP_GRAPHQL}, without the key before it"
    if _PROGRAM.match(start):
        return "is a program", f"{KEEP_GRAPHQL}, without the quotes around it"
    return None


def _start(text: str) -> str:
    """The text from its first line on that is neither empty nor a comment."""
    lines = text.lstrip("\ufeff").split("\n")
    for number, line in enumerate(lines):
        if line.strip() and not line.lstrip().startswith("#"):
            return "\n".join(lines[number:]).strip()
    return ""


def _is_json(text: str) -> bool:
    if not text.startswith(("{", "[", '"')):
        return False
    try:
        json.loads(text, strict=False)
    except (ValueError, RecursionError):
        return False
    return True


def _json(text: str) -> Said:
    try:
        value = json.loads(text, strict=False)
    except (ValueError, RecursionError):
        value = {"query": ""}  # of a program, or with line breaks in its texts
    if isinstance(value, list):
        value = value[0] if value else {}
    if isinstance(value, str):
        return "is a JSON string", f"keep only the text in it, {_UNESCAPE}"
    if not isinstance(value, dict):
        return "is JSON", "write a GraphQL subscription in it"
    if "persistedQuery" in str(value.get("extensions", "")):
        return "is the request of a persisted query", "write the whole subscription in it: a hash is not sent"
    if "cells" in value:
        return "is a notebook", KEEP_GRAPHQL
    if "query" in value:
        what = "is the JSON body of a request"
    elif isinstance(value.get("payload"), dict) or "type" in value:
        what = "is a message of a websocket, in JSON"
    elif "data" in value or "errors" in value:
        return "is the JSON of an answer", "write the subscription in it that is to be sent"
    elif "operationName" in value or "variables" in value:
        what = "is the JSON body of a request"
    else:
        return (
            "is JSON, such as variables",
            "put variables under the subscription's key 'variables', and the GraphQL here",
        )
    rest = "variables belong under the subscription's key 'variables'"
    return what, f'keep only the text of "query", {_UNESCAPE}; {rest}'

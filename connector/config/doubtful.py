"""Credentials that hold more than what they are, or something else: warnings, in which no value stands."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path

from connector.config.files import Files, read_text
from connector.config.paths import HEADERS, KeyPath, is_secret
from connector.errors import ConfigError
from connector.records.unfilled import looks_unfilled

_NAMES: tuple[KeyPath, ...] = (
    ("oauth", "client_id"),
    ("kafka", "security", "oauth", "client_id"),
    ("kafka", "security", "sasl", "username"),
)
"""They are no secrets, and come from where secrets come from."""

_QUOTES = ('""', "''", "``", "\u201c\u201d", "\u2018\u2019")
_OTHERS = re.compile(r"\$\w+|\$\([\w.-]+\)|%\w+%|\{\{.*\}\}|<[^<>]+>|\{?env:\w+\}?|changeit", re.IGNORECASE)
_SCHEME = re.compile(r"(bearer|basic|token|jwt)\s+\S", re.IGNORECASE)
_NAMED = re.compile(r"(export\s+)?[\w-]*(token|key|authorization)[\w-]*\s*[=:]\s*\S|\?|\w+://", re.IGNORECASE)
_SENT = "is sent with it: take it out where the value comes from"


def doubts(tree: Mapping[str, object], *, look: bool) -> Iterator[tuple[KeyPath, str]]:
    """
    Yield each key whose credential is likely not what was meant, and why.

    ``tree`` has no mistakes; values that are not known are left out. Without ``look`` so is ``token_file``.
    """
    for path, value in _credentials(tree, ()):
        said = _doubt(value, path)
        if said is None and path == ("token",):
            said = _of_token(value, tree)
        if said is not None:
            yield path, said
    file = tree.get("token_file")
    if look and isinstance(file, str):
        value = _content(file)
        said = _doubt(value, ("token",)) or _of_token(value, tree)
        if said is not None:
            yield ("token_file",), f"names a file whose token {said}"


def _credentials(value: object, path: KeyPath) -> Iterator[tuple[KeyPath, str]]:
    if isinstance(value, str) and value and (is_secret(path) or path in _NAMES):
        yield path, value
    elif isinstance(value, Mapping):
        for key, item in value.items():
            yield from _credentials(item, (*path, key))


def _doubt(value: str, path: KeyPath) -> str | None:
    """What is wrong with any credential."""
    is_token = path == ("token",)
    bare = value.strip() if is_token else value
    if bare != bare.strip() or not bare.isprintable() or "\u00a0" in bare:
        return f"has white space around it, or a character that nobody sees, which {_SENT}"
    if len(bare) > 2 and bare[0] + bare[-1] in _QUOTES:
        return "stands in quotes, which are sent with it: take them out where the value comes from"
    if _OTHERS.fullmatch(bare) or looks_unfilled(bare):
        return "looks like a placeholder, and is sent as it stands; write ${env:NAME} or ${file:/path}"
    is_json = bare.startswith("{") and bare.endswith("}") and ":" in bare
    if is_json and not any(path[: len(mapping)] == mapping for mapping in HEADERS):
        return "is JSON, and is sent as it stands: give the value in it alone"
    return None


def _of_token(value: str, tree: Mapping[str, object]) -> str | None:
    """What is wrong with a token, which templates put into the places that it goes to."""
    bare = value.strip()
    if _SCHEME.match(bare) and not _goes_alone(tree):
        return "begins with the word of a scheme, such as Bearer, which is sent with it: give the token alone"
    if _NAMED.match(bare):
        return "has a name or an address before it, which is sent with it: give the token alone"
    if " " in bare and not _SCHEME.match(bare):
        return "has a space in it: give the token alone"
    return None


def _goes_alone(tree: Mapping[str, object]) -> bool:
    """Whether the token goes somewhere where its scheme may stand before it, and no template writes one."""
    endpoint = tree.get("endpoint")
    places = endpoint.get("credentials") if isinstance(endpoint, Mapping) else None
    each = places if isinstance(places, list) else [places]
    known = [place for place in each if isinstance(place, Mapping)]
    return bool(known) and all(
        place.get("in") != "url" and place.get("template") == "{token}" for place in known
    )


def _content(file: str) -> str:
    try:
        return read_text(Path(file), what="the token file", files=Files())
    except ConfigError:
        return ""

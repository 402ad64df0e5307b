"""What may be shown of a configuration, and what may not."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from urllib.parse import parse_qsl, urlsplit

from connector.config.paths import OF_KAFKA, KeyPath, is_secret
from connector.config.placeholders import Filled
from connector.config.proxy import proxy_secrets
from connector.config.secret import HIDDEN
from connector.telemetry.disguises import alone

LEAST_LENGTH = 8
"""Shorter header values, payload values and query values are words rather than secrets."""


def secret_values(tree: Mapping[str, object], filled: Iterable[Filled]) -> tuple[str, ...]:
    """Every value of a read configuration that must never be shown, each once."""
    found = {item.value: None for item in filled if item.kind == "file" or is_secret(item.path)}
    for path, text in _strings(tree, ()):
        is_value = path in (("token",), ("oauth", "client_secret"), *OF_KAFKA) or path[-1] == "key_password"
        if is_secret(path) and (is_value or len(text) >= LEAST_LENGTH):
            found[text] = None
        elif path[-1] == "proxy":
            found |= dict.fromkeys(proxy_secrets(text))
        elif path[-1] in ("url", "http_url", "token_url"):
            found |= dict.fromkeys(value for value in _query_values(text) if len(value) >= LEAST_LENGTH)
    return tuple(text for text in found if text)


def redacted(tree: Mapping[str, object], secrets: Iterable[str]) -> dict[str, object]:
    """A copy of ``tree`` in which no secret can be seen."""
    hidden = tuple(secrets)

    def walk(value: object, path: KeyPath) -> object:
        if isinstance(value, dict):
            return {key: walk(item, (*path, key)) for key, item in value.items()}
        if isinstance(value, list):
            return [walk(item, (*path, index)) for index, item in enumerate(value)]
        if is_secret(path):
            return HIDDEN
        return _shown(value, path, hidden) if isinstance(value, str) else value

    return {key: walk(value, (key,)) for key, value in tree.items()}


def hide(text: str, secrets: Iterable[str]) -> str:
    """``text`` without the secrets in it; short ones are words, and hidden where they stand alone."""
    for secret in sorted(secrets, key=len, reverse=True):
        if len(secret) >= LEAST_LENGTH:
            text = text.replace(secret, HIDDEN)
        elif len(secret) >= 4:
            text = re.sub(alone(re.escape(secret)), HIDDEN, text)
    return text


def _shown(text: str, path: KeyPath, hidden: tuple[str, ...]) -> str:
    text = hide(text, hidden)
    if path[-1] == "document" and "{" in text:
        return "(inline)"
    if path[-1] in ("url", "http_url", "token_url") and "?" in text:
        return f"{text.partition('?')[0]}?{HIDDEN}"
    return text


def _query_values(url: str) -> list[str]:
    try:
        query = urlsplit(url).query
    except ValueError:
        return []
    raw = [part.partition("=")[2] for part in query.split("&")]
    return raw + [value for _, value in parse_qsl(query)]


def _strings(value: object, path: KeyPath) -> Iterable[tuple[KeyPath, str]]:
    if isinstance(value, str):
        yield path, value
    elif isinstance(value, dict):
        for key, item in value.items():
            yield from _strings(item, (*path, key))
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from _strings(item, (*path, index))

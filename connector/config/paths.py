"""Where a key stands in the tree, and how much of that may be shown."""

from __future__ import annotations

import re
from typing import TypeAlias

KeyPath: TypeAlias = tuple[str | int, ...]

HEADERS: tuple[KeyPath, ...] = (
    ("endpoint", "headers"),
    ("oauth", "headers"),
    ("kafka", "security", "oauth", "headers"),
)
"""Mappings of header names to secrets."""

OF_KAFKA: tuple[KeyPath, ...] = (
    ("kafka", "security", "sasl", "password"),
    ("kafka", "security", "oauth", "client_secret"),
)
"""Secrets that prove us to the brokers."""

_SECRET_MAPPINGS = (*HEADERS, ("endpoint", "init_payload"))
_NAME = re.compile(r"[A-Za-z][0-9A-Za-z_-]{0,63}")


def shown(path: KeyPath) -> str | None:
    """A key path as a user writes it: ``subscriptions[0].rows``; ``None`` for the whole file."""
    text = ""
    for part in path:
        text += f"[{part}]" if isinstance(part, int) else (f".{part}" if text else part)
    return text or None


def is_secret(path: KeyPath) -> bool:
    """Whether the key's value must never be shown."""
    return (
        path[:1] == ("token",)
        or path[:2] == ("oauth", "client_secret")
        or any(path[: len(mapping)] == mapping for mapping in _SECRET_MAPPINGS)
        or path[-2:] == ("tls", "key_password")
        or path in OF_KAFKA
    )


def visible(path: KeyPath) -> KeyPath:
    """
    ``path`` as far as it may be shown.

    Below a secret key YAML may have read part of the secret as a key. Only the mappings of headers and
    of the payload have keys of their own, and those are shown where they are names.
    """
    for length in range(1, len(path)):
        if is_secret(path[:length]) or path[length - 1] == "proxy":
            name = str(path[length])
            is_name = path[:length] in _SECRET_MAPPINGS and _NAME.fullmatch(name)
            return path[: length + 1] if is_name else path[:length]
    return path

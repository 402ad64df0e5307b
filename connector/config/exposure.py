"""What shows a secret to others, or lets them change one: warnings."""

from __future__ import annotations

import stat
from collections.abc import Iterator, Mapping
from urllib.parse import urlsplit

from connector.config.checks import TOKEN_SOURCES, named_files
from connector.config.paths import KeyPath
from connector.config.security import in_capitals
from connector.config.source import Source
from connector.http import is_loopback

_READ = "whoever is on the way can read"
_TOKEN_URLS: tuple[KeyPath, ...] = (("oauth", "token_url"), ("kafka", "security", "oauth", "token_url"))
_IN_CLEAR = {"PLAIN": "the password", "OAUTHBEARER": "the token"}
"""What SASL's mechanisms send as it is; SCRAM's proves the password without it."""


def exposures(tree: Mapping[str, object], source: Source) -> Iterator[tuple[KeyPath, str]]:
    """Yield each key that exposes a secret, and in what way. This machine itself is not "on the way"."""
    for path in _TOKEN_URLS:
        if _is_open(_at(tree, path), "http"):
            yield path, f"is not encrypted: {_READ} the client's secret and the token; write https://"
    url = ("endpoint", "url")
    if _is_open(_at(tree, url), "ws") and _has_credentials(tree):
        yield url, f"is not encrypted: {_READ} the token or what else is sent as a secret; write wss://"
    protocol, mechanism = (
        in_capitals(_at(tree, ("kafka", "security", *rest)))
        for rest in (("protocol",), ("sasl", "mechanism"))
    )
    if protocol == "SASL_PLAINTEXT" and isinstance(mechanism, str) and mechanism in _IN_CLEAR:
        what = f"sends {_IN_CLEAR[mechanism]} of {mechanism} unencrypted: {_READ} it; write SASL_SSL"
        yield ("kafka", "security", "protocol"), what
    for path, name in named_files(tree):
        if _all_may_write(source, name):
            yield path, "names a file that everyone on this machine may write: chmod o-w"


def _at(tree: object, path: KeyPath) -> object:
    for part in path:
        tree = tree.get(part) if isinstance(tree, Mapping) else None
    return tree


def _is_open(url: object, scheme: str) -> bool:
    if not isinstance(url, str):
        return False
    parts = urlsplit(url)
    return parts.scheme.lower() == scheme and not is_loopback(parts.hostname or "")


def _has_credentials(tree: Mapping[str, object]) -> bool:
    sent = (_at(tree, ("endpoint", key)) for key in ("headers", "init_payload"))
    return any(key in tree for key in TOKEN_SOURCES) or any(sent)


def _all_may_write(source: Source, name: str) -> bool:
    try:
        mode = (source.directory / name).stat().st_mode
    except (OSError, ValueError):
        return False  # others say that it is not there
    return stat.S_ISREG(mode) and bool(mode & stat.S_IWOTH)

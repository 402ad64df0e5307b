"""What shows a secret to others, or lets them change one: warnings."""

from __future__ import annotations

import re
import stat
from collections.abc import Iterator, Mapping
from urllib.parse import urlsplit

from connector.config.checks import TOKEN_SOURCES, named_files
from connector.config.paths import KeyPath
from connector.config.security import in_capitals
from connector.config.source import Source
from connector.http import is_loopback

_FILE = re.compile(r"(?<!\$)\$\{file:([^{}]+)\}")
_IN_QUERY = re.compile(r"[?&;][^=&;#]*(token|secret|passw|key|auth|jwt|sig)[^=&;#]*=[^&;#]", re.IGNORECASE)
_READ = "whoever is on the way can read"
_TOKEN_URLS: tuple[KeyPath, ...] = (("oauth", "token_url"), ("kafka", "security", "oauth", "token_url"))
_PROXIES: tuple[KeyPath, ...] = (
    ("endpoint", "proxy"),
    ("oauth", "proxy"),
    ("kafka", "security", "oauth", "proxy"),
)
_IN_CLEAR = {"PLAIN": "the password", "OAUTHBEARER": "the token"}
"""What SASL's mechanisms send as it is; SCRAM's proves the password without it."""


def exposures(tree: Mapping[str, object], source: Source) -> Iterator[tuple[KeyPath, str]]:
    """Yield each key that exposes a secret, and in what way. This machine itself is not "on the way"."""
    for path in _TOKEN_URLS:
        if _is_open(_at(tree, path), "http"):
            yield path, f"is not encrypted: {_READ} the client's secret and the token; write https://"
    url = ("endpoint", "url")
    if _is_open(_at(tree, url), "ws") and (_has_credentials(tree) or _holds_secret(source, url)):
        yield url, f"is not encrypted: {_READ} the token or what else is sent as a secret; write wss://"
    protocol, mechanism = (
        in_capitals(_at(tree, ("kafka", "security", *rest)))
        for rest in (("protocol",), ("sasl", "mechanism"))
    )
    if protocol == "SASL_PLAINTEXT" and isinstance(mechanism, str) and mechanism in _IN_CLEAR:
        what = f"sends {_IN_CLEAR[mechanism]} of {mechanism} unencrypted: {_READ} it; write SASL_SSL"
        yield ("kafka", "security", "protocol"), what
    for path in _PROXIES:
        if _has_open_user(_at(tree, path)):
            yield path, f"sends user and password unencrypted: {_READ} them; take a proxy on this machine"
    for path, name in (*named_files(tree), *_placeholder_files(source.tree)):
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


def _holds_secret(source: Source, path: KeyPath) -> bool:
    """Whether an address, as it was written, has a placeholder or names a secret in its query."""
    written = _at(source.tree, path)
    return isinstance(written, str) and ("${" in written or bool(_IN_QUERY.search(written)))


def _has_open_user(proxy: object) -> bool:
    if not isinstance(proxy, str) or "@" not in proxy:
        return False
    try:
        return not is_loopback(urlsplit(proxy).hostname or "")
    except ValueError:
        return False  # others say that it is no address


def _placeholder_files(tree: object, path: KeyPath = ()) -> Iterator[tuple[KeyPath, str]]:
    """Each ``${file:…}`` as it was written, and the key that it fills."""
    items = tree.items() if isinstance(tree, Mapping) else enumerate(tree) if isinstance(tree, list) else ()
    for key, value in items:
        yield from _placeholder_files(value, (*path, key))
    if isinstance(tree, str):
        yield from ((path, name) for name in _FILE.findall(tree))


def _all_may_write(source: Source, name: str) -> bool:
    try:
        mode = (source.directory / name).stat().st_mode
    except (OSError, ValueError):
        return False  # others say that it is not there
    return stat.S_ISREG(mode) and bool(mode & stat.S_IWOTH)

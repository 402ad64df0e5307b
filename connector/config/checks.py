"""What one key alone cannot tell: alternatives, clashes, repeated names."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping

from connector.config.credentials import check_credentials
from connector.config.defaults import preset_of
from connector.config.paths import HEADERS, KeyPath, is_secret
from connector.config.refusals import check_refusals
from connector.config.rotation import check_rotation
from connector.config.security_checks import check_security
from connector.config.source import Source

_EMPTY = "give it one, or take the key out"
TOKEN_SOURCES = ("oauth", "token", "token_file")
"""The keys that say where tokens come from, of which one may be given."""
_OWN_HEADERS = (
    "connector",
    "subscription",
    "received_at",
    "event_time",
    "original_bytes",
    "original_sha256",
)
_CONNECT_HEADERS = "__connect.errors."
_YAML_WORDS = ("yes", "no", "on", "off")


def drop_empty(tree: dict[str, object], source: Source) -> None:
    """Report keys without a value, and take them out; ``null`` has a meaning only to the endpoint."""
    _drop(tree, (), source)


def _drop(tree: object, path: KeyPath, source: Source) -> None:
    items = list(
        tree.items() if isinstance(tree, dict) else enumerate(tree) if isinstance(tree, list) else ()
    )
    for key, value in reversed(items):
        here: KeyPath = (*path, key)
        if value is None:
            # In a mapping of headers it may be a value that YAML took for a key.
            shown = path if is_secret(path) else here
            source.report(shown, "has no value" if shown == here else "holds a key without a value", _EMPTY)
            del tree[key]  # type: ignore[attr-defined]
        elif not _is_free(here):
            _drop(value, here, source)


def _is_free(path: KeyPath) -> bool:
    """Whether what is below is not ours: any JSON, or what YAML took a secret for."""
    if is_secret(path) and path not in HEADERS:
        return True
    return path == ("endpoint", "init_payload") or (path[0] == "subscriptions" and path[2:] == ("variables",))


def named_files(tree: object, path: KeyPath = ()) -> Iterator[tuple[KeyPath, str]]:
    """Each key that names a file, and the name; those with placeholders that are not filled are left out."""
    items = tree.items() if isinstance(tree, dict) else enumerate(tree) if isinstance(tree, list) else ()
    for key, value in items:
        here: KeyPath = (*path, key)
        if isinstance(value, str) and str(key).endswith("_file"):
            if value.strip():
                yield here, value
        elif not _is_free(here):
            yield from named_files(value, here)


def check_whole(tree: dict[str, object], source: Source) -> None:
    """Report what does not fit together. Values of a wrong kind are left to the check of each key."""
    _check_tokens(tree, source)
    check_security(tree, source)
    endpoint = tree.get("endpoint")
    if isinstance(endpoint, dict):
        check_credentials(endpoint, source, is_anonymous=not any(key in tree for key in TOKEN_SOURCES))
        check_refusals(endpoint, source)
        check_rotation(endpoint, preset_of(tree), source)
    subscriptions = tree.get("subscriptions")
    if isinstance(subscriptions, list):
        _check_names(subscriptions, source)
        if not subscriptions and not any(
            p.path and p.path.startswith("subscriptions") for p in source.problems
        ):
            source.report(("subscriptions",), "is empty", "add a subscription with name, document and topic")
        for index, section in enumerate(subscriptions):
            _check_headers(section, index, source)
    for path, value in _free_values(tree):
        _check_free(path, value, source)


def _check_tokens(tree: dict[str, object], source: Source) -> None:
    given = [key for key in TOKEN_SOURCES if key in tree]
    if len(given) > 1:
        source.report((given[1],), f"stands beside {given[0]}", "keep one of oauth, token and token_file")
    preset = preset_of(tree)
    if not given and preset.needs_token and not any(source.has_problem((key,)) for key in TOKEN_SOURCES):
        source.report((), f"the preset {preset.name} needs a token", "add oauth:, token: or token_file:")


def _check_names(subscriptions: list[object], source: Source) -> None:
    seen: dict[str, int] = {}
    for index, section in enumerate(subscriptions):
        name = section.get("name") if isinstance(section, dict) else None
        if not isinstance(name, str):
            continue
        if name in seen:
            what = f"is the name of subscriptions[{seen[name]}] too"
            source.report(("subscriptions", index, "name"), what, "give each its own")
        seen.setdefault(name, index)


def _check_headers(section: object, index: int, source: Source) -> None:
    headers = section.get("headers") if isinstance(section, dict) else None
    for name in headers if isinstance(headers, dict) else ():
        path = ("subscriptions", index, "headers", name)
        if name in _OWN_HEADERS or name.startswith(_CONNECT_HEADERS):
            source.report(path, "is a header that the connector sets itself", "choose another name")
        if not name.strip():
            source.report(path, "is a header without a name", "name it")


def _free_values(tree: dict[str, object]) -> Iterator[tuple[KeyPath, object]]:
    endpoint = tree.get("endpoint")
    if isinstance(endpoint, dict):
        yield from _leaves(endpoint.get("init_payload"), ("endpoint", "init_payload"))
    subscriptions = tree.get("subscriptions")
    for index, section in enumerate(subscriptions if isinstance(subscriptions, list) else ()):
        if isinstance(section, dict):
            yield from _leaves(section.get("variables"), ("subscriptions", index, "variables"))


def _leaves(value: object, path: KeyPath) -> Iterator[tuple[KeyPath, object]]:
    if isinstance(value, Mapping):
        for key, item in value.items():
            yield from _leaves(item, (*path, key))
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from _leaves(item, (*path, index))
    else:
        yield path, value


def _check_free(path: KeyPath, value: object, source: Source) -> None:
    mark = source.marks.get(path)
    if isinstance(value, bool) and mark and (mark.text or "").lower() in _YAML_WORDS:
        word = str(value).lower()
        source.report(path, f"{mark.text} means {word} in YAML", f"quote it, or write {word}")
    if isinstance(value, float) and not math.isfinite(value):
        source.report(path, "is a number that JSON cannot hold", "write another, or quote it")

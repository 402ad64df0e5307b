"""What is no mistake, but does nothing or is likely not meant: warnings."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import urlsplit

from connector.config.endpoint import OauthSection
from connector.config.errors import ErrorsSection
from connector.config.proxy import ProxyUrl
from connector.config.root import Config
from connector.config.secret import Unresolved
from connector.config.source import KeyPath, Source, shown
from connector.http import is_loopback

_ONLY_CREATED = ("partitions", "replication_factor", "config")
_ONLY_WITH_TOKEN = ("credentials", "rotation")
_HERE = "is this machine itself, which no proxy is used for"


def warnings_of(config: Config, source: Source) -> tuple[str, ...]:
    """One sentence for each key that was given and cannot act, with its place; no value is in it."""
    return tuple(
        f"{source.where(path)}: {shown(path)} {what}"
        for path, what in _found(config)
        if path in source.marks  # what the user did not write comes from a default
    )


def _found(config: Config) -> Iterator[tuple[KeyPath, str]]:
    parts = (config.endpoint, config.errors, config.inbox, config.topics)
    if any(isinstance(part, Unresolved) for part in parts):
        return  # a whole section is left unresolved
    if config.topics.create is False:
        for key in _ONLY_CREATED:
            yield ("topics", key), "does nothing while topics.create is false"
    if config.token_source == "none":  # noqa: S105 - a word, no password
        for key in _ONLY_WITH_TOKEN:
            yield ("endpoint", key), "does nothing without oauth, token or token_file"
    yield ("endpoint", "http_url"), "does nothing: no feature of this version uses it"
    yield from _vain_proxies(config)
    yield from _errors(config.errors)
    inbox, message = config.inbox.max_bytes, config.endpoint.max_message_bytes
    if isinstance(inbox, int) and isinstance(message, int) and inbox < message:
        what = "is less than endpoint.max_message_bytes: one message may fill it, and end its session"
        yield ("inbox", "max_bytes"), what


def _errors(errors: ErrorsSection) -> Iterator[tuple[KeyPath, str]]:
    if errors.tolerance == "none":
        for key in ("dead_letter_topic", "window"):
            what = "does nothing with errors.tolerance: none: the first bad row stops its subscription"
            yield ("errors", key), what
    elif errors.tolerance == "all" and errors.dead_letter_topic is None:
        what = "is all without errors.dead_letter_topic: rows that cannot be published are skipped"
        yield ("errors", "tolerance"), what


def _vain_proxies(config: Config) -> Iterator[tuple[KeyPath, str]]:
    """A proxy that is named for this machine itself, and for nobody else."""
    endpoint, oauth = config.endpoint, config.oauth
    urls = [endpoint.url]
    if isinstance(oauth, OauthSection):
        if oauth.proxy is None:
            urls.append(oauth.token_url)
        elif _is_vain(oauth.proxy, oauth.token_url):
            yield ("oauth", "proxy"), f"does nothing: oauth.token_url {_HERE}"
    if _is_vain(endpoint.proxy, *urls):
        yield ("endpoint", "proxy"), f"does nothing: endpoint.url {_HERE}"


def _is_vain(proxy: object, *urls: str) -> bool:
    if not isinstance(proxy, ProxyUrl) or any(isinstance(url, Unresolved) for url in urls):
        return False
    return all(is_loopback(urlsplit(url).hostname or "") for url in urls)

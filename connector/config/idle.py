"""What is no mistake, but does nothing, is likely not meant or exposes a secret: warnings."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from urllib.parse import urlsplit

from connector.config.checks import TOKEN_SOURCES
from connector.config.doubtful import doubts
from connector.config.endpoint import EndpointSection
from connector.config.errors import ErrorsSection
from connector.config.exposure import exposures
from connector.config.kafka import ProducerSection, TopicsSection
from connector.config.mistake import checked
from connector.config.paths import KeyPath, shown
from connector.config.root import InboxSection
from connector.config.rotation import doubts_of_rotation
from connector.config.scalars import flag, size
from connector.config.section import given_in
from connector.config.source import Source
from connector.http import is_loopback
from connector.records.plan import SubscriptionPlan

_ONLY_CREATED = ("partitions", "replication_factor", "config")
_ONLY_WITH_TOKEN = ("credentials", "rotation")
_HERE = "is this machine itself, which no proxy is used for"


def warnings_of(
    tree: Mapping[str, object], source: Source, plans: Sequence[SubscriptionPlan], *, look: bool
) -> tuple[str, ...]:
    """
    One sentence for each key that was given and cannot act, exposes a secret, or holds a doubtful one, with
    its place; no value is in it.

    ``tree`` and ``plans`` have no mistakes. What depends on a value that is not known is left out, and
    without ``look`` what depends on the token file.
    """
    return tuple(
        f"{source.where(path)}: {shown(path)} {what}"
        for path, what in (*_found(tree, plans), *exposures(tree, source), *doubts(tree, look=look))
        if path in source.marks  # what the user did not write comes from a default
    )


def _found(tree: Mapping[str, object], plans: Sequence[SubscriptionPlan]) -> Iterator[tuple[KeyPath, str]]:
    endpoint, errors, inbox, topics = (
        tree.get(name, {}) for name in ("endpoint", "errors", "inbox", "topics")
    )
    if not (
        isinstance(endpoint, dict)
        and isinstance(errors, dict)
        and isinstance(inbox, dict)
        and isinstance(topics, dict)
    ):
        return  # a whole section is not known
    if checked(flag, given_in(topics, TopicsSection, "create")) is False:
        for key in _ONLY_CREATED:
            yield ("topics", key), "does nothing while topics.create is false"
    if not any(key in tree for key in TOKEN_SOURCES):
        for key in _ONLY_WITH_TOKEN:
            yield ("endpoint", key), "does nothing without oauth, token or token_file"
    yield ("endpoint", "http_url"), "does nothing: no feature of this version uses it"
    yield from doubts_of_rotation(endpoint, plans)
    yield from _vain_proxies(endpoint, tree.get("oauth"))
    yield from _errors(errors)
    least = checked(size, given_in(inbox, InboxSection, "max_bytes"))
    message = checked(size, given_in(endpoint, EndpointSection, "max_message_bytes"))
    if least is not None and message is not None and least < message:
        what = "is less than endpoint.max_message_bytes: one message may fill it, and end its session"
        yield ("inbox", "max_bytes"), what
    yield from _batches(tree.get("kafka"))


def _batches(kafka: object) -> Iterator[tuple[KeyPath, str]]:
    producer = kafka.get("producer") if isinstance(kafka, dict) else None
    if isinstance(producer, dict):
        batch = checked(size, given_in(producer, ProducerSection, "max_batch_bytes"))
        request = checked(size, given_in(producer, ProducerSection, "max_request_bytes"))
        if batch is not None and request is not None and batch > request:
            what = "is more than kafka.producer.max_request_bytes, which batches are within"
            yield ("kafka", "producer", "max_batch_bytes"), what


def _errors(errors: Mapping[str, object]) -> Iterator[tuple[KeyPath, str]]:
    tolerance = given_in(errors, ErrorsSection, "tolerance")
    if tolerance == "none":
        for key in ("dead_letter_topic", "window"):
            what = "does nothing with errors.tolerance: none: the first bad row stops its subscription"
            yield ("errors", key), what
    elif tolerance == "all" and "dead_letter_topic" not in errors:
        what = "is all without errors.dead_letter_topic: rows that cannot be published are skipped"
        yield ("errors", "tolerance"), what


def _vain_proxies(endpoint: Mapping[str, object], oauth: object) -> Iterator[tuple[KeyPath, str]]:
    """A proxy that is named for this machine itself, and for nobody else."""
    urls = [endpoint.get("url")]
    if isinstance(oauth, dict):
        if "proxy" not in oauth:
            urls.append(oauth.get("token_url"))
        elif _is_vain(oauth["proxy"], oauth.get("token_url")):
            yield ("oauth", "proxy"), f"does nothing: oauth.token_url {_HERE}"
    if _is_vain(endpoint.get("proxy"), *urls):
        yield ("endpoint", "proxy"), f"does nothing: endpoint.url {_HERE}"


def _is_vain(proxy: object, *urls: object) -> bool:
    return isinstance(proxy, str) and all(
        isinstance(url, str) and is_loopback(urlsplit(url).hostname or "") for url in urls
    )

"""Names, paths of fields and addresses as people write them. Each check raises `Mistake`."""

from __future__ import annotations

import re
from collections.abc import Callable
from ipaddress import ip_address
from urllib.parse import SplitResult, urlsplit, urlunsplit

from connector.config.mistake import Mistake
from connector.config.scalars import text
from connector.network import HostMistake, ascii_host
from connector.records.topics import KAFKA_OWN, is_legal_topic

_NAME = re.compile(r"[a-zA-Z0-9._-]{1,100}")
FIELD_PATH = re.compile(r"[_A-Za-z][_0-9A-Za-z]*(\.[_A-Za-z][_0-9A-Za-z]*)*")
_HOST = re.compile(r"[^\s/@,:\[\]]+")
_HEADER_NAME = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")  # a token, RFC 9110 §5.6.2


def name(value: object) -> str:
    """A name of 1 to 100 letters, digits, ``.``, ``_`` and ``-``."""
    checked = text(value)
    if not _NAME.fullmatch(checked) or checked in (".", ".."):
        raise Mistake("is no legal name", "use 1 to 100 of a-z A-Z 0-9 . _ -")
    return checked


def field_path(value: object) -> str:
    """Response names with dots between them."""
    checked = text(value)
    if not FIELD_PATH.fullmatch(checked):
        raise Mistake(
            "is no path of fields", "write response names with dots between them, as in Block.Number"
        )
    return checked


def path_list(value: object) -> object:
    """One path stands for a list of one."""
    if isinstance(value, list | tuple):
        return value
    if not isinstance(value, str):
        raise Mistake(
            "is neither a path of fields nor a list of them", "write one, as in Block.Number, or a list"
        )
    return [value]


def header_name(value: object) -> str:
    """A field name of RFC 9110 §5.1."""
    checked = text(value)
    if not _HEADER_NAME.fullmatch(checked):
        raise Mistake("is no legal header name", "use letters, digits and - (RFC 9110 §5.6.2)")
    return checked


def url(*schemes: str) -> Callable[[object], str]:
    """An address with one of ``schemes``, a host, and neither user nor fragment."""

    def check(value: object) -> str:
        checked = text(value)
        example = f"write one such as {schemes[-1]}://host/path"
        try:
            parts = urlsplit(checked)
            host = parts.hostname
        except ValueError:
            raise Mistake("is no URL", example) from None
        if parts.scheme.lower() not in schemes:
            raise Mistake(f"must begin with {' or '.join(f'{scheme}://' for scheme in schemes)}", example)
        if not host or any(letter <= " " or letter == "\x7f" for letter in checked):
            raise Mistake("is no URL", example + "; percent-encode other characters")
        _check_port(parts)
        if parts.username is not None or parts.password is not None:
            raise Mistake("holds a user or password", "take it out; use oauth, token or endpoint.headers")
        if parts.fragment:
            raise Mistake("holds a fragment (#…)", "take it out")
        found = _with_ascii_host(checked, parts, host)
        if not found.isascii():
            raise Mistake("is no URL", example + "; percent-encode other characters")
        return found

    return check


def _check_port(parts: SplitResult) -> None:
    try:
        is_wrong = parts.port == 0
    except ValueError:
        is_wrong = True
    if is_wrong:
        raise Mistake("is no URL: it has a port that is none", "write one from 1 to 65535, or leave it out")


def _with_ascii_host(text: str, parts: SplitResult, host: str) -> str:
    """Return the URL with the name that DNS has."""
    found = _ascii(host)
    if host.isascii():
        return text
    port = "" if parts.port is None else f":{parts.port}"
    return urlunsplit(parts._replace(netloc=f"{found}{port}"))


def servers(value: object) -> str:
    """``host:port`` pairs with commas between them."""
    if isinstance(value, list | tuple):
        raise Mistake("is a list", "write the brokers in one text, with commas between: a:9092,b:9092")
    checked = text(value)
    if "://" in checked:
        raise Mistake(
            "is no list of brokers: it holds the scheme of a URL",
            "write host:port alone; kafka.security says the rest",
        )
    return ",".join(_server(one) for one in checked.split(","))


def _server(text: str) -> str:
    host, _, port = text.strip().rpartition(":")
    is_bracketed = host.startswith("[") and host.endswith("]")
    bare = host[1:-1] if is_bracketed else host.replace(":", " ")
    if not _is_host(bare) or not re.fullmatch(r"[0-9]+", port):
        raise Mistake("is no list of brokers", "write host:port, with commas between several")
    if len(port) > 5 or not 0 < int(port) <= 65535:
        raise Mistake("is no list of brokers: a port in it is none", "write one from 1 to 65535 for each")
    found = _ascii(bare)
    return text if bare.isascii() else f"{found}:{port}"


def host(value: object) -> str:
    """An address to listen on: a name or an IP address, without a port."""
    checked = text(value)
    if not _is_host(checked):
        raise Mistake("is neither a host nor an IP address", "write one such as 0.0.0.0, 127.0.0.1 or ::")
    return _ascii(checked)


def _ascii(host: str) -> str:
    try:
        return ascii_host(host)
    except HostMistake as mistake:
        raise Mistake(mistake.message, mistake.remedy) from None


def _is_host(value: str) -> bool:
    try:
        ip_address(value)
    except ValueError:
        # A name whose last part is a number would be an IP address (WHATWG URL, ends-in-a-number).
        return bool(_HOST.fullmatch(value)) and not value.removesuffix(".").rpartition(".")[2].isdigit()
    return True


def topic_name(value: object) -> str:
    """The name of one topic, in which nothing is filled in."""
    checked = text(value)
    if checked in KAFKA_OWN:
        raise Mistake("is one of Kafka's own topics", "choose another name")
    if not is_legal_topic(checked):
        raise Mistake("is no legal topic name", "use 1 to 249 of a-z A-Z 0-9 . _ -; nothing is filled in")
    return checked

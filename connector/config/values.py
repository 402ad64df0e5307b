"""The kinds of values that keys have. Each check raises `Mistake`, and leaves `Unresolved` values alone."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from difflib import get_close_matches
from ipaddress import ip_address
from typing import Annotated, Any, TypeAlias
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator, WithJsonSchema

from connector.config.mistake import Mistake
from connector.config.secret import Unresolved
from connector.records.topics import KAFKA_OWN, is_legal_topic

_SECONDS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
_DURATION = re.compile(r"(?:\d{1,9}(?:\.\d{1,9})?(?:ms|s|m|h|d))+")
_DURATION_PART = re.compile(r"(\d+(?:\.\d+)?)(ms|s|m|h|d)")
_LONGEST = 366 * 86400.0
_BYTES = {"": 1, "B": 1, "kB": 1000, "KB": 1000, "MB": 1000**2, "GB": 1000**3} | {
    "KiB": 1024,
    "MiB": 1024**2,
    "GiB": 1024**3,
}
_SIZE = re.compile(r"(\d{1,12}(?:\.\d{1,6})?) ?([A-Za-z]*)")
_LARGEST = 64 * 1024**3
_NAME = re.compile(r"[a-zA-Z0-9._-]{1,100}")
_FIELD_PATH = re.compile(r"[_A-Za-z][_0-9A-Za-z]*(\.[_A-Za-z][_0-9A-Za-z]*)*")
_HOST = re.compile(r"[^\s/@,:\[\]]{1,253}")
_HEADER_NAME = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")  # a token, RFC 9110 §5.6.2


def _unless_unresolved(check: Callable[[Any], Any]) -> BeforeValidator:
    return BeforeValidator(lambda value: value if isinstance(value, Unresolved) else check(value))


def leave_unresolved(value: object, check: Callable[[Any], Any]) -> object:
    """A wrap validator: what is not known yet is not checked."""
    return value if isinstance(value, Unresolved) else check(value)


def text(value: object) -> str:
    """A string; what YAML took for something else is to be quoted."""
    if isinstance(value, bool):
        word = "true" if value else "false"
        raise Mistake(f"must be a string, but YAML reads it as {word}", "quote it")
    if isinstance(value, (int, float)):
        raise Mistake("must be a string, but YAML reads it as a number", "quote it")
    if not isinstance(value, str):
        raise Mistake("must be a string", "write a single value")
    if not value.strip():
        raise Mistake("is empty", "give it a value, or take the key out")
    return value


def seconds(value: object) -> float:
    """``10s``, ``500ms``, ``1h30m`` → seconds. A number without a unit is refused."""
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        raise Mistake(
            "is a number without a unit", "write a duration with its unit, such as 10s, 500ms or 5m"
        )
    if not isinstance(value, str) or not _DURATION.fullmatch(value.strip()):
        raise Mistake("is not a duration", "write one such as 10s, 500ms, 5m, 6h or 1h30m")
    total = math.fsum(float(n) * _SECONDS[unit] for n, unit in _DURATION_PART.findall(value.strip()))
    if total > _LONGEST:
        raise Mistake("is longer than a year", "write a shorter duration")
    return total


def some_seconds(value: object) -> float:
    """As `seconds`, but more than none."""
    total = seconds(value)
    if total <= 0:
        raise Mistake("must be longer than nothing", "write a duration such as 10s")
    return total


def seconds_or_never(value: object) -> float | None:
    """As `some_seconds`; ``none``: never."""
    return None if value is None or value == "none" else some_seconds(value)


def size(value: object) -> int:
    """``64MiB``, ``1MB`` or a number of bytes → bytes, at least 1 KiB."""
    if isinstance(value, int) and not isinstance(value, bool):
        total = value
    else:
        match = _SIZE.fullmatch(value.strip()) if isinstance(value, str) else None
        if match is None or match[2] not in _BYTES:
            raise Mistake("is not a size", "write one such as 64MiB, 900KiB, 1MB or a number of bytes")
        total = int(float(match[1]) * _BYTES[match[2]])
    if not 1024 <= total <= _LARGEST:
        raise Mistake("must be from 1KiB to 64GiB", "write a size such as 64MiB")
    return total


def size_within(least: str, most: str) -> AfterValidator:
    """A size from ``least`` to ``most``, both as a user would write them."""
    low, high = size(least), size(most)

    def check(value: int) -> int:
        if not low <= value <= high:
            raise Mistake(f"must be from {least} to {most}", f"write a size such as {least}")
        return value

    return AfterValidator(check)


def whole(value: object) -> int:
    """A whole number, as such or, from a placeholder, as its text."""
    if isinstance(value, str) and re.fullmatch(r"-?(0|[1-9]\d{0,8})", value):
        return int(value)
    if isinstance(value, bool) or not isinstance(value, int):
        raise Mistake("is not a whole number", "write one, such as 1")
    return value


def flag(value: object) -> bool:
    """``true`` or ``false``, as such or, from a placeholder, as its text."""
    if isinstance(value, str) and value.lower() in ("true", "false"):
        return value.lower() == "true"
    if not isinstance(value, bool):
        raise Mistake("is neither true nor false", "write true or false")
    return value


def choice(*allowed: str) -> BeforeValidator:
    """One of ``allowed``."""

    def check(value: object) -> str:
        word = "true" if value is True else "false" if value is False else value
        if word in allowed:
            return str(word)
        lowered = {name.lower(): name for name in allowed}
        close = get_close_matches(value.lower(), lowered, n=1) if isinstance(value, str) else []
        hint = f"did you mean {lowered[close[0]]!r}?" if close else f"write {allowed[0]!r}"
        raise Mistake(f"must be one of: {', '.join(allowed)}", hint)

    return _unless_unresolved(check)


def name(value: object) -> str:
    """A name of 1 to 100 letters, digits, ``.``, ``_`` and ``-``."""
    checked = text(value)
    if not _NAME.fullmatch(checked) or checked in (".", ".."):
        raise Mistake("is no legal name", "use 1 to 100 of a-z A-Z 0-9 . _ -")
    return checked


def field_path(value: object) -> str:
    """Response names with dots between them."""
    checked = text(value)
    if not _FIELD_PATH.fullmatch(checked):
        raise Mistake(
            "is no path of fields", "write response names with dots between them, as in Block.Number"
        )
    return checked


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
            host, _ = parts.hostname, parts.port
        except ValueError:
            raise Mistake("is no URL", example) from None
        if parts.scheme.lower() not in schemes:
            raise Mistake(f"must begin with {' or '.join(f'{scheme}://' for scheme in schemes)}", example)
        if not host or not checked.isascii() or any(letter <= " " or letter == "\x7f" for letter in checked):
            raise Mistake("is no URL", example + "; percent-encode other characters")
        if parts.username is not None or parts.password is not None:
            raise Mistake("holds a user or password", "take it out; use oauth, token or endpoint.headers")
        if parts.fragment:
            raise Mistake("holds a fragment (#…)", "take it out")
        return checked

    return check


def servers(value: object) -> str:
    """``host:port`` pairs with commas between them."""
    checked = text(value)
    for server in checked.split(","):
        host, _, port = server.strip().rpartition(":")
        bare = host[1:-1] if host.startswith("[") and host.endswith("]") else host.replace(":", " ")
        if not _is_host(bare) or not re.fullmatch(r"\d{1,5}", port) or not 0 < int(port) <= 65535:
            raise Mistake("is no list of brokers", "write host:port, with commas between several")
    return checked


def host(value: object) -> str:
    """An address to listen on: a name or an IP address, without a port."""
    checked = text(value)
    if not _is_host(checked):
        raise Mistake("is neither a host nor an IP address", "write one such as 0.0.0.0, 127.0.0.1 or ::")
    return checked


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


def path_list(value: object) -> object:
    """One path stands for a list of one."""
    if isinstance(value, list | tuple):
        return value
    if not isinstance(value, str):
        raise Mistake(
            "is neither a path of fields nor a list of them", "write one, as in Block.Number, or a list"
        )
    return [value]


def _kind(check: Callable[[Any], Any], word: str, **schema: object) -> tuple[BeforeValidator, WithJsonSchema]:
    return _unless_unresolved(check), WithJsonSchema({**schema, "x-type": word})


_DURATION_SCHEMA: dict[str, object] = {"type": "string", "pattern": r"^(\d+(\.\d+)?(ms|s|m|h|d))+$"}
_SIZE_SCHEMA: dict[str, object] = {"type": ["string", "integer"], "pattern": r"^\d+(\.\d+)? ?[A-Za-z]*$"}

Text: TypeAlias = Annotated[str, _unless_unresolved(text)]
Duration: TypeAlias = Annotated[float, *_kind(some_seconds, "duration", **_DURATION_SCHEMA)]
DurationOrNever: TypeAlias = Annotated[
    float | None,
    _unless_unresolved(seconds_or_never),
    WithJsonSchema(
        {"type": "string", "pattern": r"^(none|(\d+(\.\d+)?(ms|s|m|h|d))+)$", "x-type": "duration, or `none`"}
    ),
]
DurationOrNone: TypeAlias = Annotated[float, *_kind(seconds, "duration", **_DURATION_SCHEMA)]
Size: TypeAlias = Annotated[int, *_kind(size, "size", **_SIZE_SCHEMA)]
Whole: TypeAlias = Annotated[int, _unless_unresolved(whole)]
Flag: TypeAlias = Annotated[bool, _unless_unresolved(flag)]
Name: TypeAlias = Annotated[str, *_kind(name, "name", type="string", pattern=r"^[a-zA-Z0-9._-]{1,100}$")]
FieldPathText: TypeAlias = Annotated[
    str, *_kind(field_path, "path", type="string", pattern=_FIELD_PATH.pattern.join("^$"))
]
TopicName: TypeAlias = Annotated[
    str, *_kind(topic_name, "topic", type="string", pattern=r"^[a-zA-Z0-9._-]{1,249}$")
]
HeaderName: TypeAlias = Annotated[str, *_kind(header_name, "header", type="string")]
SocketUrl: TypeAlias = Annotated[str, *_kind(url("ws", "wss"), "URL", type="string", pattern="^wss?://")]
HttpUrl: TypeAlias = Annotated[str, *_kind(url("http", "https"), "URL", type="string", pattern="^https?://")]
Host: TypeAlias = Annotated[str, _unless_unresolved(host)]
Servers: TypeAlias = Annotated[str, _unless_unresolved(servers)]
FieldPathTexts: TypeAlias = Annotated[
    tuple[FieldPathText, ...],
    BeforeValidator(path_list),
    WithJsonSchema(
        {"type": ["array", "string"], "items": {"type": "string"}, "x-type": "path or list of paths"}
    ),
]

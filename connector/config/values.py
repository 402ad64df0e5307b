"""The kinds of values that keys have, as sections declare them."""

from __future__ import annotations

from collections.abc import Callable
from difflib import get_close_matches
from typing import Annotated, Any, Literal, TypeAlias

from pydantic import AfterValidator, BeforeValidator, WithJsonSchema

from connector.config.mistake import Mistake
from connector.config.names import (
    FIELD_PATH,
    field_path,
    header_name,
    host,
    name,
    path_list,
    servers,
    topic_name,
    url,
)
from connector.config.scalars import (
    flag,
    quiet_after,
    seconds,
    seconds_or_never,
    size,
    some_seconds,
    text,
    whole,
)


def size_within(least: str, most: str) -> tuple[AfterValidator, WithJsonSchema]:
    """A size from ``least`` to ``most``, both as a user would write them."""
    low, high = size(least), size(most)

    def check(value: int) -> int:
        if not low <= value <= high:
            raise Mistake(f"must be from {least} to {most}", f"write a size such as {least}")
        return value

    return AfterValidator(check), WithJsonSchema(_size_schema(low, high))


def choice(*allowed: str) -> BeforeValidator:
    """One of ``allowed``."""

    def check(value: object) -> str:
        word = "true" if value is True else "false" if value is False else value
        if word in allowed:
            return str(word)
        lowered = {name.lower(): name for name in allowed}
        close = get_close_matches(value.lower(), lowered, n=1) if isinstance(value, str) else []
        hint = f"did you mean {lowered[close[0]]!r}?" if close else "write one of them"
        raise Mistake(f"must be one of: {', '.join(allowed)}", hint)

    return BeforeValidator(check)


def _kind(check: Callable[[Any], Any], word: str, **schema: object) -> tuple[BeforeValidator, WithJsonSchema]:
    return BeforeValidator(check), WithJsonSchema({**schema, "x-type": word})


_DURATION_SCHEMA: dict[str, object] = {"type": "string", "pattern": r"^(\d+(\.\d+)?(ms|s|m|h|d))+$"}
_SOME: dict[str, object] = {"not": {"pattern": r"^[0.dhms]+$"}}


def _size_schema(low: int, high: int) -> dict[str, object]:
    limits = {"minimum": low, "maximum": high}
    pattern = r"^\d+(\.\d+)? ?(B|[kKMG]B|[KMG]iB)?$"
    return {"type": ["string", "integer"], "pattern": pattern, "x-type": "size", **limits}


Text: TypeAlias = Annotated[str, BeforeValidator(text)]
Duration: TypeAlias = Annotated[float, *_kind(some_seconds, "duration", **_DURATION_SCHEMA, **_SOME)]
DurationOrNever: TypeAlias = Annotated[
    float | None,
    BeforeValidator(seconds_or_never),
    WithJsonSchema(
        {
            "type": "string",
            "pattern": r"^(none|(\d+(\.\d+)?(ms|s|m|h|d))+)$",
            "x-type": "duration, or `none`",
            **_SOME,
        }
    ),
]
QuietAfter: TypeAlias = Annotated[
    float | Literal["auto", "off"],
    BeforeValidator(quiet_after),
    WithJsonSchema(
        {
            "type": ["string", "boolean"],
            "pattern": r"^(auto|off|(\d+(\.\d+)?(ms|s|m|h|d))+)$",
            "x-type": "`auto` | `off` | duration",
            "not": {"anyOf": [{"const": True}, {"type": "string", **_SOME["not"]}]},
        }
    ),
]
DurationOrNone: TypeAlias = Annotated[float, *_kind(seconds, "duration", **_DURATION_SCHEMA)]
Size: TypeAlias = Annotated[int, BeforeValidator(size), WithJsonSchema(_size_schema(2**10, 2**36))]
Whole: TypeAlias = Annotated[int, BeforeValidator(whole)]
Flag: TypeAlias = Annotated[bool, BeforeValidator(flag)]
Name: TypeAlias = Annotated[str, *_kind(name, "name", type="string", pattern=r"^[a-zA-Z0-9._-]{1,100}$")]
FieldPathText: TypeAlias = Annotated[
    str, *_kind(field_path, "path", type="string", pattern=FIELD_PATH.pattern.join("^$"))
]
TopicName: TypeAlias = Annotated[
    str, *_kind(topic_name, "topic", type="string", pattern=r"^[a-zA-Z0-9._-]{1,249}$")
]
HeaderName: TypeAlias = Annotated[str, *_kind(header_name, "header", type="string")]
SocketUrl: TypeAlias = Annotated[str, *_kind(url("ws", "wss"), "URL", type="string", pattern="^wss?://")]
HttpUrl: TypeAlias = Annotated[str, *_kind(url("http", "https"), "URL", type="string", pattern="^https?://")]
Host: TypeAlias = Annotated[str, BeforeValidator(host)]
Servers: TypeAlias = Annotated[str, BeforeValidator(servers)]
FieldPathTexts: TypeAlias = Annotated[
    tuple[FieldPathText, ...],
    BeforeValidator(path_list),
    WithJsonSchema(
        {"type": ["array", "string"], "items": {"type": "string"}, "x-type": "path or list of paths"}
    ),
]

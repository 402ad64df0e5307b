"""Text, durations, sizes and numbers as people write them. Each check raises `Mistake`."""

from __future__ import annotations

import math
import re

from connector.config.mistake import Mistake

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


def quiet_after(value: object) -> float | str:
    """``auto``, ``off``, or as `some_seconds`. YAML 1.1 reads the word off as false."""
    if value is False:
        return "off"
    if value in ("auto", "off"):
        return str(value)
    try:
        return some_seconds(value)
    except Mistake as mistake:
        raise Mistake(mistake.message, "write auto, off, or a duration such as 2m") from None


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

"""For how long repeats of a row are dropped."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BeforeValidator, WithJsonSchema

from connector.config.mistake import Mistake, checked
from connector.config.scalars import some_seconds
from connector.config.section import Section, setting
from connector.config.values import Size, size_within
from connector.records.dedup import DEFAULT_BYTES, DEFAULT_WINDOW, DedupWindow

_OFF: Literal["off"] = "off"
_FORMS = f"write window, off, or a mapping such as {{window: {DEFAULT_WINDOW}, max_bytes: {DEFAULT_BYTES}}}"


def _is_off(value: object) -> bool:
    # YAML 1.1 reads the word off as false, and Helm writes it so.
    return value is False or value == _OFF


def _window(value: object) -> float | Literal["off"]:
    return _OFF if _is_off(value) else some_seconds(value)


Window = Annotated[
    float | Literal["off"],
    BeforeValidator(_window),
    WithJsonSchema(
        {
            "type": ["string", "boolean"],
            "pattern": r"^(off|(\d+(\.\d+)?(ms|s|m|h|d))+)$",
            "not": {"anyOf": [{"const": True}, {"type": "string", "pattern": r"^[0.dhms]+$"}]},
            "x-type": "duration, or `off`",
        }
    ),
]


class DedupSection(Section):
    """How many repeats are known."""

    window: Window = setting(
        DEFAULT_WINDOW, "How long a row is remembered: a repeat that comes later is published again."
    )
    max_bytes: Annotated[Size, *size_within("64KiB", "16GiB")] = setting(
        DEFAULT_BYTES,
        "What is remembered takes no more, of this subscription alone; beyond it the oldest rows are "
        "forgotten early, and counted. A row takes 16 bytes, or 32 where what it says counts too.",
    )

    def as_window(self) -> DedupWindow | Literal["off"]:
        """The same, as plans take it."""
        if self.window == _OFF:
            return _OFF
        return DedupWindow(seconds=self.window, max_bytes=self.max_bytes)


def as_mapping(value: object) -> object:
    """What ``dedup`` is where it was written as a word."""
    if value is None or isinstance(value, dict | DedupSection):
        return value
    if _is_off(value):
        return {"window": _OFF}
    if value == "window":
        return {}
    if checked(some_seconds, value) is not None:
        raise Mistake("is a duration alone", f"write {{window: {value}}}")
    raise Mistake("is true, which says nothing" if value is True else "is neither window nor off", _FORMS)


Dedup = Annotated[DedupSection | None, BeforeValidator(as_mapping)]
"""A mapping, or a word that stands for one; ``None``: what the subscription's identity suggests."""

"""What a check of one value raises."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


class Mistake(ValueError):
    """``message`` continues the key's path (``is empty``); ``remedy`` says what to do. Never the value."""

    def __init__(self, message: str, remedy: str) -> None:
        super().__init__(message)
        self.message = message
        self.remedy = remedy


def checked(check: Callable[[object], T], value: object) -> T | None:
    """What ``check`` makes of ``value``; ``None`` where that is not known, or a mistake told elsewhere."""
    try:
        return check(value)
    except Mistake:
        return None

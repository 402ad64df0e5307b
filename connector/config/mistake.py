"""What a check of one value raises."""

from __future__ import annotations


class Mistake(ValueError):
    """``message`` continues the key's path (``is empty``); ``remedy`` says what to do. Never the value."""

    def __init__(self, message: str, remedy: str) -> None:
        super().__init__(message)
        self.message = message
        self.remedy = remedy

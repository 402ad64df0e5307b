"""What is remembered of a receipt as long as it is not durable."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any


class Pending:
    """
    One receipt's. ``remembered`` is what the window knows of it, and nobody else need understand.

    Either its epoch ends, or the receipt is dropped: then its rows were never published, and have to be
    wanted when they come again. Whichever is told first counts.
    """

    __slots__ = ("_forget", "remembered")

    def __init__(self, remembered: Sequence[Any], forget: Callable[[Sequence[Any]], None]) -> None:
        self.remembered = remembered
        self._forget = forget

    def settled(self) -> None:
        """Its epoch ended: what is remembered stays so for as long as the window says."""
        self.remembered = ()

    def forget(self) -> None:
        """The receipt was dropped."""
        remembered, self.remembered = self.remembered, ()
        if remembered:
            self._forget(remembered)


NOTHING_PENDING = Pending((), lambda remembered: None)
"""Where nothing is remembered."""

"""Errors in the place of data, and then nothing: a stream that is dead although its session lives."""

from __future__ import annotations

from collections.abc import Callable

import anyio

from connector.subscription import ServerRefused
from connector.task.connection import Connection


class FailingResults:
    """
    Of one attempt; ``clock`` returns seconds. ``error`` is the first since a result came that had none,
    ``None``: all is well.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._since = 0.0
        self._failed = anyio.Event()
        self.error: ServerRefused | None = None

    @property
    def since(self) -> float | None:
        """When the error came; ``None``: all is well."""
        return self._since if self.error is not None else None

    def note(self, error: ServerRefused | None) -> None:
        """Take note of what a result said; ``None``: it had data, or at least no errors."""
        if error is None:
            self.error = None
        elif self.error is None:
            self.error, self._since = error, self._clock()
            self._failed.set()

    async def abort_when_lasting(self, connection: Connection, patience: float) -> None:
        """
        Abort ``connection`` with the error once ``patience`` seconds have passed since it, and nothing but
        errors and keep-alives came.
        """
        while True:
            await self._failed.wait()
            self._failed = anyio.Event()
            while (error := self.error) is not None:
                left = self._since + patience - self._clock()
                if left <= 0:
                    connection.abort(error)
                    return
                await anyio.sleep(left)

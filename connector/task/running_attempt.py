"""An attempt that runs beside others, and who is told of it."""

from __future__ import annotations

from collections.abc import Callable

import anyio

from connector.task.attempt import Attempt, AttemptEvents
from connector.task.attempt_end import AttemptEnd
from connector.task.progress import Progress

MakeAttempt = Callable[[AttemptEvents], Attempt]
"""Makes an attempt that tells those events."""


class RunningAttempt:
    """
    Made by ``make``, and run with `run`. Satisfies `AttemptEvents`: what the attempt tells goes to ``told``,
    which may be another one later on; ``None``: to nobody.

    ``end`` is how it ended; ``over`` is set then. ``opened_at`` is a moment of ``clock``, in seconds.
    """

    def __init__(self, make: MakeAttempt, *, told: AttemptEvents | None, clock: Callable[[], float]) -> None:
        self.told = told
        self.end: AttemptEnd | None = None
        self.over = anyio.Event()
        self.is_ending = False
        self.opened_at = clock()
        self.attempt = make(self)

    async def run(self) -> None:
        """Return once the attempt is over. Cancelling ends it at once."""
        try:
            self.end = await self.attempt.run()
        finally:
            self.over.set()

    def finish(self, cause: str) -> None:
        """Close it on purpose; see `Attempt.finish`."""
        self.is_ending = True
        self.attempt.finish(cause)

    @property
    def progress(self) -> Progress:
        """How far it has come."""
        return self.attempt.progress

    # AttemptEvents

    def reached(self, attempt: Attempt, progress: Progress) -> None:
        """See `AttemptEvents`."""
        if self.told is not None:
            self.told.reached(attempt, progress)

    def closing(self, attempt: Attempt, cause: str) -> None:
        """See `AttemptEvents`."""
        if self.told is not None:
            self.told.closing(attempt, cause)

    def closed(self, attempt: Attempt, cause: str) -> None:
        """See `AttemptEvents`."""
        if self.told is not None:
            self.told.closed(attempt, cause)

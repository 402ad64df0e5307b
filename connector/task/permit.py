"""That one subscription may have two sessions for a while."""

from __future__ import annotations

import math
from types import TracebackType
from typing import Protocol

import anyio

from connector.records.seam import OverlapTimes
from connector.task.openings import Openings
from connector.task.rotation_policy import RotationTimes
from connector.task.rotation_queue import RotationRequest


class PermitEvents(Protocol):
    """Who gives permits, and is told what comes of them; see `RotationLimiter`."""

    @property
    def now(self) -> float:
        """The moment, in seconds of its clock."""

    def open_streams(self) -> int:
        """Return how many streams are open now."""

    @property
    def openings(self) -> Openings:
        """Of sessions where there is none."""

    def trial_begins(self, request: RotationRequest) -> None:
        """Its second session is opened, which may be one too many."""

    def trial_ends(self, request: RotationRequest) -> None:
        """It is not."""

    def proved(self, streams: int) -> bool:
        """Whether that many are known to be served."""

    def joined(self, streams: int) -> None:
        """A new session brought the rows of the old one while that many were open."""

    def silent(self, streams: int) -> None:
        """A new session brought nothing while that many were open, and the old one did."""

    def give_back(self, request: RotationRequest) -> None:
        """``request`` rotates no more."""


class Permit:
    """
    That one subscription may have a second session; to be entered, or given back by `release`.

    ``times`` are its times, in seconds. Its sessions are over at ``until``, a moment, at the latest.
    """

    def __init__(
        self, turns: PermitEvents, request: RotationRequest, times: RotationTimes, *, until: float
    ) -> None:
        self._turns = turns
        self._request = request
        self.until = until
        self._streams = turns.open_streams()
        self.times = times

    def __enter__(self) -> Permit:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.release()

    @property
    def is_probe(self) -> bool:
        """Whether it was given for a doubt, and not for a token's end."""
        return self._request.is_probe

    def release(self) -> None:
        """One session is left; told again, it does nothing."""
        self._turns.give_back(self._request)

    async def begin_trial(self) -> bool:
        """
        Wait until no sibling opens its only session, which would be the silent one if there were one too
        many; return whether that came in time. From then on no sibling does, until it is known that the new
        session is served (see `tried`), or it is over.
        """
        with anyio.move_on_after(self.until - self.times.takes - self._turns.now):
            await self._turns.openings.until_none()
            self._turns.trial_begins(self._request)
            return True
        return False

    def tried(self) -> None:
        """The new session is served; told again, it does nothing."""
        self._turns.trial_ends(self._request)

    def subscribed(self) -> OverlapTimes:
        """The new session is about to subscribe: return how long both of them live from now on."""
        now = self._turns.now
        self._streams = self._turns.open_streams()
        if now >= self.until:  # it has outlived its token meanwhile, so it may live on
            self.until = math.inf
        until = min(now + self.times.overlap_max, self.until)
        return OverlapTimes(least=max(0.0, min(self.times.overlap, until - now)), until=until)

    def joined(self) -> None:
        """The new session brought rows that the old one brought, too: so many streams are served."""
        self._turns.joined(self._streams)

    def silent(self) -> None:
        """The old session brought rows meanwhile, and the new one none: there may be too many streams."""
        self._turns.silent(self._streams)

    @property
    def is_proved(self) -> bool:
        """Whether others showed that so many streams are served, so that a silent new session has no rows."""
        return self._turns.proved(self._streams)

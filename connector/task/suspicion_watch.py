"""Looks at one subscription again and again, and asks for a probe where it is to be doubted."""

from __future__ import annotations

import anyio
import structlog

from connector.task import succession
from connector.task.attempt import Attempt
from connector.task.doubt import Doubt, Finding, Seen, Verdict
from connector.task.gap_tracker import GapTracker
from connector.task.observers import SessionObserver
from connector.task.relay import SILENT_SESSION, SessionRelay
from connector.task.settings import Shared, SubscriptionSettings
from connector.task.state import State
from connector.task.status import StatusTracker
from connector.task.suspicion import Suspicion
from connector.task.takeover import Outcome, TakeoverEnd

log = structlog.get_logger(__name__)

PROBE = "probe"
"""The cause, and the reason in metrics, where a session is reopened to find out whether it was dead."""

EXPIRY_NEAR = 60.0
"""Seconds round the renewal of a session in which that serves for a probe."""


UNTOLD_LEAST = 0.5
"""
Seconds between the last row and the loss that are a gap of their own. Less is the difference of two clocks,
where the loss was told of since the last row already.
"""


class SuspicionWatch:
    """
    One subscription's, whose sessions are those of ``relay``. Satisfies `SuspicionEvents`.
    """

    def __init__(
        self,
        settings: SubscriptionSettings,
        *,
        shared: Shared,
        status: StatusTracker,
        gaps: GapTracker,
        observer: SessionObserver,
        relay: SessionRelay,
    ) -> None:
        self._settings = settings
        self._shared = shared
        self._status = status
        self._gaps = gaps
        self._observer = observer
        self._relay = relay
        self._siblings = shared.networks.siblings(settings.network)
        self._suspicion = Suspicion(settings.name, settings.suspicion, siblings=self._siblings, events=self)

    async def run(self) -> None:
        """Go on until cancelled. Where nothing is to be doubted there is nothing to do."""
        if self._settings.suspicion.quiet_after is None:
            return
        try:
            while True:
                await anyio.sleep(self._suspicion.wait)
                self._look()
        finally:
            self._siblings.forget(self._settings.name)

    # What a probe beside the old session has shown

    def _told(self, end: TakeoverEnd | None) -> None:
        now = self._shared.clock()
        if end is None and self._relay.attempt is not None:
            if self._suspicion.no_room(now):
                self._relay.finish(PROBE)
        elif end is not None and end.outcome is Outcome.GAP:
            self._suspicion.dead(now, row_at=end.missed.since if end.missed is not None else None)
        elif end is not None and end.outcome is Outcome.JOINED:
            self._suspicion.alive(now)
        else:
            self._suspicion.nothing_proved(now)

    # What it does for Suspicion (SuspicionEvents)

    def probe(self, doubt: Doubt) -> None:
        """See `SuspicionEvents`."""
        if self._settings.suspicion.overlaps:
            self._relay.probe(self._told)
        else:
            self._relay.finish(PROBE)

    def found(self, finding: Finding) -> None:
        """See `SuspicionEvents`."""
        now, verdict = self._shared.clock(), finding.verdict
        if finding.was_probed:
            self._observer.probed(verdict.value)
        silent_for = None if finding.row_at is None else round(now - finding.row_at, 1)
        said = {"subscription": self._settings.name, "doubt": finding.doubt.value, "last_row_ago": silent_for}
        if verdict is Verdict.DEAD:
            log.warning("a session was dead although it was alive: the next one delivers", **said)
            if finding.row_at is not None and finding.live_since is not None:
                until = self._gaps.left_at if self._gaps.left_at is not None else finding.live_since
                if until - finding.row_at > UNTOLD_LEAST:
                    self._gaps.declare(since=finding.row_at, until=until, reason=SILENT_SESSION)
        elif verdict is Verdict.ALIVE:
            log.info("a session that was doubted is alive", **said)
        else:
            log.info("a probe proved nothing: nothing comes", next_probe_in=round(finding.pause), **said)

    # A look

    def _look(self) -> None:
        now, attempt = self._shared.clock(), self._relay.attempt
        seen = Seen(
            row_at=self._relay.last_row_at(),
            live_since=attempt.live_since if attempt is not None else None,
            left_at=self._gaps.left_at,
            failing_since=attempt.failing.since if attempt is not None else None,
            is_free=attempt is not None
            and self._status.state is State.LIVE
            and not self._is_due(attempt, now),
        )
        self._suspicion.look(now, seen)

    def _is_due(self, attempt: Attempt, now: float) -> bool:
        """Whether the session is renewed about now, since its token expires: that goes before a probe."""
        token, since = attempt.token, attempt.live_since
        if not self._settings.reopens or token is None or token.expires_at is None or since is None:
            return False
        renewal = token.expires_at - succession.lead(max(0.0, token.expires_at - since))
        return abs(renewal - now) < EXPIRY_NEAR

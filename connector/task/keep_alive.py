"""When silence is the end of an attempt: keep-alives, and asking for one."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, auto


@dataclass(frozen=True, kw_only=True, slots=True)
class KeepAlivePolicy:
    """
    When silence is the end. ``keepalive_timeout`` seconds without a frame; where ``probe`` is set we then
    ask for a sign of life, and wait as long again. We ping every ``ping_interval`` seconds, whatever
    comes; ``None``: only to ask.
    """

    keepalive_timeout: float
    probe: bool
    ping_interval: float | None = None


class KeepAliveAction(Enum):
    """What to do now."""

    WAIT = auto()
    PROBE = auto()
    GIVE_UP = auto()


class KeepAliveMonitor:
    """Watches one peer's silence; moments are in seconds of one clock."""

    def __init__(self, policy: KeepAlivePolicy) -> None:
        self._limit = policy.keepalive_timeout
        self._probe = policy.probe
        self._probed_at: float | None = None

    def look(self, now: float, heard_at: float) -> tuple[KeepAliveAction, float]:
        """
        Return what to do, the peer having last been heard at ``heard_at``, and after how many seconds to
        look again.
        """
        if self._probed_at is not None and heard_at >= self._probed_at:
            self._probed_at = None
        since = heard_at if self._probed_at is None else self._probed_at
        left = since + self._limit - now
        if left > 0:
            return KeepAliveAction.WAIT, left
        if self._probe and self._probed_at is None:
            self._probed_at = now
            return KeepAliveAction.PROBE, self._limit
        return KeepAliveAction.GIVE_UP, 0.0

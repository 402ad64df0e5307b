"""What a subscription leaves to the one that goes on in its place."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True, slots=True)
class OpenGap:
    """
    A period without a session that goes on. Moments are seconds of `time.monotonic`: it began at
    ``since``, and its seconds are counted up to ``counted_to``. ``reason`` is that of the first loss.
    ``since_ms`` is when it began in milliseconds since 1970, and ``id`` what events call it.
    """

    since: float
    since_ms: int
    counted_to: float
    reason: str
    id: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Handover:
    """
    How a subscription stood when its last session was over.

    ``ended_at`` is when that was, in seconds of `time.monotonic`; minus infinity where it had none.
    ``is_replaced`` tells that it was changed, and not removed. ``gap`` is then what the one that goes on
    has to answer for; ``None``: nothing is open. ``learnt`` tells that the offset of its start is in that.
    """

    ended_at: float
    is_replaced: bool
    gap: OpenGap | None
    learnt: bool = False

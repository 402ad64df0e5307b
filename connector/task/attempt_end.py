"""How an attempt ended."""

from __future__ import annotations

from dataclasses import dataclass

from connector.auth import Token
from connector.subscription import SessionError
from connector.task.progress import Progress


@dataclass(frozen=True, kw_only=True, slots=True)
class AttemptEnd:
    """
    How an attempt, made with ``token``, ended.

    ``cause`` names the purpose (stop, reopen, reload, shed, failed, rotate, probe) or is ``None`` where
    ``error`` says what happened. ``delivered``: data came. ``live_for`` are its seconds of life,
    ``last_heard_at`` and ``ended_at`` moments of its clock, and so is ``last_row_at``, when it last brought
    rows (``None``: it brought none). ``stream_failed``: it was ended since errors came in the place of data,
    and then nothing.
    """

    token: Token | None
    cause: str | None
    error: SessionError | None
    progress: Progress
    delivered: bool
    live_for: float
    last_heard_at: float
    ended_at: float
    stream_failed: bool = False
    last_row_at: float | None = None

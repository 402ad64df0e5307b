"""When the keeper asks for a token."""

from __future__ import annotations

from collections.abc import Callable

from connector.auth.grant import GrantRefused
from connector.backoff import Backoff, Steps
from connector.errors import RetriableError

#: Fetches that nothing but time asks for are at least this many seconds apart.
LEAST_APART = 1.0

#: A long-lived token is refreshed at most this many seconds before its end.
_LONGEST_LEAD = 600.0

#: A Retry-After above this many seconds is cut to it.
_LONGEST_RETRY_AFTER = 3600.0

#: No failed fetch is repeated sooner than after this many seconds.
_LEAST_RETRY = 0.5


class Retry:
    """How long to wait after failed fetches: seconds when it passes by itself, else minutes."""

    def __init__(self, rng: Callable[[], float]) -> None:
        self._passing = Backoff(first=1.0, cap=60.0, rng=rng)
        self._permanent = Steps(first=60.0, cap=600.0, rng=rng)

    def after(self, error: RetriableError) -> float:
        """Return the seconds to wait after ``error``, not less than it asks for."""
        asked = min(error.retry_after or 0.0, _LONGEST_RETRY_AFTER)
        if isinstance(error, GrantRefused):
            return max(self._permanent.next(), asked)
        return self._passing.next(at_least=max(_LEAST_RETRY, asked))

    def reset(self) -> None:
        """Forget earlier failures."""
        self._passing.reset()
        self._permanent.reset()


def refresh_at(
    *, asked_at: float, now: float, life: float | None, rng: Callable[[], float], needed: float = 0.0
) -> float:
    """
    Return the moment to ask for the next token: after 0.75 to 0.85 of the ``life``, for long ones
    `_LONGEST_LEAD` or up to a fifth less before its end; infinity when the life is unknown. Where the next
    one is ``needed`` more seconds before the end, it is asked for so long before, or up to a twentieth more.

    The jitter keeps programs that started together apart.
    """
    if life is None:
        return float("inf")
    lead = min(life * (0.25 - 0.1 * rng()), _LONGEST_LEAD * (1 - 0.2 * rng()))
    if needed > lead:
        lead = needed * (1 + 0.05 * rng())
    return max(asked_at + life - lead, now + LEAST_APART)

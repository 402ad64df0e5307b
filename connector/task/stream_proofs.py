"""
That a session brought rows while so many streams were open with its credential.

Over a plan's cap of streams a session is acknowledged like any other, and stays silent. So the silence of a
new one means nothing unless it is known that as many streams are served.
"""

from __future__ import annotations

import math

PROOF_LASTS = 3600.0
"""Seconds: others may use the same account, and a plan may be changed."""

REFUTED_FIRST = 60.0
"""Seconds for which no more streams are tried than were served; each time twice as long, to `PROOF_LASTS`."""


class StreamProofs:
    """
    Those of one credential; moments are seconds of one clock. ``cap`` is how many streams the plan serves,
    ``None``: not known.
    """

    def __init__(self, *, cap: int | None = None) -> None:
        self._cap = cap
        self._proofs: list[tuple[int, float]] = []  # the fewer streams, the later
        self._too_many: int | None = None
        self._tried_after = -math.inf
        self._pause = REFUTED_FIRST

    def served(self, streams: int, now: float) -> None:
        """A new session brought rows while ``streams`` were open, itself among them."""
        self._proofs = [proof for proof in self._proofs if proof[0] > streams and _lasts(proof, now)]
        self._proofs.append((streams, now))
        if self._too_many is not None and self._too_many <= streams:
            self._too_many, self._pause = None, REFUTED_FIRST

    def silent(self, streams: int, now: float) -> None:
        """A new session was silent while ``streams`` were open, and another one brought rows of the same."""
        self._proofs = [proof for proof in self._proofs if proof[0] < streams]
        if self._too_many is not None and now < self._tried_after:
            self._too_many = min(self._too_many, streams)
        else:
            self._too_many = streams
            self._tried_after, self._pause = now + self._pause, min(2 * self._pause, PROOF_LASTS)

    def most(self, now: float) -> int | None:
        """Return how many streams may be served, and no more; ``None``: nothing is known of that."""
        if self._too_many is None or now >= self._tried_after:
            return self._cap
        learnt = self._too_many - 1
        return learnt if self._cap is None else min(learnt, self._cap)

    def fits(self, streams: int, now: float) -> bool:
        """Whether the plan is known to have room for that many, and nothing speaks against it."""
        most = self.most(now)
        return self._cap is not None and most is not None and streams <= most

    def holds(self, streams: int, now: float) -> bool:
        """Whether that many streams are known to be served."""
        return any(proof[0] >= streams and _lasts(proof, now) for proof in self._proofs)


def _lasts(proof: tuple[int, float], now: float) -> bool:
    return now - proof[1] <= PROOF_LASTS

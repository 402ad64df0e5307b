"""
That a session brought rows while so many streams were open with its credential.

Over a plan's cap of streams a session is acknowledged like any other, and stays silent. So the silence of a
new one means nothing unless it is known that as many streams are served.
"""

from __future__ import annotations

PROOF_LASTS = 3600.0
"""Seconds: others may use the same account, and a plan may be changed."""


class StreamProofs:
    """
    Those of one credential; moments are seconds of one clock. ``cap`` is how many streams the plan serves,
    ``None``: not known.
    """

    def __init__(self, *, cap: int | None = None) -> None:
        self._cap = cap
        self._proofs: list[tuple[int, float]] = []  # the fewer streams, the later
        self._refuted: tuple[int, float] | None = None

    def served(self, streams: int, now: float) -> None:
        """A new session brought rows while ``streams`` were open, itself among them."""
        self._proofs = [proof for proof in self._proofs if proof[0] > streams and _lasts(proof, now)]
        self._proofs.append((streams, now))
        if self._refuted is not None and self._refuted[0] <= streams:
            self._refuted = None

    def silent(self, streams: int, now: float) -> None:
        """A new session was silent while ``streams`` were open, and another one brought rows of the same."""
        self._proofs = [proof for proof in self._proofs if proof[0] < streams]
        refuted = self._refuted
        if refuted is None or streams <= refuted[0] or not _lasts(refuted, now):
            self._refuted = (streams, now)

    def most(self, now: float) -> int | None:
        """Return how many streams may be served, and no more; ``None``: nothing is known of that."""
        if self._refuted is None or not _lasts(self._refuted, now):
            return self._cap
        learnt = self._refuted[0] - 1
        return learnt if self._cap is None else min(learnt, self._cap)

    def allow(self, streams: int, now: float) -> bool:
        """Whether that many are served for certain: the plan has room for them, or it was proved."""
        if self._cap is None:
            return self.holds(streams, now)
        most = self.most(now)
        return most is not None and streams <= most

    def holds(self, streams: int, now: float) -> bool:
        """Whether that many streams are known to be served."""
        return any(proof[0] >= streams and _lasts(proof, now) for proof in self._proofs)


def _lasts(proof: tuple[int, float], now: float) -> bool:
    return now - proof[1] <= PROOF_LASTS

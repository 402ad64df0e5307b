"""
That a session brought rows while so many streams were open with its credential.

Over a plan's cap of streams a session is acknowledged like any other, and stays silent. So the silence of a
new one means nothing unless it is known that as many streams are served.
"""

from __future__ import annotations

PROOF_LASTS = 3600.0
"""Seconds: others may use the same account, and a plan may be changed."""


class StreamProofs:
    """Those of one credential; moments are seconds of one clock."""

    def __init__(self) -> None:
        self._proofs: list[tuple[int, float]] = []  # the fewer streams, the later

    def served(self, streams: int, now: float) -> None:
        """A new session brought rows while ``streams`` were open, itself among them."""
        self._proofs = [proof for proof in self._proofs if proof[0] > streams and _lasts(proof, now)]
        self._proofs.append((streams, now))

    def silent(self, streams: int) -> None:
        """A new session was silent while ``streams`` were open, and another one brought rows of the same."""
        self._proofs = [proof for proof in self._proofs if proof[0] < streams]

    def holds(self, streams: int, now: float) -> bool:
        """Whether that many streams are known to be served."""
        return any(proof[0] >= streams and _lasts(proof, now) for proof in self._proofs)


def _lasts(proof: tuple[int, float], now: float) -> bool:
    return now - proof[1] <= PROOF_LASTS

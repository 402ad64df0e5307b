"""What rows of a window are remembered in, whatever is remembered of each."""

from __future__ import annotations

from connector.records.seam.ageing import Ageing
from connector.records.seam.counts import SeamCounts
from connector.records.seam.digest_table import DigestTable


class Window:
    """
    Remembers entries of ``width`` bytes for ``seconds``, in ``max_bytes`` at most; ``counts`` is told what
    becomes of rows.
    """

    def __init__(self, width: int, *, seconds: float, max_bytes: int, counts: SeamCounts) -> None:
        self._table = DigestTable(width)
        self._ageing = Ageing(self._table, seconds=seconds, max_bytes=max_bytes, counts=counts)
        self._counts = counts
        self._tag = self._ageing.tag

    def _turn(self, now: float) -> None:
        """Go on to ``now``, in seconds, never less than before: what comes is remembered from then on."""
        self._ageing.turn(now)
        self._tag = self._ageing.tag

    @property
    def size(self) -> int:
        """Bytes that are taken."""
        return self._table.size

    def __len__(self) -> int:
        return self._table.entries

    def covered(self, now: float) -> float:
        """See `Ageing.covered`."""
        return self._ageing.covered(now)

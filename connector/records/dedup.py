"""For how long a row is known again, and in how much memory."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from connector.upstream import IdentityKind

BYTES_PER_ROW: Mapping[IdentityKind, int] = MappingProxyType({"unique": 16, "advisory": 32})
"""
What a remembered row takes: its digest, and where what it says counts too, a digest of that; with its share
of the table, and of rows that are old and not taken out yet.
"""

DEFAULT_WINDOW = "10m"
DEFAULT_BYTES = "16MiB"
"""As a configuration has them. A subscription is to fit into a pod together with some others."""


@dataclass(frozen=True, kw_only=True, slots=True)
class DedupWindow:
    """
    Rows are known again for ``seconds``, as long as what is remembered of them takes no more than
    ``max_bytes``; beyond that for less.
    """

    seconds: float = 600.0
    max_bytes: int = 16 * 1024**2

    def rows(self, kind: IdentityKind) -> int:
        """Return how many rows with an identity of this ``kind`` are remembered at most."""
        return self.max_bytes // BYTES_PER_ROW[kind]

    def rows_per_second(self, kind: IdentityKind) -> float:
        """Return up to which rate of rows the whole window is kept."""
        return self.rows(kind) / self.seconds

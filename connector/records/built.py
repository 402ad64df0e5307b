"""What becomes of the rows that came together."""

from __future__ import annotations

from dataclasses import dataclass, field

import msgspec

from connector.records.bad import BadRecord
from connector.records.record import SourceRecord

RefusedRow = tuple[msgspec.Raw, int]
"""A row that was not wanted, and its digest."""


@dataclass(slots=True)
class BuiltRecords:
    """
    Every row that was given is in one of three places, each of them in the order received.

    ``topics`` holds the records by topic, ``failed`` the rows that cannot become records, and ``refused``
    those whose digest was told to be not wanted. ``digests`` has, for each list of records, one as long with
    their digests: ``None`` for a row without. It is empty where the subscription has no identity. Failed
    rows carry their digest, so that whoever drops one can forget it.
    """

    topics: dict[str, list[SourceRecord]] = field(default_factory=dict)
    digests: dict[str, list[int | None]] = field(default_factory=dict)
    failed: list[BadRecord] = field(default_factory=list)
    refused: list[RefusedRow] = field(default_factory=list)
    keys_missing: int = 0
    identities_missing: int = 0
    times_missing: int = 0

    @property
    def is_odd(self) -> bool:
        """Whether something is missing in a row."""
        return bool(self.keys_missing or self.identities_missing or self.times_missing)

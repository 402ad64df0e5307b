"""Receipts as the receiving side makes them."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import msgspec

from connector.records.list_slices import Slices


@dataclass(slots=True)
class Came:
    """See `connector.records.seam.Receipt`."""

    rows: list[msgspec.Raw]
    received_at: float = 0.0
    size: int = 0
    slices: Slices | None = None


def row(number: int, **fields: object) -> msgspec.Raw:
    return msgspec.Raw(json.dumps({"id": str(number), **fields}).encode())


@dataclass(slots=True)
class Published:
    """What went on, in order, receipt by receipt."""

    receipts: list[Came] = field(default_factory=list)

    def add(self, receipts: Iterable[Came]) -> None:
        for receipt in receipts:
            assert all(receipt is not one for one in self.receipts), "a receipt went on twice"
            self.receipts.append(receipt)

    @property
    def rows(self) -> list[bytes]:
        return [bytes(one) for receipt in self.receipts for one in rows_of(receipt)]

    @property
    def counts(self) -> Counter[bytes]:
        return Counter(self.rows)


def rows_of(receipt: Came) -> Sequence[msgspec.Raw]:
    if receipt.slices is None:
        return receipt.rows
    rows: list[msgspec.Raw] = []
    while not receipt.slices.is_empty:
        rows += receipt.slices.next()
    return rows

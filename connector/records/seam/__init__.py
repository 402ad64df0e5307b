"""
The seam: drops what was published before.

All the time, where rows have an identity (`IdentityWindow`, `CountedWindow`); and while two sessions of one
subscription live (`Overlap`: `Join` and `Closing`).
"""

from connector.records.seam.closing import OverlapTimes, Verdict
from connector.records.seam.counts import SeamCounts
from connector.records.seam.overlap import Missed, Overlap
from connector.records.seam.pending import NOTHING_PENDING, Pending
from connector.records.seam.receipt import Receipt, RowSource
from connector.records.seam.seam import Seam, SeamSpec

__all__ = [
    "NOTHING_PENDING",
    "Missed",
    "Overlap",
    "OverlapTimes",
    "Pending",
    "Receipt",
    "RowSource",
    "Seam",
    "SeamCounts",
    "SeamSpec",
    "Verdict",
]

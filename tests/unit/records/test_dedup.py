"""What is said of a window before any row comes, against the windows themselves."""

from __future__ import annotations

import msgspec
import pytest

from connector.records.dedup import DedupWindow
from connector.records.identity import DIGESTS
from connector.records.seam import RowSource, SeamCounts
from connector.records.seam.counted_window import CountedWindow
from connector.records.seam.identity_window import IdentityWindow
from connector.upstream import IdentityKind

SECONDS = 60.0
STEPS = 4
"""Receipts in a second."""


def forgotten(window: DedupWindow, kind: IdentityKind, rate: float) -> int:
    """Return how many rows go early where ``rate`` rows a second come, for three windows' time."""
    counts = SeamCounts()
    made = IdentityWindow if kind == "unique" else CountedWindow
    one = made(seconds=window.seconds, max_bytes=window.max_bytes, counts=counts)
    source = RowSource(1)
    came = 0
    for step in range(int(3 * window.seconds * STEPS)):
        now = step / STEPS
        one.begin(now, source)
        while came < rate * now:
            came += 1
            assert one.admits(DIGESTS[128](b"%d" % came), msgspec.Raw(b"%d" % came))
        one.end()
    assert (one.covered(now) == window.seconds) == (counts.forgotten == 0)
    return counts.forgotten


@pytest.mark.parametrize("kind", ["unique", "advisory"])
def test_the_window_is_whole_up_to_the_rate_that_is_said(kind: IdentityKind) -> None:
    window = DedupWindow(seconds=SECONDS, max_bytes=2**17)
    rate = window.rows_per_second(kind)
    assert forgotten(window, kind, rate) == 0
    assert forgotten(window, kind, rate * 1.2) > 0

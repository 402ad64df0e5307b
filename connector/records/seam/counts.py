"""What a seam did, in numbers."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(slots=True)
class SeamCounts:
    """
    Rows of one subscription since it began.

    Dropped: ``repeats``, as the window knew their identity; ``joined``, as the other of two sessions brought
    them; ``partial``, of a document with metrics, from before the point where the new session is complete.

    Published, although their identity was known: ``conflicts``, with another content from the same source,
    and ``differences``, with another content from another source. ``unmatched`` rows of a new session were
    published while the old one had not brought them: it lost them, or the two compute them differently.

    ``forgotten`` rows went before their time for want of memory: should they come again they are published
    twice.
    """

    repeats: int = 0
    joined: int = 0
    partial: int = 0
    conflicts: int = 0
    differences: int = 0
    unmatched: int = 0
    forgotten: int = 0

"""
How the C library handles memory.

By itself glibc gives every batch's buffers back to the kernel once they are sent, and has the kernel clear
as many pages again for the next one, which takes a sixth of the time.
"""

from __future__ import annotations

import ctypes
import os

_M_TRIM_THRESHOLD, _M_TOP_PAD, _M_MMAP_THRESHOLD = -1, -2, -3  # malloc.h

_SETTINGS = ((_M_MMAP_THRESHOLD, 32 << 20), (_M_TRIM_THRESHOLD, 64 << 20), (_M_TOP_PAD, 1 << 20))
"""In bytes. What is larger than the first goes back at once, what is free beyond the second later on."""


def keep_buffers() -> None:
    """Keep what was freed for the next batch. Whoever set ``MALLOC_…_`` in the environment has decided."""
    if any(name.startswith("MALLOC_") for name in os.environ):
        return
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (AttributeError, OSError):
        return  # not glibc
    for setting, size in _SETTINGS:
        mallopt(setting, size)

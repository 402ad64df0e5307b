"""Which event loop the commands run on."""

from __future__ import annotations

from typing import Any


def loop_factory() -> Any:
    """Return uvloop's where it is installed, else ``None``: the standard one."""
    try:
        import uvloop
    except ImportError:
        return None
    return uvloop.new_event_loop

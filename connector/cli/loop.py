"""Which event loop the commands run on."""

from __future__ import annotations

import asyncio
from typing import Any

from connector.network import racing_loop


def loop_factory() -> Any:
    """Return what makes uvloop's loops where it is installed, else the standard ones; connections race."""
    try:
        import uvloop
    except ImportError:
        return racing_loop(asyncio.SelectorEventLoop)
    return racing_loop(uvloop.Loop)

"""
pproxy with a hosts file of its own.

``python -m tests.proxies.launch HOSTS ARGUMENTS...``: HOSTS is JSON, names and addresses that nobody else can
reach → where the proxy finds them. So a test sees that it was the proxy which connected, and needs no address
but the loopback's, where proxies are never used.
"""

from __future__ import annotations

import asyncio
import json
import sys
from typing import Any

_open_connection = asyncio.open_connection


def main() -> None:
    """Run until terminated."""
    hosts: dict[str, str] = json.loads(sys.argv[1])

    async def open_connection(host: Any = None, port: Any = None, **options: Any) -> Any:
        return await _open_connection(hosts.get(host, host), port, **options)

    asyncio.open_connection = open_connection
    # Where uvloop is installed it takes that, and then expects a loop that nobody makes.
    sys.modules["uvloop"] = None  # type: ignore[assignment]
    asyncio.set_event_loop(asyncio.new_event_loop())
    from pproxy.server import main as run

    run(sys.argv[2:])


if __name__ == "__main__":
    main()

"""
An event loop whose connections race.

Libraries open connections by the loop's ``create_connection`` and ask it for names, so this is the one place
that all of them go through: websockets, aiokafka's bootstrap and brokers, proxies, HTTP.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from connector.network.race import connect_first
from connector.network.resolver import Address, Resolver, as_looked_up

_OURS = ("family", "proto", "flags", "happy_eyeballs_delay", "interleave", "all_errors")

if TYPE_CHECKING:
    _Base = asyncio.AbstractEventLoop
else:
    _Base = object


class _Racing(_Base):
    """Goes before a loop's class; all loops of the process share ``resolver``."""

    resolver = Resolver()

    async def getaddrinfo(  # type: ignore[override]
        self, host: Any, port: Any, *, family: int = 0, type: int = 0, proto: int = 0, flags: int = 0
    ) -> list[Address]:
        """See `asyncio.loop.getaddrinfo`, and `Resolver`."""
        return await self.resolver.resolve(host, port, family=family, type=type, proto=proto, flags=flags)

    async def create_connection(
        self, protocol_factory: Callable[[], Any], host: Any = None, port: Any = None, **options: Any
    ) -> Any:
        """See `asyncio.loop.create_connection`; the addresses of ``host`` race."""
        if host is None or options.get("sock") is not None or options.get("local_addr") is not None:
            return await super().create_connection(protocol_factory, host, port, **options)
        ours = {name: options.pop(name, 0) for name in _OURS}
        if options.get("ssl"):
            name = options.get("server_hostname")
            options["server_hostname"] = as_looked_up(host if name is None else name, port)
        addresses = await self.resolver.resolve(
            host,
            port,
            family=ours["family"],
            type=socket.SOCK_STREAM,
            proto=ours["proto"],
            flags=ours["flags"],
        )
        options["sock"] = sock = await connect_first(addresses)
        try:
            return await super().create_connection(protocol_factory, **options)
        except BaseException:
            sock.close()
            raise


def racing_loop(base: type[Any]) -> type[Any]:
    """Return ``base``, the class of an event loop, as one whose connections race."""
    return type("RacingLoop", (_Racing, base), {})

"""Connections through an HTTP proxy: CONNECT (RFC 9110 §9.3.6)."""

from __future__ import annotations

import asyncio
import re
import socket

from connector.http.proxy import Proxy
from connector.network import connect_first

_LONGEST_HEAD = 16_384
_STATUS = re.compile(rb"\s*HTTP/1\.[01][ \t]+(\d{3})[ \t\r\n]", re.IGNORECASE)
_MOST_INTERIM = 100


async def connect_http(proxy: Proxy, host: str, port: int) -> tuple[socket.socket, int]:
    """
    Return a socket to the proxy, in non-blocking mode, and the status that it answered the request for
    ``host`` with; 0 where the answer is none of HTTP's. On success (2xx) the socket leads to the host.

    Raises:
        OSError: The proxy was not reached, or ended the connection.
    """
    sock = await reach(proxy)
    try:
        await asyncio.get_running_loop().sock_sendall(sock, _request(proxy, host, port))
        return sock, await _status(sock)
    except BaseException:
        sock.close()
        raise


def _request(proxy: Proxy, host: str, port: int) -> bytes:
    place = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    head = f"CONNECT {place} HTTP/1.1\r\nHost: {place}\r\nUser-Agent: graphql-kafka-connector\r\n"
    if proxy.basic is not None:
        head += f"Proxy-Authorization: Basic {proxy.basic}\r\n"
    return f"{head}\r\n".encode("ascii")


async def reach(proxy: Proxy) -> socket.socket:
    """
    Return a socket to the proxy, in non-blocking mode; its addresses race.

    Raises:
        OSError: No address of it answers.
    """
    loop = asyncio.get_running_loop()
    return await connect_first(await loop.getaddrinfo(proxy.host, proxy.port, type=socket.SOCK_STREAM))


async def _status(sock: socket.socket) -> int:
    for _ in range(_MOST_INTERIM):
        status = await _next_status(sock)
        if not 100 <= status < 200:  # RFC 9110 §15.2: others are interim
            return status
    return 0


async def _next_status(sock: socket.socket) -> int:
    # Byte by byte, so that nothing behind the head is taken: that is the host's.
    loop = asyncio.get_running_loop()
    head = bytearray()
    while not head.endswith((b"\r\n\r\n", b"\n\n")):
        byte = await loop.sock_recv(sock, 1)
        if not byte or len(head) > _LONGEST_HEAD:
            return 0
        head += byte
    found = _STATUS.match(head)
    return int(found[1]) if found else 0

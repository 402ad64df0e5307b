"""
The library's HTTP over our connections through SOCKS proxies.

Its own SOCKS loses a connection whenever a proxy hangs or refuses, takes a reply in pieces for nonsense, and
has the proxy resolve names for ``socks5`` too.
"""

from __future__ import annotations

import ssl
from collections.abc import AsyncIterator, Iterable
from typing import Any

import anyio
import httpcore2
import httpx2
from anyio.abc import ByteStream, SocketStream
from anyio.streams.tls import TLSAttribute, TLSStream

from connector.http.proxy import Proxy
from connector.http.tunnel import open_tunnel


class TunnelTransport(httpx2.AsyncBaseTransport):
    """Each request on a connection of its own through ``proxy``; ``tls`` is for the host behind it."""

    def __init__(self, proxy: Proxy, tls: ssl.SSLContext) -> None:
        self._pool = httpcore2.AsyncConnectionPool(
            ssl_context=tls, max_keepalive_connections=0, network_backend=_Backend(proxy)
        )

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        url = httpcore2.URL(
            scheme=request.url.raw_scheme,
            host=request.url.raw_host,
            port=request.url.port,
            target=request.url.raw_path,
        )
        answer = await self._pool.handle_async_request(
            httpcore2.Request(
                method=request.method,
                url=url,
                headers=request.headers.raw,
                content=request.stream,
                extensions=request.extensions,
            )
        )
        assert not isinstance(answer.stream, Iterable)
        return httpx2.Response(
            status_code=answer.status,
            headers=answer.headers,
            stream=_Body(answer),
            extensions=answer.extensions,
        )

    async def aclose(self) -> None:
        await self._pool.aclose()


class _Body(httpx2.AsyncByteStream):
    def __init__(self, answer: httpcore2.Response) -> None:
        self._answer = answer

    async def __aiter__(self) -> AsyncIterator[bytes]:
        async for part in self._answer.aiter_stream():
            yield part

    async def aclose(self) -> None:
        await self._answer.aclose()


class _Backend(httpcore2.AsyncNetworkBackend):
    def __init__(self, proxy: Proxy) -> None:
        self._proxy = proxy

    async def connect_tcp(
        self, host: str, port: int, *args: Any, **options: Any
    ) -> httpcore2.AsyncNetworkStream:
        sock = await open_tunnel(self._proxy, host, port)
        try:
            return _Stream(await SocketStream.from_socket(sock))
        except BaseException:
            sock.close()
            raise


class _Stream(httpcore2.AsyncNetworkStream):
    """Without timeouts: the client has one deadline for the whole exchange."""

    def __init__(self, stream: ByteStream) -> None:
        self._stream = stream

    async def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        try:
            return await self._stream.receive(max_bytes)
        except anyio.EndOfStream:
            return b""

    async def write(self, buffer: bytes, timeout: float | None = None) -> None:
        if buffer:
            await self._stream.send(buffer)

    async def aclose(self) -> None:
        await self._stream.aclose()

    async def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore2.AsyncNetworkStream:
        try:
            secured = await TLSStream.wrap(
                self._stream,
                hostname=server_hostname,
                ssl_context=ssl_context,
                server_side=False,
                standard_compatible=False,
            )
        except BaseException:
            await anyio.aclose_forcefully(self._stream)
            raise
        return _Stream(secured)

    def get_extra_info(self, info: str) -> Any:
        return self._stream.extra(TLSAttribute.ssl_object, None) if info == "ssl_object" else None  # noqa: S610 - no Django

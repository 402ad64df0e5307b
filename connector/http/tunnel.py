"""Connections through a proxy, to speak to the host behind it as if there were none."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING

from connector.errors import RetriableError
from connector.http.connect import connect_http, reach
from connector.http.proxy import Proxy, proxy_refused

if TYPE_CHECKING:
    from python_socks import ProxyError


class ProxyFailed(RetriableError):
    """The proxy was not reached, or did not connect us. The message names it, without its credentials."""


async def open_tunnel(proxy: Proxy, host: str, port: int) -> socket.socket:
    """
    Return a connected socket to ``host``, in non-blocking mode. There is no deadline but the caller's.

    Raises:
        ProxyFailed: The proxy was not reached, or did not connect us.
    """
    try:
        if proxy.scheme == "http":
            sock, status = await connect_http(proxy, host, port)
        else:
            return await _connect_socks(proxy, host, port)
    except OSError as error:
        said = error.strerror or "no address of it answers"
        failed = ProxyFailed(f"the proxy {proxy} cannot be reached: {said}")
    else:
        if 200 <= status < 300:
            return sock
        sock.close()
        nonsense = f"the proxy {proxy} does not answer as an HTTP proxy does"
        failed = ProxyFailed(proxy_refused(proxy, status) if status else nonsense)
    # Out here: what the library raised stays no context.
    raise failed


async def _connect_socks(proxy: Proxy, host: str, port: int) -> socket.socket:
    # Not at the top: who uses no SOCKS proxy need not pay for the library.
    from python_socks import ProxyError, ProxyType
    from python_socks.async_.asyncio import Proxy as Socks

    class Reached(Socks):
        """Stands before the proxy: the library would try no more than one of its addresses."""

        async def connect(self, *_: object, **__: object) -> socket.socket:
            return sock

    resolves_there = proxy.scheme == "socks5h"
    place = (proxy.host, proxy.port)
    sock = await reach(proxy)
    socks = Socks(
        ProxyType.SOCKS5,
        *place,
        proxy.user,
        proxy.password,
        resolves_there,
        forward=Reached(ProxyType.SOCKS5, *place),
    )
    try:
        return await socks.connect(host, port)
    except ProxyError as error:
        said = _refusal(proxy, error)
    except socket.gaierror:
        said = "was not asked: the host's name is not known here (socks5h:// has the proxy resolve it)"
    except TimeoutError:
        said = "does not answer"
    except OSError as error:
        said = f"ended the connection: {error.strerror or type(error).__name__}"
    raise ProxyFailed(f"the proxy {proxy} {said}")


def _refusal(proxy: Proxy, error: ProxyError) -> str:
    text = str(error)
    if text.startswith("No acceptable authentication"):
        return "wants a user and a password" if proxy.user is None else "takes no user and password"
    if text.startswith("Username and password authentication"):
        return "does not accept user and password"
    if error.error_code is not None:  # one of RFC 1928 §6, in the library's words
        return f"cannot connect to the host: {text}"
    return "does not speak SOCKS5"

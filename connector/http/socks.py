"""Connections through a SOCKS proxy (RFC 1928, RFC 1929)."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING

from connector.errors import RetriableError
from connector.http.proxy import Proxy

if TYPE_CHECKING:
    from python_socks import ProxyError


class ProxyFailed(RetriableError):
    """The proxy was not reached, or did not connect us. The message names it, without its credentials."""


async def connect_socks(proxy: Proxy, host: str, port: int) -> socket.socket:
    """
    Return a connected socket to ``host``, in non-blocking mode. There is no deadline but the caller's.

    Raises:
        ProxyFailed: The proxy was not reached, or did not connect us.
    """
    # Not at the top: who uses no SOCKS proxy need not pay for the library.
    from python_socks import ProxyConnectionError, ProxyError, ProxyType
    from python_socks.async_.asyncio import Proxy as Socks

    resolves_there = proxy.scheme == "socks5h"
    socks = Socks(ProxyType.SOCKS5, proxy.host, proxy.port, proxy.user, proxy.password, resolves_there)
    try:
        return await socks.connect(host, port)
    except ProxyConnectionError as error:
        cause = error.__cause__
        said = f"cannot be reached: {getattr(cause, 'strerror', None) or 'no address of it answers'}"
    except ProxyError as error:
        said = _refusal(proxy, error)
    except socket.gaierror:
        said = "was not asked: the host's name is not known here (socks5h:// has the proxy resolve it)"
    except TimeoutError:
        said = "does not answer"
    except OSError as error:
        said = f"ended the connection: {error.strerror or type(error).__name__}"
    # Out here: what the library raised stays no context.
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

"""Why there was no answer, in words that hold nothing of what was sent."""

from __future__ import annotations

import errno
import os
import re
import socket
from collections.abc import Mapping

from connector.http.proxy import Proxy, proxy_refused
from connector.http.tunnel import ProxyFailed
from connector.tls import TLS_ENDED, TlsFileError, find_tls_error, tls_reason

_STATUS = re.compile(r"(\d{3})\b")

_ENDED: Mapping[str, str] = {
    "Server disconnected": "the connection ended before there was an answer",
    "peer closed connection": "the connection ended before the answer was whole",
}
"""Beginnings of the library's messages; any other error of the protocol is `_NO_HTTP`."""

_NO_HTTP = "what it answered cannot be read as HTTP"

_TEXTS: Mapping[int | None, str] = {
    code: os.strerror(code)
    for code in (
        errno.ECONNREFUSED,
        errno.ECONNRESET,
        errno.EHOSTUNREACH,
        errno.ENETUNREACH,
        errno.ETIMEDOUT,
        errno.EPIPE,
        errno.EADDRNOTAVAIL,
        errno.EMFILE,
        errno.ENFILE,
    )
}
"""By code: what systems say, which asyncio replaces by words of its own."""


def why(error: Exception, proxy: Proxy | None, *, is_secure: bool) -> str:
    """
    Return the reason for an error of the HTTP library, or of ours, in words; where there are none for it, the
    class name of what happened first. ``is_secure`` is whether TLS was to be spoken.
    """
    import httpx2

    tls = find_tls_error(error)
    if tls is not None:
        return f"TLS: {tls_reason(tls)}"
    for known in _chain(error):
        if isinstance(known, TlsFileError):
            return f"TLS: {known}"
        if isinstance(known, ProxyFailed):
            return str(known)
        if isinstance(known, httpx2.ProxyError) and proxy is not None:
            status = _STATUS.match(str(known))
            return proxy_refused(proxy, int(status[1])) if status else f"the proxy {proxy} refused"
        if isinstance(known, httpx2.ConnectError) and proxy is not None:
            return f"the proxy {proxy} cannot be reached: {_in_words(error)}"
    if is_secure and (isinstance(error, httpx2.ReadError) or str(error).startswith("Server disconnected")):
        return f"TLS: {TLS_ENDED}"
    through = f" through the proxy {proxy}" if proxy is not None else ""
    return f"{_in_words(error)}{through}"


def _in_words(error: Exception) -> str:
    """No message of another is quoted: it may hold what was sent."""
    import httpx2

    first = _chain(error)[-1]
    if isinstance(first, socket.gaierror):
        return "the name of the host is not known (DNS)"
    if isinstance(first, OSError) and first.errno in _TEXTS:
        return _TEXTS[first.errno]
    if isinstance(error, httpx2.RemoteProtocolError):
        said = str(error)
        return next((words for start, words in _ENDED.items() if said.startswith(start)), _NO_HTTP)
    return type(first).__name__


def _chain(error: Exception) -> list[Exception]:
    """The error, and what it came from, back to what happened first."""
    found: list[Exception] = []
    inner: BaseException | None = error
    while isinstance(inner, Exception) and inner not in found:
        found.append(inner)
        inner = (
            inner.exceptions[0] if isinstance(inner, ExceptionGroup) else inner.__cause__ or inner.__context__
        )
    return found

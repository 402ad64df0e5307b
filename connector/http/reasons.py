"""Why there was no answer, in words that hold nothing of what was sent."""

from __future__ import annotations

import re

from connector.http.proxy import Proxy, proxy_refused
from connector.http.tunnel import ProxyFailed
from connector.tls import TLS_ENDED, TlsFileError, find_tls_error, tls_reason

_STATUS = re.compile(r"(\d{3})\b")


def why(error: Exception, proxy: Proxy | None, *, is_secure: bool) -> str:
    """
    Return the reason for an error of the HTTP library, or of ours: of TLS and proxies in words, else the
    class name of what happened first, such as ``ConnectionRefusedError``. ``is_secure`` is whether TLS was
    to be spoken.
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
            return f"the proxy {proxy} cannot be reached: {type(_chain(error)[-1]).__name__}"
    if is_secure and (isinstance(error, httpx2.ReadError) or str(error).startswith("Server disconnected")):
        return f"TLS: {TLS_ENDED}"
    through = f" through the proxy {proxy}" if proxy is not None else ""
    return f"{type(_chain(error)[-1]).__name__}{through}"


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

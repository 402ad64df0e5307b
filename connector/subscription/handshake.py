"""What it means that a socket could not be opened."""

from __future__ import annotations

import re
import ssl
from collections.abc import Callable

from websockets import exceptions as ws_errors
from websockets.http11 import Response

from connector.http import retry_after_seconds
from connector.subscription.errors import ConnectFailed, HandshakeRefused, SessionError, SubprotocolRefused
from connector.subscription.messages import MAX_TEXT

_TAG = re.compile(r"<[^>]{0,1000}>")
_SPACE = re.compile(r"\s+")

OPENING_ERRORS = (ws_errors.WebSocketException, OSError, EOFError, ImportError, ValueError, LookupError)
"""What the library raises while it opens a socket; the last ones for URLs, proxies and headers."""


def opening_failed(
    error: Exception, *, offered: str, timeout: float, clean: Callable[[str], str] = str
) -> SessionError:
    """
    Return our error for one of `OPENING_ERRORS`; ``clean`` takes secrets out of what the server said.

    Messages of the library may hold the URL and with it the token, so none is passed on.
    """
    match error:
        case ws_errors.InvalidStatus():
            return handshake_refused(error.response, clean)
        case ws_errors.NegotiationError():
            return SubprotocolRefused(offered)
        case TimeoutError():
            return ConnectFailed(f"no answer to the upgrade within {timeout:g} s")
        case ssl.SSLError():
            return ConnectFailed(f"TLS: {error.reason or type(error).__name__}")
        case OSError():
            return ConnectFailed(error.strerror or "no address of the host answers")
        case ws_errors.ProxyError():
            return ConnectFailed(f"proxy: {type(error).__name__}")
        case ws_errors.ConnectionClosed():
            return ConnectFailed("the connection ended during the upgrade")
        case ws_errors.InvalidHandshake() | EOFError():
            return ConnectFailed(f"not a websocket answer ({type(error).__name__})")
        case _:
            return ConnectFailed(f"cannot be opened ({type(error).__name__})")


def handshake_refused(response: Response, clean: Callable[[str], str] = str) -> HandshakeRefused:
    """
    Return the error for a status other than 101.

    Its text is the body without HTML tags, cut to `MAX_TEXT`: for the table of refusals, not for people.
    """
    body = bytes(response.body or b"")[:20_000].decode("utf-8", "replace")
    text = clean(_SPACE.sub(" ", _TAG.sub(" ", body)).strip())[:MAX_TEXT]
    # Not `get`, which raises where a proxy added the header a second time.
    waits = response.headers.get_all("Retry-After")
    headers = {"retry-after": waits[-1]} if waits else {}
    return HandshakeRefused(response.status_code, text, retry_after_seconds(headers))

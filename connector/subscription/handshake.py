"""What it means that a socket could not be opened."""

from __future__ import annotations

import re
from collections.abc import Callable

from websockets import exceptions as ws_errors
from websockets.http11 import Response

from connector.errors import RetriableError
from connector.http import Proxy, ProxyFailed, codes_of, decoded, retry_after_seconds
from connector.subscription.challenge import Challenge, bearer_challenge
from connector.subscription.errors import ConnectFailed, HandshakeRefused, SessionError, SubprotocolRefused
from connector.subscription.messages import MAX_TEXT
from connector.tls import TLS_ENDED, TlsFileError, find_tls_error, tls_reason

_TAG = re.compile(r"<[^>]{0,1000}>")
_SPACE = re.compile(r"\s+")

OPENING_ERRORS = (
    ws_errors.WebSocketException,
    RetriableError,
    OSError,
    EOFError,
    ImportError,
    ValueError,
    LookupError,
)
"""
What is raised while a socket is opened: by the library, for URLs, proxies and headers too, and by our
rooms for certificates and SOCKS proxies.
"""


UNREADABLE = "what answered the upgrade cannot be read as HTTP: check the port, and proxies on the way"


def opening_failed(
    error: Exception,
    *,
    offered: str,
    timeout: float,
    is_secure: bool = False,
    clean: Callable[[str], str] = str,
    proxy: Proxy | None = None,
    extensions: str = "",
) -> SessionError:
    """
    Return our error for one of `OPENING_ERRORS`. ``is_secure`` is whether TLS was to be spoken, ``clean``
    takes secrets out of what the server said, and ``proxy`` is what the connection was to go through;
    ``extensions`` are those that the server selected.

    Messages of the library may hold the URL and with it the token, so none is passed on.
    """
    tls = find_tls_error(error)
    if tls is not None:
        return ConnectFailed(f"TLS: {tls_reason(tls)}")
    match error:
        case TlsFileError():
            return ConnectFailed(f"TLS: {error}")
        case ProxyFailed():
            return ConnectFailed(str(error))
        case ws_errors.InvalidStatus():
            return handshake_refused(error.response, clean)
        case ws_errors.NegotiationError() if "extension" in str(error):
            said = clean(extensions)[:200]
            return ConnectFailed(
                f"the server selected a websocket extension that was not offered ({said})", is_answer=True
            )
        case ws_errors.NegotiationError():
            return SubprotocolRefused(offered)
        case TimeoutError():
            through = f" through the proxy {proxy}" if proxy is not None else ""
            return ConnectFailed(f"no answer to the upgrade within {timeout:g} s{through}", is_answer=True)
    if _is_end(error):
        ended = f"TLS: {TLS_ENDED}" if is_secure else "the connection ended during the upgrade"
        return ConnectFailed(ended, is_answer=True)
    match error:
        case OSError():
            return ConnectFailed(error.strerror or "no address of the host answers")
        case ws_errors.InvalidHandshake():
            return ConnectFailed(_no_upgrade(error), is_answer=True)
        case _:
            return ConnectFailed(f"cannot be opened ({type(error).__name__})")


def _no_upgrade(error: ws_errors.InvalidHandshake) -> str:
    """Say what is wrong with an answer that is no upgrade to a websocket."""
    match error:
        case ws_errors.InvalidUpgrade():
            what = f"its header {error.name} does not agree to one"
        case ws_errors.InvalidHeader() if error.value is None:
            what = f"it has no header {error.name}"
        case ws_errors.InvalidHeader():
            what = f"its header {error.name} is wrong, or there twice"
        case ws_errors.InvalidMessage():
            return UNREADABLE
        case _:
            what = type(error).__name__
    return f"the answer to the upgrade makes no websocket of the connection: {what}; check proxies on the way"


def _is_end(error: Exception) -> bool:
    """Whether the connection ended before there was an answer."""
    if isinstance(error, ws_errors.InvalidMessage):
        return isinstance(error.__cause__, EOFError)
    return isinstance(error, (EOFError, ConnectionResetError, BrokenPipeError, ws_errors.ConnectionClosed))


def handshake_refused(response: Response, clean: Callable[[str], str] = str) -> HandshakeRefused:
    """
    Return the error for a status other than 101.

    Its text is the body without HTML tags, cut to `MAX_TEXT`: for the table of refusals, not for people.
    What ``WWW-Authenticate`` says of the token is for both, but for what holds the token itself.
    """
    codes = codes_of(",".join(response.headers.get_all("Content-Encoding")))
    body = decoded(bytes(response.body or b""), codes, 20_000).decode("utf-8", "replace")
    text = clean(_SPACE.sub(" ", _TAG.sub(" ", body)).strip())[:MAX_TEXT]
    # Not `get`, which raises where a proxy added the header a second time.
    headers = {
        name: values[-1] for name in ("retry-after", "date") if (values := response.headers.get_all(name))
    }
    said = bearer_challenge(response.headers.get_all("WWW-Authenticate"))
    challenge = Challenge(
        error=_without_secret(said.error, clean),
        description=_without_secret(said.description, clean),
        scope=_without_secret(said.scope, clean),
    )
    return HandshakeRefused(response.status_code, text, retry_after_seconds(headers), challenge)


def _without_secret(text: str, clean: Callable[[str], str]) -> str:
    """Return ``text``, or nothing where a secret stands in it."""
    return text if clean(text) == text else ""

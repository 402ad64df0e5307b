"""Opening a socket: straight or through a proxy, and over TLS where the address says so."""

from __future__ import annotations

import logging
import socket
import ssl
from urllib.parse import urlsplit

import anyio
import anyio.to_thread
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus
from websockets.typing import Subprotocol as Offered

from connector.http import Proxy, open_tunnel
from connector.subscription.connection import ReadingConnection
from connector.subscription.errors import ConnectFailed, SessionError
from connector.subscription.handshake import OPENING_ERRORS, UNREADABLE, handshake_refused, opening_failed
from connector.subscription.settings import SessionSettings
from connector.subscription.upgrade import Answer, noting
from connector.tls import RotatingContext, find_tls_error
from connector.upstream import Opening

# The library's debug log prints handshakes and frames cut in the middle, where no redaction could
# recognise a token, so it never reaches a handler.
_quiet = logging.getLogger("connector.websockets")
_quiet.setLevel(logging.WARNING)


async def open_socket(opening: Opening, settings: SessionSettings) -> ReadingConnection | SessionError:
    """
    Return an open socket, or our error for what the library raised: it would hold the URL, and the token
    in it, so the caller raises ours where that is no longer being handled.
    """
    answer = Answer()
    try:
        with anyio.fail_after(settings.open_timeout):
            return await _connect(opening, settings, answer)
    except OPENING_ERRORS as error:
        refusal = answer.refusal()
        if refusal is not None and not isinstance(error, InvalidStatus):
            return handshake_refused(refusal, opening.without_token)
        if isinstance(error, TimeoutError) and answer.has_begun:
            # The library waits for the end of what it could not read.
            return ConnectFailed(UNREADABLE, is_answer=True)
        tls = [found for ended in answer.ended_by if (found := find_tls_error(ended))]
        return opening_failed(
            tls[0] if tls else error,
            is_secure=_is_secure(opening.url),
            offered=", ".join(settings.subprotocols),
            timeout=settings.open_timeout,
            clean=opening.without_token,
            proxy=settings.proxy,
            extensions=answer.extensions,
        )


async def _connect(opening: Opening, settings: SessionSettings, answer: Answer) -> ReadingConnection:
    tls = await _context(settings.tls) if _is_secure(opening.url) else None
    sock = await _tunnel(opening.url, settings.proxy)
    try:
        connection = await _Connect(
            opening.url,
            subprotocols=[Offered(name.value) for name in settings.subprotocols],
            additional_headers=dict(opening.headers),
            # Only where the user gave none.
            user_agent_header=settings.user_agent,
            ssl=tls,
            sock=sock,
            # The environment has been looked at before, and CONNECT asked for.
            proxy=None,
            # One deadline, our caller's: where two are met at one moment, the cancellation of the one may be
            # left over, which the other does not take for its own, and ends the task.
            open_timeout=None,
            close_timeout=settings.close_timeout,
            ping_interval=None,
            max_size=settings.max_message_bytes,
            compression="deflate" if settings.compression else None,
            logger=_quiet,
            create_connection=noting(answer),
        )
    except BaseException:
        if sock is not None:
            sock.close()
        raise
    assert isinstance(connection, ReadingConnection)
    connection.write_patience = settings.write_patience
    return connection


async def _tunnel(url: str, proxy: Proxy | None) -> socket.socket | None:
    """A socket through the proxy, for ``ws:`` too: the request line, with the token in it, is not for it."""
    if proxy is None:
        return None
    parts = urlsplit(url)
    return await open_tunnel(proxy, parts.hostname or "", parts.port or (443 if _is_secure(url) else 80))


async def _context(tls: RotatingContext) -> ssl.SSLContext:
    # In a thread that may be left behind: a file on a dead network mount blocks for ever.
    return await anyio.to_thread.run_sync(tls.current, abandon_on_cancel=True)


def _is_secure(url: str) -> bool:
    return url.lower().startswith("wss:")  # never raises, unlike the functions that take URLs apart


class _Connect(connect):
    """Follows no redirects: the token would go wherever a redirect leads."""

    def process_redirect(self, exc: Exception) -> Exception | str:
        return exc

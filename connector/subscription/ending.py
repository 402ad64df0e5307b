"""What it means that a session ended; nothing of it holds the token, which the other side may repeat."""

from __future__ import annotations

from websockets import exceptions as ws_errors

from connector.subscription.errors import FramesRefused, ServerRefused, SessionError, SocketClosed
from connector.subscription.messages import CLIENT_CLOSE, MESSAGE_TOO_BIG
from connector.subscription.protocol import Refused
from connector.upstream import Opening


def socket_ended(
    error: ws_errors.ConnectionClosed, opening: Opening, reason_of_abort: SessionError | None
) -> SessionError:
    """
    Return our error for the library's. ``reason_of_abort`` is why we ended it, and ``None`` where we did not
    or gave no reason; what the peer said in its Close outranks it.
    """
    if error.rcvd is not None and (error.sent is None or error.rcvd_then_sent):
        # Also where we aborted since the peer left the TCP stream open after its Close.
        return SocketClosed(error.rcvd.code, opening.without_token(error.rcvd.reason))
    if reason_of_abort is not None:
        return reason_of_abort
    if error.sent is not None and error.sent.code != CLIENT_CLOSE:
        # The library refused what came, with a code that from a server would mean something else.
        if error.sent.code != MESSAGE_TOO_BIG:
            return FramesRefused(error.sent.code)
        return SocketClosed(error.sent.code, "refused by us")
    return SocketClosed(None, "")


def server_refused(event: Refused, opening: Opening) -> ServerRefused:
    """Return the error for ``connection_error`` or ``error``, with the texts and codes of its errors."""
    clean = opening.without_token
    return ServerRefused(
        event.during,
        tuple(clean(error.message) for error in event.errors if error.message),
        tuple(clean(code) for error in event.errors for code in error.codes),
    )


def without_token(frame: bytes, opening: Opening) -> bytes:
    """Return ``frame``, which is no message: whatever it is, it may repeat the address that was asked for."""
    clean = opening.without_token(frame.decode("utf-8", "surrogateescape"))
    return clean.encode("utf-8", "surrogateescape")

"""
What goes wrong on a subscription's socket. All of it is worth another attempt; what to do before that
attempt is looked up in `connector.refusals` by the error's ``symptom``::

    RetriableError
    └── SessionError
        ├── ConnectFailed        no TCP, TLS or name; or the upgrade took too long
        ├── HandshakeRefused     an HTTP status other than 101
        ├── SubprotocolRefused   the server selected none of what was offered
        ├── AckTimedOut          no connection_ack in time
        ├── ServerRefused        connection_error, error
        ├── ServerCompleted      complete, although subscriptions to a stream do not end
        ├── SocketClosed         the peer's Close, or the end of the TCP stream
        │   └── FramesRefused    our Close, for what the peer sent was no websocket
        ├── Interrupted          cancelled by nobody
        ├── Silent               nothing came for too long
        │   └── NothingTaken     nothing of what we wrote was taken for too long
        └── ProtocolViolation    bytes that neither subprotocol allows
"""

from __future__ import annotations

import re

from connector.errors import RetriableError
from connector.refusals import Symptom
from connector.subscription.challenge import Challenge

NO_CLOSE = 1006
"""What RFC 6455 §7.1.5 calls the end of the TCP stream without a Close frame."""


class SessionError(RetriableError):
    """
    A session ended, or never began. ``symptom`` is what the other side said. ``token_was_seen`` is false
    where the other side cannot have refused the token, since it was not reached.
    """

    token_was_seen = True

    def __init__(self, message: str, symptom: Symptom, *, retry_after: float | None = None) -> None:
        super().__init__(message, retry_after=retry_after)
        self.symptom = symptom


class ConnectFailed(SessionError):
    """
    No connection: name, TCP, TLS, proxy, or an upgrade that was not answered in time. ``is_answer``: what
    was sent for the upgrade may have been read, and this is what followed.
    """

    def __init__(self, reason: str, *, is_answer: bool = False) -> None:
        super().__init__(f"cannot connect: {reason}", Symptom(place="connect"))
        self.token_was_seen = is_answer


class HandshakeRefused(SessionError):
    """The upgrade was answered with HTTP ``status``, and with ``challenge`` where it said why."""

    def __init__(
        self, status: int, text: str, retry_after: float | None, challenge: Challenge | None = None
    ) -> None:
        said = challenge or Challenge()
        scope = f"needs the scope {said.scope}" if said.scope and said.error else ""
        why = "; ".join(filter(None, (said.error, said.description, scope)))
        super().__init__(
            f"the server answered the upgrade with HTTP {status}{': ' if why else ''}{why}",
            Symptom(
                place="handshake",
                status=status,
                error_codes=(said.error,) if said.error else (),
                texts=tuple(filter(None, (text, said.description))),
            ),
            retry_after=retry_after,
        )


class SubprotocolRefused(SessionError):
    """The server speaks neither of the offered subprotocols."""

    def __init__(self, offered: str) -> None:
        super().__init__(
            f"the server selected none of the subprotocols offered ({offered})",
            Symptom(place="subprotocol"),
        )


class AckTimedOut(SessionError):
    """No ``connection_ack`` within ``seconds``."""

    def __init__(self, seconds: float) -> None:
        super().__init__(f"no connection_ack within {seconds:g} s", Symptom(place="ack"))


class ServerRefused(SessionError):
    """``connection_error`` or ``error``: the texts and codes of the errors are in the symptom."""

    def __init__(self, during: str, texts: tuple[str, ...], codes: tuple[str, ...]) -> None:
        said = "; ".join(texts[:3]) or (f"with the code {codes[0]}" if codes else "without a reason")
        super().__init__(
            f"the server refused at {during}: {said}", Symptom(place=during, texts=texts, error_codes=codes)
        )


class ServerCompleted(SessionError):
    """The server completed the operation and left the socket open."""

    def __init__(self) -> None:
        super().__init__("the server completed the subscription", Symptom(place="complete"))


_STATED = re.compile(
    r"""\s*(?:(?:(?:close|error|status)\s*)?code\s*[:=]?\s*|(?:error|status|https?(?:/[\d.]{1,3})?)\s*[:=]?\s*)?
    [(\[]?\s*(?P<code>4\d{3}|(?P<http>40[123]|429))
    (?:\s*$ | \s*[:)\]\u2013\u2014] | \s*-(?!\d)
     | \s+(?:(?(http)(?!)|(?-i:[A-Z]))
           | bad\b | invalid\b | unauthori[sz]ed\b | forbidden\b | payment\b | too\b))""",
    re.IGNORECASE | re.VERBOSE,
)
"""A code of the subprotocol in the reason of a Close of RFC 6455, or a status of HTTP: Hasura says ``1000``,
``4400: …``. ``4400 rows`` is none."""

_STATED_IN_JSON = re.compile(
    r"""\s*\{.*"(?:status_?|error_?)?(?:code|status)"\s*:\s*"?(?P<code>4\d{3}|40[123]|429)\b""", re.I
)

_LAST_OF_RFC = 2999
"""The codes of RFC 6455 §7.4.2 that mean something to the protocol itself."""

_FIRST_OF_OURS = 4000
"""Codes for applications (RFC 6455 §7.4.2); those of the subprotocols are the statuses of HTTP behind a 4."""


class SocketClosed(SessionError):
    """
    The peer closed: ``code`` and ``reason`` of its Close frame, ``None`` and empty where the TCP stream
    ended without one (`NO_CLOSE`). A code that the reason begins with, or has in JSON, is what counts.
    """

    def __init__(self, code: int | None, reason: str) -> None:
        said = f"{code} {reason}".strip() if code is not None else "without a Close frame"
        counts = NO_CLOSE if code is None else code
        if counts <= _LAST_OF_RFC and (stated := _STATED.match(reason) or _STATED_IN_JSON.match(reason)):
            number = int(stated["code"])
            counts = number if number >= _FIRST_OF_OURS else number + _FIRST_OF_OURS
        super().__init__(
            f"the server closed the socket ({said})",
            Symptom(
                place="close",
                close_code=counts,
                texts=(reason,) if reason else (),
            ),
        )


class FramesRefused(SocketClosed):
    """We closed with ``code``: the peer sent frames that RFC 6455 does not allow."""

    def __init__(self, code: int) -> None:
        SessionError.__init__(
            self,
            f"the server sent what a websocket may not; it was refused with {code}",
            Symptom(place="protocol", close_code=code),
        )


class Interrupted(SessionError):
    """It was cancelled by nobody: a library's own deadline left a cancellation behind."""

    def __init__(self) -> None:
        super().__init__("interrupted by a deadline of a library", Symptom(place="silence"))


class Silent(SessionError):
    """No frame and no pong for ``seconds``."""

    def __init__(self, seconds: float) -> None:
        super().__init__(f"nothing received for {seconds:.1f} s", Symptom(place="silence"))


class NothingTaken(Silent):
    """What was written lay for ``seconds``, and the peer read nothing of it."""

    def __init__(self, seconds: float) -> None:
        SessionError.__init__(
            self,
            f"the server took nothing of what was sent to it for {seconds:g} s",
            Symptom(place="silence"),
        )


class ProtocolViolation(SessionError):
    """The peer broke the protocol, with ``frame`` where that is what it sent; it is in no message."""

    def __init__(self, message: str, frame: bytes | None = None) -> None:
        super().__init__(message, Symptom(place="protocol"))
        self.frame = frame

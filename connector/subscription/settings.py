"""How a connection behaves."""

from __future__ import annotations

from dataclasses import dataclass, field

from connector.http import Proxy
from connector.subscription.messages import Subprotocol
from connector.tls import RotatingContext, TlsSettings


def _system_trust() -> RotatingContext:
    return RotatingContext(TlsSettings())


@dataclass(frozen=True, kw_only=True, slots=True)
class SessionSettings:
    """
    How a connection behaves; durations in seconds.

    ``subprotocols`` are offered in that order. ``close_timeout`` bounds how long the peer's Close is
    waited for while rows go on arriving; where ``peer_closes`` is set, it is waited for before we send
    ours. A peer that takes nothing of what was written for ``write_patience`` is left. With ``compression``
    permessage-deflate (RFC 7692) is offered. ``user_agent`` of ``None`` says nothing. ``proxy`` is ``None``
    for a straight connection, whatever the environment says.
    """

    subprotocols: tuple[Subprotocol, ...] = (Subprotocol.TRANSPORT_WS, Subprotocol.LEGACY_WS)
    open_timeout: float = 10.0
    ack_timeout: float = 10.0
    close_timeout: float = 5.0
    max_message_bytes: int = 16 * 2**20
    write_patience: float = 10.0
    compression: bool = True
    peer_closes: bool = False
    user_agent: str | None = None
    tls: RotatingContext = field(default_factory=_system_trust)
    proxy: Proxy | None = None

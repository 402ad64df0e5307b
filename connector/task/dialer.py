"""How the next connection of a subscription is opened."""

from __future__ import annotations

from dataclasses import replace

from connector.auth import Token
from connector.subscription import SessionSettings
from connector.task.connection import Connection, OpenConnection
from connector.task.settings import SubscriptionSettings
from connector.upstream import Target


class Dialer:
    """Makes the connections of one subscription with ``connection``; none is opened here."""

    def __init__(self, settings: SubscriptionSettings, connection: OpenConnection) -> None:
        self._connection = connection
        self._payload_type = settings.rows.payload_type
        self._target = settings.target
        self._configured = settings.session
        self._offered = settings.session
        self._latest: Connection | None = None

    def heard(self) -> float | None:
        """Return when the latest connection last heard anything (`time.monotonic`); ``None`` without one."""
        return None if self._latest is None else self._latest.last_heard_at

    def connection(self, token: Token | None) -> Connection:
        """Return a new connection that opens with ``token``; ``None``: without credentials."""
        opening = self._target.opening(token.value if token else None)
        self._latest = self._connection(opening, self._offered, payload_type=self._payload_type)
        return self._latest

    def retarget(self, target: Target, session: SessionSettings) -> None:
        """Make the next ones with these; what was learnt of the order of subprotocols stays."""
        self._target = target
        self._configured = session
        self._offered = replace(session, subprotocols=self._offered.subprotocols)

    def offer_otherwise(self) -> bool:
        """
        Put another subprotocol first the next time; return whether that order was not tried yet.

        Some servers select whatever is offered first, and close when they do not speak it.
        """
        order = self._offered.subprotocols
        self._offered = replace(self._offered, subprotocols=(*order[1:], order[0]))
        return self._offered.subprotocols != self._configured.subprotocols

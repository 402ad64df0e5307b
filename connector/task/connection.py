"""The socket of an attempt, as far as the attempt needs to know."""

from __future__ import annotations

from typing import Protocol

from connector.subscription import Delivered, GraphQLRequest, SessionError, SessionSettings
from connector.upstream import Opening


class Connection(Protocol):
    """One socket for one operation: `connector.subscription.Transport`, or what stands for one."""

    @property
    def last_heard_at(self) -> float:
        """When anything last arrived, in seconds of `time.monotonic`."""

    async def open(self) -> None:
        """
        Open the socket.

        Raises:
            SessionError: There is no connection, or it was refused.
        """

    async def initialise(self) -> None:
        """
        Return once it is acknowledged.

        Raises:
            SessionError: It was refused, or not in time.
        """

    async def start(self, request: GraphQLRequest) -> None:
        """Send the operation."""

    async def receive(self) -> Delivered | None:
        """
        Return the next result; ``None`` after the end of a `finish`.

        Raises:
            SessionError: The peer refused, completed, closed, or went away.
        """

    async def finish(self) -> None:
        """Close on purpose, while `receive` goes on being called."""

    async def ping(self) -> None:
        """Ping as the subprotocol has it."""

    async def probe(self) -> None:
        """Ask for a sign of life in every way that there is."""

    def abort(self, reason: SessionError | None = None) -> None:
        """End it now; ``reason`` is what `receive` raises."""

    def clean(self, text: str) -> str:
        """Return ``text``, which the other side said, without the token that it may repeat."""


class OpenConnection(Protocol):
    """Makes connections. Nothing is opened before `Connection.open`."""

    def __call__(self, opening: Opening, settings: SessionSettings, *, payload_type: type) -> Connection:
        """Return a new one; results are decoded into ``payload_type``."""

"""The shape of a preset."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from connector.upstream import Cube, Placement

DEFAULT_CREDENTIALS: Mapping[str, Placement] = {
    "url": Placement(place="url", name="token", template="{token}"),
    "header": Placement(place="header", name="Authorization", template="Bearer {token}"),
    "init": Placement(place="init", name="Authorization", template="Bearer {token}"),
}
"""What completes ``credentials`` where the user names only the place."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Preset:
    """
    One kind of upstream.

    ``url``, ``http_url``, ``token_url`` and ``scope`` are ``None`` where only the user can know them.
    The token goes into all of ``credentials``. ``keepalive_timeout`` is in seconds of silence; ``probe``
    says that a silent connection is asked for a sign of life before it is given up. The client pings
    every ``ping_interval`` seconds, ``None``: only to probe. ``reopen_pause`` is the seconds that lie
    between two sessions at least; ``peer_closes`` says that the server wants to close, once it was told
    that the operation is complete. ``two_sessions`` says that two may be open for one subscription with one
    credential, each delivering all. ``rows_limit`` is how many rows a message holds at most, ``None``
    where no limit is known. ``rows_default`` is where the rows are (the root field, or the one below it).
    ``warned_cubes`` and ``filtered_cubes`` go from ``Root.Field`` to what is to be said of them, ``cubes``
    to what tells their rows apart. ``metrics`` are the fields that make a row an aggregate of others; where
    there are any, so are all fields of a row that have arguments, but for the ``expressions``.
    """

    name: str
    url: str | None = None
    http_url: str | None = None
    token_url: str | None = None
    scope: str | None = None
    oauth_auth: Literal["body", "basic"] = "body"
    needs_token: bool
    subprotocol: Literal["auto", "graphql-transport-ws", "graphql-ws"] = "auto"
    credentials: tuple[Placement, ...]
    keepalive_timeout: float
    probe: bool
    ping_interval: float | None = None
    reopen_pause: float = 0.0
    peer_closes: bool = False
    two_sessions: bool
    rows_limit: int | None = None
    rows_default: Literal["root", "cube"]
    warned_cubes: Mapping[str, str] = field(default_factory=dict)
    filtered_cubes: Mapping[str, str] = field(default_factory=dict)
    cubes: Mapping[str, Cube] = field(default_factory=dict)
    metrics: frozenset[str] = frozenset()
    expressions: frozenset[str] = frozenset()

    @property
    def rotation(self) -> Literal["overlap", "reopen"]:
        """How sessions give way to the next unless the user says otherwise."""
        return "overlap" if self.two_sessions and not self.reopen_pause else "reopen"

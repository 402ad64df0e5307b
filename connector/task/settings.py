"""What one subscription needs to know, and what those of a worker share."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field

from connector.auth import Token
from connector.records.record import Header
from connector.records.record_builder import RecordBuilder
from connector.records.row_finder import RowFinder
from connector.records.seam import SeamSpec
from connector.refusals import Refusals
from connector.subscription import GraphQLRequest, MemoryBudget, SessionSettings, Transport
from connector.task.connect_rate import ConnectRateLimiter
from connector.task.connection import OpenConnection
from connector.task.keep_alive import KeepAlivePolicy
from connector.task.rotation_policy import Rotation
from connector.task.rotations import RotationLimiter
from connector.task.siblings import Networks
from connector.task.suspicion_policy import SuspicionPolicy
from connector.task.token_keeper import TokenKeeper
from connector.task.tolerance import Tolerance
from connector.upstream import Target


@dataclass(frozen=True, kw_only=True)
class SubscriptionSettings:
    """
    What one subscription needs to know; durations in seconds, ``no_data_alarm`` of ``None``: never.

    ``reopens`` is false where a session outlives its token. ``rows_limit`` is the most rows that the
    upstream puts into a message; ``None``: not known. At least ``reopen_pause`` lies between the end of a
    session and the beginning of the next. ``rotation``: what is done before the token ends. Subscriptions of
    one ``network`` may fall silent together; empty: nothing is known of any.
    """

    name: str
    request: GraphQLRequest
    rows: RowFinder
    records: RecordBuilder
    topics: tuple[str, ...]
    headers: tuple[Header, ...]
    streams: int
    target: Target
    session: SessionSettings
    keep_alive: KeepAlivePolicy
    reopens: bool
    rows_limit: int | None
    no_data_alarm: float | None
    tolerance: Tolerance
    reopen_pause: float = 0.0
    to_kafka: bool = True
    """Whether the brokers take the rows; else whoever reads our output does."""
    refusals: Refusals = field(default_factory=Refusals)
    seam: SeamSpec = field(default_factory=SeamSpec)
    rotation: Rotation = field(default_factory=Rotation)
    network: str = ""
    suspicion: SuspicionPolicy = field(default_factory=SuspicionPolicy)


@dataclass(frozen=True, kw_only=True)
class Shared:
    """
    What the subscriptions of a worker share.

    ``keeper`` of ``None``: the endpoint asks for no token. ``budget`` is what all of them may hold in
    memory. ``rotations`` says who may have two sessions; of ``networks`` each may be silent as a whole.
    ``hide`` takes secrets out of a frame that no rows can be read from. ``connection`` makes sockets;
    ``clock`` returns seconds, and must be the one that they and the tokens are timed by.
    """

    keeper: TokenKeeper | None
    budget: MemoryBudget
    connect_rate: ConnectRateLimiter = field(default_factory=ConnectRateLimiter)
    networks: Networks = field(default_factory=Networks)
    hide: Callable[[bytes], bytes] = bytes
    connection: OpenConnection = Transport
    clock: Callable[[], float] = time.monotonic
    rotations: RotationLimiter = field(default_factory=RotationLimiter)

    async def token(self, *, by: str) -> Token | None:
        """Return the one that subscription ``by`` opens a session with now; ``None``: it takes none."""
        return None if self.keeper is None else await self.keeper.token(by=by)

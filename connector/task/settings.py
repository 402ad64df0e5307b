"""What one subscription needs to know."""

from __future__ import annotations

from dataclasses import dataclass, field

from connector.records.record import Header
from connector.records.record_builder import RecordBuilder
from connector.records.row_finder import RowFinder
from connector.refusals import Refusals
from connector.subscription import GraphQLRequest, SessionSettings, Target
from connector.task.verdicts import Tolerance
from connector.task.vigil import Patience


@dataclass(frozen=True, kw_only=True)
class FollowSettings:
    """
    What one subscription needs to know; durations in seconds, ``no_data_alarm`` of ``None``: never.

    At least ``reopen_pause`` lies between the end of a session and the beginning of the next.
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
    patience: Patience
    reopens: bool
    rows_limit: int | None
    no_data_alarm: float | None
    tolerance: Tolerance
    reopen_pause: float = 0.0
    to_kafka: bool = True
    """Whether the brokers take the rows; else whoever reads our output does."""
    refusals: Refusals = field(default_factory=Refusals)

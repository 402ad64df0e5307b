"""
Gaps, and what the events topic says of them.

``schemas/event.schema.json`` is made from `GapEvent`: what is described here is what consumers read.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Annotated, Final, Literal

import msgspec
from msgspec import Meta

from connector.records.record import SourceRecord

VERSION: Final = 1
"""Of the events' form. Fields may be added within a version; none changes its meaning or goes."""

EventKind = Literal["gap_opened", "gap_filled", "gap_unfilled"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Gap:
    """
    A period in which a subscription's rows were not received. Moments are milliseconds since 1970.

    ``until_ms`` of ``None``: it goes on. ``rows`` of ``None``: nobody knows how many were missed.
    """

    id: str
    since_ms: int
    reason: str
    until_ms: int | None = None
    rows: int | None = None


class GapEvent(msgspec.Struct, frozen=True, kw_only=True):
    """
    One record of the events topic: a period in which rows may have been missed has begun or is over.

    Its key is the subscription's name. Written at least once, in order per subscription: read a repeat of
    the same event and id as one.
    """

    event: Annotated[
        EventKind,
        Meta(
            description="gap_opened: it has begun, and its end is not known. gap_unfilled: it is over, and "
            "what was sent meanwhile was not received. gap_filled: it is over, and what was missed was "
            "queried and published; not written by this version."
        ),
    ]
    version: Annotated[Literal[1], Meta(description="The version of this form.")]
    connector: Annotated[str, Meta(description="The connector's name.")]
    subscription: Annotated[str, Meta(description="The subscription's name.")]
    id: Annotated[str, Meta(min_length=1, description="Of the gap: its end bears that of its beginning.")]
    since: Annotated[
        int,
        Meta(
            description="When it began: milliseconds since 1970-01-01T00:00:00Z by the connector's clock, "
            "rounded down."
        ),
    ]
    until: Annotated[
        int | None,
        Meta(description="When it ended, in the same way, rounded up; null: it is not over."),
    ]
    reason: Annotated[
        str, Meta(min_length=1, description="Why: a reason of a reconnect, failed, absence or merged.")
    ]
    rows_missed: Annotated[
        Annotated[int, Meta(ge=0)] | None,
        Meta(description="How many rows are known to be missing; null: that is not known."),
    ]
    at: Annotated[int, Meta(description="When this was told, in milliseconds as above.")]


@dataclass(frozen=True, kw_only=True, slots=True)
class EventOrigin:
    """Whose events they are."""

    connector: str
    subscription: str


def compose(kind: EventKind, gap: Gap, origin: EventOrigin) -> SourceRecord:
    """
    Return the record that tells ``kind`` of ``gap``.

    It is stamped when it is sent: one that waited for long must not be deleted at once.
    """
    event = GapEvent(
        event=kind,
        version=VERSION,
        connector=origin.connector,
        subscription=origin.subscription,
        id=gap.id,
        since=gap.since_ms,
        until=gap.until_ms,
        reason=gap.reason,
        rows_missed=gap.rows,
        at=time.time_ns() // 1_000_000,
    )
    key = origin.subscription.encode()
    headers = [("connector", origin.connector.encode()), ("subscription", key)]
    return key, msgspec.json.encode(event), None, headers

"""A row on its way to a partition."""

from __future__ import annotations

from connector.errors import DataError
from connector.publish.submitted_records import DeliveryCallback
from connector.records.bad import BadRecord, Stage
from connector.records.record import EVENT_TIME_HEADER, Headers, Value

Entry = tuple[bytes | None, Value, int, Headers, DeliveryCallback]
"""Key, value, timestamp in ms, headers, what it is accounted to."""

MENDED_MS = 60_000
"""A row stamped this recently cannot be mended by another stamp."""


def event_time(moment: int) -> tuple[str, bytes]:
    """Return the header that carries an event time, in ms, which cannot be the timestamp."""
    return EVENT_TIME_HEADER, b"%d" % moment


def restamped(entry: Entry, now_ms: int) -> Entry | None:
    """
    Return ``entry`` with the present time, and its event time in a header; ``None`` where it has both.

    A row that got its stamp long ago, before an outage, gets another one.
    """
    key, value, moment, headers, submission = entry
    if all(name != EVENT_TIME_HEADER for name, _ in headers):
        return key, value, now_ms, [*headers, event_time(moment)], submission
    if abs(now_ms - moment) > MENDED_MS:
        return key, value, now_ms, headers, submission
    return None


def give_up(
    entry: Entry, error: DataError, *, executing_class: type, topic: str, partition: int | None
) -> None:
    """Account for a row that ``topic`` does not take."""
    key, value, moment, headers, callback = entry
    callback.given_up(
        BadRecord(
            error=error,
            stage=Stage.PRODUCE,
            executing_class=executing_class,
            value=value,
            headers=headers,
            key=key,
            timestamp=moment,
            topic=topic,
            partition=partition,
        )
    )

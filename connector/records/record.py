"""What a record is made of."""

from __future__ import annotations

import msgspec

Header = tuple[str, bytes]
Headers = list[Header]
"""A list because aiokafka takes nothing else; rows share it, so nobody changes one."""

Value = msgspec.Raw | bytes

SourceRecord = tuple[bytes | None, Value, int | None, Headers]
"""Key, value, event time in ms, headers. A tuple, for there are very many of them."""

EVENT_TIME_HEADER = "event_time"
"""Carries an event time, as it was on the wire, that cannot be the record's timestamp."""

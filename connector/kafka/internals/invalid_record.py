"""An error that aiokafka does not know."""

from __future__ import annotations

from typing import Any

from aiokafka import errors as kafka_errors


class _InvalidRecord(kafka_errors.BrokerResponseError):  # type: ignore[misc]
    """INVALID_RECORD (KIP-467), which would be called an unknown error."""

    errno = 87
    message = "INVALID_RECORD"


# ``for_code`` looks errors up in this table, which is made once, when the library is imported.
kafka_errors.kafka_errors.setdefault(_InvalidRecord.errno, _InvalidRecord)

InvalidRecord: Any = kafka_errors.for_code(_InvalidRecord.errno)
"""The error's class: the library's own, as soon as it has one."""

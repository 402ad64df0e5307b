"""Kafka's error codes that aiokafka does not know, and would all call the same unknown error."""

from __future__ import annotations

from aiokafka import errors as kafka_errors

from connector.kafka.error_codes import ERROR_CODES, ErrorCode, error_code

_INVALID_PRODUCER_EPOCH = 47


def _register(code: ErrorCode) -> None:
    kind = type(code.name, (kafka_errors.BrokerResponseError,), {"errno": code.code, "message": code.name})
    # ``for_code`` looks errors up in this table, which is made once, when the library is imported.
    kafka_errors.kafka_errors.setdefault(code.code, kind)


for _code in ERROR_CODES.values():
    _register(_code)


def know(code: int) -> None:
    """Have the library make an error of its own of ``code``, whatever it is."""
    if code not in kafka_errors.kafka_errors:
        _register(error_code(code))


def code_of(error: BaseException) -> ErrorCode | None:
    """Return the code that a broker answered, which became ``error``; ``None`` where no broker did."""
    if isinstance(error, kafka_errors.ProducerFenced):  # what the library makes of it
        return error_code(_INVALID_PRODUCER_EPOCH)
    if isinstance(error, kafka_errors.BrokerResponseError) and error.errno is not None:
        return error_code(error.errno)
    return None

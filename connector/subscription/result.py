"""One execution result, kept as the bytes that came."""

from __future__ import annotations

from typing import Any

import msgspec
from graphql import ExecutionResult, GraphQLError

from connector.subscription.errors import ProtocolViolation
from connector.subscription.messages import RawEnvelope, read_errors
from connector.subscription.protocol import Unreadable


class Result(ExecutionResult):
    """
    gql's result over the received ``frame``; ``payload`` is what the machine decoded of it.

    ``data`` and ``errors`` are decoded when asked for. The connector itself never asks: it works on the
    bytes. Of an `Unreadable` payload they raise `ProtocolViolation`.
    """

    __slots__ = ("frame", "payload")

    def __init__(self, frame: bytes, payload: Any) -> None:
        self.frame = frame
        self.payload = payload

    def __repr__(self) -> str:
        return f"Result({len(self.frame)} bytes)"

    @property
    def data(self) -> dict[str, Any] | None:  # type: ignore[override]
        """The result's ``data`` as Python objects."""
        found = self._whole().get("data")
        return found if isinstance(found, dict) else None

    @property
    def errors(self) -> list[GraphQLError] | None:  # type: ignore[override]
        """The result's ``errors``, or ``None``."""
        raw = self._whole().get("errors")
        found = read_errors(msgspec.json.encode(raw)) if raw else ()
        return [GraphQLError(error.message) for error in found] or None

    @property
    def extensions(self) -> dict[str, Any] | None:  # type: ignore[override]
        """The result's ``extensions``, or ``None``."""
        found = self._whole().get("extensions")
        return found if isinstance(found, dict) else None

    def _whole(self) -> dict[str, Any]:
        if isinstance(self.payload, Unreadable):
            raise ProtocolViolation(self.payload.said, self.frame)
        payload = msgspec.json.decode(self.frame, type=RawEnvelope).payload
        whole: dict[str, Any] = msgspec.json.decode(payload, type=dict[str, Any])
        return whole

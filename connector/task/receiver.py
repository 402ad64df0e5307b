"""
From a result to the inbox: what the reading side does with each frame.

Nothing here waits. Whatever is odd about a result (errors, no data, a refusal in the place of data) is
found here, so that a refusal ends the session that it came by.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

import msgspec
import structlog

from connector.records.bad import ForeignFrame, Unconvertible, UnreadableResult
from connector.records.extract import Extractor
from connector.refusals import Refusals, RepetitionFilter, Symptom
from connector.subscription import (
    Delivered,
    GraphQLError,
    Inbox,
    MemoryShare,
    ProtocolViolation,
    RawPayload,
    ServerRefused,
    Unreadable,
    read_errors,
    refusal_in_data,
    result_of,
)
from connector.task.status import Face, SubscriptionObserver

log = structlog.get_logger(__name__)

ROW_OVERHEAD = 400
"""Bytes that a row takes beside its own: its slice, its key, its entry in a lane."""


JOIN_BELOW = 256 * 1024
"""Bytes; frames that came within one millisecond go on together, up to about so many."""


@dataclass(slots=True)
class Arrival:
    """
    The rows of frames that came at one time (`time.monotonic` seconds, unix ms), and what they take in
    memory.

    With ``error`` the only row is a whole frame, from which none can be read.
    """

    rows: list[msgspec.Raw]
    received_at: float
    received_ms: int
    size: int
    error: Unconvertible | None = None
    frames: int = 1


class Receiver:
    """
    One subscription's. ``rows_limit`` is the most rows the upstream puts into a message, or ``None``;
    ``clean`` takes the token out of what the upstream says.

    Frames that no rows can be read from are passed on as bad records where ``tolerates`` is set; ``hide``
    takes secrets out of them, for nobody knows what they are.
    """

    def __init__(
        self,
        *,
        name: str,
        extractor: Extractor,
        inbox: Inbox[Arrival],
        memory: MemoryShare,
        face: Face,
        observer: SubscriptionObserver,
        rows_limit: int | None,
        refusals: Refusals,
        clean: Callable[[str], str],
        tolerates: bool = False,
        hide: Callable[[bytes], bytes] = bytes,
    ) -> None:
        self._name = name
        self._extractor = extractor
        self._inbox = inbox
        self._memory = memory
        self._face = face
        self._observer = observer
        self._rows_limit = rows_limit
        self._tolerates = tolerates
        self._hide = hide
        self._refusals = refusals
        self._clean = clean
        self._kinds = RepetitionFilter()
        self.request_error: ServerRefused | None = None
        """
        What the last result said where it had errors and no ``data`` at all: "request errors" are raised
        before execution begins (GraphQL October 2021 §7.1), so the operation was never started.
        """

    def receive(self, result: Delivered) -> bool:
        """
        Put the rows of ``result`` into the inbox; return whether there were any.

        Raises:
            ServerRefused: It carries a refusal.
            ProtocolViolation: No rows can be read from it, and that is not tolerated.
        """
        payload = result.payload
        fits = type(payload) is self._extractor.payload_type
        rows = self._extractor.rows_of(payload) if fits else None
        if rows is None:
            # Nothing there, another shape than compiled for, or errors beside the data.
            rows = self._odd(result)
            if rows is None:
                return False
        received_ms = time.time_ns() // 1_000_000
        count = len(rows)
        self._face.last_row_at = received_ms / 1000
        self._observer.received(count, len(result.frame))
        if count == self._rows_limit:
            self._observer.full_message()
        size = len(result.frame) + ROW_OVERHEAD * count
        last = self._inbox.last
        if (
            last is not None
            and last.received_ms == received_ms
            and last.error is None
            and last.size + size < JOIN_BELOW
        ):
            last.rows += rows
            last.size += size
            last.frames += 1
        else:
            self._inbox.put(Arrival(rows, time.monotonic(), received_ms, size))
        self._memory.take(size)
        return True

    def _odd(self, result: Delivered) -> list[msgspec.Raw] | None:
        """Look at a result that is not simply a list of rows; return the rows that it has after all."""
        self.request_error = None
        if isinstance(result.payload, Unreadable):
            if not self._tolerates:
                raise ProtocolViolation(result.payload.said)
            self._keep(result.frame, UnreadableResult(result.payload.said))
            return None
        payload = result_of(result.frame)
        errors = read_errors(payload.errors)
        rows = self._extractor.find_rows(payload.data) if len(payload.data) else None
        in_band = refusal_in_data(payload.data) if not errors and rows is None else ()
        if errors or in_band:
            self._errors(
                errors or in_band,
                has_rows=bool(rows),
                has_data=len(payload.data) > 0,
                in_band=bool(in_band),
            )
        if rows is None:
            self._without_rows(result, payload, has_errors=bool(errors))
        return rows

    def _without_rows(self, result: Delivered, payload: RawPayload, *, has_errors: bool) -> None:
        if self._tolerates and len(payload.data) and self._extractor.leads_astray(payload.data):
            error = UnreadableResult("the server sent a result with something else where its rows should be")
            self._keep(result.frame, error)
            return
        self._observer.null_result()
        if not has_errors:
            log.debug("result without rows", subscription=self._name, bytes=len(payload.data))

    def keep_foreign(self, frame: bytes, error: ProtocolViolation) -> None:
        """Pass on ``frame``, which is no message of the subprotocol."""
        self._keep(frame, ForeignFrame(str(error)))

    def _keep(self, frame: bytes, error: Unconvertible) -> None:
        size = len(frame) + ROW_OVERHEAD
        row = msgspec.Raw(self._hide(frame))
        self._inbox.put(Arrival([row], time.monotonic(), time.time_ns() // 1_000_000, size, error))
        self._memory.take(size)

    def _errors(
        self, errors: tuple[GraphQLError, ...], *, has_rows: bool, has_data: bool, in_band: bool
    ) -> None:
        self._observer.result_errors(len(errors))
        texts = tuple(self._clean(error.message) for error in errors if error.message)
        codes = tuple(self._clean(error.code) for error in errors if error.code)
        said = "; ".join(texts[:3]) or "without a message"
        symptom = Symptom(place="stream", texts=texts, error_codes=codes)
        if self._kinds.is_new(symptom):
            log.warning("result carries errors", subscription=self._name, errors=said, has_rows=has_rows)
        self._face.last_error = said
        is_known = self._refusals.classify(symptom).known
        if in_band or (is_known and not has_rows):
            raise ServerRefused("stream", texts, codes)
        if not has_data:
            self.request_error = ServerRefused("subscribe", texts, codes)

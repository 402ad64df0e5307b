"""Results that are not simply a list of rows: errors, nothing, refusals in the place of data."""

from __future__ import annotations

from collections.abc import Callable

import msgspec
import structlog

from connector.records.bad import Unconvertible, UnreadableResult
from connector.records.list_slices import ListSlices
from connector.refusals import RepetitionFilter
from connector.subscription import (
    Delivered,
    GraphQLError,
    Misnamed,
    ProtocolViolation,
    RawPayload,
    ServerRefused,
    Unreadable,
    read_errors,
    refusal_in_data,
    result_of,
)
from connector.task.intake import Source
from connector.task.observers import FlowObserver
from connector.task.settings import SubscriptionSettings
from connector.task.status import StatusTracker

log = structlog.get_logger(__name__)


class OddResults:
    """
    Looks at the odd results of one subscription. ``keep`` is given frames that are kept as bad records,
    where that is tolerated.
    """

    def __init__(
        self,
        settings: SubscriptionSettings,
        *,
        status: StatusTracker,
        observer: FlowObserver,
        keep: Callable[[bytes, Unconvertible], None],
    ) -> None:
        self._name = settings.name
        self._rows = settings.rows
        self._refusals = settings.refusals
        self._tolerates = settings.tolerance.bad
        self._status = status
        self._observer = observer
        self._keep = keep
        self._repetition = RepetitionFilter()
        self._told_of_type = False

    def rows_of(self, result: Delivered, source: Source) -> list[msgspec.Raw] | ListSlices | None:
        """
        Return the rows that ``result`` has after all; ``None``: it has none.

        Raises:
            ServerRefused: It carries a refusal.
            ProtocolViolation: No rows can be read from it, and that is not tolerated.
        """
        if isinstance(result.payload, Misnamed):
            self._ignore(result.frame, result.payload)
            return None
        source.request_error = None
        if isinstance(result.payload, Unreadable):
            self._give_up(result.frame, result.payload.said)
            return None
        payload = result.payload if type(result.payload) is RawPayload else result_of(result.frame)
        errors = read_errors(payload.errors)
        rows = self._rows.find_rows(payload.data) if len(payload.data) else None
        mistake = None
        if rows is None or self._rows.may_repeat(result.frame) or self._rows.may_be_partial(result.frame):
            mistake = self._rows.mistake_in(result.frame)
            rows = None if mistake else rows
        in_band = refusal_in_data(payload.data) if not errors and rows is None else ()
        if errors or in_band:
            refused = self._judge(errors or in_band, source, has_rows=bool(rows), in_band=bool(in_band))
            if refused is not None:
                raise refused
            if not len(payload.data):
                source.request_error = self._refused("subscribe", errors, source)
        if errors and not rows:
            rows = None  # an empty list beside errors is no sign that the stream goes on
            source.result_failed(self._refused("stream", errors, source))
        elif rows is not None or mistake is not None:  # nothing at all is no such sign either
            source.result_failed(None)
        if mistake is not None:
            self._give_up(
                result.frame, f"the server sent a result that cannot be read: {source.clean(mistake)}"
            )
        elif rows is None:
            self._observer.null_result()
            if not errors:
                log.debug("result without rows", subscription=self._name, bytes=len(payload.data))
        return rows

    def _ignore(self, frame: bytes, message: Misnamed) -> None:
        self._observer.received(0, len(frame))
        self._observer.null_result()
        if not self._told_of_type:
            self._told_of_type = True
            log.warning("data in a message of another type", subscription=self._name, type=message.type)

    def _give_up(self, frame: bytes, said: str) -> None:
        """
        No rows can be read from ``frame``, or not all.

        Raises:
            ProtocolViolation: That is not tolerated.
        """
        self._observer.received(0, len(frame))
        if not self._tolerates:
            raise ProtocolViolation(said)
        self._keep(frame, UnreadableResult(said))

    def _judge(
        self, errors: tuple[GraphQLError, ...], source: Source, *, has_rows: bool, in_band: bool
    ) -> ServerRefused | None:
        """Tell of ``errors``; return the refusal that they are, ``None`` where they are none."""
        self._observer.result_errors(len(errors))
        refused = self._refused("stream", errors, source)
        symptom = refused.symptom
        said = "; ".join(symptom.texts[:3]) or "without a message"
        if self._repetition.is_new(symptom):
            log.warning("result carries errors", subscription=self._name, errors=said, has_rows=has_rows)
        self._status.last_error = said
        is_known = self._refusals.classify(symptom).known
        return refused if in_band or (is_known and not has_rows) else None

    @staticmethod
    def _refused(during: str, errors: tuple[GraphQLError, ...], source: Source) -> ServerRefused:
        texts = tuple(source.clean(error.message) for error in errors if error.message)
        codes = tuple(source.clean(code) for error in errors for code in error.codes)
        return ServerRefused(during, texts, codes)

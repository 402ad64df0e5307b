"""
Rows → records: keys, event times, headers, topics, values and digests, compiled once per subscription.

Only the named fields of a row are decoded. There is no dict per row, and no number goes through a float.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from connector.records.bad import BadRecord, Stage, ThroughList, Unconvertible
from connector.records.built import BuiltRecords
from connector.records.converter import call_of
from connector.records.fields import BROKEN, Fields, Getter, Path, is_integer, text_of
from connector.records.identity import Admits, compile_identity
from connector.records.keys import compile_key
from connector.records.loop import Loop, compile_loop
from connector.records.record import EVENT_TIME_HEADER, Headers, SourceRecord
from connector.records.record_spec import RecordSpec
from connector.records.timestamps import TimestampCache


class RecordBuilder:
    """Builds the records of one subscription, as its ``spec`` says."""

    def __init__(self, spec: RecordSpec) -> None:
        self._spec = spec
        self._fields = Fields(spec.paths)
        self._nothing: Any = None if spec.paths else self._fields.item_type()
        self._key = compile_key(self._fields, spec.key)
        self._timestamp = self._fields.getter(spec.timestamp) if spec.timestamp else None
        self._times = TimestampCache()
        self._headers = [(name, self._fields.getter(path)) for name, path in spec.headers]
        self._digest = compile_identity(self._fields, spec.identity) if spec.identity else None
        self._convert = call_of(spec.converter)
        self._static_topic = spec.topic.static
        self._topic = spec.topic.compile(self._fields)
        self._loop: Loop | None = None
        self._judging_loop: Loop | None = None
        if spec.paths and self._static_topic is not None:
            # Taken for strings until they are seen to be something else. Keys of several parts are not text.
            texts = {path for path in spec.paths if len(spec.key) < 2 or path not in spec.key}
            self._texts = {path: self._fields.getter(path) for path in texts}
            self._integers: dict[Path, Getter] = {}
            self._compile_loops()

    def build(
        self, rows: Sequence[msgspec.Raw], headers: Headers, admits: Admits | None = None
    ) -> BuiltRecords:
        """
        Return what becomes of ``rows``; each record carries ``headers`` before its own.

        ``admits`` may refuse rows by their digest; ``None``: all are wanted, as they are without an identity.
        """
        built = BuiltRecords()
        topic = self._static_topic
        if topic is not None:
            built.topics[topic] = []
            if self._digest is not None:
                built.digests[topic] = []
        loop = self._loop if admits is None else self._judging_loop
        if loop is not None:
            loop(rows, headers, built, admits)
        else:
            for row in rows:
                self._any(row, headers, built, admits)
        return built

    def _compile_loops(self) -> None:
        def compiled(*, judges: bool) -> Loop:
            return compile_loop(
                self._spec,
                self._fields,
                texts=self._texts,
                integers=self._integers,
                times=self._times.texts,
                judges=judges,
                general=self._uncommon,
                unconverted=self._unconverted,
            )

        self._loop = compiled(judges=False)
        self._judging_loop = compiled(judges=True) if self._spec.identity else self._loop

    def _uncommon(
        self, row: msgspec.Raw, headers: Headers, built: BuiltRecords, admits: Admits | None
    ) -> None:
        """Take a row that the loop does not know; what is of another kind in it is so in later frames."""
        item = self._any(row, headers, built, admits)
        others = [path for path, get in self._texts.items() if (get(item) or b'"')[:1] != b'"']
        mixed = [path for path, get in self._integers.items() if not is_integer(get(item) or b"0")]
        if others or mixed:
            for path in mixed:
                del self._integers[path]
            for path in others:
                get = self._texts.pop(path)
                if path in self._spec.digested and is_integer(get(item)):
                    self._integers[path] = get
            self._compile_loops()

    def _any(self, row: msgspec.Raw, headers: Headers, built: BuiltRecords, admits: Admits | None) -> Any:
        """Take any row at all; return its item."""
        item, through = self._fields.read(row) if self._nothing is None else (self._nothing, ())
        digest = None
        if self._digest is not None:
            digest = self._digest(item)
            built.identities_missing += digest is None
        if admits is not None and digest is not None and not admits(digest, row):
            built.refused.append((row, digest))
            return item
        topic = self._static_topic
        try:
            if through:
                raise self._through_list(through)
            record = self._record(row, item, headers, built)
            if topic is None:
                topic = self._topic(item)
        except Unconvertible as error:
            built.failed.append(self._bad(row, item, headers, error, digest))
            return item
        if self._convert is not None:
            try:
                record = (record[0], self._convert(topic, row), *record[2:])
            except Unconvertible as error:
                self._unconverted(error, topic, record, built, digest)
                return item
        built.topics.setdefault(topic, []).append(record)
        if self._digest is not None:
            built.digests.setdefault(topic, []).append(digest)
        return item

    def _through_list(self, place: Path) -> ThroughList:
        path = next(one for one in self._spec.paths if one[: len(place)] == place)
        return ThroughList(".".join(path), ".".join(place), self._spec.stage_of(place))

    def _bad(
        self, row: msgspec.Raw, item: Any, headers: Headers, error: Unconvertible, digest: int | None
    ) -> BadRecord:
        try:
            key = self._key(item)
        except BROKEN:
            key = None
        return BadRecord(
            error=error,
            stage=error.stage,
            executing_class=type(self),
            value=row,
            headers=headers,
            key=key,
            topic=self._static_topic,
            digest=digest,
        )

    def _unconverted(
        self, error: Unconvertible, topic: str, record: SourceRecord, built: BuiltRecords, digest: int | None
    ) -> None:
        """Note that the converter does not take the row that is the value of ``record``."""
        key, row, timestamp, headers = record
        bad = BadRecord(
            error=error,
            stage=error.stage,
            executing_class=type(self._spec.converter),
            value=row,
            headers=headers,
            key=key,
            timestamp=timestamp,
            topic=topic,
            digest=digest,
        )
        built.failed.append(bad)

    def _record(self, row: msgspec.Raw, item: Any, headers: Headers, built: BuiltRecords) -> SourceRecord:
        """The record of ``row`` before it is converted."""
        try:
            key = self._key(item)
        except BROKEN as error:
            raise Unconvertible("the key is not text", Stage.KEY) from error
        if key is None and self._spec.key:
            built.keys_missing += 1
        timestamp: int | None = None
        if self._timestamp is not None:
            written = self._timestamp(item)
            timestamp = self._times(written) if written else None
            if timestamp is None:
                built.times_missing += 1
                if written:
                    headers = [*headers, (EVENT_TIME_HEADER, written)]
        if self._headers:
            headers = headers + [(name, _header(get(item))) for name, get in self._headers]
        return (key, row, timestamp, headers)


def _header(raw: bytes) -> bytes:
    if raw[:1] != b'"':
        return raw
    try:
        return text_of(raw).encode()
    except (msgspec.DecodeError, UnicodeDecodeError, UnicodeEncodeError) as error:
        raise Unconvertible("a header's field is not text", Stage.HEADER) from error

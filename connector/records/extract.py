"""
Results → rows, keys, event times and topics, compiled once per subscription.

A row stays a slice of the received bytes; only the named fields are decoded. There is no dict per row,
and no number goes through a float.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import msgspec

from connector.records.bad import BadRecord, Stage, Unconvertible
from connector.records.fields import BROKEN, Fields, Path, payload_type, text_of
from connector.records.identity import compile_identity
from connector.records.keys import compile_key
from connector.records.loop import Loop, compile_loop
from connector.records.record import EVENT_TIME_HEADER, Header, Headers, Row, Value
from connector.records.timestamps import Clock
from connector.records.topics import TopicTemplate

__all__ = ["EVENT_TIME_HEADER", "Extracted", "Extractor", "Header", "Headers", "Row", "Value"]

_rows = msgspec.json.Decoder(list[msgspec.Raw])
_object = msgspec.json.Decoder(dict[str, msgspec.Raw])


@dataclass(slots=True)
class Extracted:
    """
    The rows of one result by topic, in the order received, and what was odd about them.

    ``failed`` holds the rows that cannot become records. ``digests`` are those of all rows, in the order
    received; none where the subscription has no identity.
    """

    topics: dict[str, list[Row]]
    count: int = 0
    keys_missing: int = 0
    times_missing: int = 0
    failed: list[BadRecord] = field(default_factory=list)
    digests: list[int | None] = field(default_factory=list)


class Extractor:
    """
    One subscription's way from result to records.

    ``rows`` is the path below ``data``; ``key``, ``timestamp``, ``headers`` and ``identity`` are paths below
    a row; ``topic`` names the topic. ``timestamp`` is ``None`` where rows carry no event time.
    """

    def __init__(
        self,
        *,
        rows: Path,
        key: Sequence[Path],
        timestamp: Path | None,
        headers: Sequence[tuple[str, Path]],
        topic: TopicTemplate,
        identity: Sequence[Path] = (),
    ) -> None:
        paths = [*key, *([timestamp] if timestamp else []), *(path for _, path in headers), *topic.paths]
        paths += identity
        self.payload_type = payload_type(rows)
        self._path = rows
        self._depth = range(len(rows))
        self._fields = Fields(paths)
        self._item: msgspec.json.Decoder[Any] | None = (
            msgspec.json.Decoder(self._fields.item_type) if paths else None
        )
        self._nothing: Any = self._fields.item_type()
        self._has_key = bool(key)
        self._key = compile_key(self._fields, key)
        self._timestamp = self._fields.getter(timestamp) if timestamp else None
        self._clock = Clock()
        self._headers = [(name, self._fields.getter(path)) for name, path in headers]
        self._identity = compile_identity(self._fields, identity) if identity else None
        self._static_topic = topic.static
        self._topic = topic.compile(self._fields)
        self._loop: Loop | None = None
        if paths and topic.static is not None:
            # Taken for strings until they are seen to be something else. Keys of several parts are not text.
            texts = {path for path in paths if len(key) < 2 or path not in key}
            self._texts = {path: self._fields.getter(path) for path in texts}
            self._compile_loop = partial(
                compile_loop,
                self._fields,
                key=key,
                timestamp=timestamp,
                headers=headers,
                identity=identity,
                times=self._clock.texts,
            )
            self._loop = self._compile_loop(texts=texts)

    def rows_of(self, payload: Any) -> list[msgspec.Raw] | None:
        """
        Return the rows in an instance of `payload_type`.

        ``None`` where the path leads to nothing, or errors came along.
        """
        if len(payload.errors):
            return None
        node = payload.data
        for _ in self._depth:
            if node is None:
                return None
            node = node.f0
        rows: list[msgspec.Raw] | None = node
        return rows

    def find_rows(self, data: bytes | msgspec.Raw) -> list[msgspec.Raw] | None:
        """
        Return the rows in ``data`` of any shape: the elements of a list, or one object or scalar as one row.

        ``None`` where the path leads to nothing or to ``null``.
        """
        node = msgspec.Raw(data)
        for name in self._path:
            try:
                node = _object.decode(node)[name]
            except (*BROKEN, KeyError):
                return None
        text = bytes(node).strip()
        if text == b"null":
            return None
        return _rows.decode(node) if text[:1] == b"[" else [node]

    def leads_astray(self, data: bytes | msgspec.Raw) -> bool:
        """
        Return whether something stands on the way to the rows that no server may put there.

        That is neither an object nor ``null``; a name that is missing is left to conditions in the document.
        """
        node = msgspec.Raw(data)
        for name in self._path:
            if bytes(node).strip() == b"null":
                return False
            try:
                below = _object.decode(node)
            except BROKEN:
                return True
            if name not in below:
                return False
            node = below[name]
        return False

    def extract(self, rows: Sequence[msgspec.Raw], headers: Headers) -> Extracted:
        """Return the records of ``rows``; each carries ``headers`` before its own."""
        extracted = Extracted({}, count=len(rows))
        into: list[Row] | None = None
        if self._static_topic is not None:
            into = extracted.topics[self._static_topic] = []
        if self._loop is not None and into is not None:
            self._loop(
                rows,
                headers,
                into.append,
                lambda raw: self._learn(self._any(raw, headers, extracted, into)),
                extracted.digests.append,
            )
        else:
            for raw in rows:
                self._any(raw, headers, extracted, into)
        return extracted

    def _learn(self, item: Any) -> None:
        """Take what is no string in ``item`` for none in later frames."""
        others = [path for path, get in self._texts.items() if (get(item) or b'"')[:1] != b'"']
        if others:
            for path in others:
                del self._texts[path]
            self._loop = self._compile_loop(texts=frozenset(self._texts))

    def _any(self, raw: msgspec.Raw, headers: Headers, extracted: Extracted, into: list[Row] | None) -> Any:
        """
        Take any row at all; return its item. ``into`` is ``None`` where the topic depends on the row.
        """
        item = self._nothing
        if self._item is not None:
            try:
                item = self._item.decode(raw)
            except BROKEN:
                item = _fitting(self._fields.item_type, raw)
        if self._identity is not None:
            extracted.digests.append(self._identity(item))
        try:
            row = self._record(raw, item, headers, extracted)
            if into is not None:
                into.append(row)
            else:
                extracted.topics.setdefault(self._topic(item), []).append(row)
        except Unconvertible as error:
            extracted.failed.append(self._bad(raw, item, headers, error))
        return item

    def _bad(self, raw: msgspec.Raw, item: Any, headers: Headers, error: Unconvertible) -> BadRecord:
        try:
            key = self._key(item)
        except BROKEN:
            key = None
        return BadRecord(
            error=error,
            stage=error.stage,
            worker=type(self),
            value=raw,
            headers=headers,
            key=key,
            topic=self._static_topic,
        )

    def _record(self, raw: msgspec.Raw, item: Any, headers: Headers, extracted: Extracted) -> Row:
        try:
            key = self._key(item)
        except BROKEN as error:
            raise Unconvertible("the key is not text", Stage.KEY) from error
        if key is None and self._has_key:
            extracted.keys_missing += 1
        moment: int | None = None
        if self._timestamp is not None:
            written = self._timestamp(item)
            moment = self._clock(written) if written else None
            if moment is None:
                extracted.times_missing += 1
                if written:
                    headers = [*headers, (EVENT_TIME_HEADER, written)]
        if self._headers:
            headers = headers + [(name, _header(get(item))) for name, get in self._headers]
        return (key, raw, moment, headers)


def _fitting(kind: type, raw: msgspec.Raw) -> Any:
    """Build ``kind`` from an object that has other types than expected: what fits, the rest absent."""
    item = kind()
    try:
        found = _object.decode(raw)
    except BROKEN:
        return item
    for info in msgspec.structs.fields(kind):
        below = found.get(info.encode_name)
        if below is None:
            continue
        if info.type is msgspec.Raw:
            setattr(item, info.name, below)
        else:
            nested = next(one for one in info.type.__args__ if one is not type(None))
            setattr(item, info.name, _fitting(nested, below))
    return item


def _header(raw: bytes) -> bytes:
    if raw[:1] != b'"':
        return raw
    try:
        return text_of(raw).encode()
    except (msgspec.DecodeError, UnicodeDecodeError, UnicodeEncodeError) as error:
        raise Unconvertible("a header's field is not text", Stage.HEADER) from error

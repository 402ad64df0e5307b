"""Where the parts of a subscription's records come from."""

from __future__ import annotations

from dataclasses import dataclass, field

from connector.records.bad import Stage
from connector.records.converter import Converter, RawJson
from connector.records.fields import Path
from connector.records.identity import Identity
from connector.records.topics import TopicTemplate


@dataclass(frozen=True, kw_only=True, slots=True)
class RecordSpec:
    """
    What the records of one subscription are made of; all paths are below a row.

    Without a ``key`` records have none, with a ``timestamp`` of ``None`` no event time, without an
    ``identity`` no digest.
    """

    topic: TopicTemplate
    key: tuple[Path, ...] = ()
    timestamp: Path | None = None
    headers: tuple[tuple[str, Path], ...] = ()
    identity: Identity | None = None
    converter: Converter = field(default_factory=RawJson)

    @property
    def paths(self) -> list[Path]:
        """All fields of a row that are read; some may be named twice."""
        paths = [*self.key, *([self.timestamp] if self.timestamp else [])]
        paths += [path for _, path in self.headers]
        return [*paths, *self.topic.paths, *(self.identity.fields if self.identity else ())]

    @property
    def digested(self) -> frozenset[Path]:
        """The fields that are part of the identity, and of nothing else."""
        if self.identity is None:
            return frozenset()
        others = {*self.key, self.timestamp, *(path for _, path in self.headers), *self.topic.paths}
        return frozenset(path for path in self.identity.fields if path not in others)

    def stage_of(self, path: Path) -> Stage:
        """Return which part of a record is made with fields below ``path``."""
        if any(one[: len(path)] == path for one in self.topic.paths):
            return Stage.TOPIC
        if any(one[: len(path)] == path for one in self.key):
            return Stage.KEY
        is_header = any(one[: len(path)] == path for _, one in self.headers)
        return Stage.HEADER if is_header else Stage.VALUE

"""
An upstream, two sessions of it as a network delivers them, and whoever rotates: all on one clock.

The plain model is `Upstream.truth`: the rows that one perfect session would have brought.
"""

from __future__ import annotations

import heapq
import json
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import msgspec

from connector.records.record_builder import RecordBuilder
from connector.records.record_spec import RecordSpec
from connector.records.seam import Overlap, OverlapTimes, RowSource, Seam, SeamSpec, Verdict
from connector.records.topics import TopicTemplate
from tests.unit.records.seam.came import Came, rows_of

BEGAN = 10.0
"""When the overlap begins: what came before is no matter to it."""

REACH = 5.0
LEAST = 5.0
MOST = 30.0
STEP = 0.25
"""How often whoever rotates asks for the verdict."""

JITTER = 0.4


@dataclass(frozen=True, kw_only=True)
class Network:
    """
    How a session brings what the upstream emits: so many seconds later, each row at most `JITTER` later than
    that, in receipts of what comes within ``grouping``. It dies ``dies_at``; ``None``: it does not.
    """

    lag: float = 0.0
    jitters: tuple[float, ...] = (0.0,)
    grouping: float = 0.01
    dies_at: float | None = None


@dataclass(frozen=True)
class Upstream:
    """Frames of rows by when they are emitted."""

    frames: Sequence[tuple[float, Sequence[bytes]]]

    @property
    def truth(self) -> Counter[bytes]:
        return Counter(row for _, rows in self.frames for row in rows)

    def deliveries(self, network: Network, since: float) -> dict[float, list[bytes]]:
        """What a session brings that subscribed at ``since``, by time."""
        receipts: dict[float, list[bytes]] = {}
        number = 0
        for emitted_at, rows in self.frames:
            for row in rows if emitted_at >= since else ():
                jitter = network.jitters[number % len(network.jitters)]
                number += 1
                came = emitted_at + network.lag + jitter * JITTER
                came = (came // network.grouping + 1) * network.grouping
                receipts.setdefault(came, []).append(row)
        return receipts


@dataclass
class Rotation:
    """
    One rotation: `run` returns once all was delivered. ``snapshot`` is how many seconds of rows the new
    session brings at its beginning, ``partial`` whether its first frame is another than the old one's. An old
    session that is told to close brings what is on its way, or loses it (``drops_queue``).
    """

    upstream: Upstream
    old: Network
    new: Network
    spec: SeamSpec = field(default_factory=SeamSpec)
    snapshot: float = 0.0
    partial: bool = False
    drops_queue: bool = False
    builds: bool = False
    verdict: Verdict | None = None
    switched_at: float | None = None

    def __post_init__(self) -> None:
        self.seam: Seam[Came] = Seam(self.spec)
        self._events: list[tuple[float, int, str, list[bytes]]] = []
        self._sources = {"old": self.seam.open_source()}
        self._closed: set[str] = set()
        self._published: list[bytes] = []
        self._builder = RecordBuilder(RecordSpec(topic=TopicTemplate("t", {}), identity=self.spec.identity))
        self.overlap: Overlap[Came] | None = None

    @property
    def published(self) -> Counter[bytes]:
        return Counter(self._published)

    @property
    def partial_rows(self) -> set[bytes]:
        return {row for row in self._published if b"partial" in row}

    def run(self) -> Rotation:
        subscribes_at = BEGAN + REACH
        for kind, network, since in (("old", self.old, 0.0), ("new", self.new, subscribes_at)):
            for came, rows in self._delivered(kind, network, since):
                self._push(came, kind, rows)
            if network.dies_at is not None:
                self._push(network.dies_at, f"{kind} dies", [])
        self._push(BEGAN, "begin", [])
        self._push(subscribes_at, "subscribe", [])
        while self._events:
            now, _, kind, rows = heapq.heappop(self._events)
            self._happens(now, kind, rows)
        return self

    def _delivered(self, kind: str, network: Network, since: float) -> Iterator[tuple[float, list[bytes]]]:
        deliveries = self.upstream.deliveries(network, since)
        if kind == "new" and self.snapshot:
            first = [
                row
                for at, rows in self.upstream.frames
                if since - self.snapshot <= at < since
                for row in rows
            ]
            yield since + 0.001, first
        if kind == "new" and self.partial and deliveries:
            first_at = min(deliveries)
            deliveries[first_at] = [b'{"partial":%d}' % number for number in range(len(deliveries[first_at]))]
        yield from deliveries.items()

    def _push(self, at: float, kind: str, rows: list[bytes]) -> None:
        heapq.heappush(self._events, (at, len(self._events), kind, rows))

    def _happens(self, now: float, kind: str, rows: list[bytes]) -> None:
        if kind == "begin":
            if "old" not in self._closed:
                self.overlap = self.seam.begin_overlap(self._sources["old"], now=now, reach=REACH)
        elif kind == "subscribe":
            self._subscribe(now)
        elif kind == "ask":
            self._ask(now)
        elif kind.endswith(" dies"):
            self._close(kind.removesuffix(" dies"), now)
        elif kind in self._sources and kind not in self._closed:
            self._receive(self._sources[kind], rows, now)

    def _subscribe(self, now: float) -> None:
        self._sources["new"] = self.seam.open_source()
        if self.overlap is None or "old" in self._closed:
            return
        self.overlap.subscribed(self._sources["new"], now, OverlapTimes(least=LEAST, until=now + MOST))
        self._push(now + STEP, "ask", [])

    def _ask(self, now: float) -> None:
        assert self.overlap is not None
        if self.verdict is not None or "new" in self._closed:
            return
        verdict = self.overlap.verdict(now)
        if verdict in (Verdict.CLOSE_OLD, Verdict.DECLARE_GAP):
            self.verdict = verdict
            self.switched_at = now
            self._publish(self.overlap.switch())
            self._push(now + (0.0 if self.drops_queue else 2.0), "old dies", [])
        elif verdict is Verdict.UNPROVED and now >= BEGAN + REACH + MOST:
            self.verdict = verdict
            self._push(now, "new dies", [])
        else:
            self._push(now + STEP, "ask", [])

    def _close(self, kind: str, now: float) -> None:
        if kind in self._closed or kind not in self._sources:
            return
        self._closed.add(kind)
        self._publish(self.seam.close_source(self._sources[kind], now))
        if kind == "old" and self.verdict is None and self.overlap is not None:
            self.verdict = self.overlap.verdict(now)

    def _receive(self, source: RowSource, rows: list[bytes], now: float) -> None:
        receipt = Came([msgspec.Raw(row) for row in rows], now, 100 + sum(map(len, rows)))
        self._publish(self.seam.take(source, receipt), source)

    def _publish(self, receipts: Sequence[Came], source: RowSource | None = None) -> None:
        for receipt in receipts:
            rows = list(rows_of(receipt))
            if self.builds:
                self.seam.turn(receipt.received_at, source or self._sources["new"])
                built = self._builder.build(rows, [], self.seam.admits)
                self.seam.pending().settled()
                rows = [value for records in built.topics.values() for _, value, _, _ in records]  # type: ignore[misc]
            self._published += [bytes(row) for row in rows]


def row(number: int, **fields: object) -> bytes:
    return json.dumps({"id": str(number), **fields}, separators=(",", ":")).encode()

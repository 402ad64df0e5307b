"""A subscription under suspicion, without socket or clock: traffic goes in, probes and findings come out."""

from __future__ import annotations

import math
import random
from collections.abc import Iterator

from connector.task.doubt import Doubt, Finding, Seen
from connector.task.siblings import Siblings
from connector.task.suspicion import Suspicion
from connector.task.suspicion_policy import SuspicionPolicy

REOPEN = SuspicionPolicy(quiet_after="auto")
OVERLAP = SuspicionPolicy(quiet_after="auto", overlaps=True)

DAY = 86400.0


class Doubted:
    """
    Sees the rows of ``traffic``, moments in ascending order. Satisfies `SuspicionEvents`.

    A probe of ``policy`` that is a reopen takes ``reopening`` seconds, in which rows are missed; ``late``
    seconds after its beginning the old session brings one more (``None``: it does not). Sessions that
    began before ``dead_at`` bring nothing from then on; ``snapshot`` seconds after its beginning a session
    brings a row of its own (``None``: it does not).
    """

    def __init__(
        self,
        traffic: Iterator[float],
        policy: SuspicionPolicy = REOPEN,
        *,
        name: str = "s",
        siblings: Siblings | None = None,
        reopening: float = 1.0,
        late: float | None = None,
        snapshot: float | None = None,
    ) -> None:
        self.probes: list[float] = []
        self.doubts: list[Doubt] = []
        self.findings: list[Finding] = []
        self.now = 0.0
        self.dead_at = math.inf
        self.is_free = True
        self.failing_since: float | None = None
        self.suspicion = Suspicion(
            name,
            policy,
            siblings=siblings or Siblings(rng=lambda: 0.0),
            events=self,
            rng=lambda: 0.0,
        )
        self._traffic = traffic
        self._overlaps = policy.overlaps
        self._reopening = reopening
        self._late = late
        self._snapshot = snapshot
        self._next = next(traffic, math.inf)
        self._row_at: float | None = None
        self._began_at: float | None = None
        self._opens_at = 0.0
        self._extra = math.inf

    @property
    def verdicts(self) -> list[str]:
        return [finding.verdict.value for finding in self.findings]

    def probe(self, doubt: Doubt) -> None:
        self.probes.append(self.now)
        self.doubts.append(doubt)
        if not self._overlaps:
            self.reopen(self._reopening)
            if self._late is not None:
                self._extra = self.now + self._late

    def found(self, finding: Finding) -> None:
        self.findings.append(finding)

    def reopen(self, after: float = 1.0) -> None:
        """Close the session, and open another."""
        self._began_at, self._opens_at = None, self.now + after

    def step(self) -> None:
        """Go on to the next look."""
        self.now += self.suspicion.wait
        if self._began_at is None and self.now >= self._opens_at:
            self._began_at = self._opens_at
            if self._snapshot is not None:
                self._extra = self._began_at + self._snapshot
        while self._next <= self.now:
            if self._began_at is not None and self._began_at <= self._next and not self._is_dead(self._next):
                self._row_at = max(self._row_at or 0.0, self._next)
            self._next = next(self._traffic, math.inf)
        if self._extra <= self.now:
            self._row_at, self._extra = max(self._row_at or 0.0, self._extra), math.inf
        seen = Seen(
            row_at=self._row_at,
            live_since=self._began_at,
            failing_since=self.failing_since if self._began_at is not None else None,
            is_free=self.is_free and self._began_at is not None,
        )
        self.suspicion.look(self.now, seen)

    def run(self, until: float) -> None:
        while self.now < until:
            self.step()

    def _is_dead(self, at: float) -> bool:
        return at >= self.dead_at and self._began_at is not None and self._began_at < self.dead_at


# Traffic


def steady(pace: float = 0.5, *, since: float = 0.0, until: float = math.inf) -> Iterator[float]:
    at = since
    while at < until:
        yield at
        at += pace


def poisson(mean: float, rng: random.Random) -> Iterator[float]:
    """Rows that know nothing of one another, ``mean`` seconds apart on average."""
    at = 0.0
    while True:
        at += rng.expovariate(1 / mean)
        yield at


def bursts(on: float, off: float, rng: random.Random) -> Iterator[float]:
    """A row a second for ``on`` seconds on average, then pauses of ``off`` seconds on average."""
    at = 0.0
    while True:
        end = at + rng.expovariate(1 / on)
        while at < end:
            at += rng.expovariate(1.0)
            yield at
        at += rng.expovariate(1 / off)


def day_and_night(busy: float, calm: float, rng: random.Random) -> Iterator[float]:
    """Rows ``busy`` seconds apart at noon and ``calm`` seconds at midnight, and all between."""
    at = 0.0
    while True:
        share = (math.cos(2 * math.pi * at / DAY) + 1) / 2
        at += rng.expovariate(1 / (calm * (busy / calm) ** share))
        yield at


def market(rng: random.Random, *, hours: float = 6.5) -> Iterator[float]:
    """A row a second while a market is open, and none at all until the next day."""
    at = 0.0
    while True:
        at += rng.expovariate(1.0)
        if at % DAY > hours * 3600:
            at = (at // DAY + 1) * DAY
        yield at


def heavy_tailed(least: float, rng: random.Random) -> Iterator[float]:
    """Silences of at least ``least`` seconds, some of them very long (Pareto, 1.5)."""
    at = 0.0
    while True:
        at += least * rng.paretovariate(1.5)
        yield at

"""What is measured: candidates, and the cells that they run in."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Literal

Broker = Literal["mock", "kafka"]

PRODUCT, PRODUCT_AGAIN = "connector", "connector (again)"
NAIVE, CAREFUL, QUIX, QUIX_TUNED = "naive", "careful", "quix streams", "quix streams, tuned"
RECEIVE, PARSE = "limit: receive", "limit: receive + parse"
PRODUCE_AIOKAFKA, PRODUCE_LIBRDKAFKA = "limit: produce, aiokafka", "limit: produce, librdkafka"


RTT = "rtt"
"""The group that compares brokers near and far."""

SCRIPT_ROWS = 40_000


@dataclass(frozen=True, kw_only=True, slots=True)
class Cell:
    """
    One candidate under one set of conditions.

    ``rows`` of a frame; ``rate`` frames a second (``None``: as fast as it takes them); ``rtt`` seconds that
    each answer of the broker takes. ``beside`` names a group that measures a cell of another group once more,
    to compare it within the group.
    """

    candidate: str
    rows: int = 10
    compression: str = "none"
    tls: bool = False
    rtt: float = 0.0
    broker: Broker = "mock"
    rate: float | None = None
    beside: str = ""

    @property
    def total(self) -> int | None:
        """
        Rows after which the feeder stops, ``None`` where a window of time is measured.

        The programs on gql queue whatever comes, without a bound. Under a flood they do little but read, and
        what they have published in a window says nothing of what their rows will have cost in the end.
        """
        return SCRIPT_ROWS if self.candidate in (NAIVE, CAREFUL) and self.rate is None else None

    @property
    def factor(self) -> str:
        """The conditions without the candidate, for people."""
        parts = [f"N={self.rows}"]
        parts += [self.compression] if self.compression != "none" else []
        parts += ["wss"] if self.tls else []
        parts += [f"rtt {self.rtt * 1000:g} ms"] if self.rtt else []
        parts += ["Apache Kafka"] if self.broker == "kafka" else []
        parts += [f"{self.rate * self.rows:g} rows/s"] if self.rate else []
        return ", ".join(parts)

    @property
    def key(self) -> str:
        """Names the cell in the file of results."""
        return f"{self.candidate} | {self.factor}" + (f" | beside {self.beside}" if self.beside else "")


EVERYBODY = (
    PRODUCT,
    NAIVE,
    CAREFUL,
    QUIX,
    QUIX_TUNED,
    RECEIVE,
    PARSE,
)
QUICK = (PRODUCT, NAIVE, QUIX, PARSE, PRODUCT_AGAIN)


def groups(*, quick: bool, with_kafka: bool) -> Iterator[tuple[Cell, ...]]:
    """Cells that are compared with one another, and therefore run in turn, group by group."""
    if quick:
        yield _all(QUICK, Cell(candidate="", rows=10))
        yield _all((PRODUCT, NAIVE), Cell(candidate="", rows=1))
        return
    yield _all((*EVERYBODY, PRODUCE_AIOKAFKA, PRODUCE_LIBRDKAFKA, PRODUCT_AGAIN), Cell(candidate="", rows=10))
    for rows in (1, 200):
        yield _all(EVERYBODY, Cell(candidate="", rows=rows))
    for factor in (
        Cell(candidate="", compression="lz4"),
        Cell(candidate="", compression="zstd"),
        Cell(candidate="", tls=True),
    ):
        yield _all((PRODUCT, NAIVE, CAREFUL), factor)
    # Against itself without the round trip, in the same run.
    yield tuple(
        cell
        for rtt in (0.0, 0.01)
        for cell in _all((PRODUCT, NAIVE, PRODUCE_LIBRDKAFKA), Cell(candidate="", rtt=rtt, beside=RTT))
    )
    if with_kafka:
        for rows in (10, 1):
            yield _all((PRODUCT, NAIVE, CAREFUL), Cell(candidate="", rows=rows, broker="kafka"))


def latency_cells(*, quick: bool) -> tuple[Cell, ...]:
    """Received → acknowledged at 100 rows a second."""
    at_100 = Cell(candidate="", rows=1, rate=100.0)
    return _all((PRODUCT,) if quick else (PRODUCT, NAIVE, CAREFUL), at_100)


def half_load_cell(rows_per_second: float) -> Cell:
    """The connector at half of what it takes at N=10, to the nearest thousand rows a second."""
    return Cell(candidate=PRODUCT, rate=max(round(rows_per_second / 2, -3), 1000.0) / 10)


def _all(candidates: tuple[str, ...], conditions: Cell) -> tuple[Cell, ...]:
    return tuple(replace(conditions, candidate=candidate) for candidate in candidates)

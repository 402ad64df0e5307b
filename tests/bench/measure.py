"""One run of one cell: everything started anew, a warm-up, a window, what happened in it."""

from __future__ import annotations

import contextlib
import json
import re
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from confluent_kafka import Consumer, TopicPartition

from tests.bench import cells
from tests.bench.cells import Cell
from tests.bench.commands import command
from tests.bench.foreign import certificate
from tests.bench.kafka import topic_on
from tests.bench.processes import CANDIDATE_CORE, OTHER_CORE, Counter, Lines, python, running
from tests.bench.window import Watch

START_DEADLINE = 60.0
PARTITIONS = 4
MOCK_TOPIC = "bench"
LIMITS = (cells.RECEIVE, cells.PARSE, cells.PRODUCE_AIOKAFKA, cells.PRODUCE_LIBRDKAFKA)


@dataclass(frozen=True, kw_only=True, slots=True)
class Sample:
    """
    What one run gave. ``cpu_per_million`` is CPU seconds of the candidate for a million rows; ``others_busy``
    the share of their core that feeder and measuring used; latencies in ms, ``None`` where not measured.
    """

    rows_per_second: float
    cpu_per_million: float
    peak_rss_mb: float
    others_busy: float
    p50_ms: float | None = None
    p99_ms: float | None = None


class Acknowledged:
    """Rows that the broker has acknowledged: the sum of its topic's end offsets."""

    def __init__(self, brokers: str, topic: str) -> None:
        self._consumer = Consumer({"bootstrap.servers": brokers, "group.id": "bench", "log_level": 0})
        self._partitions = [TopicPartition(topic, number) for number in range(PARTITIONS)]

    def rows(self) -> int:
        """The sum now."""
        return sum(self._consumer.get_watermark_offsets(one, timeout=10)[1] for one in self._partitions)

    def close(self) -> None:
        """Let go of the broker."""
        self._consumer.close()


def measure(cell: Cell, *, seconds: float, warmup: float, kafka: str | None) -> Sample:
    """
    Run ``cell`` and return what it did in ``seconds`` after ``warmup`` seconds of flowing rows.

    ``kafka`` is the address of Apache Kafka for cells that want it; its topic is created anew.
    """
    with ExitStack() as stack:
        directory = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="bench-")))
        brokers, topic = stack.enter_context(_broker(cell, kafka, directory))
        secured, trusted = certificate(directory) if cell.tls else (None, None)
        options = ["--rows", str(cell.rows)]
        options += ["--rate", str(cell.rate)] if cell.rate else []
        options += ["--frames", str(cell.total // cell.rows)] if cell.total else []
        options += ["--certificate", str(secured)] if secured else []
        feeder = stack.enter_context(
            running(python("tests.bench.feeder", *options), core=OTHER_CORE, log=directory / "feeder.log")
        )
        assert feeder.stdout is not None
        scheme = "wss" if cell.tls else "ws"
        url = f"{scheme}://127.0.0.1:{int(feeder.stdout.readline())}/graphql"
        env = {"SSL_CERT_FILE": str(trusted)} if trusted else {}
        log = directory / "candidate.log"
        candidate = stack.enter_context(
            running(
                command(cell, url=url, brokers=brokers, topic=topic, directory=directory),
                core=CANDIDATE_CORE,
                log=log,
                env=env,
            )
        )
        assert candidate.stdout is not None
        if cell.candidate in LIMITS:
            count: Callable[[], int] = Counter(candidate.stdout).last
        else:
            acknowledged = Acknowledged(brokers, topic)
            stack.callback(acknowledged.close)
            count = acknowledged.rows
        watch = Watch(candidate.pid, feeder.pid, count)
        told: dict[float, float] = {}
        if cell.total is not None:
            feeding = Lines(feeder.stdout)
            feeding.find("begins", candidate.poll, log)
            watch.begin()
            frames = int(feeding.find("sent", candidate.poll, log).split()[1])
            window = watch.until(frames * cell.rows, candidate.poll, log)
        else:
            _until_flowing(count, candidate.poll, log)
            time.sleep(warmup)
            told = _histogram(cell, log)
            watch.begin()
            time.sleep(seconds)
            window = watch.end()
        if window.rows <= 0:
            raise RuntimeError(f"{cell.key}: no row in {seconds} s\n{log.read_text()[-2000:]}")
        passed = [(edge, now - told[edge]) for edge, now in _histogram(cell, log).items()]
        return Sample(
            rows_per_second=window.rows / window.seconds,
            cpu_per_million=window.cpu / window.rows * 1e6,
            peak_rss_mb=window.peak_rss / 1e6,
            others_busy=window.feeding / window.seconds,
            p50_ms=_quantile(passed, 0.5) if passed else None,
            p99_ms=_quantile(passed, 0.99) if passed else None,
        )


@contextlib.contextmanager
def _broker(cell: Cell, kafka: str | None, directory: Path) -> Iterator[tuple[str, str]]:
    """Yield the address and the topic."""
    if cell.broker == "kafka":
        assert kafka is not None
        with topic_on(kafka, PARTITIONS) as topic:
            yield kafka, topic
        return
    module = python("tests.bench.mock_broker", "--rtt", str(cell.rtt), MOCK_TOPIC)
    with running(module, core=OTHER_CORE, log=directory / "broker.log") as process:
        assert process.stdout is not None
        yield process.stdout.readline().strip(), MOCK_TOPIC


def _until_flowing(count: Callable[[], int], poll: Callable[[], int | None], log: Path) -> None:
    deadline = time.monotonic() + START_DEADLINE
    while count() == 0:
        if poll() is not None or time.monotonic() > deadline:
            raise RuntimeError(f"the candidate published nothing:\n{log.read_text()[-3000:]}")
        time.sleep(0.05)


def _histogram(cell: Cell, log: Path) -> dict[float, float]:
    """The connector's own histogram, received → acknowledged: how many were not above each edge."""
    if cell.rate is None or cell.candidate not in (cells.PRODUCT, cells.PRODUCT_AGAIN):
        return {}
    lines = [line for line in log.read_text().splitlines() if "api listening" in line]
    port = json.loads(lines[0])["port"]
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=10) as answer:
        text = answer.read().decode()
    bucket = r'connector_receive_to_ack_seconds_bucket\{le="([^"]+)"[^}]*\} ([0-9.e+]+)'
    return {float(edge): float(count) for edge, count in re.findall(bucket, text)}


def _quantile(buckets: list[tuple[float, float]], share: float) -> float:
    """As Prometheus' ``histogram_quantile``: straight lines inside a bucket. In ms."""
    wanted = buckets[-1][1] * share
    low, below = 0.0, 0.0
    for edge, count in buckets:
        if count >= wanted:
            if edge == float("inf"):
                return low * 1000
            return (low + (edge - low) * (wanted - below) / max(count - below, 1)) * 1000
        low, below = edge, count
    return low * 1000

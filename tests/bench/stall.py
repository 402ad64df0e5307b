"""
``python -m tests.bench.stall [--quick]``: Kafka stands still under full load, and memory is watched.

The broker is stopped as a whole (SIGSTOP), so that its sockets stay open and nothing answers, and goes on
after ``--seconds``. Then the upstream is told to write no more, and rows are counted: what the connector
received against what the broker has. Ends with one JSON object on stdout.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import signal
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict
from functools import partial
from pathlib import Path

from rich.console import Console

from tests.bench.count import settle
from tests.bench.kafka import SETTINGS
from tests.bench.measure import PARTITIONS
from tests.bench.plots import stall as plot
from tests.bench.stage import RunningConnector, connector, mock_broker, stay_aside, summed, until, upstream
from tests.bench.watching import MB, Moment, slope, watched
from tests.brokers.admin import create_topic
from tests.brokers.cluster import KafkaCluster
from tests.brokers.jars import kafka_classpath

TOPIC = "bench"
INBOX = 64 * 1024 * 1024
"""Bytes: the default of ``inbox.max_bytes``, written out."""
ALLOWANCE = 80e6
"""Bytes that all else may take beside the inbox."""
WARM_UP = 10.0
"""Seconds in which a JVM that has just started gets to its usual speed."""
BEFORE = 8.0
"""Seconds of full load before Kafka stands still."""
EVERY = 0.5

Act = Callable[[], None]

console = Console(stderr=True, highlight=False, width=None if sys.stderr.isatty() else 140)


def main() -> None:
    """Measure, plot, end with the figures."""
    arguments = _arguments()
    seconds = arguments.seconds or (12.0 if arguments.quick else 60.0)
    after = arguments.after or (6.0 if arguments.quick else 20.0)
    stay_aside()
    with tempfile.TemporaryDirectory(prefix="bench-") as name:
        directory = Path(name)
        with (
            _broker(directory, kafka=arguments.kafka) as (brokers, freeze, thaw),
            upstream(directory, rows=10) as served,
            connector(
                directory,
                url=served.url,
                brokers=brokers,
                topics=[TOPIC],
                oauth=served.oauth,
                inbox={"max_bytes": INBOX},
            ) as worker,
        ):
            until("rows are acknowledged", lambda: _is_flowing(worker), within=60.0)
            time.sleep(WARM_UP if arguments.kafka else 0.0)
            moments = _watch(worker, freeze, thaw, seconds=seconds, after=after)
            served.hold()
            counted = settle(worker, brokers, TOPIC, written=lambda: served.told().rows)
            exit_code = worker.stop()
    began, ended = BEFORE, BEFORE + seconds
    if arguments.plot:
        plot(moments, began=began, ended=ended, bound=INBOX, file=Path(arguments.plot))
    if arguments.curve:
        Path(arguments.curve).write_text(json.dumps([asdict(moment) for moment in moments]))
    print(json.dumps({**figures(moments, began=began, ended=ended), **counted, "exit_code": exit_code}))


def figures(moments: Sequence[Moment], *, began: float, ended: float) -> dict[str, object]:
    """Peak, bound, and whether memory was flat: the slope over the second half of the standstill."""
    before = [moment for moment in moments if moment.at < began]
    still = [moment for moment in moments if began <= moment.at < ended]
    later = [moment for moment in moments if moment.at >= ended]
    flat = still[len(still) // 2 :]
    peak = max(moment.rss for moment in still + later)
    return {
        "stall_seconds": round(ended - began, 1),
        "rss_before_mb": round(max(moment.rss for moment in before) / MB, 1),
        "rss_peak_mb": round(peak / MB, 1),
        "rss_after_mb": round(later[-1].rss / MB, 1),
        "bound_mb": round((INBOX + ALLOWANCE) / MB, 1),
        "is_within_bound": peak <= INBOX + ALLOWANCE,
        "held_peak_mb": round(max(moment.more["held"] for moment in moments) / MB, 1),
        "flat_mb_per_minute": round(slope([(m.at / 60, m.rss / MB) for m in flat]), 2),
        "recovered_after_s": _recovered(later, ended),
    }


def _recovered(later: Sequence[Moment], ended: float) -> float | None:
    """Seconds until the first acknowledgement was seen after Kafka went on; ``None``: there was none."""
    acked = later[0].more["acked"]
    for moment in later:
        if moment.more["acked"] > acked:
            return round(moment.at - ended, 1)
    return None


def _watch(worker: RunningConnector, freeze: Act, thaw: Act, *, seconds: float, after: float) -> list[Moment]:
    """Let the broker stand still after `BEFORE`, let it go on after ``seconds``, and watch all the time."""

    def look() -> dict[str, float]:
        metrics = worker.scrape()
        return {
            "held": metrics["connector_inbox_bytes"],
            "acked": summed(metrics, "connector_rows_acked_total"),
            "received": summed(metrics, "connector_rows_received_total"),
            "sheds": summed(metrics, "connector_sheds_total"),
        }

    timers = [
        threading.Timer(BEFORE, freeze),
        threading.Timer(BEFORE + seconds, thaw),
    ]
    for timer in timers:
        timer.start()
    moments = []
    try:
        for moment in watched(worker.pid, seconds=BEFORE + seconds + after, every=EVERY, more=look):
            moments.append(moment)
            console.print(
                f"{moment.at:6.1f} s  {moment.rss / MB:6.1f} MB  held {moment.more['held'] / MB:5.1f} MB"
                f"  acked {moment.more['acked']:>12,.0f}  sheds {moment.more['sheds']:.0f}"
            )
    finally:
        for timer in timers:
            timer.cancel()
        thaw()
    return moments


def _is_flowing(worker: RunningConnector) -> bool:
    return worker.is_listening and summed(worker.scrape(), "connector_rows_acked_total") > 0


@contextlib.contextmanager
def _broker(directory: Path, *, kafka: bool) -> Iterator[tuple[str, Act, Act]]:
    """Yield the address, and how to let it stand still and go on."""
    if kafka:
        # A minute of full load is more than a small disk is to hold.
        settings = {"log.retention.check.interval.ms": "2000"}
        limits = {**SETTINGS, "retention.bytes": "134217728", "segment.bytes": "67108864"}
        with KafkaCluster(directory / "kafka", kafka_classpath(), config=settings) as cluster:
            asyncio.run(create_topic(cluster.bootstrap_servers, TOPIC, partitions=PARTITIONS, config=limits))
            broker = cluster.broker(1)
            yield cluster.bootstrap_servers, broker.freeze, broker.thaw
        return
    with mock_broker(directory, [TOPIC]) as (brokers, process):
        freeze = partial(process.send_signal, signal.SIGSTOP)
        yield brokers, freeze, partial(process.send_signal, signal.SIGCONT)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make bench-stall ARGS=…", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a short standstill")
    parser.add_argument("--kafka", action="store_true", help="Apache Kafka and not the mock cluster")
    parser.add_argument("--seconds", type=float, help="that Kafka stands still (60)")
    parser.add_argument("--after", type=float, help="seconds to watch afterwards (20)")
    parser.add_argument("--plot", help="a PNG to write")
    parser.add_argument("--curve", help="a JSON file to write: every moment")
    return parser.parse_args()


if __name__ == "__main__":
    main()

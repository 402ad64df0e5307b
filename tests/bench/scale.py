"""
``python -m tests.bench.scale [--quick]``: 1 to 500 subscriptions in one worker, idle and busy.

Idle: sessions are open, and no rows come. Busy: `BUSY` frames a second for each, ten rows in each. Every
subscription has a topic of its own, and all share one token. For one size it is also measured what all of
them take with one topic for all, and what a program takes that only receives the same frames. Ends with one
JSON object on stdout.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from rich.console import Console
from rich.table import Table

from tests.bench.plots import growth
from tests.bench.processes import CANDIDATE_CORE, python, resident, running, usage
from tests.bench.stage import RunningConnector, connector, mock_broker, stay_aside, summed, until, upstream
from tests.bench.watching import slope

SIZES, QUICK_SIZES = (1, 10, 100, 500), (1, 10, 100)
BUSY = 10.0
ROWS = 10
COMPARED = 100
"""Subscriptions in the size that is compared."""
SETTLE = 5.0
"""Seconds between the last session's becoming live and the window."""
OPEN_WITHIN = 120.0
KEPT_BUFFERS = {"MALLOC_MMAP_THRESHOLD_": str(32 << 20), "MALLOC_TRIM_THRESHOLD_": str(64 << 20)}
"""For the program that only receives, what `connector.cli.allocator` does for the connector."""

console = Console(stderr=True, highlight=False, width=None if sys.stderr.isatty() else 140)


@dataclass(frozen=True, kw_only=True, slots=True)
class Grown:
    """
    What ``subscriptions`` of them took. Seconds are from the start of the process; ``core`` is the share of
    one core in the window, ``herd`` the most connects that came within any second.
    """

    subscriptions: int
    busy: bool
    rss_mb: float
    peak_rss_mb: float
    core: float
    first_socket_s: float
    all_subscribed_s: float
    tokens: int
    connects: int
    herd: int
    rows_written_per_second: float
    rows_acked_per_second: float


def main() -> None:
    """Measure every size, show a table, end with the figures."""
    arguments = _arguments()
    sizes = arguments.sizes or (QUICK_SIZES if arguments.quick else SIZES)
    seconds = arguments.seconds or (4.0 if arguments.quick else 10.0)
    stay_aside()
    found = []
    for busy in (False, True):
        for size in sizes:
            grown = measure(size, busy=busy, seconds=seconds)
            found.append(grown)
            console.print(f"{size:>4} {'busy' if busy else 'idle'}: {asdict(grown)}")
    console.print(_table(found))
    if arguments.plot:
        growth(found, Path(arguments.plot))
    idle = [one for one in found if not one.busy]
    summary: dict[str, object] = {
        "kb_per_idle_subscription": round(slope([(o.subscriptions, o.rss_mb) for o in idle]) * 1000, 1)
    }
    for one in found:
        kind = f"{'busy' if one.busy else 'idle'}_{one.subscriptions}"
        summary[kind] = {key: _rounded(value) for key, value in asdict(one).items()}
    if COMPARED in sizes:
        summary |= _compared(seconds)
    print(json.dumps(summary))


def _compared(seconds: float) -> dict[str, object]:
    together = measure(COMPARED, busy=True, seconds=seconds, one_topic=True)
    found = {
        f"busy_{COMPARED}_one_topic_core": round(together.core, 4),
        f"busy_{COMPARED}_receive_only_core": round(receiving(COMPARED, seconds=seconds), 4),
    }
    console.print(found)
    return dict(found)


def receiving(sockets: int, *, seconds: float) -> float:
    """Return the share of a core that receiving takes, and nothing else, with the connector's allocator."""
    with tempfile.TemporaryDirectory(prefix="bench-") as name:
        directory = Path(name)
        with upstream(directory, rows=ROWS, rate=BUSY) as served:
            command = python("tests.bench.candidates.limits", "receive_many", served.url, str(sockets))
            log = directory / "limit.log"
            with running(command, core=CANDIDATE_CORE, log=log, env=KEPT_BUFFERS) as process:
                until(
                    f"{sockets} sockets are open",
                    lambda: len(served.told().subscribed) >= sockets,
                    within=OPEN_WITHIN,
                )
                time.sleep(SETTLE)
                began, before = time.monotonic(), usage(process.pid)
                time.sleep(seconds)
                return (usage(process.pid).cpu_seconds - before.cpu_seconds) / (time.monotonic() - began)


def measure(subscriptions: int, *, busy: bool, seconds: float, one_topic: bool = False) -> Grown:
    """Start one worker with so many, wait until all are open, and look at it for ``seconds``."""
    topics = [f"bench-{0 if one_topic else number}" for number in range(subscriptions)]
    with tempfile.TemporaryDirectory(prefix="bench-") as name:
        directory = Path(name)
        with (
            mock_broker(directory, sorted(set(topics))) as (brokers, _),
            upstream(directory, rows=ROWS, rate=BUSY if busy else 0.0) as served,
            connector(
                directory, url=served.url, brokers=brokers, topics=topics, oauth=served.oauth
            ) as worker,
        ):
            until(
                f"{subscriptions} subscriptions are open",
                lambda: len(served.told().subscribed) >= subscriptions,
                within=OPEN_WITHIN,
            )
            time.sleep(SETTLE)
            acked = _acked(worker)
            began, before, rows = time.monotonic(), usage(worker.pid), served.told().rows
            time.sleep(seconds)
            after, now_acked = usage(worker.pid), _acked(worker)
            told, took = served.told(), time.monotonic() - began
            return Grown(
                subscriptions=subscriptions,
                busy=busy,
                rss_mb=resident(worker.pid) / 1e6,
                peak_rss_mb=after.peak_rss / 1e6,
                core=(after.cpu_seconds - before.cpu_seconds) / took,
                first_socket_s=told.opened[0] - worker.started_at,
                all_subscribed_s=sorted(told.subscribed)[subscriptions - 1] - worker.started_at,
                tokens=len(told.tokens),
                connects=len(told.opened),
                herd=herd(told.opened),
                rows_written_per_second=(told.rows - rows) / took,
                rows_acked_per_second=(now_acked - acked) / took,
            )


def herd(moments: Sequence[float]) -> int:
    """The most moments that lie within any one second."""
    ordered, first, most = sorted(moments), 0, 0
    for number, moment in enumerate(ordered):
        while moment - ordered[first] >= 1.0:
            first += 1
        most = max(most, number - first + 1)
    return most


def _acked(worker: RunningConnector) -> float:
    return summed(worker.scrape(), "connector_rows_acked_total")


def _table(found: Sequence[Grown]) -> Table:
    table = Table(title="subscriptions in one worker", title_justify="left")
    for column in (
        "",
        "RSS MB",
        "core",
        "first socket s",
        "all open s",
        "tokens",
        "herd",
        "rows/s",
        "acked/s",
    ):
        table.add_column(column, justify="right")
    for one in found:
        table.add_row(
            f"{one.subscriptions} {'busy' if one.busy else 'idle'}",
            f"{one.rss_mb:.0f}",
            f"{one.core:.1%}",
            f"{one.first_socket_s:.2f}",
            f"{one.all_subscribed_s:.2f}",
            f"{one.tokens}",
            f"{one.herd}",
            f"{one.rows_written_per_second:,.0f}",
            f"{one.rows_acked_per_second:,.0f}",
        )
    return table


def _rounded(value: object) -> object:
    return round(value, 4) if isinstance(value, float) else value


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make bench-scale ARGS=…", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="fewer sizes, shorter windows")
    parser.add_argument("--sizes", type=int, nargs="+", help="how many subscriptions")
    parser.add_argument("--seconds", type=float, help="of each window")
    parser.add_argument("--plot", help="a PNG to write")
    return parser.parse_args()


if __name__ == "__main__":
    main()

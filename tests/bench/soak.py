"""
``python -m tests.bench.soak [--seconds N] [--quick]``: half load for a while, and a new session every minute.

A short run at full load says what half of it is. The token lives for `TOKEN_LIFE` seconds, so that each
session is replaced about every minute, as in production every few hours. Memory, descriptors, tasks and the
lag of the event loop are watched, and their slopes over the second half told per hour. At the end rows are
counted. Ends with one JSON object on stdout.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import asdict
from pathlib import Path

from rich.console import Console

from tests.bench.count import settle
from tests.bench.plots import soak as plot
from tests.bench.stage import (
    RunningConnector,
    RunningUpstream,
    connector,
    mock_broker,
    stay_aside,
    summed,
    until,
    upstream,
)
from tests.bench.watching import MB, Moment, per_hour, watched

TOPIC = "bench"
ROWS = 10
TOKEN_LIFE, QUICK_TOKEN_LIFE = 80, 24
"""Seconds; a session is replaced when three quarters of them are over, or a little later."""
CALIBRATION = 6.0
"""Seconds of full load that say what half load is."""

console = Console(stderr=True, highlight=False, width=None if sys.stderr.isatty() else 140)


def main() -> None:
    """Measure, plot, end with the figures."""
    arguments = _arguments()
    seconds = arguments.seconds or (60.0 if arguments.quick else 600.0)
    stay_aside()
    rate = arguments.rate or calibrate() / 2
    console.print(f"{rate:,.0f} rows/s for {seconds:g} s")
    with ExitStack() as stack:
        directory = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="bench-")))
        life = QUICK_TOKEN_LIFE if arguments.quick else TOKEN_LIFE
        brokers, served, worker = _running(stack, directory, rate=rate / ROWS, token_life=life)
        moments = _watch(worker, seconds=seconds)
        served.hold()
        counted = settle(worker, brokers, TOPIC, written=lambda: served.told().rows)
        told = served.told()
        exit_code = worker.stop()
    if arguments.plot:
        plot(moments, Path(arguments.plot))
    if arguments.curve:
        Path(arguments.curve).write_text(json.dumps([asdict(moment) for moment in moments]))
    sessions = {"sessions": len(told.opened), "tokens": len(told.tokens)}
    print(json.dumps({**figures(moments), **sessions, **counted, "exit_code": exit_code}))


def calibrate() -> float:
    """Rows a second at full load."""
    with ExitStack() as stack:
        directory = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="bench-")))
        _, _, worker = _running(stack, directory, rate=None, token_life=3600)
        time.sleep(1.0)
        began, before = time.monotonic(), _acked(worker)
        time.sleep(CALIBRATION)
        return (_acked(worker) - before) / (time.monotonic() - began)


def figures(moments: Sequence[Moment]) -> dict[str, object]:
    """Slopes per hour, and levels."""
    took = moments[-1].at - moments[0].at
    lags = [moment.more["lag"] for moment in moments]
    return {
        "seconds": round(took, 1),
        "rows_per_second": round((moments[-1].more["acked"] - moments[0].more["acked"]) / took),
        "core": round((moments[-1].cpu_seconds - moments[0].cpu_seconds) / took, 3),
        "rss_mb": round(moments[-1].rss / MB, 1),
        "rss_peak_mb": round(max(moment.rss for moment in moments) / MB, 1),
        "rss_mb_per_hour": round(per_hour(moments, lambda moment: moment.rss / MB), 2),
        "descriptors": moments[-1].descriptors,
        "descriptors_per_hour": round(per_hour(moments, lambda moment: moment.descriptors), 2),
        "threads": moments[-1].threads,
        "tasks": moments[-1].more["tasks"],
        "tasks_per_hour": round(per_hour(moments, lambda moment: moment.more["tasks"]), 2),
        "lag_median_ms": round(statistics.median(lags) * 1000, 2),
        "lag_max_ms": round(max(lags) * 1000, 2),
        "lag_ms_per_hour": round(per_hour(moments, lambda moment: moment.more["lag"] * 1000), 2),
    }


def _running(
    stack: ExitStack, directory: Path, *, rate: float | None, token_life: int
) -> tuple[str, RunningUpstream, RunningConnector]:
    brokers, _ = stack.enter_context(mock_broker(directory, [TOPIC]))
    served = stack.enter_context(upstream(directory, rows=ROWS, rate=rate, token_life=token_life))
    started = connector(directory, url=served.url, brokers=brokers, topics=[TOPIC], oauth=served.oauth)
    worker = stack.enter_context(started)
    until("rows are acknowledged", lambda: worker.is_listening and _acked(worker) > 0, within=60.0)
    return brokers, served, worker


def _watch(worker: RunningConnector, *, seconds: float) -> list[Moment]:
    def look() -> dict[str, float]:
        metrics = worker.scrape()
        return {
            "acked": summed(metrics, "connector_rows_acked_total"),
            "held": metrics["connector_inbox_bytes"],
            "tasks": metrics["connector_tasks"],
            "lag": metrics["connector_event_loop_lag_seconds"],
        }

    every = max(0.5, seconds / 300)
    moments, told_at = [], 0.0
    for moment in watched(worker.pid, seconds=seconds, every=every, more=look):
        moments.append(moment)
        if moment.at >= told_at:
            told_at = moment.at + 5.0
            console.print(
                f"{moment.at:6.1f} s  {moment.rss / MB:6.1f} MB  {moment.descriptors} descriptors"
                f"  {moment.more['tasks']:.0f} tasks  lag {moment.more['lag'] * 1000:.1f} ms"
                f"  acked {moment.more['acked']:,.0f}"
            )
    return moments


def _acked(worker: RunningConnector) -> float:
    return summed(worker.scrape(), "connector_rows_acked_total")


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make soak SECONDS=…", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a minute, and a new session every 20 seconds")
    parser.add_argument("--seconds", type=float, help="how long (600)")
    parser.add_argument("--rate", type=float, help="rows a second; default: half of what it can")
    parser.add_argument("--plot", help="a PNG to write")
    parser.add_argument("--curve", help="a JSON file to write: every moment")
    return parser.parse_args()


if __name__ == "__main__":
    main()

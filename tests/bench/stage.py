"""Upstream, broker and connector as processes, for the tools that look at one run from outside for longer."""

from __future__ import annotations

import contextlib
import json
import os
import re
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import yaml

from tests.bench.commands import configuration
from tests.bench.processes import CANDIDATE_CORE, OTHER_CORE, python, running
from tests.bench.upstream import Told

CONNECTOR = str(Path(sys.executable).parent / "connector")
ANSWER_WITHIN = 30.0
"""Seconds: a busy core may make a scrape wait."""
STOP_WITHIN = 60.0


@dataclass(frozen=True, kw_only=True)
class RunningUpstream:
    """Where the upstream listens, and its process."""

    url: str
    http: str
    process: subprocess.Popen[str]

    def told(self) -> Told:
        """What it saw so far."""
        return Told(**json.loads(_get(f"{self.http}/told")))

    def hold(self) -> None:
        """Let it write no more rows."""
        _get(f"{self.http}/hold")

    @property
    def oauth(self) -> dict[str, str]:
        """The connector's section ``oauth``."""
        return {
            "token_url": f"{self.http}/oauth2/token",
            "client_id": "bench",
            "client_secret": "bench-secret",
        }


@contextlib.contextmanager
def upstream(
    directory: Path, *, rows: int = 10, rate: float | None = None, token_life: int = 3600
) -> Iterator[RunningUpstream]:
    """Run `tests.bench.upstream`."""
    options = ["--rows", str(rows), "--token-life", str(token_life)]
    options += ["--rate", str(rate)] if rate is not None else []
    command = python("tests.bench.upstream", *options)
    with running(command, core=OTHER_CORE, log=directory / "upstream.log") as process:
        assert process.stdout is not None
        socket, http = process.stdout.readline().split()
        yield RunningUpstream(
            url=f"ws://127.0.0.1:{socket}/graphql", http=f"http://127.0.0.1:{http}", process=process
        )


@contextlib.contextmanager
def mock_broker(directory: Path, topics: Sequence[str]) -> Iterator[tuple[str, subprocess.Popen[str]]]:
    """Run the mock cluster; yield its address and its process."""
    command = python("tests.bench.mock_broker", *topics)
    with running(command, core=OTHER_CORE, log=directory / "broker.log") as process:
        assert process.stdout is not None
        yield process.stdout.readline().strip(), process


class RunningConnector:
    """A ``connector run`` from outside. ``started_at`` is in seconds of ``time.monotonic``."""

    def __init__(self, process: subprocess.Popen[str], log: Path, *, started_at: float) -> None:
        self.process = process
        self.log = log
        self.started_at = started_at
        self._metrics: str | None = None

    @property
    def pid(self) -> int:
        """``taskset`` becomes the program, so that the process is the connector's own."""
        return self.process.pid

    @property
    def is_listening(self) -> bool:
        """Whether it can be asked."""
        return "api listening" in self.log.read_text()

    def lines(self) -> list[dict[str, object]]:
        """What it logged."""
        whole = self.log.read_text().splitlines()
        return [json.loads(line) for line in whole if line.startswith("{") and line.endswith("}")]

    def scrape(self) -> dict[str, float]:
        """Every series of ``/metrics``, by its name with its labels."""
        if self._metrics is None:
            port = next(line["port"] for line in self.lines() if line["event"] == "api listening")
            self._metrics = f"http://127.0.0.1:{port}/metrics"
        found: dict[str, float] = {}
        for line in _get(self._metrics).splitlines():
            if not line.startswith("#"):
                name, _, value = line.rpartition(" ")
                found[name] = float(value)
        return found

    def live_at(self) -> list[float]:
        """When each session became live, in unix seconds."""
        lives = (line for line in self.lines() if line["event"] == "subscription is live")
        return [datetime.fromisoformat(str(line["time"])).timestamp() for line in lives]

    def stop(self) -> int:
        """Send SIGTERM, and return the exit code."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(STOP_WITHIN)


@contextlib.contextmanager
def connector(
    directory: Path, *, url: str, brokers: str, topics: Sequence[str], **changes: object
) -> Iterator[RunningConnector]:
    """Run the connector with a subscription for each topic; ``changes`` are sections of its configuration."""
    file, log = directory / "connector.yaml", directory / "connector.log"
    whole = {**configuration(url, brokers, topics), **changes}
    if "oauth" in changes:
        del whole["token"]
    file.write_text(yaml.safe_dump(whole))
    log.unlink(missing_ok=True)
    started_at = time.monotonic()
    with running([CONNECTOR, "run", "-c", str(file)], core=CANDIDATE_CORE, log=log) as process:
        yield RunningConnector(process, log, started_at=started_at)


def stay_aside() -> None:
    """Keep off the connector's core, and what is started from here without a core of its own, too."""
    os.sched_setaffinity(0, {OTHER_CORE})


def until(condition: str, holds: Callable[[], bool], *, within: float) -> None:
    """
    Return once it holds.

    Raises:
        TimeoutError: It did not within so many seconds.
    """
    deadline = time.monotonic() + within
    while not holds():
        if time.monotonic() > deadline:
            raise TimeoutError(f"not within {within:g} s: {condition}")
        time.sleep(0.1)


def summed(metrics: Mapping[str, float], name: str) -> float:
    """The sum of all series of the metric ``name``."""
    wanted = re.compile(rf"{re.escape(name)}(\{{|$)")
    return sum(value for series, value in metrics.items() if wanted.match(series))


def _get(url: str) -> str:
    with urllib.request.urlopen(url, timeout=ANSWER_WITHIN) as answer:
        body: bytes = answer.read()
    return body.decode()

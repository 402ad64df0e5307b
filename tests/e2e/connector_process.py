"""
The connector as an operator sees it: a process, its configuration file, its logs, its HTTP face.

Whatever it writes is kept, and searched for secrets when it ends.
"""

from __future__ import annotations

import base64
import json
import math
import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote, quote_plus

import anyio
import yaml

from connector.api.server import METRICS_AGE
from tests.e2e.mount import Directory, Mount

ASK_TIMEOUT = 30.0
PAUSES = (0.05, 0.3)
"""Seconds between two looks, growing from the first to the last: every look costs the connector, too."""
PATIENCE = 90.0
"""Seconds in which all that is waited for happens, on the busiest of machines."""

SAME_MOMENT = 0.05
"""Seconds in which metrics that are asked for one after the other come of one scrape."""

CONFIG = "connector.yaml"


class ConnectorProcess:
    """
    ``connector run`` on ``config``.

    ``secrets`` are searched for in everything that it emitted, when it has ended. ``env`` is added to the
    environment; ``prelude`` is Python that runs in the process first. ``mount`` takes the place of a
    configuration file of its own: it is put into it, and read from it.
    """

    def __init__(
        self,
        directory: Path,
        config: Mapping[str, Any],
        *,
        env: Mapping[str, str] | None = None,
        secrets: Callable[[], Iterable[str]] = tuple,
        prelude: str | None = None,
        mount: Mount | None = None,
    ) -> None:
        self._directory = directory
        self._log_file = directory / "stderr.log"
        self._out_file = directory / "stdout.log"
        self._bodies: list[str] = []
        self._secrets = secrets
        self._port: int | None = None
        self._scraped = ""
        self._scraped_at = -math.inf
        self._mount = mount or Directory(directory)
        self.configure(config)
        program = ["-m", "connector"]
        if prelude is not None:
            program = ["-c", f"{prelude}\nfrom connector.cli import main\nmain()"]
        with self._log_file.open("wb") as err, self._out_file.open("wb") as out:
            self.process = subprocess.Popen(
                [sys.executable, *program, "run", "-c", str(self._mount.path / CONFIG)],
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=err,
                env={**os.environ, **(env or {})},
                start_new_session=True,
            )

    async def __aenter__(self) -> ConnectorProcess:
        return self

    async def __aexit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait(30)
        if kind is None:
            assert not self.leaks(), self.leaks()
        else:
            print(self.text[-6000:])

    def configure(self, config: Mapping[str, Any]) -> None:
        """Put another configuration in the place of the one that it was started on."""
        whole = {"http": {"host": "127.0.0.1", "port": 0}, **config}
        self._mount.put({CONFIG: yaml.safe_dump(whole, sort_keys=False, allow_unicode=True)})

    @property
    def text(self) -> str:
        """All that it wrote so far."""
        return self._log_file.read_text(errors="replace") + self._out_file.read_text(errors="replace")

    def logs(self, event: str | None = None) -> list[dict[str, Any]]:
        """Its log lines, or those of one event."""
        lines = [line for line in self._log_file.read_text(errors="replace").splitlines() if line[:1] == "{"]
        found: list[dict[str, Any]] = []
        for line in lines:
            try:
                found.append(json.loads(line))
            except ValueError:  # half written
                continue
        return [line for line in found if event is None or line.get("event") == event]

    def leaks(self) -> list[str]:
        """Every secret, in any encoding, in anything it emitted; each cut to what names it."""
        emitted = "\n".join([self.text, *self._bodies])
        return sorted(
            {
                f"{secret[:6]}… in {kind}"
                for secret in self._secrets()
                for kind, text in encodings(secret)
                if text in emitted
            }
        )

    async def _ask(self, path: str) -> tuple[int, str]:
        await self.until(lambda: self._found_port() is not None, within=PATIENCE, what="the API's port")

        def ask() -> tuple[int, str]:
            try:
                with urllib.request.urlopen(
                    f"http://127.0.0.1:{self._port}{path}", timeout=ASK_TIMEOUT
                ) as answer:
                    return answer.status, answer.read().decode()
            except urllib.error.HTTPError as error:
                with error:
                    return error.code, error.read().decode()

        status, body = await anyio.to_thread.run_sync(ask)
        self._bodies.append(body)
        del self._bodies[:-20]
        return status, body

    def _found_port(self) -> int | None:
        if self._port is None:
            for line in self.logs("api listening"):
                self._port = int(line["port"])
        return self._port

    async def readyz(self) -> tuple[int, dict[str, Any]]:
        """Status and body of ``/readyz``."""
        status, body = await self._ask("/readyz")
        parsed: dict[str, Any] = json.loads(body)
        return status, parsed

    async def state(self, subscription: str) -> str:
        """The state of one subscription."""
        _, body = await self.readyz()
        return str(body["subscriptions"][subscription]["state"])

    async def until_state(self, subscription: str, *states: str, within: float = PATIENCE) -> None:
        """Wait until the subscription is in one of ``states``."""
        deadline, pauses = time.monotonic() + within, growing()
        while (found := await self.state(subscription)) not in states:
            assert time.monotonic() < deadline, f"{subscription} is {found}, not {states}, after {within} s"
            await anyio.sleep(next(pauses))

    async def metric(self, name: str, **labels: str) -> float:
        """The sum of a metric's series, as it is now, that carry ``labels``; 0 where there is none."""
        # What was computed for an earlier call stays for a while; at one moment many may be asked for.
        if time.monotonic() - self._scraped_at > SAME_MOMENT:
            await anyio.sleep(max(0.0, self._scraped_at + METRICS_AGE + SAME_MOMENT - time.monotonic()))
            await self._scrape()
        return self._sum(name, labels)

    async def _scrape(self) -> None:
        _, self._scraped = await self._ask("/metrics")
        self._scraped_at = time.monotonic()

    def _sum(self, name: str, labels: Mapping[str, str]) -> float:
        body, total = self._scraped, 0.0
        for line in body.splitlines():
            series, _, value = line.rpartition(" ")
            base, _, rest = series.partition("{")
            if base == name and all(f'{key}="{wanted}"' in rest for key, wanted in labels.items()):
                total += float(value)
        return total

    async def until_metric(
        self, name: str, holds: Callable[[float], bool], *, within: float = PATIENCE, **labels: str
    ) -> float:
        """Wait until the metric ``holds``; return it."""
        deadline, pauses = time.monotonic() + within, growing()
        while not holds(found := await self.metric(name, **labels)):
            assert time.monotonic() < deadline, f"{name} is {found} after {within} s"
            await anyio.sleep(max(next(pauses), 2 * SAME_MOMENT))
        return found

    async def until(
        self, condition: Callable[[], object], *, within: float = PATIENCE, what: str = "it"
    ) -> None:
        """Wait for a condition; the process ending meanwhile is an error."""
        deadline = time.monotonic() + within
        while not condition():
            assert self.process.poll() is None, f"exited with {self.process.returncode}:\n{self.text[-3000:]}"
            assert time.monotonic() < deadline, f"no {what} within {within} s:\n{self.text[-3000:]}"
            await anyio.sleep(0.05)

    def send(self, number: signal.Signals) -> None:
        """Send a signal."""
        self.process.send_signal(number)

    async def stop(self, number: signal.Signals = signal.SIGTERM, *, within: float = PATIENCE) -> int:
        """Send ``number``, wait for the end, return the exit code."""
        self.send(number)
        return await self.ended(within=within)

    async def ended(self, *, within: float = PATIENCE) -> int:
        """Wait for the end, return the exit code."""
        return await anyio.to_thread.run_sync(lambda: self.process.wait(within))

    @property
    def rss_bytes(self) -> int:
        """Resident memory now."""
        pages = int(Path(f"/proc/{self.process.pid}/statm").read_text().split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE")


def growing() -> Iterator[float]:
    """`PAUSES`."""
    pause, longest = PAUSES
    while True:
        yield pause
        pause = min(1.2 * pause, longest)


def at_least(count: float) -> Callable[[float], bool]:
    """Whether a metric has reached ``count``."""
    return lambda found: found >= count


def encodings(secret: str) -> Sequence[tuple[str, str]]:
    """A secret in the forms in which it could slip out."""
    raw = secret.encode()
    return (
        ("raw", secret),
        ("percent", quote(secret, safe="")),
        ("form", quote_plus(secret)),
        ("base64", base64.b64encode(raw).decode()),
        ("base64url", base64.urlsafe_b64encode(raw).decode().rstrip("=")),
        ("json", json.dumps(secret)[1:-1]),
        ("json in json", json.dumps(json.dumps(secret)[1:-1])[1:-1]),
    )

"""Upstream and token endpoint in a process of their own, driven from a test."""

from __future__ import annotations

import asyncio
import json
import os
import sys
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from tests.standins.command import CLIENT_ID, CLIENT_SECRET
from tests.standins.ledger import Ledger
from tests.standins.tokens import make_secret

_START_DEADLINE = 60.0
_STOP_DEADLINE = 60.0
_ROOT = Path(__file__).resolve().parents[2]


@dataclass(kw_only=True)
class StandInProcess:
    """
    ``python -m tests.standins.upstream`` while entered.

    ``options`` go on its command line (``("--rate", "full")``); ``directory`` gets the ledgers, which
    ``ledger`` reads once the process ended.
    """

    directory: Path
    options: tuple[str, ...] = ()
    client_id: str = field(default_factory=lambda: make_secret("client"))
    client_secret: str = field(default_factory=make_secret, repr=False)
    url: str = ""
    token_url: str = ""
    control_url: str = ""
    summary: Mapping[str, Any] = field(default_factory=dict)
    _process: asyncio.subprocess.Process | None = None

    async def __aenter__(self) -> Self:
        command = ("-m", "tests.standins.upstream", "--ledger", str(self.directory), *self.options)
        environment = {CLIENT_ID: self.client_id, CLIENT_SECRET: self.client_secret}
        self._process = await asyncio.create_subprocess_exec(
            sys.executable,
            *command,
            cwd=_ROOT,
            env=dict(os.environ) | environment,
            stdout=asyncio.subprocess.PIPE,
        )
        line = await self._next_line(_START_DEADLINE)
        self.url, self.token_url = line["url"], line["token_url"]
        self.control_url = f"http://127.0.0.1:{line['control_port']}"
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.stop()

    async def stop(self) -> Mapping[str, Any]:
        """End the process; returns its summary. A second call does nothing more."""
        process = self._process
        assert process is not None
        if process.returncode is None:
            process.terminate()
            try:
                self.summary = await self._next_line(_STOP_DEADLINE)
                async with asyncio.timeout(_STOP_DEADLINE):
                    await process.wait()
            except TimeoutError:
                process.kill()
                await process.wait()
                raise
        return self.summary

    async def order(self, path: str, **order: object) -> Any:
        """Send an order to the control port: see ``tests.standins.command.control``."""
        return await asyncio.to_thread(self._order, path, order)

    def _order(self, path: str, order: Mapping[str, object]) -> Any:
        body = json.dumps(dict(order)).encode()
        request = urllib.request.Request(self.control_url + path, data=body, method="POST")
        with urllib.request.urlopen(request, timeout=10) as answer:
            return json.load(answer)

    def ledger(self, feed: str = "rows") -> Ledger:
        """The ground truth of a feed, after ``stop``."""
        return Ledger.load(self.directory / f"{feed}.json")

    async def _next_line(self, deadline: float) -> Any:
        assert self._process is not None
        assert self._process.stdout is not None
        async with asyncio.timeout(deadline):
            line = await self._process.stdout.readline()
        if not line:
            raise RuntimeError("the stand-in ended: its stderr says why")
        return json.loads(line)

"""pproxy as a process, and what it says that it did."""

from __future__ import annotations

import asyncio
import json
import re
import sys
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Self

_SERVING = re.compile(r"Serving on \S+ 127\.0\.0\.1:(\d+)")
_START_DEADLINE = 60.0
_ROOT = Path(__file__).resolve().parents[2]

HOSTS = {"upstream.test": "127.0.0.1", "login.test": "127.0.0.1", "192.0.2.7": "127.0.0.1"}
"""
What the proxies alone can reach: names that nobody else resolves (RFC 6761 §6.2), and an address that nobody
has (RFC 5737). All of them are this machine.
"""


class RealProxy:
    """
    A proxy that speaks HTTP and SOCKS5 on one port of the loopback; an async context manager.

    With ``credentials`` (``user:password``) it lets nobody in without.
    """

    def __init__(self, *, credentials: str | None = None, hosts: Mapping[str, str] = HOSTS) -> None:
        self.port = 0
        self.log: list[str] = []
        self._credentials = credentials
        self._hosts = dict(hosts)
        self._process: asyncio.subprocess.Process | None = None
        self._reading: asyncio.Task[None] | None = None

    def url(self, scheme: str, credentials: str | None = None) -> str:
        """Its address; ``credentials`` in the place of its own."""
        given = credentials if credentials is not None else self._credentials
        return f"{scheme}://{given + '@' if given else ''}127.0.0.1:{self.port}"

    def connections(self, host: str) -> list[str]:
        """The lines of its log that tell of a connection to ``host``."""
        return [line for line in self.log if f" {host}:" in line]

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.stop()
        if error is not None:
            print("the proxy's log:", *self.log, sep="\n")

    async def start(self) -> None:
        """Listen, on the same port as before."""
        listen = f"http+socks5://127.0.0.1:{self.port}/"
        if self._credentials is not None:
            listen += f"#{self._credentials}"
        # --auth 0: it would let an address in for a month that once was.
        command = ["-m", "tests.proxies.launch", json.dumps(self._hosts), "-v", "--auth", "0", "-l", listen]
        self._process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-u",
            *command,
            cwd=_ROOT,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        started = asyncio.Event()
        self._reading = asyncio.create_task(self._read(started))
        async with asyncio.timeout(_START_DEADLINE):
            await started.wait()
        assert self.port, self.log

    async def stop(self) -> None:
        """End it, and every connection through it."""
        process, reading = self._process, self._reading
        if process is None or reading is None:
            return
        self._process = None
        process.kill()
        await process.wait()
        await reading

    async def _read(self, started: asyncio.Event) -> None:
        assert self._process is not None
        assert self._process.stdout is not None
        async for raw in self._process.stdout:
            line = raw.decode(errors="replace").rstrip()
            self.log.append(line)
            if found := _SERVING.search(line):
                self.port = int(found[1])
                started.set()
        started.set()

"""The npm reference servers as processes, with what they saw of their clients."""

from __future__ import annotations

import asyncio
import contextlib
import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, Literal, Self

_START_DEADLINE = 90.0
_STOP_DEADLINE = 20.0
_LONGEST_LINE = 1 << 24

Kind = Literal["modern", "legacy"]


@dataclass(frozen=True, kw_only=True, slots=True)
class ServerEvent:
    """
    One line that the server printed.

    ``event``: ``listening``, ``connected``, ``acknowledged``, ``message`` (from the client; ``kind`` is its
    type), ``websocket pong``, ``closed`` (``code``: 1006 where no Close frame came), and others that the
    scripts name. ``facts`` is the whole line. ``at``: ``time.monotonic``.
    """

    at: float
    event: str
    connection: int | None = None
    subprotocol: str | None = None
    kind: str | None = None
    code: int | None = None
    facts: Mapping[str, Any] = field(default_factory=dict)


@dataclass(kw_only=True)
class NodeProcess:
    """One script of this directory, started with ``options`` as its argument, while entered."""

    directory: Path
    kind: str
    options: Mapping[str, Any] = field(default_factory=dict)
    port: int = 0
    events: list[ServerEvent] = field(default_factory=list)
    _process: asyncio.subprocess.Process | None = None
    _reader: asyncio.Task[None] | None = None

    def seen(self, *names: str) -> list[ServerEvent]:
        """The events of these names, in order."""
        return [event for event in self.events if event.event in names]

    async def __aenter__(self) -> Self:
        self._process = await asyncio.create_subprocess_exec(
            "node",
            str(self.directory / f"{self.kind}.js"),
            json.dumps(dict(self.options)),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            limit=_LONGEST_LINE,
        )
        self._reader = asyncio.create_task(self._read(self._process))
        await self.until(lambda: self.port, within=_START_DEADLINE)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        process, reader = self._process, self._reader
        assert process is not None
        assert reader is not None
        with contextlib.suppress(ProcessLookupError):
            process.terminate()
        try:
            async with asyncio.timeout(_STOP_DEADLINE):
                await process.wait()
        except TimeoutError:
            process.kill()
            await process.wait()
        async with asyncio.timeout(_STOP_DEADLINE):
            await reader

    async def order(self, name: str, **parts: object) -> Any:
        """Have the script do what it knows by ``name``; return its answer."""
        assert self._process is not None
        assert self._process.stdin is not None
        done = len(self.seen("done"))
        self._process.stdin.write(json.dumps({"do": name, **parts}).encode() + b"\n")
        await self.until(lambda: len(self.seen("done")) > done)
        return self.seen("done")[done].facts["answer"]

    async def until(self, condition: Callable[[], object], *, within: float = 60.0) -> None:
        """Wait until the condition holds. Raises: TimeoutError: It did not ``within`` seconds."""
        deadline = time.monotonic() + within
        while not condition():
            assert self._reader is not None
            if self._reader.done():
                raise RuntimeError(f"the {self.kind} server ended: its stderr says why")
            if time.monotonic() > deadline:
                raise TimeoutError(f"not within {within} s")
            await asyncio.sleep(0.01)

    async def _read(self, process: asyncio.subprocess.Process) -> None:
        assert process.stdout is not None
        async for line in process.stdout:
            facts = json.loads(line)
            self.events.append(
                ServerEvent(
                    at=time.monotonic(),
                    event=facts["event"],
                    connection=facts.get("connection"),
                    subprotocol=facts.get("subprotocol"),
                    kind=facts.get("type"),
                    code=facts.get("code"),
                    facts=facts,
                )
            )
            self.port = facts.get("port", self.port)


@dataclass(kw_only=True)
class ReferenceServer(NodeProcess):
    """
    npm graphql-ws (``modern``) or subscriptions-transport-ws (``legacy``), at its defaults without options.

    It serves ``greetings`` (five, then complete), ``ticks(n: Int!, interval: Int)`` (``ticks { rows { number
    text } }``), ``quiet`` (nothing, ever), ``breaks`` (errors in its second result), and what else
    ``schema.js`` says.
    """

    kind: Kind

    @property
    def url(self) -> str:
        """The websocket endpoint."""
        return f"ws://127.0.0.1:{self.port}/graphql"

    @property
    def connections(self) -> int:
        """How many WebSockets were opened so far: 1 after a while means no reconnect."""
        return len(self.seen("connected"))

    @property
    def closed(self) -> list[ServerEvent]:
        """The connections that ended."""
        return self.seen("closed")

    def messages(self, connection: int = 0) -> list[str | None]:
        """The types of the messages that a client sent, in order."""
        return [e.kind for e in self.seen("message") if e.connection == connection]

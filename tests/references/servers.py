"""The two npm reference servers as processes, with what they saw of their clients."""

from __future__ import annotations

import asyncio
import contextlib
import json
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Literal, Self

_START_DEADLINE = 30.0
_STOP_DEADLINE = 5.0


@dataclass(frozen=True, kw_only=True, slots=True)
class ServerEvent:
    """
    One line that the server printed.

    ``event``: ``listening``, ``connected``, ``message`` (from the client; ``kind`` is its type),
    ``websocket pong``, ``closed`` (``code``: 1006 where no Close frame came). ``at``: ``time.monotonic``.
    """

    at: float
    event: str
    connection: int | None = None
    subprotocol: str | None = None
    kind: str | None = None
    code: int | None = None


@dataclass(kw_only=True)
class ReferenceServer:
    """
    npm graphql-ws (``modern``) or subscriptions-transport-ws (``legacy``) at its defaults, while entered.

    It serves ``greetings`` (five, then complete), ``ticks(n: Int!, interval: Int)`` (``ticks { rows { number
    text } }``), ``quiet`` (nothing, ever) and ``breaks`` (errors in its second result).
    """

    directory: Path
    kind: Literal["modern", "legacy"]
    port: int = 0
    events: list[ServerEvent] = field(default_factory=list)
    _process: asyncio.subprocess.Process | None = None
    _reader: asyncio.Task[None] | None = None

    @property
    def url(self) -> str:
        """The websocket endpoint."""
        return f"ws://127.0.0.1:{self.port}/graphql"

    @property
    def connections(self) -> int:
        """How many WebSockets were opened so far: 1 after a while means no reconnect."""
        return sum(event.event == "connected" for event in self.events)

    @property
    def closed(self) -> list[ServerEvent]:
        """The connections that ended."""
        return [event for event in self.events if event.event == "closed"]

    def messages(self, connection: int = 0) -> list[str | None]:
        """The types of the messages that a client sent, in order."""
        return [e.kind for e in self.events if e.event == "message" and e.connection == connection]

    async def __aenter__(self) -> Self:
        self._process = await asyncio.create_subprocess_exec(
            "node",
            str(self.directory / f"{self.kind}.js"),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
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
            await asyncio.wait_for(process.wait(), _STOP_DEADLINE)
        except TimeoutError:
            process.kill()
            await process.wait()
        await asyncio.wait_for(reader, _STOP_DEADLINE)

    async def until(self, condition: Callable[[], object], *, within: float = 10.0) -> None:
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
                )
            )
            self.port = facts.get("port", self.port)

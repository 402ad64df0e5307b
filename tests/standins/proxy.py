"""A TCP proxy on loopback that breaks connections in the ways a network does."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import struct
from collections import deque
from types import TracebackType
from typing import Literal, Self

Direction = Literal["up", "down"]
"""``up``: from the client to the server; ``down``: back."""
BOTH: tuple[Direction, ...] = ("up", "down")
_CHUNK = 1 << 16
_HELD = 1 << 18
_LINGER = 5.0


class _Way:
    """One direction of one connection: bytes are held for the latency, and while stalled."""

    def __init__(self, proxy: FaultProxy, direction: Direction, writer: asyncio.StreamWriter) -> None:
        self._proxy = proxy
        self._direction = direction
        self._writer = writer
        self._held: deque[tuple[float, bytes]] = deque()
        self._held_bytes = 0
        self._changed = asyncio.Condition()
        self._written = 0
        self.lag = 0.0

    async def fill(self, reader: asyncio.StreamReader) -> None:
        """Read into the line; stops reading while stalled, so that the sender feels it."""
        loop = asyncio.get_running_loop()
        data = b"more"
        while data:
            await self._proxy.gates[self._direction].wait()
            async with self._changed:
                await self._changed.wait_for(lambda: self._held_bytes < self._proxy.held)
            try:
                data = await reader.read(_CHUNK)
            except ConnectionError:
                data = b""
            self._proxy.bytes_passed[self._direction] += len(data)
            async with self._changed:
                due = loop.time() + self._proxy.latency[self._direction] + self.lag
                self._held.append((due, data))
                self._held_bytes += len(data)
                self._changed.notify_all()

    async def drain(self) -> None:
        """Write out of the line, each chunk when it is due; passes a FIN on."""
        loop = asyncio.get_running_loop()
        # Reset, no longer connected, or told FIN already, after which nothing can be written.
        with contextlib.suppress(OSError, RuntimeError):
            while True:
                async with self._changed:
                    await self._changed.wait_for(lambda: self._held)
                    due, data = self._held.popleft()
                    self._held_bytes -= len(data)
                    self._changed.notify_all()
                await asyncio.sleep(max(0.0, due - loop.time()))
                await self._proxy.gates[self._direction].wait()
                if not data:
                    self._writer.write_eof()
                    return
                await self._write(data)

    async def _write(self, data: bytes) -> None:
        """Write whole or in pieces, up to where this direction is to be cut."""
        cut = self._proxy.cut_after[self._direction]
        if cut is not None:
            data = data[: max(0, cut - self._written)]
        piece = self._proxy.piece or len(data) or 1
        for at in range(0, len(data), piece):
            self._writer.write(data[at : at + piece])
            await self._writer.drain()
            await asyncio.sleep(0)  # the next piece is another segment
        self._written += len(data)
        if cut is not None and self._written >= cut:
            self._proxy.cut(self._writer)
            raise ConnectionAbortedError


class FaultProxy:
    """
    Passes connections on to ``host:port``; an async context manager.

    ``accepted`` counts connections, ``bytes_passed`` bytes read by direction, ``latency`` holds seconds of
    one-way delay by direction (0 at first; may be changed at any time). ``held`` bytes of a direction of a
    connection are held for its delay, and no more are read. ``piece`` is the most bytes that are
    written at once (``None``: what there is); ``cut_after`` the bytes of a connection after which it is cut,
    by direction, with FIN or, where ``cuts_by_reset``, with RST.
    """

    def __init__(self, target_port: int, *, target_host: str = "127.0.0.1", host: str = "127.0.0.1") -> None:
        self.target = (target_host, target_port)
        self.host = host
        self.port = 0
        self.accepted = 0
        self.bytes_passed: dict[Direction, int] = {"up": 0, "down": 0}
        self.latency: dict[Direction, float] = {"up": 0.0, "down": 0.0}
        self.gates: dict[Direction, asyncio.Event] = {"up": asyncio.Event(), "down": asyncio.Event()}
        self.held = _HELD
        self.piece: int | None = None
        self.cut_after: dict[Direction, int | None] = {"up": None, "down": None}
        self.cuts_by_reset = False
        self._server: asyncio.Server | None = None
        self._pairs: dict[asyncio.Task[None], tuple[asyncio.StreamWriter, asyncio.StreamWriter | None]] = {}
        self._downs: dict[asyncio.Task[None], _Way] = {}

    async def __aenter__(self) -> Self:
        self.resume()
        await self.listen()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.stop_listening()
        tasks = list(self._pairs)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    @property
    def open(self) -> int:
        """Connections that pass bytes now."""
        return len(self._pairs)

    async def listen(self) -> None:
        """Accept connections (again, on the same port)."""
        self._server = await asyncio.start_server(self._accept, self.host, self.port)
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop_listening(self) -> None:
        """Refuse new connections; open ones go on."""
        if self._server is not None:
            self._server.close()

    # Faults

    def stall(self, *directions: Direction) -> None:
        """Pass nothing on and read nothing, in these directions (none named: both)."""
        for direction in directions or BOTH:
            self.gates[direction].clear()

    def resume(self, *directions: Direction) -> None:
        """End a stall; what was held goes on."""
        for direction in directions or BOTH:
            self.gates[direction].set()

    def lag(self, seconds: float) -> int:
        """Delay what comes down the connections of now, and of no later ones; returns to how many."""
        for way in self._downs.values():
            way.lag = seconds
        return len(self._downs)

    def fin(self, *directions: Direction) -> int:
        """Send FIN to the server (``up``), the client (``down``), or both; returns to how many."""
        sent = 0
        for writer in self._writers(directions or BOTH):
            with contextlib.suppress(OSError, RuntimeError):
                writer.write_eof()
                sent += 1
        return sent

    def rst(self, *directions: Direction) -> int:
        """Reset the connection towards the server (``up``), the client (``down``), or both."""
        writers = self._writers(directions or BOTH)
        for writer in writers:
            self._reset(writer)
        return len(writers)

    def cut(self, writer: asyncio.StreamWriter) -> None:
        """End one direction of a connection."""
        if self.cuts_by_reset:
            self._reset(writer)
        else:
            with contextlib.suppress(OSError, RuntimeError):
                writer.write_eof()

    @staticmethod
    def _reset(writer: asyncio.StreamWriter) -> None:
        sock = writer.get_extra_info("socket")
        with contextlib.suppress(OSError):
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        writer.transport.abort()

    def _writers(self, directions: tuple[Direction, ...]) -> list[asyncio.StreamWriter]:
        chosen = []
        for to_client, to_server in self._pairs.values():
            if "down" in directions:
                chosen.append(to_client)
            if "up" in directions and to_server is not None:
                chosen.append(to_server)
        return chosen

    # Passing on

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.accepted += 1
        task = asyncio.get_running_loop().create_task(self._pass_on(reader, writer))
        self._pairs[task] = (writer, None)
        task.add_done_callback(self._passed)

    def _passed(self, task: asyncio.Task[None]) -> None:
        self._pairs.pop(task, None)
        self._downs.pop(task, None)

    async def _pass_on(self, client: asyncio.StreamReader, to_client: asyncio.StreamWriter) -> None:
        to_server: asyncio.StreamWriter | None = None
        try:
            server, to_server = await asyncio.open_connection(*self.target)
            task = asyncio.current_task()
            assert task is not None
            self._pairs[task] = (to_client, to_server)
            up, down = _Way(self, "up", to_server), _Way(self, "down", to_client)
            self._downs[task] = down
            async with asyncio.TaskGroup() as group:
                for work in (up.fill(client), up.drain(), down.fill(server), down.drain()):
                    group.create_task(work)
            # Both ends said FIN: what is still buffered goes out first.
            for writer in (to_client, to_server):
                writer.close()
                with contextlib.suppress(ConnectionError, TimeoutError):
                    async with asyncio.timeout(_LINGER):
                        await writer.wait_closed()
        except ConnectionError:
            pass  # the target refused: so does the proxy
        finally:
            for each in (to_client, to_server):
                if each is not None:
                    each.transport.abort()

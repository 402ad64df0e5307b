"""
``/livez``, ``/readyz`` and ``/metrics`` over HTTP.

Starlette and uvicorn are imported, in a thread, when the first caller is there: sockets to the upstream do
not wait for them.
"""

from __future__ import annotations

import errno
import math
import re
import socket
import time
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from typing import TYPE_CHECKING, Protocol

import anyio
import anyio.to_thread
import msgspec
import structlog
from anyio.abc import TaskStatus

from connector.api.bodies import ReadyBody
from connector.api.connections import ConnectionLimits, limited_protocol
from connector.api.recent import Recent
from connector.errors import FatalError

if TYPE_CHECKING:
    import uvicorn
    from starlette.applications import Starlette

log = structlog.get_logger(__name__)

STOP_WITHIN = 2.0
"""Seconds that open connections get when the server stops; then they are cut."""

_LAST_RESORT = 2.0
"""Seconds on top, after which uvicorn is not waited for."""


METRICS_AGE = 1.0
"""Seconds for which metrics stay as they were computed: many who scrape must not take the rows' time."""

READY_AGE = 0.05
"""Seconds for which the body of ``/readyz`` stays, as long as its status does."""


_NOT_ASCII = re.compile(r"[^\x00-\x7e]")


def _escaped(found: re.Match[str]) -> str:
    units = found[0].encode("utf-16-be", "surrogatepass").hex()
    return "".join(f"\\u{units[at : at + 4]}" for at in range(0, len(units), 4))


class CannotListen(FatalError):
    """The address is not to be had."""

    def __init__(self, host: str, port: int, reason: str) -> None:
        place = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
        super().__init__(
            f"cannot listen on {place}: {reason} → set http.host and http.port to a free address"
        )


class Health(Protocol):
    """Who knows how everything stands."""

    def ready(self) -> bool:
        """Return whether ``/readyz`` says 200."""

    def body(self) -> ReadyBody:
        """Return what ``/readyz`` tells."""


class ApiServer:
    """
    ``redact`` is applied to the bodies of ``/readyz`` and ``/metrics``; ``clock`` returns seconds, of which
    metrics stay as they were computed for ``metrics_age``.
    """

    def __init__(
        self,
        host: str,
        port: int,
        health: Health,
        render_metrics: Callable[[], tuple[bytes, str]],
        *,
        redact: Callable[[str], str] = str,
        limits: ConnectionLimits | None = None,
        clock: Callable[[], float] = time.monotonic,
        metrics_age: float = METRICS_AGE,
    ) -> None:
        self._host = host
        self._port = port
        self._health = health
        self._redact = redact
        self._limits = limits or ConnectionLimits()

        def render() -> tuple[str, str]:
            body, content_type = render_metrics()
            return redact(body.decode()), content_type

        self._metrics = Recent(render, metrics_age, clock)
        self._ready_body = Recent(lambda: self._encoded(health.body()), READY_AGE, clock)

    def _encoded(self, body: object) -> str:
        # In ASCII, since what others said goes to a terminal, which shall obey none of it.
        return _NOT_ASCII.sub(_escaped, self._redact(msgspec.json.encode(body).decode()))

    async def serve(self, *, task_status: TaskStatus[int] = anyio.TASK_STATUS_IGNORED) -> None:
        """
        Serve until cancelled; the port is told as soon as it listens.

        Raises:
            CannotListen: The address is taken or not ours.
        """
        listener = self._bind()
        port: int = listener.getsockname()[1]
        log.info("api listening", host=self._host, port=port)
        # The kernel queues callers from here on; nobody else has to wait for the imports.
        task_status.started(port)
        try:
            await anyio.wait_readable(listener)
            server = await anyio.to_thread.run_sync(self._build)
            await self._serve_on(listener, server)
        finally:
            listener.close()

    def _build(self) -> uvicorn.Server:
        import uvicorn

        class Server(uvicorn.Server):
            def capture_signals(self) -> AbstractContextManager[None]:  # type: ignore[override]
                # Signals are the worker's.
                return nullcontext()

        config = uvicorn.Config(
            self._app(),
            http=limited_protocol(self._limits),
            ws="none",
            lifespan="off",
            log_config=None,
            access_log=False,
            server_header=False,
            timeout_graceful_shutdown=math.ceil(STOP_WITHIN),
        )
        config.load()
        return Server(config)

    @staticmethod
    async def _serve_on(listener: socket.socket, server: uvicorn.Server) -> None:
        async def stop_when_cancelled() -> None:
            try:
                await anyio.sleep_forever()
            finally:
                server.should_exit = True
                serving.deadline = anyio.current_time() + STOP_WITHIN + _LAST_RESORT

        async with anyio.create_task_group() as group:
            # Cancelled, uvicorn would leave its connections; it is told to stop instead.
            with anyio.CancelScope(shield=True) as serving:
                group.start_soon(stop_when_cancelled)
                await server.serve(sockets=[listener])
            for connection in server.server_state.connections:
                # A peer that does not read keeps its answer, and the socket, for ever.
                connection.transport.abort()
            group.cancel_scope.cancel()

    def _bind(self) -> socket.socket:
        family = socket.AF_INET6 if ":" in self._host else socket.AF_INET
        listener = socket.socket(family, socket.SOCK_STREAM)
        try:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind((self._host, self._port))
            listener.listen(128)
        except OSError as error:
            listener.close()
            known = {errno.EADDRINUSE: "address already in use"}
            reason = known.get(error.errno or 0, error.strerror or type(error).__name__)
            raise CannotListen(self._host, self._port, reason) from None
        return listener

    def _app(self) -> Starlette:
        from starlette.applications import Starlette
        from starlette.exceptions import HTTPException
        from starlette.requests import Request
        from starlette.responses import Response
        from starlette.routing import Route

        def json(text: str, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
            return Response(text, status, headers, media_type="application/json")

        async def livez(_: Request) -> Response:
            return json('{"status":"ok"}')

        async def readyz(_: Request) -> Response:
            is_ready = self._health.ready()
            return json(self._ready_body.get(is_ready), 200 if is_ready else 503)

        async def metrics(_: Request) -> Response:
            body, content_type = self._metrics.get()
            return Response(body, headers={"Content-Type": content_type})

        async def refused(_: Request, error: Exception) -> Response:
            assert isinstance(error, HTTPException)
            # Allow, of a 405 (RFC 9110 §15.5.6), is among the headers.
            return json(self._encoded({"error": error.detail}), error.status_code, error.headers)

        app = Starlette(
            routes=[
                Route("/livez", livez),
                Route("/readyz", readyz),
                Route("/metrics", metrics),
            ],
            exception_handlers={HTTPException: refused},
        )
        app.router.redirect_slashes = False
        return app

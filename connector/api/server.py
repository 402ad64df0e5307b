"""
``/livez``, ``/readyz`` and ``/metrics`` over HTTP.

Starlette and uvicorn are imported when it starts to serve, since they take as long to import as all the
rest of the way to the first socket.
"""

from __future__ import annotations

import errno
import socket
from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol

import anyio
import msgspec
import structlog
from anyio.abc import TaskStatus

from connector.api.bodies import ReadyBody
from connector.errors import FatalError

if TYPE_CHECKING:
    from starlette.applications import Starlette

log = structlog.get_logger(__name__)

STOP_WITHIN = 2.0
"""Seconds that open connections get when the server stops."""


class CannotListen(FatalError):
    """The address is not to be had."""

    def __init__(self, host: str, port: int, reason: str) -> None:
        super().__init__(f"cannot listen on {host}:{port}: {reason}; set http.host and http.port")


class Health(Protocol):
    """Who knows how everything stands."""

    def ready(self) -> bool:
        """Return whether ``/readyz`` says 200."""

    def body(self) -> ReadyBody:
        """Return what ``/readyz`` tells."""


class ApiServer:
    """``redact`` is applied to the bodies of ``/readyz`` and ``/metrics``."""

    def __init__(
        self,
        host: str,
        port: int,
        health: Health,
        render_metrics: Callable[[], tuple[bytes, str]],
        *,
        redact: Callable[[str], str] = str,
    ) -> None:
        self._host = host
        self._port = port
        self._health = health
        self._render_metrics = render_metrics
        self._redact = redact

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
            await self._serve_on(listener)
        finally:
            listener.close()

    async def _serve_on(self, listener: socket.socket) -> None:
        import uvicorn

        class Server(uvicorn.Server):
            def capture_signals(self):  # type: ignore[no-untyped-def]
                # Signals are the worker's.
                from contextlib import nullcontext

                return nullcontext()

        server = Server(
            uvicorn.Config(
                self._app(),
                log_config=None,
                access_log=False,
                lifespan="off",
                server_header=False,
                ws="none",
                timeout_graceful_shutdown=round(STOP_WITHIN),
            )
        )
        async with anyio.create_task_group() as group:
            group.start_soon(self._stop_when_cancelled, server)
            # Cancelled, uvicorn would leave its connections; it is told to stop instead.
            with anyio.CancelScope(shield=True):
                await server.serve(sockets=[listener])
            group.cancel_scope.cancel()

    @staticmethod
    async def _stop_when_cancelled(server: object) -> None:
        try:
            await anyio.sleep_forever()
        finally:
            server.should_exit = True  # type: ignore[attr-defined]

    def _bind(self) -> socket.socket:
        family = socket.AF_INET6 if ":" in self._host else socket.AF_INET
        listener = socket.socket(family, socket.SOCK_STREAM)
        try:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind((self._host, self._port))
            listener.listen(128)
        except OSError as error:
            listener.close()
            known = {errno.EADDRINUSE: "the address is already in use"}
            reason = known.get(error.errno or 0, error.strerror or type(error).__name__)
            raise CannotListen(self._host, self._port, reason) from None
        return listener

    def _app(self) -> Starlette:
        from starlette.applications import Starlette
        from starlette.exceptions import HTTPException
        from starlette.requests import Request
        from starlette.responses import Response
        from starlette.routing import Route

        def answer(body: object, status: int = 200) -> Response:
            text = self._redact(msgspec.json.encode(body).decode())
            return Response(text, status, media_type="application/json")

        async def livez(_: Request) -> Response:
            return answer({"status": "ok"})

        async def readyz(_: Request) -> Response:
            return answer(self._health.body(), 200 if self._health.ready() else 503)

        async def metrics(_: Request) -> Response:
            body, content_type = self._render_metrics()
            return Response(self._redact(body.decode()), headers={"Content-Type": content_type})

        async def refused(_: Request, error: Exception) -> Response:
            assert isinstance(error, HTTPException)
            return answer({"error": error.detail}, error.status_code)

        return Starlette(
            routes=[
                Route("/livez", livez),
                Route("/readyz", readyz),
                Route("/metrics", metrics),
            ],
            exception_handlers={HTTPException: refused},
        )

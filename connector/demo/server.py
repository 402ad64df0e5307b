"""The token endpoint and the upstream behind one port on loopback."""

from __future__ import annotations

import logging
import socket
from collections.abc import Iterator
from contextlib import contextmanager

import anyio
import uvicorn
from starlette.applications import Starlette
from starlette.routing import Route, WebSocketRoute
from starlette.types import ASGIApp

from connector.demo.oauth import Issuer

TOKEN_PATH = "/oauth2/token"  # noqa: S105 - a path, not a password
GRAPHQL_PATH = "/graphql"


class _Server(uvicorn.Server):
    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave the signals to the demo."""
        yield


class LoopbackServer:
    """Serves both on 127.0.0.1; the port is taken when this is made."""

    def __init__(self, issuer: Issuer, upstream: ASGIApp) -> None:
        app = Starlette(
            routes=[
                Route(TOKEN_PATH, issuer.endpoint, methods=["POST"]),
                WebSocketRoute(GRAPHQL_PATH, upstream),
            ]
        )
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._socket.getsockname()[1]
        self._server = _Server(
            uvicorn.Config(
                app,
                ws="websockets-sansio",
                ws_per_message_deflate=False,
                lifespan="off",
                access_log=False,
                log_config=None,
                log_level=logging.CRITICAL,
                timeout_graceful_shutdown=2,
            )
        )

    async def run(self) -> None:
        """Serve until `stop`; not to be cancelled, so that no socket is left open."""
        with anyio.CancelScope(shield=True):
            await self._server.serve(sockets=[self._socket])

    def stop(self) -> None:
        """Let `run` return, within its own deadline of a few seconds."""
        self._server.should_exit = True

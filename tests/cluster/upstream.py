"""
The demo's upstream, where pods reach it: it numbers rows without a pause, and knows which reached a socket.

It runs in a thread of its own, so that rows flow on while a test waits for helm.
"""

import logging
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Self

import anyio
import anyio.from_thread
import uvicorn
from starlette.applications import Starlette
from starlette.routing import Route, WebSocketRoute

from connector.demo.feed import NETWORKS, Feed, network_of
from connector.demo.oauth import CLIENT_ID, Issuer
from connector.demo.server import GRAPHQL_PATH, TOKEN_PATH
from connector.demo.sockets import Sockets
from connector.demo.upstream import DOCUMENT, graphql_app
from tests.helm.objects import Object

TOKEN_LIFE = 20
"""Seconds: short enough that sessions are reopened with a fresh token between two steps of a test."""
ROWS_PER_SECOND = 1000
CLOSE_DEADLINE = 10.0
"""Seconds in which the upstream must have seen its sockets end once the pod has."""


class _Server(uvicorn.Server):
    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave the signals to pytest."""
        yield


class Upstream:
    """The token endpoint and the upstream behind one port, on every interface of this machine."""

    def __init__(self, host_address: str) -> None:
        self.feed = Feed(ROWS_PER_SECOND)
        self.issuer = Issuer(life=TOKEN_LIFE)
        self._sockets = Sockets(graphql_app(), feed=self.feed, issuer=self.issuer)
        self._listener = socket.create_server(("0.0.0.0", 0))
        self._address = f"{host_address}:{self._listener.getsockname()[1]}"
        routes = [
            Route(TOKEN_PATH, self.issuer.endpoint, methods=["POST"]),
            WebSocketRoute(GRAPHQL_PATH, self._sockets),
        ]
        self._server = _Server(
            uvicorn.Config(
                Starlette(routes=routes),
                ws="websockets-sansio",
                ws_per_message_deflate=False,
                lifespan="off",
                access_log=False,
                log_config=None,
                log_level=logging.CRITICAL,
                timeout_graceful_shutdown=2,
            )
        )

    def __enter__(self) -> Self:
        self._portal_context = anyio.from_thread.start_blocking_portal()
        self._portal = self._portal_context.__enter__()
        self._running = self._portal.start_task_soon(self._run)
        return self

    def __exit__(self, *error: object) -> None:
        self.feed.stop()
        self._server.should_exit = True
        try:
            self._running.result(timeout=CLOSE_DEADLINE)
        finally:
            self._portal_context.__exit__(None, None, None)

    @property
    def secrets(self) -> dict[str, str]:
        """What the pod proves itself with, by the keys that `config` names."""
        return {"CLIENT_ID": CLIENT_ID, "CLIENT_SECRET": self.issuer.client_secret}

    @property
    def documents(self) -> dict[str, str]:
        """The document that `config` names."""
        return {"trades.graphql": DOCUMENT}

    def config(self, bootstrap_servers: str, *, http_port: int, topics: str) -> Object:
        """A configuration that subscribes to every network; the topics' names begin with `topics`."""
        return {
            "name": "cluster-test",
            "endpoint": {"preset": "bitquery", "url": f"ws://{self._address}{GRAPHQL_PATH}"},
            "oauth": {
                "token_url": f"http://{self._address}{TOKEN_PATH}",
                "client_id": "${env:CLIENT_ID}",
                "client_secret": "${file:/run/secrets/connector/CLIENT_SECRET}",
            },
            "kafka": {"bootstrap_servers": bootstrap_servers},
            "http": {"port": http_port},
            "subscriptions": [
                {
                    "name": network,
                    "document": "trades.graphql",
                    "variables": {"network": network},
                    "topic": f"{topics}.{{network}}",
                    "key": ["Transaction.Hash"],
                    "timestamp": "Block.Time",
                }
                for network in NETWORKS
            ],
        }

    def all_closed(self) -> None:
        """
        Return once no socket is open, so that no row can follow.

        Raises:
            TimeoutError: CLOSE_DEADLINE passed.
        """
        self._portal.call(self._until_closed)

    def written(self, network: str) -> set[int]:
        """The numbers of this network's rows that open sockets took. Ask once `all_closed`."""
        return {number for number in self.feed.written if network_of(number) == network}

    async def _run(self) -> None:
        async with anyio.create_task_group() as group:
            group.start_soon(self.feed.run)
            await self._server.serve(sockets=[self._listener])
            self.feed.stop()

    async def _until_closed(self) -> None:
        with anyio.fail_after(CLOSE_DEADLINE):
            await self._sockets.all_closed()

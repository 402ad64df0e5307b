"""The first connection of a client. aiokafka tries server after server, and forgets what is cut short."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from types import FunctionType, MethodType
from typing import Any

import anyio
from aiokafka import AIOKafkaClient
from aiokafka import errors as kafka_errors

from connector.kafka.internals.guard import connect_soon

Connect = Callable[..., Awaitable[Any]]
"""Takes what ``create_conn`` takes, and returns a connection."""

DELAY = 0.25
"""Seconds that a server is waited for before the next one is tried as well."""


class _Race:
    """Connections to the servers of ``client``, each tried once; `opened` are those that were."""

    def __init__(self, client: Any, connect: Connect) -> None:
        self._servers = [(host, port) for host, port, _ in client.hosts]
        self._connect = connect
        self._error: Exception = kafka_errors.KafkaConnectionError("no server is left")
        self.opened: list[Any] = []

    async def next(self, _host: str, _port: int, **options: Any) -> Any:
        """
        Return a connection to whichever server is the first that lets us in, of those that are left.

        Raises:
            OSError, KafkaError, TimeoutError: None does; what the last one said.
        """
        running: dict[asyncio.Task[Any], tuple[str, int]] = {}
        waiting, winner = list(self._servers), None
        try:
            while waiting or running:
                if waiting:
                    server = waiting.pop(0)
                    running[asyncio.ensure_future(self._open(server, options))] = server
                ended, _ = await asyncio.wait(
                    running, timeout=DELAY if waiting else None, return_when=asyncio.FIRST_COMPLETED
                )
                for task in ended:
                    self._servers.remove(running.pop(task))
                    if (connection := task.result()) is None:
                        continue
                    if winner is None:
                        winner = connection
                        self.opened.append(connection)
                    else:
                        connection.close()
                if winner is not None:
                    return winner
            raise self._error
        finally:
            await _abandon(running)

    async def _open(self, server: tuple[str, int], options: Mapping[str, Any]) -> Any:
        try:
            return await self._connect(*server, **options)
        except Exception as error:  # what the library makes of odd answers, too
            self._error = error
            return None


async def _abandon(attempts: Iterable[asyncio.Task[Any]]) -> None:
    """Cancel ``attempts``; close what was opened meanwhile."""
    tasks = list(attempts)
    for task in tasks:
        task.cancel()
    if tasks:
        with anyio.CancelScope(shield=True):  # they end at once
            await asyncio.wait(tasks, timeout=1.0)
    for task in tasks:
        if task.done() and not task.cancelled() and (connection := task.result()) is not None:
            connection.close()


@contextmanager
def closing_bootstrap(client: Any, *, connect: Connect = connect_soon) -> Iterator[None]:
    """
    Have ``client``, an ``AIOKafkaClient``, try its servers beside each other when it bootstraps in the body,
    and close the connections that it was bootstrapping with when the body fails.

    ``bootstrap`` tries one after the other, with the request timeout for each. And it closes its connection
    after errors of its own only, and nobody else knows it: one that is cancelled, as by a deadline, would
    leave it open. So its code runs with a ``create_conn`` of ours.
    """
    race = _Race(client, connect)
    inner = AIOKafkaClient.bootstrap
    names = {**inner.__globals__, "create_conn": race.next}
    client.bootstrap = MethodType(FunctionType(inner.__code__, names), client)
    try:
        yield
    except BaseException:
        for connection in race.opened:
            connection.close()
        raise
    finally:
        del client.bootstrap

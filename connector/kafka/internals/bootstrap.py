"""The first connection of a client, which aiokafka forgets where it is cut short."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from types import FunctionType, MethodType
from typing import Any

from aiokafka import AIOKafkaClient
from aiokafka.conn import create_conn

Connect = Callable[..., Awaitable[Any]]
"""Takes what ``create_conn`` takes, and returns a connection."""


@contextmanager
def closing_bootstrap(client: Any, *, connect: Connect = create_conn) -> Iterator[None]:
    """
    Close the connections that ``client``, an ``AIOKafkaClient``, was bootstrapping with when the body fails.

    ``bootstrap`` closes its connection after errors of its own only, and nobody else knows it: one that is
    cancelled, as by a deadline, would leave it open. So its code runs with a ``create_conn`` that notes
    what it opened.
    """
    opened: list[Any] = []

    async def connect_and_note(*arguments: Any, **options: Any) -> Any:
        connection = await connect(*arguments, **options)
        opened.append(connection)
        return connection

    inner = AIOKafkaClient.bootstrap
    names = {**inner.__globals__, "create_conn": connect_and_note}
    client.bootstrap = MethodType(FunctionType(inner.__code__, names), client)
    try:
        yield
    except BaseException:
        for connection in opened:
            connection.close()
        raise
    finally:
        del client.bootstrap

"""A connection to the first of several addresses that answers (Happy Eyeballs, RFC 8305)."""

from __future__ import annotations

import asyncio
import errno
import socket
from collections.abc import Awaitable, Callable, Sequence
from itertools import chain, zip_longest

import anyio

from connector.network.resolver import Address

DELAY = 0.25
"""Seconds that an address is waited for before the next one is tried as well (RFC 8305 §5)."""

_NO_WAY = (errno.ENETUNREACH, errno.EHOSTUNREACH, errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT)
"""What an address says whose family does not lead anywhere: the others' errors tell more."""


async def _connect(address: Address) -> socket.socket:
    family, kind, proto, _, place = address
    sock = socket.socket(family, kind, proto)
    try:
        sock.setblocking(False)
        await asyncio.get_running_loop().sock_connect(sock, place)
    except BaseException:
        sock.close()
        raise
    return sock


async def connect_first(
    addresses: Sequence[Address],
    *,
    connect: Callable[[Address], Awaitable[socket.socket]] = _connect,
    delay: float = DELAY,
) -> socket.socket:
    """
    Return a connected socket in non-blocking mode, from the first of ``addresses`` that answers.

    The next one is tried where one has failed, or has not answered within ``delay`` seconds; both families
    take turns. There is no deadline but the caller's.

    Raises:
        OSError: None can be connected to; what the last one said.
    """
    winner: socket.socket | None = None
    errors: list[OSError] = []

    async def attempt(address: Address, over: anyio.Event) -> None:
        nonlocal winner
        try:
            sock = await connect(address)
        except OSError as error:
            errors.append(error)
            over.set()
            return
        except (ValueError, OverflowError) as error:  # an address that can be none, such as port 65536
            errors.append(OSError(errno.EINVAL, str(error)))
            over.set()
            return
        if winner is None:
            winner = sock
            group.cancel_scope.cancel()
        else:
            sock.close()

    try:
        async with anyio.create_task_group() as group:
            for address in _alternating(addresses):
                over = anyio.Event()
                group.start_soon(attempt, address, over)
                with anyio.move_on_after(delay):
                    await over.wait()
    except BaseException:
        if winner is not None:
            winner.close()
        raise
    if winner is None:
        raise _telling(errors)
    return winner


def _alternating(addresses: Sequence[Address]) -> list[Address]:
    """In the order given, but families by turns, the first one's first (RFC 8305 §4)."""
    families: dict[int, list[Address]] = {}
    for address in addresses:
        families.setdefault(address[0], []).append(address)
    turns = chain.from_iterable(zip_longest(*families.values()))
    return [address for address in turns if address is not None]


def _telling(errors: Sequence[OSError]) -> OSError:
    telling = [error for error in errors if error.errno not in _NO_WAY]
    return (telling or errors or [OSError("the host has no address")])[-1]

"""
Names → addresses, in threads of our own.

The system's lookup blocks for as long as a resolver does not answer, up to minutes, and nothing ends it. In a
pool that all share, one such name would hold up the others. So there is one unfinished lookup per name, all
who ask meanwhile wait for that one, and no thread keeps the process from ending.
"""

from __future__ import annotations

import asyncio
import errno
import signal
import socket
import threading
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any

from connector.network.hosts import HostMistake, ascii_host

Address = tuple[socket.AddressFamily, socket.SocketKind, int, str, Any]
"""Family, type, protocol, canonical name, and what a socket connects to; as `socket.getaddrinfo` returns."""

THREADS = 32
"""Names that are looked up at once, at most; more than a configuration and its brokers name, as a rule."""

_Key = tuple[str | None, str | bytes | int | None, int, int, int, int]


class Resolver:
    """``lookup`` is called in a thread, as `socket.getaddrinfo`; at most ``threads`` calls at once."""

    def __init__(self, lookup: Callable[..., Any] = socket.getaddrinfo, *, threads: int = THREADS) -> None:
        self._lookup = lookup
        self._threads = threads
        self._lock = threading.Lock()
        self._unfinished: dict[_Key, Future[list[Address]]] = {}
        self._waiting: deque[_Key] = deque()
        self._busy = 0

    async def resolve(
        self,
        host: str | bytes | None,
        port: str | bytes | int | None,
        *,
        family: int = 0,
        type: int = 0,
        proto: int = 0,
        flags: int = 0,
    ) -> list[Address]:
        """
        Return the addresses of ``host``, as the event loop's ``getaddrinfo``. Cancelling leaves the lookup to
        itself, and to whoever asks next.

        Raises:
            OSError: There is none, ``host`` or ``port`` can be none, or no thread to look it up in.
        """
        host = as_looked_up(host, port)
        if _is_numeric(host):
            return list(socket.getaddrinfo(host, port, family, type, proto, flags))  # asks nobody
        # Ports do not matter to resolvers, so they make no lookup of their own.
        known = port if isinstance(port, int) else None
        key = (host, port if known is None else 0, family, type, proto, flags)
        found = await asyncio.wrap_future(self._ask(key))
        return found if known is None else [_with_port(address, known) for address in found]

    def _ask(self, key: _Key) -> Future[list[Address]]:
        with self._lock:
            answer = self._unfinished.get(key)
            if answer is not None:
                return answer
            answer = Future()
            answer.set_running_or_notify_cancel()  # whoever gives up must not take it from the others
            if self._busy < self._threads:
                self._start()
            self._waiting.append(key)
            self._unfinished[key] = answer
            return answer

    def _start(self) -> None:
        try:
            threading.Thread(target=self._work, name="resolver", daemon=True).start()
        except RuntimeError:
            raise OSError("no thread to look names up in") from None
        self._busy += 1

    def _work(self) -> None:
        # Signals are for the threads that let them in, and wait until one does.
        signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
        while True:
            with self._lock:
                if not self._waiting:
                    self._busy -= 1
                    return
                key = self._waiting.popleft()
            found: list[Address] | BaseException
            try:
                found = self._lookup(*key)
            except (ValueError, OverflowError):  # what can be no name is known before; but who knows all
                found = socket.gaierror(socket.EAI_NONAME, "the host can be no name")
            except BaseException as error:
                found = error
            with self._lock:
                answer = self._unfinished.pop(key)
            if isinstance(found, BaseException):
                answer.set_exception(found)
            else:
                answer.set_result(found)


def as_looked_up(host: str | bytes | None, port: str | bytes | int | None) -> str | None:
    """
    Return ``host`` as resolvers and certificates have it.

    Raises:
        OSError: ``host`` or ``port`` can be none.
    """
    if isinstance(port, int) and not 0 <= port <= 65535:
        raise OSError(errno.EINVAL, f"{port} is no port")
    if not host:
        return None
    try:
        # Some libraries write the same name in bytes.
        return ascii_host(host.decode("ascii") if isinstance(host, bytes) else host)
    except HostMistake as mistake:
        said = f"the name {mistake.message}"
    except UnicodeError:
        said = "the host can be no name"
    raise socket.gaierror(socket.EAI_NONAME, said)


def _is_numeric(host: str | None) -> bool:
    if host is None:
        return True
    for family in (socket.AF_INET, socket.AF_INET6):
        try:
            socket.inet_pton(family, host.partition("%")[0])
        except (OSError, ValueError):
            continue
        return True
    return False


def _with_port(address: Address, port: int) -> Address:
    family, kind, proto, name, place = address
    return family, kind, proto, name, (place[0], port, *place[2:])

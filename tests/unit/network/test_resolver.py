import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import anyio
import pytest

from connector.network import Resolver

ADDRESS = (socket.AF_INET, socket.SOCK_STREAM, 6, "", ("192.0.2.1", 0))


class Names:
    """Stands for `socket.getaddrinfo`: hangs for names that begin with ``hung``, until let go."""

    def __init__(self) -> None:
        self.asked: list[object] = []
        self.go_on = threading.Event()

    def __call__(self, host: object, *rest: Any) -> list[Any]:
        self.asked.append(host)
        if str(host).startswith("hung"):
            self.go_on.wait(60)
        if str(host).startswith("unknown"):
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        return [ADDRESS]


@contextmanager
def names() -> Iterator[Names]:
    found = Names()
    try:
        yield found
    finally:
        found.go_on.set()


async def test_a_name_that_hangs_holds_up_no_other() -> None:
    with names() as lookup:
        resolver = Resolver(lookup)
        async with anyio.create_task_group() as group:
            for number in range(20):
                group.start_soon(resolver.resolve, f"hung{number}.example", 443)
            with anyio.fail_after(30):
                while len(lookup.asked) < 20:  # noqa: ASYNC110 - they are asked in threads
                    await anyio.sleep(0.01)
                assert await resolver.resolve("good.example", 443) == [(*ADDRESS[:4], ("192.0.2.1", 443))]
            group.cancel_scope.cancel()


async def test_a_name_is_looked_up_once_at_a_time_however_many_ask_and_give_up() -> None:
    with names() as lookup:
        resolver = Resolver(lookup)
        for port in range(5):
            with anyio.move_on_after(0.02):
                await resolver.resolve("hung.example", port)
        assert lookup.asked == ["hung.example"]
        lookup.go_on.set()
        with anyio.fail_after(30):
            found = await resolver.resolve("hung.example", 9092)
    assert found[0][4] == ("192.0.2.1", 9092)


async def test_lookups_are_bounded_and_the_rest_waits_for_its_turn() -> None:
    with names() as lookup:
        resolver = Resolver(lookup, threads=2)
        async with anyio.create_task_group() as group:
            for number in range(5):
                group.start_soon(resolver.resolve, f"hung{number}.example", 443)
            await anyio.sleep(0.1)
            assert len(lookup.asked) <= 2
            lookup.go_on.set()
        assert len(lookup.asked) == 5


async def test_no_thread_keeps_the_process_from_ending() -> None:
    with names() as lookup:
        with anyio.move_on_after(0.05):
            await Resolver(lookup).resolve("hung.example", 443)
        threads = [thread for thread in threading.enumerate() if thread.name == "resolver"]
        assert threads
        assert all(thread.daemon for thread in threads)


async def test_what_a_lookup_raises_is_raised_and_asked_again() -> None:
    lookup = Names()
    resolver = Resolver(lookup)
    for _ in range(2):
        with pytest.raises(socket.gaierror):
            await resolver.resolve("unknown.example", 443)
    assert len(lookup.asked) == 2


@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
async def test_an_address_needs_no_thread(host: str) -> None:
    threads = threading.active_count()
    with names() as lookup:
        await Resolver(lookup, threads=0).resolve(host, 1)
    assert threading.active_count() == threads

import asyncio
import socket
import threading
from typing import Any

import anyio
import pytest

from connector.cli.loop import loop_factory
from connector.network import Resolver, racing_loop


def lookup(*places: str) -> Any:
    def look(host: object, port: int, *_: Any) -> list[Any]:
        return [
            (socket.AF_INET6 if ":" in place else socket.AF_INET, socket.SOCK_STREAM, 6, "", (place, port))
            for place in places
        ]

    return look


def loops() -> list[Any]:
    return [loop_factory(), racing_loop(asyncio.SelectorEventLoop)]


@pytest.mark.parametrize("loop", loops())
def test_a_connection_goes_to_the_address_that_answers(loop: Any) -> None:
    async def main() -> bytes:
        with socket.create_server(("127.0.0.2", 0)) as good:
            port = good.getsockname()[1]
            # Nothing listens on that port at the first address.
            with anyio.fail_after(30):
                reader, writer = await asyncio.open_connection("two.example", port)
                taken, _ = good.accept()
                taken.sendall(b"hello")
                taken.close()
                said = await reader.read()
                writer.close()
            return said

    class Loop(loop):  # type: ignore[misc]
        resolver = Resolver(lookup("127.0.0.1", "127.0.0.2"))

    assert anyio.run(main, backend_options={"loop_factory": Loop}) == b"hello"


@pytest.mark.parametrize("loop", loops())
def test_a_loop_ends_while_a_name_hangs(loop: Any) -> None:
    go_on = threading.Event()

    def hang(*_: Any) -> list[Any]:
        go_on.wait(60)
        return []

    class Loop(loop):  # type: ignore[misc]
        resolver = Resolver(hang)

    async def main() -> None:
        with anyio.move_on_after(0.05):
            await asyncio.open_connection("hung.example", 443)

    anyio.run(main, backend_options={"loop_factory": Loop})
    assert not go_on.is_set()
    go_on.set()

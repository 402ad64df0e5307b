"""Names of hosts: international ones have A-labels, and what can be none is told by name, not by a crash."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from typing import Any

import anyio
import pytest

from connector.cli.loop import loop_factory
from connector.network import HostMistake, Resolver, ascii_host, connect_first, racing_loop

SAME = ["host", "a.b-c.example.", "_sip.example", "127.0.0.1", "::1", "fe80::1%eth0", "xn--bcher-kva.example"]
INTERNATIONAL = [
    ("bücher.example", "xn--bcher-kva.example"),
    ("BÜCHER.Example", "xn--bcher-kva.example"),
    ("bu\u0308cher.example", "xn--bcher-kva.example"),
    ("straße.example", "xn--strae-oqa.example"),  # IDNA 2003 has strasse.example, which is another host
    ("例え.テスト", "xn--r8jz45g.xn--zckzah"),
    ("bücher。example", "xn--bcher-kva.example"),
]
NONE = [
    ("", "an empty part"),
    (".", "an empty part"),
    ("a..b", "an empty part"),
    (".a", "an empty part"),
    ("a" * 64 + ".example", "more than 63"),
    (".".join(["a" * 60] * 5), "more than 253"),
    ("a\0b", "a character"),
    ("a b", "a character"),
    ("a%00b", "a character"),
    ("ü" * 64 + ".example", "IDNA 2008"),
    ("-ü.example", "IDNA 2008"),
    ("ü..example", "IDNA 2008"),
    ("☃.example", "IDNA 2008"),
    ("ü b", "IDNA 2008"),
]


@pytest.mark.parametrize("host", SAME)
def test_a_name_of_dns_and_an_address_stay(host: str) -> None:
    assert ascii_host(host) == host


@pytest.mark.parametrize(("host", "expected"), INTERNATIONAL)
def test_an_international_name_has_a_labels_of_idna_2008(host: str, expected: str) -> None:
    assert ascii_host(host) == expected


@pytest.mark.parametrize(("host", "said"), NONE)
def test_what_can_be_no_host_is_told(host: str, said: str) -> None:
    with pytest.raises(HostMistake) as caught:
        ascii_host(host)
    assert said in caught.value.message
    assert caught.value.remedy


def loops() -> list[Any]:
    return [loop_factory(), racing_loop(asyncio.SelectorEventLoop)]


@pytest.mark.parametrize("loop", loops())
@pytest.mark.parametrize(
    ("host", "port"),
    [
        ("127.0.0.1", 65536),
        ("127.0.0.1", -1),
        ("localhost", 99999),
        ("a..b", 1),
        ("a\0b", 1),
        ("h" * 300, 1),
        ("a." * 200, 1),
        ("\ud800", 1),
        (b"\xff", 1),
        ("☃" * 300, 1),
    ],
)
def test_a_place_that_can_be_none_is_an_os_error_of_a_connection(loop: Any, host: Any, port: int) -> None:
    async def main() -> None:
        for tls in (None, True):
            with anyio.fail_after(30):
                with pytest.raises(OSError, match=r".") as caught:
                    await asyncio.get_running_loop().create_connection(asyncio.Protocol, host, port, ssl=tls)
            assert caught.value.strerror

    anyio.run(main, backend_options={"loop_factory": loop})


@pytest.mark.parametrize("error", [ValueError("x"), UnicodeError("x"), OverflowError("x")])
async def test_whatever_a_lookup_or_an_address_raises_is_an_os_error(error: Exception) -> None:
    def look(*_: Any) -> Any:
        raise error

    with pytest.raises(OSError, match="can be no name"):
        await Resolver(look).resolve("host", 1)

    async def connect(_: Any) -> Any:
        raise error

    address: Any = (socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", 1))
    with pytest.raises(OSError, match="x"):
        await connect_first([address], connect=connect)


@pytest.mark.parametrize("loop", loops())
def test_an_international_name_is_looked_up_and_named_in_tls_by_its_a_labels(loop: Any) -> None:
    looked_up: list[Any] = []

    def look(host: object, *_: Any) -> Any:
        looked_up.append(host)
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", port))]

    class Loop(loop):  # type: ignore[misc]
        resolver = Resolver(look)

    async def main() -> bytes:
        def connect() -> Any:
            return asyncio.get_running_loop().create_connection(
                asyncio.Protocol, "straße.example", port, ssl=True
            )

        with anyio.fail_after(30):
            async with anyio.create_task_group() as group:
                group.start_soon(ignoring_its_end, connect)
                taken, _ = await asyncio.get_running_loop().sock_accept(listener)
                with taken:
                    hello = await asyncio.get_running_loop().sock_recv(taken, 4096)
        return hello

    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        listener.setblocking(False)
        hello = anyio.run(main, backend_options={"loop_factory": Loop})
    assert looked_up == ["xn--strae-oqa.example"]
    assert b"xn--strae-oqa.example" in hello  # the server's name (RFC 6066 §3)


async def ignoring_its_end(connect: Any) -> None:
    with contextlib.suppress(OSError):
        await connect()

import errno
import socket
from collections.abc import Awaitable, Callable
from typing import Any, cast

import anyio
import pytest

from connector.network import connect_first


class FakeSocket:
    """Stands for a connected socket."""

    def __init__(self, place: str) -> None:
        self.place = place
        self.is_closed = False

    def close(self) -> None:
        self.is_closed = True


def address(place: str) -> Any:
    family = socket.AF_INET6 if ":" in place else socket.AF_INET
    return (family, socket.SOCK_STREAM, 6, "", (place, 443))


def network(outcomes: dict[str, OSError | None], tried: list[str]) -> Callable[[Any], Awaitable[Any]]:
    """Addresses that fail as said, never answer (``None``), or are good where nothing is said."""

    async def connect(info: Any) -> Any:
        place = info[4][0]
        tried.append(place)
        if place in outcomes:
            if (outcome := outcomes[place]) is None:
                await anyio.sleep_forever()
            else:
                raise outcome
        return FakeSocket(place)

    return connect


async def first(*places: str, delay: float = 0.01, **outcomes: Any) -> tuple[str, list[str]]:
    tried: list[str] = []
    with anyio.fail_after(30):
        sock = await connect_first(
            [address(place) for place in places], connect=network(outcomes["outcomes"], tried), delay=delay
        )
    return cast(FakeSocket, sock).place, tried


async def test_an_address_that_swallows_connections_does_not_keep_from_the_next() -> None:
    assert await first("::1", "127.0.0.1", outcomes={"::1": None}) == ("127.0.0.1", ["::1", "127.0.0.1"])


async def test_an_address_that_refuses_is_followed_at_once() -> None:
    refused = ConnectionRefusedError(errno.ECONNREFUSED, "Connection refused")
    assert await first("::1", "127.0.0.1", delay=60, outcomes={"::1": refused}) == (
        "127.0.0.1",
        ["::1", "127.0.0.1"],
    )


async def test_families_take_turns() -> None:
    places = ("2001:db8::1", "2001:db8::2", "2001:db8::3", "192.0.2.1")
    silent: dict[str, None] = dict.fromkeys(places[:3])
    assert (await first(*places, outcomes=silent))[1] == ["2001:db8::1", "192.0.2.1"]


REFUSED = ConnectionRefusedError(errno.ECONNREFUSED, "Connection refused")
NO_WAY = OSError(errno.ENETUNREACH, "Network is unreachable")


@pytest.mark.parametrize(
    ("ipv4", "ipv6", "told"),
    [(REFUSED, NO_WAY, REFUSED), (NO_WAY, REFUSED, REFUSED), (NO_WAY, NO_WAY, NO_WAY)],
)
@pytest.mark.parametrize("places", [("192.0.2.1", "::1"), ("::1", "192.0.2.1")])
async def test_where_none_answers_what_tells_most_is_raised(
    ipv4: OSError, ipv6: OSError, told: OSError, places: tuple[str, str]
) -> None:
    with pytest.raises(OSError, match=told.strerror) as caught:
        await first(*places, outcomes={"192.0.2.1": ipv4, "::1": ipv6})
    assert caught.value.errno == told.errno


async def test_a_host_without_an_address_is_told() -> None:
    with pytest.raises(OSError, match="no address"):
        await first(outcomes={})


async def test_a_deadline_of_the_caller_ends_it() -> None:
    with anyio.move_on_after(0.05) as scope:
        await connect_first([address("192.0.2.1")], connect=network({"192.0.2.1": None}, []))
    assert scope.cancelled_caught


async def test_a_socket_that_comes_second_is_closed() -> None:
    opened: list[FakeSocket] = []

    async def connect(info: Any) -> Any:
        with anyio.CancelScope(shield=True):
            await anyio.sleep(0.03)
        opened.append(FakeSocket(info[4][0]))
        return opened[-1]

    winner = await connect_first([address("::1"), address("192.0.2.1")], connect=connect, delay=0.0)
    assert [sock.is_closed for sock in opened if sock is not cast(FakeSocket, winner)] == [True]

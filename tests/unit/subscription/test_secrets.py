"""The token shows in no error: not in its text, its facts, or what it was raised from."""

import logging
from collections.abc import Iterator

import pytest
import structlog
from websockets.asyncio.server import ServerConnection
from websockets.datastructures import Headers
from websockets.http11 import Request, Response

from connector.subscription import SessionError
from tests.unit.subscription.driving import REQUEST, TOKEN, connect, results_of, transport, with_token
from tests.unit.subscription.servers import MODERN, RawPeer, greet, raw_server, tell, told, websocket_server

ENCODED = "ory_at_Zq%2Bb%2Fc%3Dd%25e%22f"
PLACES = ["url", "header", "init"]


def everything(error: BaseException) -> Iterator[str]:
    """Yield all that an error could show of itself, and of what it was raised from."""
    seen: set[int] = set()
    waiting: list[BaseException | None] = [error]
    while waiting:
        one = waiting.pop()
        if one is None or id(one) in seen:
            continue
        seen.add(id(one))
        yield from (str(one), repr(one), repr(one.args), repr(vars(one)), *getattr(one, "__notes__", ()))
        waiting += [one.__cause__, one.__context__]


async def failure_of(url: str, place: str, **settings: float) -> SessionError:
    one = transport(url, opening=with_token(url, place), **settings)
    try:
        await connect(one)
        async for _ in results_of(one, REQUEST):
            pass
    except SessionError as error:
        return error
    finally:
        one.abort()
    raise AssertionError("it did not fail")


def assert_hidden(error: SessionError) -> None:
    assert not [text for text in everything(error) if "ory_at" in text]


def repeating() -> str:
    """Return a text that repeats the token in all its spellings."""
    return f"bad token {TOKEN} or {ENCODED} in /graphql?token={ENCODED}"


@pytest.mark.parametrize("place", PLACES)
async def test_in_an_http_answer_that_repeats_it(place: str) -> None:
    def refuse(connection: ServerConnection, request: Request) -> Response:
        body = repeating().encode()
        return Response(401, repeating(), Headers({"Content-Length": str(len(body))}), body)

    async with websocket_server(greet_only, process_request=refuse) as stand:
        assert_hidden(await failure_of(stand.url, place))


async def greet_only(connection: ServerConnection) -> None:
    await greet(connection)


@pytest.mark.parametrize("place", PLACES)
async def test_in_a_close_reason_that_repeats_it(place: str) -> None:
    async def handler(connection: ServerConnection) -> None:
        await greet(connection)
        await connection.close(4401, f"bad {TOKEN}")

    async with websocket_server(handler) as stand:
        error = await failure_of(stand.url, place)
    assert_hidden(error)
    assert "bad [token]" in str(error)


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("kind", ["connection_error", "error"])
@pytest.mark.parametrize("early", [True, False])
async def test_in_a_refusal_that_repeats_it(early: bool, kind: str, place: str) -> None:
    async def handler(connection: ServerConnection) -> None:
        await told(connection) if early else await greet(connection)
        payload = [
            {"message": repeating(), "extensions": {"code": TOKEN}},
            {"message": "x" * 480 + repeating()},  # cut off in the middle of the token
        ]
        await tell(connection, kind, payload, id="1")
        await connection.wait_closed()

    async with websocket_server(handler) as stand:
        assert_hidden(await failure_of(stand.url, place))


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize(
    "answer",
    [b"", b"nonsense\r\n\r\n", b"HTTP/1.1 302 Found\r\nLocation: /?token=%s\r\n\r\n" % ENCODED.encode()],
)
async def test_in_an_answer_that_is_none(answer: bytes, place: str) -> None:
    async def handler(peer: RawPeer) -> None:
        await peer.request()
        peer.writer.write(answer)

    async with raw_server(handler) as url:
        assert_hidden(await failure_of(url, place))


@pytest.mark.parametrize("place", PLACES)
async def test_in_a_timeout(place: str) -> None:
    async def handler(peer: RawPeer) -> None:
        await peer.reader.read()
        await peer.reader.read()

    async with raw_server(handler) as url:
        assert_hidden(await failure_of(url, place, open_timeout=0.1))

    async def silent(peer: RawPeer) -> None:
        await peer.upgrade()
        while await peer.reader.read(1000):
            pass

    async with raw_server(silent) as url:
        assert_hidden(await failure_of(url, place, ack_timeout=0.1))


@pytest.mark.parametrize("url", ["ws://127.0.0.1:1/", "http://127.0.0.1/", "ws://127.0.0.1:99999/", "ws://"])
async def test_in_an_address_that_does_not_work(url: str) -> None:
    assert_hidden(await failure_of(url, "url"))


@pytest.mark.parametrize("place", PLACES)
async def test_in_a_broken_message_that_repeats_it(place: str) -> None:
    async def handler(connection: ServerConnection) -> None:
        await greet(connection)
        await connection.send(b'{"type":"\xff' + TOKEN.encode() + b'"}')

    async with websocket_server(handler, speaks=[MODERN]) as stand:
        assert_hidden(await failure_of(stand.url, place))


@pytest.mark.parametrize("place", PLACES)
async def test_in_no_log_line_at_any_level(place: str, caplog: pytest.LogCaptureFixture) -> None:
    async def handler(connection: ServerConnection) -> None:
        await greet(connection)
        await tell(connection, "strange", {"token": TOKEN})
        await connection.close(4401, f"bad {TOKEN}")

    with caplog.at_level(logging.DEBUG), structlog.testing.capture_logs() as lines:
        async with websocket_server(handler) as stand:
            # The server's own log is not ours.
            logging.getLogger("websockets.server").setLevel(logging.WARNING)
            await failure_of(stand.url, place)
    ours = [record.getMessage() for record in caplog.records if record.name != "websockets.server"]
    assert not [line for line in [*ours, *map(str, lines)] if "ory_at" in line]

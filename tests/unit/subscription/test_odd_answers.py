"""Answers to the upgrade that are odd, but come from real servers and proxies."""

import anyio
import pytest

from connector.subscription.errors import ConnectFailed, HandshakeRefused, SubprotocolRefused
from tests.unit.subscription.driving import connect, transport
from tests.unit.subscription.servers import LEGACY, MODERN, RawPeer, raw_server

HEAD = b"HTTP/1.1 401 Unauthorized\r\nContent-Type: text/plain\r\nRetry-After: 7\r\n"
LONG = b"X-Policy: " + b"p" * 9_000 + b"\r\n"
LARGE = b"token expired " * 90_000

ANSWERS = {
    "no length, no end": HEAD + b"\r\ntoken expired",
    "half of its length": HEAD + b"Content-Length: 100\r\n\r\ntoken expired",
    "a long line": HEAD + LONG + b"Content-Length: 13\r\n\r\ntoken expired",
    "an endless line": HEAD + b"X-Policy: " + b"p" * 90_000,
    "many lines": HEAD + b"X-A: b\r\n" * 300 + b"Content-Length: 0\r\n\r\n",
    "too many lines": HEAD + b"X-A: b\r\n" * 3_000 + b"Content-Length: 0\r\n\r\n",
    "a large body": HEAD + b"Content-Length: %d\r\n\r\n" % len(LARGE) + LARGE,
    "a large body in chunks": HEAD + b"Transfer-Encoding: chunked\r\n\r\n%x\r\n" % len(LARGE) + LARGE,
    "a broken line": HEAD + b"nonsense\r\n\r\n",
    "a length that is none": HEAD + b"Content-Length: many\r\n\r\n",
    "a coding nobody knows": HEAD + b"Transfer-Encoding: zip\r\n\r\ntoken expired",
    "HTTP/1.0": HEAD.replace(b"1.1", b"1.0") + b"\r\ntoken expired",
    "no reason": HEAD.replace(b" Unauthorized", b"") + b"Content-Length: 0\r\n\r\n",
    "no end of its head": HEAD,
    "a version in small letters": HEAD.replace(b"HTTP", b"http"),
    "a tab": HEAD.replace(b"1.1 401 ", b"1.1\t401\t"),
    "an empty line before": b"\r\n" + HEAD,
    "lines that end with LF": HEAD.replace(b"\r\n", b"\n") + b"\n",
}

INTERIM = {
    "103": b"HTTP/1.1 103 Early Hints\r\nLink: </s.css>; rel=preload\r\n\r\n",
    "100": b"HTTP/1.1 100 Continue\r\n\r\n",
    "102, without a reason": b"HTTP/1.1 102\r\nRetry-After: 3\r\n\r\n",
    "103, without its end": b"HTTP/1.1 103 Early Hints\r\n",
    "many": b"HTTP/1.1 103 Early Hints\r\nLink: </s.css>; rel=preload\r\n\r\n" * 2_000,
}


@pytest.mark.parametrize(
    ("answer", "holds"),
    [
        *(pytest.param(answer, False, id=f"{name}, then its end") for name, answer in ANSWERS.items()),
        *(pytest.param(ANSWERS[name], True, id=name) for name in [*ANSWERS][:4]),
    ],
)
async def test_a_status_that_was_seen_decides(answer: bytes, holds: bool) -> None:
    async def refuse(peer: RawPeer) -> None:
        await peer.request()
        peer.writer.write(answer)
        if holds:
            await anyio.sleep(300)
        await peer.writer.drain()

    async with raw_server(refuse) as url:
        # Long before the upgrade would be given up.
        with anyio.fail_after(45), pytest.raises(HandshakeRefused) as caught:
            await connect(transport(url, open_timeout=200.0))
    assert caught.value.symptom.status == 401
    if b"Retry-After" in answer:
        assert caught.value.retry_after == 7.0


@pytest.mark.parametrize("interim", INTERIM.values(), ids=INTERIM)
async def test_an_interim_answer_is_not_the_refusal_that_follows(interim: bytes) -> None:
    async def refuse(peer: RawPeer) -> None:
        await peer.request()
        peer.writer.write(interim)
        await peer.writer.drain()
        peer.writer.write(HEAD + b"Content-Length: 13\r\n\r\ntoken expired")
        await peer.writer.drain()

    async with raw_server(refuse) as url:
        with anyio.fail_after(45), pytest.raises(HandshakeRefused) as caught:
            await connect(transport(url, open_timeout=200.0))
    assert (caught.value.symptom.status, caught.value.symptom.texts) == (401, ("token expired",))
    assert caught.value.retry_after == 7.0


@pytest.mark.parametrize("interim", INTERIM.values(), ids=INTERIM)
async def test_a_socket_opens_after_interim_answers(interim: bytes) -> None:
    async def upgrade(peer: RawPeer) -> None:
        peer.writer.write(interim)
        await peer.greet()
        await anyio.sleep(30)

    async with raw_server(upgrade) as url:
        opened = transport(url)
        await connect(opened)
        opened.abort()


@pytest.mark.parametrize("ends", [True, False], ids=["then its end", "then silence"])
async def test_an_interim_answer_alone_is_none(ends: bool) -> None:
    async def hint(peer: RawPeer) -> None:
        await peer.request()
        peer.writer.write(INTERIM["103"])
        if not ends:
            await anyio.sleep(30)
        await peer.writer.drain()

    async with raw_server(hint) as url:
        with pytest.raises(ConnectFailed, match="ended during the upgrade" if ends else "no answer"):
            await connect(transport(url, open_timeout=60.0 if ends else 0.5))


@pytest.mark.parametrize(
    "line",
    [b"HTTP/1.1 101", b"HTTP/1.1 101 ", b"http/1.1 101 OK", b"\r\nHTTP/1.1 101 OK", b"HTTP/1.1\t101\tOK"],
)
async def test_a_socket_opens_however_its_status_line_is_written(line: bytes) -> None:
    async def upgrade(peer: RawPeer) -> None:
        write = peer.writer.write

        def written(data: bytes) -> None:
            status, end, rest = data.partition(b"\r\n")
            write((line if status.startswith(b"HTTP/1.1 101") else status) + end + rest)

        peer.writer.write = written  # type: ignore[method-assign, assignment]
        await peer.greet()
        await anyio.sleep(30)

    async with raw_server(upgrade) as url:
        opened = transport(url)
        await connect(opened)
        opened.abort()


async def test_what_is_no_status_is_none() -> None:
    async def speak(peer: RawPeer) -> None:
        await peer.request()
        peer.writer.write(b"SSH-2.0-OpenSSH_9.2\r\n")

    async with raw_server(speak) as url:
        with pytest.raises(ConnectFailed):
            await connect(transport(url))


@pytest.mark.parametrize("more", [LONG, b"X-A: b\r\n" * 300], ids=["long", "many"])
async def test_a_socket_opens_whatever_headers_come_with_it(more: bytes) -> None:
    async def upgrade(peer: RawPeer) -> None:
        await peer.greet(f"{MODERN.value}\r\n{more.decode()[:-2]}")
        await anyio.sleep(30)

    async with raw_server(upgrade) as url:
        opened = transport(url)
        await connect(opened)
        assert opened.subprotocol is MODERN
        opened.abort()


@pytest.mark.parametrize(
    "echo",
    [
        f"{MODERN.value}, {LEGACY.value}",
        f"{LEGACY.value},{MODERN.value}",
        f"{MODERN.value}\r\nSec-WebSocket-Protocol: {LEGACY.value}",
        f"{MODERN.value}, {MODERN.value}",
        f"{MODERN.value}, foo",
        "GraphQL-Transport-WS",
        f'"{MODERN.value}"',
        f"foo, {LEGACY.value}, {MODERN.value.upper()},",
    ],
)
async def test_a_server_that_echoes_what_was_offered_has_selected_the_first(echo: str) -> None:
    async def upgrade(peer: RawPeer) -> None:
        await peer.greet(echo)
        await anyio.sleep(30)

    async with raw_server(upgrade) as url:
        opened = transport(url)
        await connect(opened)
        assert opened.subprotocol is MODERN
        opened.abort()


async def test_an_empty_subprotocol_is_none() -> None:
    async def upgrade(peer: RawPeer) -> None:
        await peer.greet("")
        await anyio.sleep(30)

    async with raw_server(upgrade) as url:
        with pytest.raises(SubprotocolRefused):
            await connect(transport(url))


@pytest.mark.parametrize(
    ("written", "instead", "said"),
    [
        ("Upgrade: websocket\r\n", "", "header Upgrade does not agree"),
        ("Connection: Upgrade\r\n", "Connection: close\r\n", "header Connection does not agree"),
        ("Sec-WebSocket-Accept: ", "Sec-WebSocket-Accept: x", "header Sec-WebSocket-Accept is wrong"),
        ("Sec-WebSocket-Accept: ", "X-Accept: ", "no header Sec-WebSocket-Accept"),
        ("Upgrade: websocket", "no header", "cannot be read as HTTP"),
    ],
)
async def test_what_is_wrong_with_an_upgrade_is_named(written: str, instead: str, said: str) -> None:
    async def upgrade(peer: RawPeer) -> None:
        write = peer.writer.write

        def changed(data: bytes) -> None:
            write(data.replace(written.encode(), instead.encode(), 1))

        peer.writer.write = changed  # type: ignore[method-assign, assignment]
        await peer.greet()
        await anyio.sleep(30)

    async with raw_server(upgrade) as url:
        with pytest.raises(ConnectFailed, match=said):
            await connect(transport(url))

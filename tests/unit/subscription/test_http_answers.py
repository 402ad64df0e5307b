"""Upgrades that are answered by HTTP: the status, what was said, and when to come again."""

import gzip

import pytest
from websockets.asyncio.server import ServerConnection
from websockets.datastructures import Headers
from websockets.http11 import Request, Response

from connector.subscription.errors import HandshakeRefused
from tests.unit.subscription.driving import TOKEN, connect, transport, with_token
from tests.unit.subscription.servers import (
    RawPeer,
    acknowledge,
    raw_server,
    websocket_server,
)

ANSWERS = [
    (401, "text/html", "<html><h1>401</h1>\n <p>Unauthorized</p></html>", "401 Unauthorized"),
    (401, "application/json", '{"error":"invalid token"}', '{"error":"invalid token"}'),
    (402, "text/plain", "No active billing period", "No active billing period"),
    (403, "text/html", "<center>nginx</center>", "nginx"),
    (429, "text/plain", "Too Many Sessions", "Too Many Sessions"),
    (500, "application/json", "{}", "{}"),
    (503, "text/plain", "", ""),
    (200, "text/plain", "hello", "hello"),
]


@pytest.mark.parametrize(("status", "kind", "body", "text"), ANSWERS)
async def test_an_http_answer_is_told(status: int, kind: str, body: str, text: str) -> None:
    def refuse(connection: ServerConnection, request: Request) -> Response:
        headers = Headers({"Content-Type": kind, "Content-Length": str(len(body)), "Connection": "close"})
        return Response(status, "No", headers, body.encode())

    async with websocket_server(acknowledge, process_request=refuse) as stand:
        with pytest.raises(HandshakeRefused, match=f"HTTP {status}$") as caught:
            await connect(transport(stand.url))
    symptom = caught.value.symptom
    assert (symptom.place, symptom.status) == ("handshake", status)
    assert symptom.texts == ((text,) if text else ())
    assert caught.value.retry_after is None


async def test_a_compressed_answer_is_read_and_bounded() -> None:
    def refuse(connection: ServerConnection, request: Request) -> Response:
        body = gzip.compress(b"No active billing period" + b" " * 50_000_000)
        headers = Headers({"Content-Encoding": "gzip", "Content-Length": str(len(body))})
        return Response(402, "No", headers, body)

    async with websocket_server(acknowledge, process_request=refuse) as stand:
        with pytest.raises(HandshakeRefused) as caught:
            await connect(transport(stand.url))
    assert caught.value.symptom.texts == ("No active billing period",)


@pytest.mark.parametrize(
    ("values", "seconds"),
    [
        (["7"], 7.0),
        (["junk"], None),
        (["-1"], None),
        (["5", "9"], 9.0),
        (["Thu, 01 Jan 1970 00:00:00 GMT"], 0.0),
        (["9" * 400], 86_400.0),
    ],
)
async def test_retry_after_is_kept(values: list[str], seconds: float | None) -> None:
    def refuse(connection: ServerConnection, request: Request) -> Response:
        headers = Headers({"Content-Length": "0", "Connection": "close"})
        for value in values:
            headers["Retry-After"] = value
        return Response(429, "Slow down", headers, b"")

    async with websocket_server(acknowledge, process_request=refuse) as stand:
        with pytest.raises(HandshakeRefused) as caught:
            await connect(transport(stand.url))
    assert caught.value.retry_after == seconds


@pytest.mark.parametrize(
    ("challenges", "said", "codes", "texts"),
    [
        (['Basic realm="x"'], "", (), ()),
        (['Bearer error="invalid_token'], "", (), ()),
        (
            [
                'Basic realm="x"',
                'Bearer error="insufficient_scope", scope="trades", error_description="more"',
            ],
            ": insufficient_scope; more; needs the scope trades",
            ("insufficient_scope",),
            ("more",),
        ),
        # What holds the token is for nobody.
        (
            [f'Bearer error="invalid_token", error_description="no such token {TOKEN[:12]}"'],
            ": invalid_token",
            ("invalid_token",),
            (),
        ),
        ([f"Bearer error={TOKEN.partition('/')[0]}"], "", (), ()),
    ],
)
async def test_what_is_said_of_the_token_in_a_header_is_kept(
    challenges: list[str], said: str, codes: tuple[str, ...], texts: tuple[str, ...]
) -> None:
    def refuse(connection: ServerConnection, request: Request) -> Response:
        headers = Headers({"Content-Length": "0", "Connection": "close"})
        for challenge in challenges:
            headers["WWW-Authenticate"] = challenge
        return Response(403, "Forbidden", headers, b"")

    async with websocket_server(acknowledge, process_request=refuse) as stand:
        with pytest.raises(HandshakeRefused) as caught:
            await connect(transport(stand.url, opening=with_token(stand.url)))
    assert str(caught.value) == f"the server answered the upgrade with HTTP 403{said}"
    assert (caught.value.symptom.error_codes, caught.value.symptom.texts) == (codes, texts)


async def test_a_redirect_is_not_followed_with_the_token() -> None:
    visitors: list[str] = []

    async def elsewhere(peer: RawPeer) -> None:
        visitors.append(str(await peer.request()))

    async with raw_server(elsewhere) as other:

        def redirect(connection: ServerConnection, request: Request) -> Response:
            return Response(302, "Found", Headers({"Location": other, "Content-Length": "0"}), b"")

        async with websocket_server(acknowledge, process_request=redirect) as stand:
            with pytest.raises(HandshakeRefused) as caught:
                await connect(transport(stand.url, opening=with_token(stand.url, "init")))
    assert caught.value.symptom.status == 302
    assert visitors == []

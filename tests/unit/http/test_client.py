"""`HttpClient` against a server on loopback."""

from __future__ import annotations

import asyncio
import gzip
import logging
import subprocess
import sys
import zlib
from collections.abc import Callable
from urllib.parse import parse_qsl

import anyio
import pytest

from connector.errors import RetriableError
from connector.http import HttpAnswer, HttpClient, Unreachable

from .loopback import http, saying, serving

SECRET = 'p+a/s=s%w"o rd'


def deflated(body: bytes) -> bytes:
    """Return ``body`` deflated without a head, as some servers understand ``deflate``."""
    packer = zlib.compressobj(wbits=-15)
    return packer.compress(body) + packer.flush()


async def test_a_form_arrives_encoded_and_its_answer_comes_back_whole() -> None:
    answer = http("200 OK", b'{"a":1}', "Content-Type: application/json", "X-Seen: a", "x-seen: b")
    async with serving(saying(answer)) as server, HttpClient() as client:
        got = await client.post_form(server.url, {"client_secret": SECRET, "ü": "ß"}, {"x-extra": "1"})
    head, _, body = server.requests[0].partition(b"\r\n\r\n")
    assert parse_qsl(body.decode()) == [("client_secret", SECRET), ("ü", "ß")]
    assert b"content-type: application/x-www-form-urlencoded" in head.lower()
    assert b"x-extra: 1" in head.lower()
    assert (got.status, got.body, got.headers["x-seen"]) == (200, b'{"a":1}', "a, b")


async def test_a_redirect_is_an_answer_and_is_not_followed() -> None:
    async with serving(saying(http("200 OK"))) as target:
        answer = saying(http("307 Temporary Redirect", b"", f"Location: {target.url}"))
        async with serving(answer) as server, HttpClient() as client:
            got = await client.post_form(server.url, {"client_secret": SECRET})
    assert got.status == 307
    assert target.requests == []


async def test_html_is_an_answer_like_any_other() -> None:
    page = b"<html>\xff\xfe</html>"
    answer = http("403 Forbidden", page, "Content-Type: text/html")
    async with serving(saying(answer)) as server, HttpClient() as client:
        got = await client.post_form(server.url, {})
    assert (got.status, got.body) == (403, page)


async def test_a_server_that_never_answers_ends_at_the_deadline() -> None:
    async def hang(_: asyncio.StreamWriter) -> None:
        await asyncio.sleep(60)

    async with serving(hang) as server, HttpClient(timeout=0.1) as client:
        with pytest.raises(Unreachable, match=r"not complete within 0\.1 s"):
            await client.post_form(server.url, {})


async def test_a_body_that_trickles_in_ends_at_the_same_deadline() -> None:
    async def trickle(writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n")
        while True:
            writer.write(b"x")
            await writer.drain()
            await asyncio.sleep(0.01)

    async with serving(trickle) as server, HttpClient(timeout=0.2) as client:
        with pytest.raises(Unreachable, match="not complete"):
            await client.post_form(server.url, {})


async def endless(writer: asyncio.StreamWriter, status: bytes) -> None:
    writer.write(b"HTTP/1.1 " + status + b"\r\nConnection: close\r\n\r\n")
    while True:
        writer.write(b"x" * 65536)
        await writer.drain()


async def test_a_body_without_end_is_read_no_further_than_the_bound() -> None:
    async def answer(writer: asyncio.StreamWriter) -> None:
        await endless(writer, b"200 OK")

    async with serving(answer) as server, HttpClient(max_body_bytes=100_000) as client:
        with pytest.raises(Unreachable, match="larger than 100000 bytes"):
            await client.post_form(server.url, {})


async def test_an_error_page_without_end_is_cut_and_keeps_its_status() -> None:
    async def answer(writer: asyncio.StreamWriter) -> None:
        await endless(writer, b"401 Unauthorized")

    async with serving(answer) as server, HttpClient(max_body_bytes=100_000) as client:
        got = await client.post_form(server.url, {})
    assert (got.status, got.body) == (401, b"x" * 100_000)


async def test_a_small_body_that_inflates_is_bounded_too() -> None:
    bomb = http("200 OK", gzip.compress(bytes(50_000_000)), "Content-Encoding: gzip")
    async with serving(saying(bomb)) as server, HttpClient() as client:
        with pytest.raises(Unreachable, match="larger than"):
            await client.post_form(server.url, {})


@pytest.mark.parametrize("encoding", ["gzip, gzip", "gzip,GZIP, identity", "br", "zstd"])
@pytest.mark.parametrize("status", ["200 OK", "401 Unauthorized"])
async def test_a_body_that_inflates_twice_or_without_a_bound_is_not_decoded(
    status: str, encoding: str
) -> None:
    body = gzip.compress(gzip.compress(bytes(50_000_000)))
    async with (
        serving(saying(http(status, body, f"Content-Encoding: {encoding}"))) as server,
        HttpClient() as client,
    ):
        if status.startswith("200"):
            with pytest.raises(Unreachable, match="not asked for"):
                await client.post_form(server.url, {})
        else:
            answer = await client.post_form(server.url, {})
            assert (answer.status, answer.body) == (401, body)


@pytest.mark.parametrize("status", ["200 OK", "401 Unauthorized"])
@pytest.mark.parametrize("encoding", ["gzip", "deflate", "x-gzip"])
@pytest.mark.parametrize("pack", [lambda body: body, gzip.compress, zlib.compress, deflated])
async def test_a_body_is_read_whatever_of_the_codes_it_is_really_in(
    status: str, encoding: str, pack: Callable[[bytes], bytes]
) -> None:
    body = b'{"error":"invalid_client"}'
    raw = http(status, pack(body), f"Content-Encoding: {encoding}")
    async with serving(saying(raw)) as server, HttpClient() as client:
        assert (await client.post_form(server.url, {})).body == body


@pytest.mark.parametrize(
    "rest",
    [
        b'Content-Length: 999\r\n\r\n{"error":1}',
        b'Transfer-Encoding: chunked\r\n\r\nb\r\n{"error":1}\r\nnone',
        b'Transfer-Encoding: chunked\r\n\r\nb\r\n{"error":1}\r\n',
    ],
)
@pytest.mark.parametrize("stays", [False, True])
async def test_a_refusal_whose_body_does_not_end_keeps_its_status(rest: bytes, stays: bool) -> None:
    async def refuse(writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 401 Unauthorized\r\n" + rest)
        await writer.drain()
        if stays:
            await asyncio.sleep(60)

    async with serving(refuse) as server, HttpClient(timeout=30) as client:
        got = await client.post_form(server.url, {})
    assert (got.status, got.body) == (401, b'{"error":1}')


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        (b"", "ended before there was an answer"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf", "before the answer was whole"),
        (b"SSH-2.0-OpenSSH_9.9\r\n\r\n", "cannot be read as HTTP"),
        (b"HTTP/1.1 401 Unauthorized\r\nno header\r\n\r\n", "cannot be read as HTTP"),
    ],
    ids=["closed", "half a body", "not HTTP", "a header that is none"],
)
async def test_a_broken_answer_is_unreachable(raw: bytes, reason: str) -> None:
    async with serving(saying(raw)) as server, HttpClient() as client:
        with pytest.raises(Unreachable, match=reason) as caught:
            await client.post_form(server.url, {})
    assert isinstance(caught.value, RetriableError)
    assert caught.value.retry_after is None


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1:1/",
        "https://127.0.0.1:1/",
        "http://127.0.0.1:99999/",
        "ftp://127.0.0.1/",
        "http://[::1/",
        "http://\x00/",
        "",
    ],
)
async def test_whatever_the_url_nothing_else_is_raised(url: str) -> None:
    async with HttpClient(timeout=5) as client:
        with pytest.raises(Unreachable):
            await client.post_form(url, {})


@pytest.mark.parametrize(
    ("url", "reason"),
    [("http://127.0.0.1:1/", "Connection refused"), ("http://nobody.invalid/", "not known")],
)
async def test_a_host_that_is_not_reached_is_told_in_words(url: str, reason: str) -> None:
    async with HttpClient() as client:
        with pytest.raises(Unreachable, match=reason) as caught:
            await client.post_form(url, {})
    assert "Error" not in str(caught.value)


async def test_the_environment_is_not_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy"):
        monkeypatch.setenv(name, "gopher://127.0.0.1:1")
    async with serving(saying(http("204 No Content"))) as server, HttpClient() as client:
        assert (await client.post_form(server.url, {})).status == 204


async def test_neither_error_nor_log_shows_what_was_sent(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    answer = http("200 OK", SECRET.encode(), f"Set-Cookie: {SECRET}")
    async with serving(saying(answer)) as server, HttpClient() as client:
        url = f"http://user:hunter2@127.0.0.1:{server.port}/?token=hunter2"
        got = await client.post_form(url, {"client_secret": "hunter2"})
        with pytest.raises(Unreachable) as caught:
            await client.post_form("http://user:hunter2@127.0.0.1:1/?token=hunter2", {"s": "hunter2"})
    shown = caplog.text + repr(got) + repr(caught.value) + str(caught.value)
    assert "hunter2" not in shown
    assert SECRET not in shown
    assert caught.value.__context__ is None


async def test_a_secret_that_is_no_unicode_is_sent_and_never_raised() -> None:
    async with serving(saying(http("200 OK"))) as server, HttpClient() as client:
        assert (await client.post_form(server.url, {"s": "\udcff\ud800"})).status == 200


async def test_cancelling_a_request_ends_it_at_once() -> None:
    asked = anyio.Event()

    async def hang(_: asyncio.StreamWriter) -> None:
        asked.set()
        await asyncio.sleep(60)

    async with serving(hang) as server, HttpClient() as client, anyio.create_task_group() as group:
        group.start_soon(client.post_form, server.url, {})
        with anyio.fail_after(10):
            await asked.wait()
        group.cancel_scope.cancel()


def test_the_library_is_loaded_only_when_a_request_is_sent() -> None:
    code = "import sys, connector.http, connector.auth; sys.exit('httpx2' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_an_answer_hides_its_headers_and_body() -> None:
    answer = HttpAnswer(status=200, headers={"set-cookie": SECRET}, body=SECRET.encode())
    assert repr(answer) == "HttpAnswer(status=200)"

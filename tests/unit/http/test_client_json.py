"""`HttpClient.post_json`: JSON goes out, within the bounds and with the errors of a form."""

from __future__ import annotations

import asyncio
import json
import logging
import math

import pytest

from connector.http import HttpClient, Unreachable

from .loopback import http, saying, serving

QUERY = {"query": "query ($n: Int) { a(n: $n) }", "variables": {"n": 1, "s": 'ü"\n\u2028', "none": None}}


async def test_json_arrives_and_its_answer_comes_back_whole() -> None:
    answer = http("200 OK", b'{"data":{}}', "Content-Type: application/graphql-response+json")
    async with serving(saying(answer)) as server, HttpClient() as client:
        got = await client.post_json(server.url, QUERY, {"accept": "application/json", "x-extra": "1"})
    head, _, body = server.requests[0].partition(b"\r\n\r\n")
    assert json.loads(body) == QUERY
    lines = head.lower().split(b"\r\n")
    assert lines.count(b"content-type: application/json") == 1
    assert {b"accept: application/json", b"x-extra: 1"} <= set(lines)
    assert (got.status, got.body) == (200, b'{"data":{}}')
    assert got.headers["content-type"] == "application/graphql-response+json"


async def test_a_lone_surrogate_is_sent_and_never_raised() -> None:
    async with serving(saying(http("200 OK"))) as server, HttpClient() as client:
        await client.post_json(server.url, {"s": "\ud800"})
    assert server.requests[0].endswith(b'{"s":"\\ud800"}')


@pytest.mark.parametrize(
    ("content", "error"),
    [({"n": math.nan}, ValueError), ({"n": math.inf}, ValueError), ({"n": {1, 2}}, TypeError)],
)
async def test_what_json_cannot_hold_is_not_sent(content: object, error: type[Exception]) -> None:
    async with serving(saying(http("200 OK"))) as server, HttpClient() as client:
        with pytest.raises(error):
            await client.post_json(server.url, content)
    assert server.requests == []


async def test_a_redirect_is_an_answer_and_is_not_followed() -> None:
    async with serving(saying(http("200 OK"))) as target:
        answer = saying(http("307 Temporary Redirect", b"", f"Location: {target.url}"))
        async with serving(answer) as server, HttpClient() as client:
            assert (await client.post_json(server.url, QUERY)).status == 307
    assert target.requests == []


async def test_no_answer_in_time_is_unreachable() -> None:
    async def hang(_: asyncio.StreamWriter) -> None:
        await asyncio.sleep(60)

    async with serving(hang) as server, HttpClient(timeout=0.1) as client:
        with pytest.raises(Unreachable, match=r"not complete within 0\.1 s"):
            await client.post_json(server.url, QUERY)


async def test_an_answer_is_read_no_further_than_the_bound() -> None:
    page = bytes(2_000)
    async with serving(saying(http("200 OK", page))) as server, HttpClient(max_body_bytes=1_000) as client:
        with pytest.raises(Unreachable, match="larger than 1000 bytes"):
            await client.post_json(server.url, QUERY)
    async with serving(saying(http("429 Busy", page))) as server, HttpClient(max_body_bytes=1_000) as client:
        got = await client.post_json(server.url, QUERY)
    assert (got.status, len(got.body)) == (429, 1_000)


async def test_neither_error_nor_log_shows_what_was_sent(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    async with HttpClient(timeout=5) as client:
        with pytest.raises(Unreachable) as caught:
            await client.post_json(
                "http://127.0.0.1:1/?token=hunter2", {"q": "hunter2"}, {"authorization": "Bearer hunter2"}
            )
    assert "hunter2" not in caplog.text + repr(caught.value) + str(caught.value)
    assert caught.value.__context__ is None

"""A thousand malformed answers of a token endpoint: as it parses them, and over the wire."""

from __future__ import annotations

import asyncio
import base64
import gzip
import json
from collections.abc import Mapping

import anyio
from hypothesis import given, settings
from hypothesis import strategies as st
from structlog.testing import capture_logs

from connector.auth import ClientCredentials, Grant, GrantRefused, GrantUnavailable
from connector.auth.grant import LONGEST_LIFE, is_access_token
from connector.errors import RetriableError
from connector.http import HttpAnswer, HttpClient
from tests.fuzz.strategies import EXAMPLES, JSON, SECRET, spoilt, written
from tests.unit.http.loopback import serving

CLIENT_SECRET = 's3cret+/=%"of-the-client'
BASIC = base64.b64encode(f"id:{CLIENT_SECRET}".encode()).decode()
VALUES = JSON | st.sampled_from(
    ["bearer", SECRET, CLIENT_SECRET, "invalid_client", "server_error", 10**400, "9" * 400, 1e308]
)
MEMBERS = st.dictionaries(
    st.sampled_from(
        ["access_token", "token_type", "expires_in", "scope", "error", "error_description", "other"]
    ),
    VALUES,
)
GOOD = st.fixed_dictionaries(
    {"access_token": st.just("x")}, optional={"expires_in": VALUES, "token_type": VALUES, "scope": VALUES}
)
WHOLE = (MEMBERS | GOOD).map(written)
BODIES = (
    WHOLE
    | spoilt(WHOLE)
    | st.binary(max_size=60)
    | JSON.map(written)
    | st.sampled_from([b"\xef\xbb\xbf{}", f"<html>{SECRET}".encode(), f"error={CLIENT_SECRET}".encode()])
    | st.integers(1, 200_000).map(lambda depth: b"[" * depth)
    | st.integers(1, 200_000).map(lambda depth: b'{"a":' * depth)
)
STATUSES = st.sampled_from([200, 201, 204, 302, 400, 401, 403, 429, 500, 503]) | st.integers(100, 999)
TEXTS = st.text(st.characters(codec="latin-1", exclude_categories=["Cc"]), max_size=20)
HEADERS = st.dictionaries(
    st.sampled_from(["retry-after", "content-type", "content-encoding", "www-authenticate", "x"]),
    TEXTS | st.sampled_from(["1", "-1", "1e9", "9" * 400, "Wed, 21 Oct 2015 07:28:00 GMT", SECRET]),
)


class Answering:
    """Satisfies `FormPoster`: gives one answer."""

    def __init__(self, answer: HttpAnswer) -> None:
        self._answer = answer

    async def post_form(self, url: str, form: Mapping[str, str], headers: Mapping[str, str]) -> HttpAnswer:
        return self._answer


async def outcome(source: ClientCredentials) -> Grant | RetriableError:
    try:
        return await source.fetch()
    except RetriableError as error:
        return error


def assert_sound(found: Grant | RetriableError, said: object) -> None:
    """Assert that it is a grant that can be used, or an error that tells no secret."""
    if isinstance(found, Grant):
        assert is_access_token(found.access_token)
        assert found.expires_in is None or 0 < found.expires_in <= LONGEST_LIFE
        assert found.access_token not in repr(found) or len(found.access_token) < 4
    else:
        assert found.retry_after is None or 0 <= found.retry_after <= 86_400
        assert len(str(found)) < 500
        assert found.__context__ is None or not isinstance(found.__context__, UnicodeError)
    shown = f"{found!r} {found if isinstance(found, Exception) else ''} {said}"
    for secret in (SECRET, CLIENT_SECRET, BASIC):
        assert secret not in shown


@settings(max_examples=EXAMPLES)
@given(STATUSES, HEADERS, BODIES)
def test_any_answer_is_a_usable_grant_or_an_error_that_tells_no_secret(
    loop: asyncio.Runner, status: int, headers: dict[str, str], body: bytes
) -> None:
    source = ClientCredentials(
        Answering(HttpAnswer(status=status, headers=headers, body=body)),
        token_url="https://h/t",
        client_id="id",
        client_secret=CLIENT_SECRET,
        scope="api",
        auth="basic",
    )
    with capture_logs() as lines:
        found = loop.run(outcome(source))
    if isinstance(found, RetriableError):
        assert isinstance(found, GrantRefused | GrantUnavailable)
    assert_sound(found, lines)


LINES = st.sampled_from(
    ["HTTP/1.1 200 OK", "HTTP/1.1 400 Bad", "HTTP/1.0 503", "HTTP/9.9 200 OK", "HTTP/1.1 abc", "ICY 200", ""]
)
FRAMING = st.sampled_from(
    [
        "Content-Length: {length}",
        "Content-Length: {less}",
        "Content-Length: {more}",
        "Content-Length: -1",
        "Content-Length: x",
        "Content-Length: {length}\r\nContent-Length: {more}",
        "Transfer-Encoding: chunked",
        "Transfer-Encoding: gzip, chunked",
        "Content-Encoding: gzip\r\nContent-Length: {length}",
        "Content-Encoding: br, x",
        "Connection: close",
        " folded: header",
        "no colon",
        "X: " + "y" * 100_000,
        "\x00: \x01",
    ]
)


@settings(max_examples=EXAMPLES // 4)
@given(LINES, st.lists(FRAMING, max_size=2), BODIES, st.booleans(), st.integers(1, 400))
def test_any_bytes_on_the_wire_are_a_usable_grant_or_an_error_that_tells_no_secret(
    loop: asyncio.Runner, line: str, framing: list[str], body: bytes, is_packed: bool, cut: int
) -> None:
    body = gzip.compress(body) if is_packed else body
    sizes = {"length": len(body), "less": max(0, len(body) - 1), "more": len(body) + 1}
    head = "\r\n".join([line, *(one.format(**sizes) for one in framing), "", ""])
    wire = head.encode("latin-1") + body
    wire = wire[: len(wire) - cut] if cut < 40 else wire

    async def answer(writer: asyncio.StreamWriter) -> None:
        writer.write(wire)
        await writer.drain()

    async def run() -> Grant | RetriableError:
        async with serving(answer) as server, HttpClient(timeout=20) as http:
            source = ClientCredentials(
                http, token_url=server.url, client_id="id", client_secret=CLIENT_SECRET, auth="basic"
            )
            with anyio.fail_after(30):
                return await outcome(source)

    with capture_logs() as lines:
        found = loop.run(run())
    assert_sound(found, lines)


def test_the_strategies_give_grants_and_errors_of_each_kind(loop: asyncio.Runner) -> None:
    """What they find is worth something only if they reach every outcome."""
    seen: set[str] = set()

    @settings(max_examples=500, database=None)
    @given(STATUSES, BODIES)
    def look(status: int, body: bytes) -> None:
        source = ClientCredentials(
            Answering(HttpAnswer(status=status, headers={}, body=body)),
            token_url="https://h/t",
            client_id="id",
            client_secret=CLIENT_SECRET,
        )
        with capture_logs():
            seen.add(type(loop.run(outcome(source))).__name__)

    look()
    assert seen == {"Grant", "GrantRefused", "GrantUnavailable"}
    assert json.loads(written({"a": SECRET})) == {"a": SECRET}

"""
RFC 6749 §5.1 and §5.2 over the wire: every error code, with every status, in every shape of body.

What the grant says of it depends on the status, and on the code where the body can be read; never on the
headers, which gateways get wrong; and it never quotes the body.
"""

from __future__ import annotations

import asyncio
import gzip
import json
import zlib
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from urllib.parse import urlencode

import pytest

from connector.auth import ClientCredentials, Grant, GrantRefused, GrantUnavailable
from connector.errors import RetriableError
from connector.http import HttpClient, Unreachable
from tests.unit.http.loopback import serving

QUOTED = "s3cret-of-the-body"
PERMANENT = [
    *("invalid_request", "invalid_client", "invalid_grant"),
    *("unauthorized_client", "unsupported_grant_type", "invalid_scope"),
    *("access_denied", "invalid_target"),
]
PASSING = ["temporarily_unavailable", "server_error", "slow_down"]
UNKNOWN = ["expired_token", "Invalid_Clients", QUOTED]
MISSPELT = {"Invalid_Client": "invalid_client", "TEMPORARILY_UNAVAILABLE": "temporarily_unavailable"}
"""They are known all the same: there are servers that write so."""
CODES = [*PERMANENT, *PASSING, *UNKNOWN, *MISSPELT]
STATUSES = [200, 302, 400, 401, 403, 429, 500, 503]
PASSING_STATUSES = [429, 500, 503]


@dataclass(frozen=True, kw_only=True)
class Shape:
    """How an answer is put on the wire; ``readable``: whether its members can be read."""

    render: Callable[[Mapping[str, object]], bytes]
    headers: tuple[str, ...] = ("Content-Type: application/json",)
    readable: bool = True


def as_json(members: Mapping[str, object]) -> bytes:
    return json.dumps(members).encode()


def shaped(render: Callable[[bytes], bytes], *headers: str, readable: bool = True) -> Shape:
    return Shape(
        render=lambda members: render(as_json(members)),
        headers=headers or ("Content-Type: application/json",),
        readable=readable,
    )


def chunked(body: bytes) -> bytes:
    pieces = [body[at : at + 7] for at in range(0, len(body), 7)]
    return b"".join(b"%x\r\n%b\r\n" % (len(piece), piece) for piece in [*pieces, b""])


SHAPES = {
    "json": shaped(bytes),
    "json with a charset": shaped(bytes, "Content-Type: application/json; charset=UTF-8"),
    "json of a wrong charset": shaped(bytes, "Content-Type: application/json; charset=utf-16"),
    "json of an unheard-of charset": shaped(bytes, 'Content-Type: application/json; charset="x-\xe9"'),
    "json as html": shaped(bytes, "Content-Type: text/html; charset=iso-8859-1"),
    "json as a form": shaped(bytes, "Content-Type: application/x-www-form-urlencoded"),
    "json without a type": shaped(bytes, "X-Nothing: at all"),
    "json with a byte order mark": shaped(lambda body: b"\xef\xbb\xbf" + body),
    "json in utf-16": shaped(lambda body: body.decode().encode("utf-16")),
    "json in utf-32": shaped(lambda body: body.decode().encode("utf-32")),
    "json between blank lines": shaped(lambda body: b"\r\n \t" + body + b"\n\n"),
    "gzip": shaped(gzip.compress, "Content-Encoding: gzip"),
    "gzip in two members": shaped(  # allowed by RFC 1952 §2.2, but the library reads the first
        lambda body: gzip.compress(body[:9]) + gzip.compress(body[9:]),
        "Content-Encoding: gzip",
        readable=False,
    ),
    "deflate": shaped(zlib.compress, "Content-Encoding: deflate"),
    "an encoding that is none": shaped(bytes, "Content-Encoding: identity"),
    "an encoding that nobody knows": shaped(bytes, "Content-Encoding: x-none"),
    "chunks": shaped(chunked, "Transfer-Encoding: chunked"),
    "headers twice": shaped(bytes, "Content-Type: text/plain", "Content-Type: application/json", "X: \xff"),
    "truncated json": shaped(lambda body: body[:-2], readable=False),
    "gzip that is not said": shaped(gzip.compress, readable=False),
    "html": shaped(
        lambda body: b"<!doctype html><title>" + QUOTED.encode() + b"</title>" + body, readable=False
    ),
    "a form": Shape(render=lambda members: urlencode(members).encode(), readable=False),
    "nothing": shaped(lambda body: b"", readable=False),
    "blanks": shaped(lambda body: b" \r\n", readable=False),
    "a list": shaped(lambda body: b"[" + body + b"]", readable=False),
    "a string": shaped(lambda body: json.dumps(body.decode()).encode(), readable=False),
    "no text": shaped(lambda body: body[:-1] + b', "x": "\xff\xfe"}', readable=False),
    "json and more": shaped(lambda body: body + b" " + QUOTED.encode(), readable=False),
}


@dataclass
class Endpoint:
    """A token endpoint that answers ``status`` with ``members`` in a ``shape``."""

    shape: Shape
    source: ClientCredentials | None = None
    status: int = 200
    members: Mapping[str, object] = field(default_factory=dict)
    cut: int = 0

    async def write(self, writer: asyncio.StreamWriter) -> None:
        body = self.shape.render(self.members)
        length = (
            () if "Transfer-Encoding: chunked" in self.shape.headers else (f"Content-Length: {len(body)}",)
        )
        lines = [f"HTTP/1.1 {self.status} X", *length, *self.shape.headers, "", ""]
        whole = "\r\n".join(lines).encode("latin-1") + body
        writer.write(whole[: len(whole) - self.cut])
        await writer.drain()

    async def ask(self, status: int, members: Mapping[str, object]) -> Grant | RetriableError:
        self.status, self.members = status, members
        assert self.source is not None
        try:
            return await self.source.fetch()
        except RetriableError as error:
            return error


@asynccontextmanager
async def endpoint(shape: Shape) -> AsyncIterator[Endpoint]:
    found = Endpoint(shape)
    async with serving(found.write) as server, HttpClient(timeout=20.0) as http:
        found.source = ClientCredentials(http, token_url=server.url, client_id="i", client_secret="s")
        yield found


@pytest.mark.parametrize("name", SHAPES)
async def test_every_code_with_every_status_in_this_shape(name: str) -> None:
    shape = SHAPES[name]
    async with endpoint(shape) as asked:
        for code in CODES:
            members = {"error": code, "error_description": QUOTED, "error_uri": f"https://x/{QUOTED}"}
            for status in STATUSES:
                error = await asked.ask(status, members)
                assert_said(error, status, code if shape.readable else None)


def assert_said(error: Grant | RetriableError, status: int, code: str | None) -> None:
    case = f"{status} {code}: {error!r}"
    code = MISSPELT.get(code, code) if code is not None else None
    passes = status in PASSING_STATUSES or code in PASSING
    assert isinstance(error, GrantUnavailable if passes else GrantRefused), case
    assert str(status) in str(error), case
    assert QUOTED not in str(error) + repr(error), case
    if code in PERMANENT or code in PASSING:
        assert code in str(error), case
    elif code is not None:
        assert "an unrecognised error" in str(error), case
    else:
        assert "not an OAuth answer" in str(error), case
    if isinstance(error, GrantRefused):
        assert error.code == (code if code in PERMANENT else None), case
        assert error.remedy, case


@pytest.mark.parametrize("name", SHAPES)
async def test_a_token_in_this_shape_is_taken_or_refused_for_good(name: str) -> None:
    shape = SHAPES[name]
    members = {"access_token": QUOTED, "token_type": "Bearer", "expires_in": 60, "scope": "api"}
    async with endpoint(shape) as asked:
        answer = await asked.ask(200, members)
    if shape.readable:
        assert answer == Grant(access_token=QUOTED, expires_in=60.0, scope="api")
    else:
        assert isinstance(answer, GrantRefused)
        assert str(answer) == "the token endpoint answered HTTP 200, not an OAuth answer"


@pytest.mark.parametrize("status", STATUSES)
@pytest.mark.parametrize("name", ["json", "gzip", "chunks"])
async def test_an_answer_that_breaks_off_is_no_answer_or_told_by_its_status(name: str, status: int) -> None:
    members = {"error": "invalid_client", "access_token": QUOTED}
    async with endpoint(SHAPES[name]) as asked:
        asked.cut = 3
        error = await asked.ask(status, members)
    assert_told_by_status(error, status)


def assert_told_by_status(error: Grant | RetriableError, status: int) -> None:
    """A success without its body is no answer; what is refused is refused, whatever became of the body."""
    passes = status in PASSING_STATUSES
    kind = Unreachable if status == 200 else GrantUnavailable if passes else GrantRefused
    assert isinstance(error, kind), (status, error)
    assert QUOTED not in str(error) + repr(error)
    assert status == 200 or str(status) in str(error)


async def test_gzip_that_is_broken_is_no_answer_or_told_by_its_status() -> None:
    broken = shaped(lambda body: gzip.compress(body)[:10] + b"\xff" * 20, "Content-Encoding: gzip")
    async with endpoint(broken) as asked:
        for status in STATUSES:
            error = await asked.ask(status, {"error": "invalid_client"})
            if status == 200:  # taken as it came, as behind a proxy that decodes and forgets to say so
                assert isinstance(error, GrantRefused)
            else:
                assert_told_by_status(error, status)


async def test_a_body_that_unpacks_beyond_the_limit_is_no_answer_or_told_by_its_status() -> None:
    bomb = shaped(
        lambda body: gzip.compress(body[:1] + b" " * (64 << 20) + body[1:]), "Content-Encoding: gzip"
    )
    async with endpoint(bomb) as asked:
        assert isinstance(await asked.ask(200, {"access_token": "x"}), Unreachable)
        error = await asked.ask(400, {"error": "invalid_client"})
    assert isinstance(error, GrantRefused)
    assert error.code is None

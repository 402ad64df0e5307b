"""One request, one answer, one deadline."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from contextlib import aclosing
from dataclasses import dataclass, field
from types import TracebackType
from typing import TYPE_CHECKING, Self
from urllib.parse import urlencode

import anyio

from connector.errors import RetriableError
from connector.http.redact import redact_url

if TYPE_CHECKING:
    import httpx2

#: Seconds in which idle connections must be closed when the client is left.
_CLOSE_DEADLINE = 2.0

#: Seconds an idle connection is kept. Shorter than servers keep theirs (5 s and more): a request on
#: a connection that the other side is just closing is lost.
_KEEPALIVE = 2.0

#: Hosts that are reached without a proxy, whatever the environment says.
_LOOPBACK = ("all://localhost", "all://*.localhost", "all://127.0.0.0/8", "all://[::1]")


class Unreachable(RetriableError):
    """No whole answer came: the other side was not reached, broke off, or took too long."""


@dataclass(frozen=True, kw_only=True, slots=True)
class HttpAnswer:
    """
    An answer as it came; redirects are answers.

    ``headers`` have lower-case names, repeated ones joined by commas. Neither they nor the body
    appear in the ``repr``: both may carry credentials.
    """

    status: int
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False)


class HttpClient:
    """
    Sends requests over HTTP/1.1, through the environment's proxy except to loopback.

    ``timeout`` is the seconds from the call to the last byte of the answer, so that a body which
    trickles in cannot hold a caller. An answer with a success status and more than
    ``max_body_bytes`` of (decoded) body counts as unreachable; any other is cut there, since its
    status says all.
    """

    def __init__(self, timeout: float = 30.0, max_body_bytes: int = 1 << 20) -> None:
        self._timeout = timeout
        self._max_body_bytes = max_body_bytes
        self._client: httpx2.AsyncClient | None = None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        client, self._client = self._client, None
        if client is not None:
            with anyio.move_on_after(_CLOSE_DEADLINE, shield=True):
                await client.aclose()

    async def post_form(
        self, url: str, form: Mapping[str, str], headers: Mapping[str, str] | None = None
    ) -> HttpAnswer:
        """
        Post ``form`` as ``application/x-www-form-urlencoded`` and return the answer, whatever its
        status. Redirects are not followed: a form with credentials goes where it was sent.

        Raises:
            Unreachable: No whole answer came in time.
        """
        # A lone surrogate must not raise: UnicodeEncodeError would carry the whole secret.
        body = urlencode(form, errors="surrogatepass").encode("ascii")
        sent_headers = {"content-type": "application/x-www-form-urlencoded", **(headers or {})}
        outcome = await self._send(url, body, sent_headers)
        if isinstance(outcome, HttpAnswer):
            return outcome
        # Raised out here: the foreign error may hold what was sent, and would stay its context.
        raise Unreachable(f"no answer from {redact_url(url)}: {outcome}")

    async def _send(self, url: str, body: bytes, headers: Mapping[str, str]) -> HttpAnswer | str:
        """Return the answer, or in a word why there is none."""
        try:
            client = self._open()
            with anyio.move_on_after(self._timeout):
                async with client.stream("POST", url, content=body, headers=dict(headers)) as response:
                    return await self._read(response)
        # Everything: besides its own errors the library lets out ValueError and ImportError (a proxy
        # setting it cannot use), OSError (a CA file) and an ExceptionGroup (a port out of range).
        except Exception as error:
            return _first_cause(error)
        return f"not complete within {self._timeout:g} s"

    async def _read(self, response: httpx2.Response) -> HttpAnswer | str:
        body = bytearray()
        async with aclosing(response.aiter_bytes()) as parts:
            async for part in parts:
                body += part
                if len(body) > self._max_body_bytes:
                    break
        if len(body) > self._max_body_bytes and response.is_success:
            return f"larger than {self._max_body_bytes} bytes"
        del body[self._max_body_bytes :]
        lower = {name.lower(): value for name, value in response.headers.items()}
        return HttpAnswer(status=response.status_code, headers=lower, body=bytes(body))

    def _open(self) -> httpx2.AsyncClient:
        if self._client is None:
            import httpx2  # a quarter of a second, which commands that never send need not pay

            # They log whole URLs, at INFO and DEBUG.
            for name in ("httpx2", "httpcore2"):
                logging.getLogger(name).setLevel(logging.WARNING)
            self._client = httpx2.AsyncClient(
                follow_redirects=False,
                headers={"accept-encoding": "identity", "user-agent": "graphql-kafka-connector"},
                limits=httpx2.Limits(keepalive_expiry=_KEEPALIVE),
                mounts=dict.fromkeys(_LOOPBACK),
                timeout=None,  # one deadline for the whole exchange, in `_send`
            )
        return self._client


def _first_cause(error: Exception) -> str:
    """Return the class name of what happened first, such as ``ConnectionRefusedError``."""
    while True:
        inner = error.__cause__ or error.__context__
        if isinstance(error, ExceptionGroup):
            inner = error.exceptions[0]
        if not isinstance(inner, Exception):
            return type(error).__name__
        error = inner

"""One request, one answer, one deadline."""

from __future__ import annotations

import json
import logging
import ssl
from collections.abc import Mapping
from contextlib import aclosing, suppress
from dataclasses import dataclass, field
from types import TracebackType
from typing import TYPE_CHECKING, Self
from urllib.parse import urlencode

import anyio
import anyio.to_thread

from connector.errors import RetriableError
from connector.http.body import codes_of, decoded, is_strange
from connector.http.proxy import PROXY_AUTHENTICATION, Proxy, proxy_refused
from connector.http.reasons import why
from connector.http.redact import redact_url
from connector.tls import RotatingContext, TlsSettings

if TYPE_CHECKING:
    import httpx2

#: Seconds in which idle connections must be closed when the client is left.
_CLOSE_DEADLINE = 2.0

REST_WITHIN = 2.0
"""Seconds that the body of a refusal may take once its head is there."""

#: Seconds an idle connection is kept. Shorter than servers keep theirs (5 s and more): a request on
#: a connection that the other side is just closing is lost.
_KEEPALIVE = 2.0


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
    Sends requests over HTTP/1.1, through ``proxy`` where one is given (see `connector.http.route_to`); the
    environment is not looked at.

    ``tls`` of ``None`` trusts the system's authorities. ``timeout`` is the seconds from the call to the last
    byte of the answer, so that a body which trickles in cannot hold a caller. An answer with a success
    status and more than ``max_body_bytes`` of (decoded) body counts as unreachable. Of any other the status
    says all: its body is cut there, and where it breaks off, or does not end within `REST_WITHIN` seconds.
    """

    def __init__(
        self,
        timeout: float = 30.0,
        max_body_bytes: int = 1 << 20,
        *,
        tls: TlsSettings | None = None,
        proxy: Proxy | None = None,
    ) -> None:
        self._timeout = timeout
        self._max_body_bytes = max_body_bytes
        self._use(tls, proxy)
        self._context: ssl.SSLContext | None = None
        self._client: httpx2.AsyncClient | None = None

    def reconfigure(self, *, tls: TlsSettings | None = None, proxy: Proxy | None = None) -> None:
        """Send the next request, and those after it, so."""
        if (self._settings, self._proxy) != (tls or TlsSettings(), proxy):
            self._use(tls, proxy)  # another context, and with it another client of the library

    def _use(self, tls: TlsSettings | None, proxy: Proxy | None) -> None:
        self._settings = tls or TlsSettings()
        self._proxy = proxy
        self._tls = RotatingContext(self._settings)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._close()

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
        return await self._post(url, body, "application/x-www-form-urlencoded", headers)

    async def post_json(
        self, url: str, content: object, headers: Mapping[str, str] | None = None
    ) -> HttpAnswer:
        """
        Post ``content`` as ``application/json`` and return the answer, as `post_form` does.

        ``headers`` are sent besides, such as ``accept``.

        Raises:
            Unreachable: No whole answer came in time.
            TypeError: ``content`` holds what JSON has no form for.
            ValueError: ``content`` holds a number that JSON has no form for (NaN, infinity), or itself.
        """
        # Only ASCII: a lone surrogate is escaped, and so cannot raise.
        body = json.dumps(content, allow_nan=False, separators=(",", ":")).encode("ascii")
        return await self._post(url, body, "application/json", headers)

    async def _post(
        self, url: str, body: bytes, content_type: str, headers: Mapping[str, str] | None
    ) -> HttpAnswer:
        outcome = await self._send(url, body, {"content-type": content_type, **(headers or {})})
        if isinstance(outcome, HttpAnswer):
            return outcome
        # Raised out here: the foreign error may hold what was sent, and would stay its context.
        raise Unreachable(f"no answer from {redact_url(url)}: {outcome}")

    async def _send(self, url: str, body: bytes, headers: Mapping[str, str]) -> HttpAnswer | str:
        """Return the answer, or in words why there is none."""
        try:
            with anyio.move_on_after(self._timeout):
                client = await self._open()
                async with client.stream("POST", url, content=body, headers=dict(headers)) as response:
                    return await self._read(response)
        # Everything: besides its own errors the library lets out ValueError, OSError and an ExceptionGroup
        # (a port out of range).
        except Exception as error:
            return why(error, self._proxy, is_secure=url.lower().startswith("https:"))
        through = f" through the proxy {self._proxy}" if self._proxy is not None else ""
        return f"not complete within {self._timeout:g} s{through}"

    async def _read(self, response: httpx2.Response) -> HttpAnswer | str:
        if response.status_code == PROXY_AUTHENTICATION and self._proxy is not None:
            # In the clear a proxy forwards, so that its own answer comes in the place of the endpoint's.
            return proxy_refused(self._proxy, response.status_code)
        codes = codes_of(response.headers.get("content-encoding", ""))
        if response.is_success and is_strange(codes):
            return "its body is encoded in a way that was not asked for"
        raw = bytearray()
        if response.is_success:
            await self._read_into(raw, response)
        else:
            # Whatever becomes of the rest: who refuses may well end the connection.
            with anyio.move_on_after(REST_WITHIN), suppress(Exception):
                await self._read_into(raw, response)
        body = decoded(bytes(raw), codes, self._max_body_bytes + 1)
        if len(body) > self._max_body_bytes and response.is_success:
            return f"larger than {self._max_body_bytes} bytes"
        lower = {name.lower(): value for name, value in response.headers.items()}
        return HttpAnswer(status=response.status_code, headers=lower, body=body[: self._max_body_bytes])

    async def _read_into(self, body: bytearray, response: httpx2.Response) -> None:
        """Read until the end, or until it is too much."""
        async with aclosing(response.aiter_raw()) as parts:
            async for part in parts:
                body += part
                if len(body) > self._max_body_bytes:
                    return

    async def _open(self) -> httpx2.AsyncClient:
        """The client of the library; a new one where a certificate has changed."""
        # In a thread that may be left behind: a file on a dead network mount blocks for ever.
        context = await anyio.to_thread.run_sync(self._tls.current, abandon_on_cancel=True)
        if self._client is None or context is not self._context:
            await self._close()
            self._client, self._context = self._build(context), context
        return self._client

    def _build(self, tls: ssl.SSLContext) -> httpx2.AsyncClient:
        import httpx2  # a quarter of a second, which commands that never send need not pay

        # They log whole URLs, at INFO and DEBUG.
        for name in ("httpx2", "httpcore2"):
            logging.getLogger(name).setLevel(logging.WARNING)
        transport = proxy = None
        if self._proxy is not None and self._proxy.scheme == "http":
            proxy = httpx2.Proxy(self._proxy.url)
        elif self._proxy is not None:
            from connector.http.tunnel_transport import TunnelTransport

            transport = TunnelTransport(self._proxy, tls)
        return httpx2.AsyncClient(
            follow_redirects=False,
            headers={"accept-encoding": "identity", "user-agent": "graphql-kafka-connector"},
            limits=httpx2.Limits(keepalive_expiry=_KEEPALIVE),
            proxy=proxy,
            timeout=None,  # one deadline for the whole exchange, in `_send`
            transport=transport,
            trust_env=False,  # nor would a .netrc be anything but a surprise
            verify=tls,
        )

    async def _close(self) -> None:
        client, self._client = self._client, None
        if client is not None:
            with anyio.move_on_after(_CLOSE_DEADLINE, shield=True):
                await client.aclose()

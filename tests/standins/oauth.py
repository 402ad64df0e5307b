"""
The token endpoint of the tests: OAuth 2.0's client credentials grant (RFC 6749 §4.4) on loopback.

::

    async with StandInOAuth(authority) as oauth:
        oauth.next_answer(TokenAnswer(status=503, retry_after="2"))
        oauth.behave(TokenAnswer(expires_in=None))
"""

from __future__ import annotations

import base64
import binascii
import json
import ssl
import time
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import TracebackType
from typing import Literal, Self
from urllib.parse import parse_qs, unquote_plus

from tests.standins.httpd import HttpReply, HttpRequest, HttpServer
from tests.standins.tokens import TokenAuthority, make_secret

HTML_ERROR = "<html><body><h1>503 Service Temporarily Unavailable</h1></body></html>"


@dataclass(frozen=True, kw_only=True, slots=True)
class TokenAnswer:
    """
    How a request is answered.

    ``status`` 200 grants, if the request deserves it; any other is answered whatever was asked, with
    ``error`` as RFC 6749 §5.2's code. ``expires_in``: ``"life"`` is the token's true life in whole seconds,
    ``None`` leaves the field out, anything else goes out as it is: a string, a negative number, NaN, text.
    ``life`` makes the token itself live longer or shorter, in seconds. ``scope`` is what the token is good
    for; ``says_scope=False`` leaves it out of the answer. ``body`` replaces the body; ``echo`` puts what
    the client sent, its secret included, into it. ``delay`` in seconds; ``hang`` never answers, ``drop``
    ends the connection.
    """

    status: int = 200
    error: str | None = None
    retry_after: str | None = None
    expires_in: object = "life"
    life: float | None = None
    scope: str = "api"
    says_scope: bool = True
    token_type: str = "bearer"
    body: str | None = None
    content_type: str = "application/json"
    echo: bool = False
    delay: float = 0.0
    hang: bool = False
    drop: bool = False

    @classmethod
    def html(cls, status: int = 503) -> TokenAnswer:
        """A gateway's page."""
        return cls(status=status, body=HTML_ERROR, content_type="text/html")


GRANT = TokenAnswer()


@dataclass(frozen=True, kw_only=True, slots=True)
class TokenRequest:
    """A request as it came, and the status that it was answered with; ``at`` is ``time.monotonic``."""

    at: float
    auth: Literal["body", "basic", "both", "none"]
    form: Mapping[str, str] = field(repr=False)
    headers: Mapping[str, str] = field(repr=False)
    status: int


class Refused(Exception):
    """The request earns RFC 6749 §5.2's error ``code`` with ``status``."""

    def __init__(self, status: int, code: str) -> None:
        super().__init__(code)
        self.status = status
        self.code = code


class StandInOAuth:
    """
    The endpoint; an async context manager.

    Args:
        authority: Makes the tokens; shared with the upstream.
        client_id, client_secret: The one client; by default random, with awkward characters.
        auth: Which client authentication is taken (RFC 6749 §2.3.1).
        tls: Speak https.
    """

    PATH = "/oauth2/token"

    def __init__(
        self,
        authority: TokenAuthority,
        *,
        client_id: str | None = None,
        client_secret: str | None = None,
        auth: Literal["body", "basic", "any"] = "any",
        host: str = "127.0.0.1",
        port: int = 0,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self.authority = authority
        self.client_id = client_id or make_secret("client")
        self.client_secret = client_secret or make_secret()
        self.auth = auth
        self.requests: list[TokenRequest] = []
        self.is_deleted = False
        self.server = HttpServer(self._handle, host=host, port=port, tls=tls)
        self._usual = GRANT
        self._planned: deque[TokenAnswer] = deque()

    @property
    def url(self) -> str:
        """The token endpoint."""
        return self.server.url + self.PATH

    async def __aenter__(self) -> Self:
        await self.server.__aenter__()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.server.__aexit__(kind, error, trace)

    def behave(self, answer: TokenAnswer = GRANT) -> None:
        """Answer so from now on."""
        self._usual = answer

    def next_answer(self, *answers: TokenAnswer) -> None:
        """Answer the next requests so, one each, before going back to the usual."""
        self._planned.extend(answers)

    def delete_client(self) -> None:
        """As deleting the application: its tokens are refused, and ``invalid_client`` from now on."""
        self.is_deleted = True
        self.authority.revoke_all()

    def count(self, *, status: int | None = None, since: float = 0.0) -> int:
        """Requests (answered with the status) since a ``time.monotonic``."""
        return sum(r.at >= since and (status is None or r.status == status) for r in self.requests)

    async def _handle(self, request: HttpRequest) -> HttpReply:
        answer = self._planned.popleft() if self._planned else self._usual
        form = {name: values[-1] for name, values in _form(request).items()}
        reply = self._reply(answer, request, form)
        auth = _auth_used(request, form)
        self.requests.append(
            TokenRequest(
                at=time.monotonic(), auth=auth, form=form, headers=request.headers, status=reply.status
            )
        )
        return reply

    def _reply(self, answer: TokenAnswer, request: HttpRequest, form: Mapping[str, str]) -> HttpReply:
        try:
            if answer.status != 200:
                raise Refused(answer.status, answer.error or _usual_error(answer.status))
            self._check(request, form)
            status, body = 200, json.dumps(self._grant(answer, form))
        except Refused as refused:
            status = refused.status
            body = json.dumps({"error": refused.code, "error_description": f"the answer is {refused.code}"})
        if answer.body is not None:
            body = answer.body
        if answer.echo:
            body += request.body.decode() + json.dumps(dict(form)) + str(request.headers.get("authorization"))
        headers = [("Cache-Control", "no-store")]
        if answer.retry_after is not None:
            headers.append(("Retry-After", answer.retry_after))
        if status == 401 and "authorization" in request.headers:
            headers.append(("WWW-Authenticate", 'Basic realm="tokens"'))
        return HttpReply(
            status=status,
            body=body.encode(),
            content_type=answer.content_type,
            headers=tuple(headers),
            delay=answer.delay,
            hang=answer.hang,
            drop=answer.drop,
        )

    def _grant(self, answer: TokenAnswer, form: Mapping[str, str]) -> dict[str, object]:
        # Without the scope a token is minted all the same, and is good for nothing.
        scope = answer.scope if form.get("scope") else ""
        life = self.authority.life if answer.life is None else answer.life
        granted: dict[str, object] = {
            "access_token": self.authority.issue(scope=scope, life=life),
            "token_type": answer.token_type,
        }
        if answer.expires_in is not None:
            granted["expires_in"] = int(life) if answer.expires_in == "life" else answer.expires_in
        if answer.says_scope:
            granted["scope"] = scope
        return granted

    def _check(self, request: HttpRequest, form: Mapping[str, str]) -> None:
        if request.path != self.PATH:
            raise Refused(404, "not_found")
        if request.method != "POST":
            raise Refused(405, "invalid_request")
        kind = request.headers.get("content-type", "").split(";")[0].strip()
        repeated = any(len(values) > 1 for values in _form(request).values())
        used = _auth_used(request, form)
        # RFC 6749 §3.2: parameters must not be repeated; §2.3: one way of authentication a request.
        if kind != "application/x-www-form-urlencoded" or repeated or used == "both":
            raise Refused(400, "invalid_request")
        if self.auth not in ("any", used) or not self._knows(request, form) or self.is_deleted:
            raise Refused(401, "invalid_client")
        if "grant_type" not in form:
            raise Refused(400, "invalid_request")
        if form["grant_type"] != "client_credentials":
            raise Refused(400, "unsupported_grant_type")
        if form.get("scope", "") not in ("", "api"):
            raise Refused(400, "invalid_scope")

    def _knows(self, request: HttpRequest, form: Mapping[str, str]) -> bool:
        presented = _basic(request) or (form.get("client_id"), form.get("client_secret"))
        return presented == (self.client_id, self.client_secret)


def _form(request: HttpRequest) -> Mapping[str, list[str]]:
    return parse_qs(request.body.decode("utf-8", "replace"), keep_blank_values=True)


def _basic(request: HttpRequest) -> tuple[str, str] | None:
    """RFC 6749 §2.3.1: both halves are form-encoded before they are joined."""
    scheme, _, encoded = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        identity, _, secret = base64.b64decode(encoded, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return ("", "")
    return unquote_plus(identity), unquote_plus(secret)


def _auth_used(request: HttpRequest, form: Mapping[str, str]) -> Literal["body", "basic", "both", "none"]:
    in_header, in_body = "authorization" in request.headers, "client_secret" in form
    if in_header:
        return "both" if in_body else "basic"
    return "body" if in_body else "none"


def _usual_error(status: int) -> str:
    usual = {400: "invalid_request", 401: "invalid_client", 429: "slow_down", 503: "temporarily_unavailable"}
    return usual.get(status, "server_error")

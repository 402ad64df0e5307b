"""A token endpoint that hands out short-lived tokens (client credentials grant, RFC 6749 §4.4)."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable
from urllib.parse import parse_qs

from starlette.requests import Request
from starlette.responses import JSONResponse

TOKEN_LIFE = 5
"""Seconds a token lives."""

CLIENT_ID = "demo"


class Issuer:
    """
    Issues opaque tokens and knows which of them are still good.

    ``life`` is in seconds of ``clock``. Tokens hold characters that a URL must percent-encode.
    """

    def __init__(self, *, life: int = TOKEN_LIFE, clock: Callable[[], float] = time.monotonic) -> None:
        self.client_secret = f"+/=%{secrets.token_urlsafe(18)}"
        self.issued = 0
        self._life = life
        self._clock = clock
        self._good_until: dict[str, float] = {}

    def issue(self) -> str:
        """Return a new token, good for the configured life."""
        token = f"ory_at_{secrets.token_urlsafe(24)}+/="
        self._good_until[token] = self._clock() + self._life
        self.issued += 1
        return token

    def is_good(self, token: str) -> bool:
        """Say whether ``token`` was issued here, has not expired and was not revoked."""
        return self._clock() < self._good_until.get(token, float("-inf"))

    def revoke_all(self) -> None:
        """Make every token issued so far a stale one."""
        self._good_until.clear()

    async def endpoint(self, request: Request) -> JSONResponse:
        """Answer ``POST /oauth2/token`` as RFC 6749 §5.1 and §5.2 say."""
        form = {name: values[-1] for name, values in parse_qs((await request.body()).decode()).items()}
        if form.get("grant_type") != "client_credentials":
            return JSONResponse({"error": "unsupported_grant_type"}, status_code=400)
        sent_secret = form.get("client_secret", "")
        if form.get("client_id") != CLIENT_ID or not secrets.compare_digest(sent_secret, self.client_secret):
            return JSONResponse({"error": "invalid_client"}, status_code=401)
        answer = {
            "access_token": self.issue(),
            "token_type": "bearer",
            "expires_in": self._life,
            "scope": "api",
        }
        return JSONResponse(answer, headers={"Cache-Control": "no-store"})

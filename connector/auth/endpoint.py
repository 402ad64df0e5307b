"""A token endpoint (RFC 6749 §3.2), asked by the client credentials grant."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

import anyio
import structlog

from connector.auth.grant import AuthStyle, Grant, basic_credentials, build_request, parse_answer
from connector.http import HttpAnswer, retry_after_seconds

_log = structlog.get_logger()


class FormPoster(Protocol):
    """The part of `connector.http.HttpClient` that is needed here."""

    async def post_form(self, url: str, form: Mapping[str, str], headers: Mapping[str, str]) -> HttpAnswer:
        """Post a form and return the answer, redirects included."""


def secrets_of(client_id: str, client_secret: str) -> tuple[str, ...]:
    """Return what must never be shown: the secret, and the credentials of HTTP Basic made from it."""
    return client_secret, basic_credentials(client_id, client_secret)


class ClientCredentials:
    """
    Fetches a new token each time.

    ``scope`` of ``None`` asks for the endpoint's default; ``auth`` says where the credentials go:
    into the ``body``, or into a header by HTTP ``basic``. ``headers`` are sent besides.
    """

    def __init__(
        self,
        http: FormPoster,
        *,
        token_url: str,
        client_id: str,
        client_secret: str,
        scope: str | None = None,
        auth: AuthStyle = "body",
        headers: Mapping[str, str] | None = None,
    ) -> None:
        self._http = http
        self._url = token_url
        self._scope = scope
        self._auth: AuthStyle = auth
        self._granted_scope: str | None = None
        self.replace(client_id=client_id, client_secret=client_secret, headers=headers)

    def replace(
        self, *, client_id: str, client_secret: str, headers: Mapping[str, str] | None = None
    ) -> None:
        """Ask with other credentials from the next request on; `Keeper.renewed` makes one where it is due."""
        self._request = build_request(
            client_id=client_id, client_secret=client_secret, scope=self._scope, auth=self._auth
        )
        self._headers = {**(headers or {}), **self._request.headers}
        self._secrets = secrets_of(client_id, client_secret)

    @property
    def secrets(self) -> tuple[str, ...]:
        """What must never be shown: see `secrets_of`."""
        return self._secrets

    async def fetch(self) -> Grant:
        """
        Return a new token.

        Raises:
            GrantRefused: A permanent refusal.
            RetriableError: The endpoint is unreachable, busy or broken.
        """
        answer = await self._http.post_form(self._url, self._request.form, self._headers)
        grant = parse_answer(answer.status, answer.body, retry_after=retry_after_seconds(answer.headers))
        self._warn_of_missing_scope(grant.scope)
        return grant

    async def changed(self) -> None:
        """Never return: an endpoint gives only when asked."""
        await anyio.sleep_forever()

    def _warn_of_missing_scope(self, granted: str | None) -> None:
        if granted == self._granted_scope:
            return
        self._granted_scope = granted
        missing = set((self._scope or "").split()) - set((granted or self._scope or "").split())
        if missing:
            _log.warning(
                "token granted without the whole scope",
                missing=" ".join(sorted(missing)),
                remedy="allow the client this scope, or ask for another",
            )

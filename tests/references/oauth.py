"""npm oidc-provider as a process: an authorization server that nobody here wrote."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal
from urllib.parse import quote_plus

from connector.http import HttpAnswer, HttpClient
from tests.references.servers import NodeProcess

GATEWAY, GATEWAY_SECRET = "gateway", "introspects"
"""The client as which the reference servers introspect tokens."""


@dataclass(frozen=True, kw_only=True)
class Client:
    """An application, and how it shows its credentials."""

    client_id: str = "application"
    secret: str = field(default="s3cret-of-the-application", repr=False)
    auth: Literal["body", "basic"] = "body"
    grants: tuple[str, ...] = ("client_credentials",)
    scope: str = "api"

    @property
    def metadata(self) -> Mapping[str, object]:
        """Itself in the words of RFC 7591 §2."""
        return {
            "client_id": self.client_id,
            "client_secret": self.secret,
            "token_endpoint_auth_method": "client_secret_post"
            if self.auth == "body"
            else "client_secret_basic",
            "grant_types": list(self.grants),
            "redirect_uris": [],
            "response_types": [],
            "scope": self.scope,
        }


@dataclass(kw_only=True)
class AuthorizationServer(NodeProcess):
    """``oidc.js`` while entered; access tokens are opaque and live ``life`` seconds."""

    kind: str = "oidc"
    clients: tuple[Client, ...] = (Client(),)
    life: float = 3600

    def __post_init__(self) -> None:
        gateway = Client(client_id=GATEWAY, secret=GATEWAY_SECRET, auth="basic", grants=())
        self.options = {
            "clients": [client.metadata for client in (*self.clients, gateway)],
            "life": self.life,
        }

    @property
    def token_url(self) -> str:
        """Its token endpoint."""
        return f"http://127.0.0.1:{self.port}/token"

    @property
    def grants(self) -> int:
        """How many tokens it gave."""
        return len(self.seen("granted"))

    @property
    def refusals(self) -> list[str]:
        """The error of each token request that it refused."""
        return [event.facts["error"] for event in self.seen("not granted")]

    def guard(self, place: str, name: str, **more: object) -> dict[str, object]:
        """Return the option ``guard`` of a reference server that introspects here."""
        return {
            "introspection": f"http://127.0.0.1:{self.port}/token/introspection",
            "id": GATEWAY,
            "secret": GATEWAY_SECRET,
            "place": place,
            "name": name,
            **more,
        }

    async def introspect(self, token: str) -> Mapping[str, Any]:
        """Return what it says of ``token``."""
        pair = ":".join(quote_plus(part) for part in (GATEWAY, GATEWAY_SECRET)).encode()
        headers = {"authorization": f"Basic {base64.b64encode(pair).decode()}"}
        answer = await self._post("introspection", {"token": token}, headers)
        said: Mapping[str, Any] = json.loads(answer.body)
        return said

    async def revoke(self, token: str, client: Client) -> None:
        """Have ``client`` revoke ``token`` (RFC 7009)."""
        form = {"token": token, "client_id": client.client_id, "client_secret": client.secret}
        answer = await self._post("revocation", form, {})
        assert answer.status == 200

    async def delete(self, client: Client) -> None:
        """Delete an application, and with it all of its tokens."""
        await self.order("remove", client_id=client.client_id)

    async def create(self, client: Client) -> None:
        """Register an application, or change it."""
        await self.order("create", client=client.metadata)

    async def _post(self, what: str, form: Mapping[str, str], headers: Mapping[str, str]) -> HttpAnswer:
        async with HttpClient() as http:
            return await http.post_form(f"http://127.0.0.1:{self.port}/token/{what}", form, headers)

"""The client credentials grant against npm oidc-provider."""

from __future__ import annotations

import pytest
from structlog.testing import capture_logs

from connector.auth import ClientCredentials, Grant, GrantRefused
from connector.http import HttpClient
from tests.references.fixtures import StartOidc
from tests.references.oauth import AuthorizationServer, Client

AWKWARD = "+ / = % \" : & ? # ' \\ ; , < > ~ %2B %25 ++"


async def fetch(
    server: AuthorizationServer,
    client: Client,
    *,
    scope: str | None = "api",
    auth: str | None = None,
    secret: str | None = None,
) -> Grant:
    async with HttpClient() as http:
        return await ClientCredentials(
            http,
            token_url=server.token_url,
            client_id=client.client_id,
            client_secret=client.secret if secret is None else secret,
            scope=scope,
            auth=auth or client.auth,  # type: ignore[arg-type]
        ).fetch()


async def refused(server: AuthorizationServer, client: Client, **changes: str | None) -> GrantRefused:
    with pytest.raises(GrantRefused) as caught:
        await fetch(server, client, **changes)
    return caught.value


@pytest.mark.parametrize("auth", ["body", "basic"])
async def test_a_client_with_awkward_characters_gets_a_token_that_is_active(
    start_oidc: StartOidc, auth: str
) -> None:
    client = Client(client_id=f"id {AWKWARD}", secret=f"secret {AWKWARD}", auth=auth)  # type: ignore[arg-type]
    server = await start_oidc(client, life=7)
    grant = await fetch(server, client)
    assert (grant.expires_in, grant.scope, grant.token_type) == (7.0, "api", "bearer")
    said = await server.introspect(grant.access_token)
    assert (said["active"], said["client_id"], said["scope"]) == (True, client.client_id, "api")


async def test_without_a_scope_the_token_has_none(start_oidc: StartOidc) -> None:
    client = Client()
    server = await start_oidc(client)
    grant = await fetch(server, client, scope=None)
    assert grant.scope is None
    assert "scope" not in await server.introspect(grant.access_token)


async def test_each_fetch_gives_another_token_and_a_revoked_one_is_not_active(start_oidc: StartOidc) -> None:
    client = Client()
    server = await start_oidc(client)
    first, second = await fetch(server, client), await fetch(server, client)
    assert first.access_token != second.access_token
    await server.revoke(first.access_token, client)
    assert not (await server.introspect(first.access_token))["active"]
    assert (await server.introspect(second.access_token))["active"]


@pytest.mark.parametrize("auth", ["body", "basic"])
async def test_a_wrong_secret_is_an_invalid_client(start_oidc: StartOidc, auth: str) -> None:
    client = Client(auth=auth)  # type: ignore[arg-type]
    server = await start_oidc(client)
    error = await refused(server, client, secret="wrong-s3cret")
    assert (error.status, error.code) == (401, "invalid_client")
    assert "secret" in error.remedy
    assert "wrong-s3cret" not in repr(error) + str(error) + error.remedy


async def test_a_deleted_application_is_an_invalid_client_and_its_tokens_end(start_oidc: StartOidc) -> None:
    client = Client()
    server = await start_oidc(client)
    grant = await fetch(server, client)
    await server.delete(client)
    assert (await refused(server, client)).code == "invalid_client"
    assert not (await server.introspect(grant.access_token))["active"]
    await server.create(client)
    assert (await fetch(server, client)).access_token


async def test_a_scope_that_the_client_may_not_have_is_refused(start_oidc: StartOidc) -> None:
    client = Client()
    error = await refused(await start_oidc(client), client, scope="other")
    assert error.code == "invalid_scope"
    assert "scope" in error.remedy


async def test_a_scope_that_was_not_granted_is_told(start_oidc: StartOidc) -> None:
    client = Client()
    with capture_logs() as lines:
        grant = await fetch(await start_oidc(client), client, scope="api unheard-of")
    assert grant.scope == "api"
    assert [line["missing"] for line in lines] == ["unheard-of"]


async def test_a_client_that_may_not_use_this_grant_is_refused(start_oidc: StartOidc) -> None:
    client = Client(grants=())
    error = await refused(await start_oidc(client), client)
    assert error.code == "invalid_request"  # where RFC 6749 §5.2 has unauthorized_client

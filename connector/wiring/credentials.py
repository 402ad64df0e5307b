"""Configuration → who the connector is to a token endpoint."""

from __future__ import annotations

from connector.auth import ClientCredentials
from connector.config.endpoint import OauthSection
from connector.http import HttpClient
from connector.wiring.settings import revealed


def client_credentials(http: HttpClient, oauth: OauthSection) -> ClientCredentials:
    """Return a source that asks the token endpoint of ``oauth`` over ``http``."""
    return ClientCredentials(
        http,
        token_url=oauth.token_url,
        client_id=oauth.client_id,
        client_secret=oauth.client_secret.reveal(),
        scope=oauth.scope,
        auth=oauth.auth,
        headers=revealed(oauth.headers),
    )


def correct(source: ClientCredentials, oauth: OauthSection) -> None:
    """Let ``source`` ask with the client, secret and headers of ``oauth`` from now on."""
    source.replace(
        client_id=oauth.client_id,
        client_secret=oauth.client_secret.reveal(),
        headers=revealed(oauth.headers),
    )

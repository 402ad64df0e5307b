"""Configuration → where tokens for the endpoint come from, and who keeps them."""

from __future__ import annotations

from contextlib import AsyncExitStack

from connector.auth import (
    ENDPOINT,
    GIVEN,
    ClientCredentials,
    Keeper,
    StaticToken,
    TokenFile,
    TokenObserver,
    TokenSource,
)
from connector.config import Config, LoadedConfig
from connector.http import HttpClient
from connector.wiring.credentials import client_credentials, correct


class TokenAccess:
    """
    The token endpoint of a configuration. Use `open`.

    ``source`` and ``keeper`` are ``None`` where the endpoint is used without a token; the keeper must run
    while sessions are opened.
    """

    def __init__(self, http: HttpClient, source: TokenSource | None, keeper: Keeper | None) -> None:
        self._http = http
        self.source = source
        self.keeper = keeper

    @classmethod
    async def open(
        cls, loaded: LoadedConfig, stack: AsyncExitStack, observer: TokenObserver | None = None
    ) -> TokenAccess:
        """
        Make what is needed to get tokens; ``stack`` closes it.

        Raises:
            ConfigError: The token of ``loaded`` cannot be one.
        """
        peer = loaded.peers.token
        http = await stack.enter_async_context(HttpClient(tls=peer.tls, proxy=peer.route.proxy))
        source = _source(loaded.config, http)
        use = ENDPOINT if isinstance(source, ClientCredentials) else GIVEN
        return cls(http, source, Keeper(source, observer=observer, use=use) if source is not None else None)

    def replace(self, loaded: LoadedConfig) -> None:
        """Take the secrets, certificates and proxy of ``loaded``, which names the same kind of source."""
        config, source, peer = loaded.config, self.source, loaded.peers.token
        self._http.reconfigure(tls=peer.tls, proxy=peer.route.proxy)
        if isinstance(source, StaticToken) and config.token is not None:
            source.replace(config.token.reveal())
        elif isinstance(source, ClientCredentials) and config.oauth is not None and self.keeper is not None:
            correct(source, config.oauth)
            self.keeper.renewed()


def _source(config: Config, http: HttpClient) -> TokenSource | None:
    """Return where tokens come from; ``None``: the endpoint is used without."""
    match config.token_source:
        case "token":
            assert config.token is not None
            return StaticToken(config.token.reveal())
        case "token_file":
            assert config.token_file is not None
            return TokenFile(config.token_file)
        case "oauth":
            assert config.oauth is not None
            return client_credentials(http, config.oauth)
        case _:
            return None

"""Configuration → how the brokers are reached, and the keeper of the tokens that are shown to them."""

from __future__ import annotations

from contextlib import AsyncExitStack
from dataclasses import dataclass

from connector.auth import BROKERS, BrokerTokenProvider, ClientCredentials, Keeper, TokenObserver
from connector.config import Config, LoadedConfig
from connector.http import HttpClient
from connector.kafka import KafkaSettings, Sasl, Security, TokenProvider
from connector.tls import TlsSettings
from connector.wiring.credentials import client_credentials, correct


class KafkaAccess:
    """
    The brokers of ``config``. Use `open`.

    ``keeper`` is ``None`` without OAUTHBEARER; it must run while brokers are connected to. There is one for
    all producers and admin calls.
    """

    def __init__(self, config: Config, tokens: _Tokens | None) -> None:
        self._config = config
        self._tokens = tokens
        self.keeper = tokens.keeper if tokens is not None else None
        self.settings = kafka_settings(config, tokens.provider if tokens is not None else None)

    @classmethod
    async def open(cls, loaded: LoadedConfig, stack: AsyncExitStack, observer: TokenObserver) -> KafkaAccess:
        """Make what is needed to reach the brokers; ``stack`` closes it."""
        config, peer = loaded.config, loaded.peers.kafka_token
        oauth = config.kafka.security.oauth
        if oauth is None:
            return cls(config, None)
        http = await stack.enter_async_context(HttpClient(tls=peer.tls, proxy=peer.route.proxy))
        source = client_credentials(http, oauth)
        keeper = Keeper(source, observer=observer, use=BROKERS)
        return cls(
            config, _Tokens(http=http, source=source, keeper=keeper, provider=BrokerTokenProvider(keeper))
        )

    def replace(self, loaded: LoadedConfig) -> KafkaSettings:
        """
        Take the secrets, certificates and proxy of ``loaded``, which differs in nothing else that is told
        here; return the settings with them, for `Publisher.reconfigure`.
        """
        config, tokens = loaded.config, self._tokens
        oauth = config.kafka.security.oauth
        if tokens is not None and oauth is not None and oauth != self._config.kafka.security.oauth:
            peer = loaded.peers.kafka_token
            tokens.http.reconfigure(tls=peer.tls, proxy=peer.route.proxy)
            correct(tokens.source, oauth)
            tokens.keeper.renewed()
        self._config = config
        self.settings = kafka_settings(config, tokens.provider if tokens is not None else None)
        return self.settings


@dataclass(frozen=True, kw_only=True, slots=True)
class _Tokens:
    """Those of OAUTHBEARER."""

    http: HttpClient
    source: ClientCredentials
    keeper: Keeper
    provider: BrokerTokenProvider


def kafka_settings(config: Config, tokens: TokenProvider | None) -> KafkaSettings:
    """Return how the brokers of ``config`` are reached; ``tokens`` are those of OAUTHBEARER."""
    section = config.kafka
    return KafkaSettings(
        bootstrap_servers=section.bootstrap_servers,
        client_id=section.client_id,
        compression=None if section.compression == "none" else section.compression,
        max_batch_bytes=section.producer.max_batch_bytes,
        max_request_bytes=section.producer.max_request_bytes,
        request_timeout=section.producer.request_timeout,
        retry_backoff=section.producer.retry_backoff,
        metadata_max_age=section.producer.metadata_max_age,
        security=_security(config, tokens),
    )


def _security(config: Config, tokens: TokenProvider | None) -> Security:
    section = config.kafka.security
    sasl = section.sasl
    return Security(
        protocol=section.protocol,
        tls=section.tls.settings() if section.tls is not None else TlsSettings(),
        sasl=None
        if sasl is None
        else Sasl(
            mechanism=sasl.mechanism,
            username=sasl.username,
            password=sasl.password.reveal() if sasl.password is not None else None,
            tokens=tokens if sasl.mechanism == "OAUTHBEARER" else None,
        ),
    )

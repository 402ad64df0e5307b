"""How the peers that we connect to are reached: with which certificates, and through which proxy."""

from __future__ import annotations

from dataclasses import dataclass, field
from urllib.parse import urlsplit

from connector.config.root import Config
from connector.config.routes import Routes
from connector.config.tls import TlsSection
from connector.http import Route
from connector.tls import TlsSettings


@dataclass(frozen=True, kw_only=True, slots=True)
class Peer:
    """How one peer is connected to."""

    tls: TlsSettings = field(default_factory=TlsSettings)
    route: Route = field(default_factory=Route)


@dataclass(frozen=True, kw_only=True, slots=True)
class Peers:
    """
    The GraphQL endpoint and the token endpoints; those are only asked where ``oauth`` and
    ``kafka.security.oauth`` are given.
    """

    endpoint: Peer
    token: Peer = field(default_factory=Peer)
    kafka_token: Peer = field(default_factory=Peer)

    def named(self) -> tuple[tuple[str, Peer], ...]:
        """Each, with what people call it."""
        return (
            ("endpoint", self.endpoint),
            ("token endpoint", self.token),
            ("token endpoint of kafka", self.kafka_token),
        )


def find_peers(config: Config, routes: Routes) -> Peers:
    """How a checked configuration reaches its peers; ``routes`` are those that were found for it."""
    endpoint, oauth, of_kafka = config.endpoint, config.oauth, config.kafka.security.oauth
    trust = tls_settings(endpoint.tls)
    if oauth is None:
        tls = TlsSettings()
    elif oauth.tls is None:
        tls = inherited(trust, of=endpoint.url, at=oauth.token_url)
    else:
        tls = tls_settings(oauth.tls)
    return Peers(
        endpoint=Peer(tls=trust, route=routes.endpoint),
        token=Peer(tls=tls, route=routes.token),
        # Another party than the endpoint: nothing is taken over from that.
        kafka_token=Peer(tls=tls_settings(of_kafka.tls if of_kafka else None), route=routes.kafka_token),
    )


def tls_settings(section: TlsSection | None) -> TlsSettings:
    """The section's settings; without one the system's trust, and no certificate."""
    return section.settings() if section is not None else TlsSettings()


def inherited(tls: TlsSettings, *, of: str, at: str) -> TlsSettings:
    """
    What the peer at the URL ``at`` takes over from that of ``of`` where it has no section of its own: the
    trust, and the client's certificate only on the same host. It says who we are, to somebody who was not
    meant to know.
    """
    is_same_host = urlsplit(of).hostname == urlsplit(at).hostname
    return tls if is_same_host else tls.without_certificate()

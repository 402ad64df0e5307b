"""How the peers that we connect to are reached: with which certificates, and through which proxy."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from connector.config.proxy import ProxyUrl
from connector.config.source import Source
from connector.config.tls import TlsSection
from connector.errors import Problem
from connector.http import EnvironmentProxyMistake, Route, route_to
from connector.tls import TlsSettings

if TYPE_CHECKING:
    from connector.config.root import Config


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

    def secrets(self) -> list[str]:
        """What must never be shown of the proxies, those of the environment included."""
        proxies = [peer.route.proxy for _, peer in self.named()]
        return [secret for proxy in proxies if proxy is not None for secret in proxy.secrets]


def find_peers(config: Config, env: Mapping[str, str], source: Source) -> Peers:
    """How a checked configuration reaches its peers; a proxy of ``env`` that cannot be used is reported."""
    endpoint, oauth = config.endpoint, config.oauth
    trust = tls_settings(endpoint.tls)
    reached = Peer(tls=trust, route=find_route(endpoint.url, endpoint.proxy, env, source))
    of_kafka = _of_kafka(config, env, source)
    if oauth is None:
        return Peers(endpoint=reached, kafka_token=of_kafka)
    proxy = oauth.proxy if oauth.proxy is not None else endpoint.proxy
    route = find_route(oauth.token_url, proxy, env, source)
    if oauth.tls is None:
        tls = inherited(trust, of=endpoint.url, at=oauth.token_url)
    else:
        tls = tls_settings(oauth.tls)
    return Peers(endpoint=reached, token=Peer(tls=tls, route=route), kafka_token=of_kafka)


def _of_kafka(config: Config, env: Mapping[str, str], source: Source) -> Peer:
    """Another party than the endpoint: nothing is taken over from that."""
    oauth = config.kafka.security.oauth
    if oauth is None:
        return Peer()
    return Peer(tls=tls_settings(oauth.tls), route=find_route(oauth.token_url, oauth.proxy, env, source))


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


def find_route(url: str, proxy: ProxyUrl | None, env: Mapping[str, str], source: Source) -> Route:
    """The way to ``url``; a proxy of ``env`` that cannot be used is reported."""
    try:
        return route_to(url, proxy.proxy if proxy is not None else None, env)
    except EnvironmentProxyMistake as mistake:
        problem = Problem(
            where="environment",
            path=None,
            message=f"{mistake.variable} {mistake.message}",
            remedy=f"correct {mistake.variable}: {mistake.remedy}",
        )
        if problem not in source.problems:
            source.problems.append(problem)
        return Route()

"""The proxies that peers are reached through, those of the environment included."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from connector.config.mistake import checked
from connector.config.names import url
from connector.config.proxy import proxy_url
from connector.config.source import Source
from connector.errors import Problem
from connector.http import EnvironmentProxyMistake, Route, route_to

_SOCKET_URL = url("ws", "wss")
_HTTP_URL = url("http", "https")


@dataclass(frozen=True, kw_only=True, slots=True)
class Routes:
    """The ways to the GraphQL endpoint and to the token endpoints; without a proxy where none is asked."""

    endpoint: Route = field(default_factory=Route)
    token: Route = field(default_factory=Route)
    kafka_token: Route = field(default_factory=Route)

    def secrets(self) -> tuple[str, ...]:
        """What must never be shown of the proxies."""
        proxies = [route.proxy for route in (self.endpoint, self.token, self.kafka_token)]
        return tuple(secret for proxy in proxies if proxy is not None for secret in proxy.secrets)


def find_routes(tree: Mapping[str, object], env: Mapping[str, str], source: Source) -> Routes:
    """The ways that ``tree`` and ``env`` ask for; a proxy of ``env`` that cannot be used is reported."""
    endpoint, oauth = _mapping(tree, "endpoint"), _mapping(tree, "oauth")
    of_kafka = _mapping(_mapping(_mapping(tree, "kafka"), "security"), "oauth")
    shared = endpoint.get("proxy")

    def find(check: Callable[[object], str], address: object, proxy: object) -> Route:
        at, through = checked(check, address), checked(proxy_url, proxy)
        if at is None or (proxy is not None and through is None):
            return Route()  # a mistake of its own, or not known
        try:
            return route_to(at, through.proxy if through is not None else None, env)
        except EnvironmentProxyMistake as mistake:
            _report(mistake, source)
            return Route()

    return Routes(
        endpoint=find(_SOCKET_URL, endpoint.get("url"), shared),
        token=find(_HTTP_URL, oauth.get("token_url"), oauth.get("proxy", shared)),
        kafka_token=find(_HTTP_URL, of_kafka.get("token_url"), of_kafka.get("proxy")),
    )


def _report(mistake: EnvironmentProxyMistake, source: Source) -> None:
    problem = Problem(
        where="environment",
        path=None,
        message=f"{mistake.variable} {mistake.message}",
        remedy=f"correct {mistake.variable}: {mistake.remedy}",
    )
    if problem not in source.problems:
        source.problems.append(problem)


def _mapping(tree: Mapping[str, object], key: str) -> Mapping[str, object]:
    found = tree.get(key)
    return found if isinstance(found, dict) else {}

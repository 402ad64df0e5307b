"""HTTP as a client: the only room that imports httpx2."""

from connector.http.body import codes_of, decoded
from connector.http.client import HttpAnswer, HttpClient, Unreachable
from connector.http.proxy import Proxy, ProxyMistake, parse_proxy, proxy_refused
from connector.http.redact import redact_url
from connector.http.retry_after import retry_after_seconds
from connector.http.route import EnvironmentProxyMistake, Route, is_loopback, route_to
from connector.http.tunnel import ProxyFailed, open_tunnel

__all__ = [
    "EnvironmentProxyMistake",
    "HttpAnswer",
    "HttpClient",
    "Proxy",
    "ProxyFailed",
    "ProxyMistake",
    "Route",
    "Unreachable",
    "codes_of",
    "decoded",
    "is_loopback",
    "open_tunnel",
    "parse_proxy",
    "proxy_refused",
    "redact_url",
    "retry_after_seconds",
    "route_to",
]

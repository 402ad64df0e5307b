"""Which way a request goes: straight, or through which proxy."""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal
from urllib.parse import urlsplit

from connector.http.proxy import Proxy, ProxyMistake, parse_proxy
from connector.network import HostMistake, ascii_host

_Address = ipaddress.IPv4Address | ipaddress.IPv6Address

#: Variables to look at, by the scheme of the address that is connected to. Websockets in the clear need
#: CONNECT too, so the proxy for TLS comes first for them (RFC 6455 §4.1).
_VARIABLES = {
    "wss": ("https_proxy", "all_proxy"),
    "https": ("https_proxy", "all_proxy"),
    "ws": ("https_proxy", "http_proxy", "all_proxy"),
    "http": ("http_proxy", "all_proxy"),
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Route:
    """
    ``proxy`` is ``None`` for a straight connection. ``named_by`` is the environment variable that names the
    proxy, ``None`` where the configuration does, or where there is none.
    """

    proxy: Proxy | None = None
    named_by: str | None = None


class EnvironmentProxyMistake(ProxyMistake):
    """The proxy that ``variable`` of the environment names cannot be used."""

    def __init__(self, variable: str, mistake: ProxyMistake) -> None:
        super().__init__(mistake.message, mistake.remedy)
        self.variable = variable


def route_to(url: str, proxy: Proxy | Literal["none"] | None, env: Mapping[str, str]) -> Route:
    """
    Return the way to ``url``.

    ``proxy`` is what the configuration says: a proxy, or ``none`` to go straight; ``None`` leaves it to
    ``env``: HTTPS_PROXY, HTTP_PROXY and ALL_PROXY, except for what NO_PROXY names, each in lower case first.
    This machine itself (`is_loopback`) is never reached through a proxy, wherever that is named.

    Raises:
        EnvironmentProxyMistake: The environment names a proxy that cannot be used.
    """
    parts = urlsplit(url)
    host = (parts.hostname or "").rstrip(".")
    if proxy == "none" or is_loopback(host):
        return Route()
    if proxy is not None:
        return Route(proxy=proxy)
    port = parts.port or (443 if parts.scheme in ("wss", "https") else 80)
    if _is_excepted(host, port, _look_up("no_proxy", env)[1]):
        return Route()
    for name in _VARIABLES.get(parts.scheme, ()):
        variable, text = _look_up(name, env)
        if text:
            return Route(proxy=_from_environment(variable, text), named_by=variable)
    return Route()


def is_loopback(host: str) -> bool:
    """
    Whether ``host`` is this machine: ``localhost`` and names below it (RFC 6761 §6.3), 127.0.0.0/8 in any
    spelling that resolvers take, or ``::1``.
    """
    name = host.lower().rstrip(".")
    if name == "localhost" or name.endswith(".localhost"):
        return True
    address = _address(name)
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped is not None:
        address = address.ipv4_mapped
    return address is not None and address.is_loopback


def _from_environment(variable: str, text: str) -> Proxy:
    try:
        # Without a scheme, as many write it there, it is an HTTP proxy.
        return parse_proxy(text if "://" in text else f"http://{text}")
    except ProxyMistake as mistake:
        raise EnvironmentProxyMistake(variable, mistake) from None


def _look_up(name: str, env: Mapping[str, str]) -> tuple[str, str]:
    """The variable that is set, in lower case first as everywhere, and its value."""
    for variable in (name, name.upper()):
        value = env.get(variable, "").strip()
        if value:
            return variable, value
    return name, ""


def _is_excepted(host: str, port: int, no_proxy: str) -> bool:
    name, address = host.lower(), _address(host)
    return any(_fits(name, address, port, entry) for entry in no_proxy.replace(",", " ").lower().split())


def _fits(name: str, address: _Address | None, port: int, entry: str) -> bool:
    """``*``, a name with those below it, an address or a network; with ``:port`` for that port alone."""
    if entry == "*":
        return True
    if address is not None and "/" in entry:
        try:
            return address in ipaddress.ip_network(entry, strict=False)
        except ValueError:
            return False
    place, colon, digits = entry.rpartition(":")
    if colon and digits.isdecimal() and (":" not in place or place.startswith("[")):
        if int(digits) != port:
            return False
        entry = place
    entry = entry.strip("[]")
    if address is not None:
        return _address(entry) == address
    entry = _as_looked_up(entry.removeprefix("*").strip("."))
    return bool(entry) and (name == entry or name.endswith(f".{entry}"))


def _as_looked_up(name: str) -> str:
    """The name that DNS has, as those of URLs are; what can be none fits nothing."""
    try:
        return name if name.isascii() else ascii_host(name)
    except HostMistake:
        return name


def _address(host: str) -> _Address | None:
    try:
        return ipaddress.ip_address(host)
    except ValueError:
        pass
    try:
        # As resolvers take it: 127.1, 0x7f000001, 2130706433.
        return ipaddress.IPv4Address(socket.inet_aton(host))
    except (OSError, UnicodeError, ValueError):
        return None

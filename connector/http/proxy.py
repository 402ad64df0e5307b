"""A proxy: its address, and what it means when it refuses."""

from __future__ import annotations

import base64
import re
from dataclasses import dataclass, field
from typing import Literal
from urllib.parse import quote, unquote, urlsplit

from connector.http.redact import HIDDEN
from connector.network import HostMistake, ascii_host

ProxyScheme = Literal["http", "socks5", "socks5h"]

_PORTS: dict[ProxyScheme, int] = {"http": 80, "socks5": 1080, "socks5h": 1080}
_HOST = re.compile(r"[A-Za-z0-9._~-]+|[0-9A-Fa-f:.]+")
PROXY_AUTHENTICATION = 407
"""The HTTP status of a proxy that wants other credentials (RFC 9110 §15.5.8)."""
_LONGEST = 255
"""Bytes of a user or password in RFC 1929."""


class ProxyMistake(ValueError):
    """The address cannot be used: ``message`` goes on behind its name, ``remedy`` says what to do."""

    def __init__(self, message: str, remedy: str) -> None:
        super().__init__(message)
        self.message = message
        self.remedy = remedy


@dataclass(frozen=True, kw_only=True, slots=True)
class Proxy:
    """
    What connections are made through.

    ``http`` is asked by CONNECT (RFC 9110 §9.3.6); token requests in the clear are forwarded (§7.6).
    ``socks5`` is RFC 1928 with names resolved here, ``socks5h`` with names resolved by the proxy. ``user``
    is ``None`` where the proxy wants none.

    Neither ``str`` nor ``repr`` shows user or password.
    """

    scheme: ProxyScheme
    host: str
    port: int
    user: str | None = field(default=None, repr=False)
    password: str = field(default="", repr=False)

    @property
    def url(self) -> str:
        """The whole address with the credentials, for the library that connects. Never show it."""
        if self.user is None:
            return f"{self.scheme}://{self._place}"
        credentials = f"{quote(self.user, safe='')}:{quote(self.password, safe='')}"
        return f"{self.scheme}://{credentials}@{self._place}"

    @property
    def secrets(self) -> tuple[str, ...]:
        """What must never be shown: the password, and the credentials of HTTP Basic (RFC 7617)."""
        if self.basic is None or not self.password:
            return ()
        return self.password, f"{self.user}:{self.password}", self.basic

    @property
    def basic(self) -> str | None:
        """User and password as HTTP Basic has them, ``None`` without a user. Never show it."""
        if self.user is None:
            return None
        return base64.b64encode(f"{self.user}:{self.password}".encode()).decode()

    @property
    def _place(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{host}:{self.port}"

    def __str__(self) -> str:
        hidden = "" if self.user is None else f"{HIDDEN}@"
        return f"{self.scheme}://{hidden}{self._place}"


def parse_proxy(text: str) -> Proxy:
    """
    Return the proxy at ``text``, such as ``http://user:password@host:3128``.

    Without a port the scheme's own is taken: 80 or 1080.

    Raises:
        ProxyMistake: It is no such address. The text is not quoted.
    """
    example = "write one such as http://host:3128 or socks5h://host:1080"
    scheme, separator, rest = text.partition("://")
    if not separator or scheme.lower() not in _PORTS:
        if scheme.lower() == "https":
            what = "is a proxy that is spoken to over TLS, which is not built yet"
            raise ProxyMistake(what, "name a port of it that takes http://, or a SOCKS proxy")
        raise ProxyMistake("must begin with http://, socks5:// or socks5h://", example)
    credentials, at, place = rest.rpartition("@")
    if any(letter in credentials for letter in "/?#"):  # they would end the authority (RFC 3986 §3.2)
        what = "holds one of / ? # before the host"
        raise ProxyMistake(what, "percent-encode them in user and password: %2F, %3F, %23")
    try:
        parts = urlsplit(f"//{place}")
        host, port = parts.hostname, parts.port
    except ValueError:
        raise ProxyMistake("is no address of a proxy", example) from None
    if not host or port == 0 or (host.isascii() and not _HOST.fullmatch(host)):
        raise ProxyMistake("is no address of a proxy", example)
    try:
        host = ascii_host(host)
    except HostMistake as mistake:
        raise ProxyMistake(mistake.message, mistake.remedy) from None
    if parts.path.strip("/") or parts.query or parts.fragment:
        raise ProxyMistake("holds more than host and port", "take out what stands behind the port")
    user, password = _credentials(credentials) if at else (None, "")
    known: ProxyScheme = next(name for name in _PORTS if name == scheme.lower())
    return Proxy(scheme=known, host=host, port=port or _PORTS[known], user=user, password=password)


def _credentials(text: str) -> tuple[str, str]:
    name, _, secret = text.partition(":")
    try:
        user, password = (unquote(part, errors="strict") for part in (name, secret))
        lengths = [len(part.encode()) for part in (user, password)]
    except UnicodeError:
        what = "holds a user or password that is not UTF-8"
        raise ProxyMistake(what, "percent-encode it as UTF-8") from None
    if not user:
        raise ProxyMistake("holds a password without a user", "write user:password@ before the host")
    if max(lengths) > _LONGEST:
        raise ProxyMistake(f"holds a user or password of more than {_LONGEST} bytes", "write a shorter one")
    if ":" in user or not (user + password).isprintable():
        raise ProxyMistake("holds a user or password with a colon or control character", "write another")
    return user, password


def proxy_refused(proxy: Proxy, status: int) -> str:
    """Return what an HTTP status means that the proxy itself answered."""
    if status in (401, PROXY_AUTHENTICATION):  # tinyproxy takes 401 for wrong ones
        wants = "wants a user and a password" if proxy.user is None else "does not accept user and password"
        return f"the proxy {proxy} {wants} (HTTP {status})"
    if status in (500, 502, 503, 504):  # 500 is what squid and tinyproxy make of unknown names
        return f"the proxy {proxy} cannot reach the host (HTTP {status})"
    if status in (403, 405):
        return f"the proxy {proxy} refuses to connect to the host (HTTP {status})"
    return f"the proxy {proxy} answered with HTTP {status}"

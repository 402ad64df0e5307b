"""Real proxies that we did not write: HTTP CONNECT, HTTP forwarding and SOCKS5, by pproxy."""

from tests.proxies.real import RealProxy

__all__ = ["RealProxy"]

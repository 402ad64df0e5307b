"""Sockets and token requests through a real proxy that we did not write, in the clear and over TLS."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from connector.http import HttpAnswer, HttpClient, Proxy, Unreachable, parse_proxy
from connector.subscription import GraphQLRequest, SessionSettings, Transport
from connector.subscription.errors import ConnectFailed
from connector.subscription.messages import RawPayload
from connector.tls import RotatingContext, TlsSettings
from connector.upstream import Placement, Target
from tests.proxies import RealProxy
from tests.standins.certificates import Authority
from tests.standins.feed import Feed
from tests.standins.oauth import StandInOAuth
from tests.standins.tokens import TokenAuthority
from tests.standins.upstream import StandInUpstream
from tests.unit.subscription.driving import connect

CREDENTIALS = "some%40body:p%3Aa%2Fss%25word"
NAMES = ("upstream.test", "login.test", "192.0.2.7")

#: Each scheme with a host that it can reach: socks5 has names resolved on this side, where nobody knows them.
WAYS = [
    ("http", "upstream.test"),
    ("socks5h", "upstream.test"),
    ("socks5", "192.0.2.7"),
    ("http", "192.0.2.7"),
]


@pytest.fixture(scope="module")
def certificates() -> Authority:
    return Authority()


@pytest.fixture(params=["in the clear", "over TLS"])
def is_secure(request: pytest.FixtureRequest) -> bool:
    return bool(request.param == "over TLS")


@pytest.fixture
def trust(certificates: Authority, tmp_path: Path) -> TlsSettings:
    return TlsSettings(ca_file=certificates.client(tmp_path).ca)


@pytest.fixture
async def far(
    authority: TokenAuthority, certificates: Authority, is_secure: bool
) -> AsyncIterator[tuple[StandInUpstream, StandInOAuth]]:
    """An upstream and a token endpoint that only the proxy can reach."""
    tls = certificates.server(*NAMES) if is_secure else None
    async with (
        StandInUpstream(authority, [Feed(rate=0)], tls=tls) as upstream,
        StandInOAuth(authority, tls=tls) as oauth,
    ):
        yield upstream, oauth


async def ask(oauth: StandInOAuth, host: str, proxy: Proxy, trust: TlsSettings) -> HttpAnswer:
    url = oauth.url.replace("127.0.0.1", host)
    form = {
        "grant_type": "client_credentials",
        "client_id": oauth.client_id,
        "client_secret": oauth.client_secret,
        "scope": "api",
    }
    async with HttpClient(timeout=20, tls=trust, proxy=proxy) as client:
        return await client.post_form(url, form)


async def open_and_close(upstream: StandInUpstream, host: str, proxy: Proxy, trust: TlsSettings) -> None:
    """Open a socket, get a row, and close."""
    url = upstream.url.replace("127.0.0.1", host)
    target = Target(url=url, placements=(Placement(place="url", name="token"),))
    settings = SessionSettings(open_timeout=20, tls=RotatingContext(trust), proxy=proxy)
    transport = Transport(target.opening(upstream.authority.issue()), settings, payload_type=RawPayload)
    try:
        await connect(transport)
        await transport.start(GraphQLRequest("subscription { rows { n } }"))
        await upstream.until(lambda: upstream.live_sessions)
        upstream.feed.emit(1)
        assert await transport.receive() is not None
    finally:
        transport.abort()


@pytest.mark.parametrize(("scheme", "host"), WAYS)
async def test_a_token_request_goes_through(
    far: tuple[StandInUpstream, StandInOAuth], trust: TlsSettings, scheme: str, host: str
) -> None:
    async with RealProxy() as proxy:
        answer = await ask(far[1], host, parse_proxy(proxy.url(scheme)), trust)
        assert (answer.status, b"access_token" in answer.body) == (200, True)
        assert len(proxy.connections(host)) == 1


@pytest.mark.parametrize(("scheme", "host"), WAYS)
async def test_a_socket_goes_through(
    far: tuple[StandInUpstream, StandInOAuth], trust: TlsSettings, scheme: str, host: str
) -> None:
    async with RealProxy() as proxy:
        await open_and_close(far[0], host, parse_proxy(proxy.url(scheme)), trust)
        assert len(proxy.connections(host)) == 1


@pytest.mark.parametrize("scheme", ["http", "socks5h"])
async def test_user_and_password_open_the_proxy(
    far: tuple[StandInUpstream, StandInOAuth], trust: TlsSettings, scheme: str
) -> None:
    # pproxy takes them as they are written there, and does not decode them.
    async with RealProxy(credentials="some@body:p:a/ss%word") as real:
        proxy = parse_proxy(real.url(scheme, CREDENTIALS))
        assert (await ask(far[1], "login.test", proxy, trust)).status == 200
        await open_and_close(far[0], "upstream.test", proxy, trust)


@pytest.mark.parametrize("credentials", ["", "somebody:wrong-password"])
@pytest.mark.parametrize("scheme", ["http", "socks5h"])
async def test_a_closed_proxy_is_told_without_what_was_tried(
    far: tuple[StandInUpstream, StandInOAuth], trust: TlsSettings, scheme: str, credentials: str
) -> None:
    async with RealProxy(credentials="somebody:right-password") as real:
        proxy = parse_proxy(real.url(scheme, credentials))
        with pytest.raises(Unreachable, match=r"the proxy .*127\.0\.0\.1") as no_token:
            await ask(far[1], "login.test", proxy, trust)
        with pytest.raises(ConnectFailed, match=r"the proxy .*127\.0\.0\.1") as no_socket:
            await open_and_close(far[0], "upstream.test", proxy, trust)
    said = f"{no_token.value!r} {no_socket.value!r}"
    assert "wrong-password" not in said
    assert "somebody" not in said
    if scheme == "http":
        assert said.count("HTTP 407") == 2


@pytest.mark.parametrize("scheme", ["http", "socks5h"])
async def test_a_host_that_the_proxy_cannot_reach_is_told(
    far: tuple[StandInUpstream, StandInOAuth], trust: TlsSettings, scheme: str
) -> None:
    async with RealProxy() as real:
        proxy = parse_proxy(real.url(scheme))
        with pytest.raises(Unreachable):
            await ask(far[1], "nowhere.test", proxy, trust)
        with pytest.raises(ConnectFailed):
            await open_and_close(far[0], "nowhere.test", proxy, trust)

"""Sockets over TLS: each way in which they fail to open is told, and nothing leaks."""

from __future__ import annotations

import asyncio
import ssl
from dataclasses import replace
from pathlib import Path

import pytest

from connector.tls import RotatingContext, TlsSettings
from tests.standins.certificates import PASSWORD, Authority, strict_server
from tests.unit.http.loopback import http
from tests.unit.http.proxies import talking
from tests.unit.subscription.driving import connect, refused, transport
from tests.unit.subscription.servers import acknowledge, websocket_server

FAR = "wss://upstream.invalid/graphql"


@pytest.fixture(scope="module")
def authority() -> Authority:
    return Authority()


@pytest.fixture
def trust(authority: Authority, tmp_path: Path) -> TlsSettings:
    return TlsSettings(ca_file=authority.client(tmp_path).ca)


async def test_a_socket_opens_over_tls(authority: Authority, trust: TlsSettings) -> None:
    async with websocket_server(acknowledge, ssl=authority.server()) as stand:
        one = transport(stand.url.replace("ws:", "wss:"), tls=RotatingContext(trust))
        await connect(one)
        one.abort()


@pytest.mark.parametrize(
    ("names", "expired", "said"),
    [
        ((), True, "TLS: certificate verify failed: certificate has expired"),
        (
            ("other.example",),
            False,
            "TLS: certificate verify failed: IP address mismatch, certificate is not",
        ),
    ],
)
async def test_a_certificate_that_does_not_fit_is_told(
    authority: Authority, trust: TlsSettings, names: tuple[str, ...], expired: bool, said: str
) -> None:
    async with websocket_server(acknowledge, ssl=authority.server(*names, expired=expired)) as stand:
        url = stand.url.replace("ws:", "wss:")
        assert (await refused(url, tls=RotatingContext(trust))).startswith(said)


async def test_an_unknown_authority_is_told(authority: Authority) -> None:
    async with websocket_server(acknowledge, ssl=authority.server()) as stand:
        said = await refused(stand.url.replace("ws:", "wss:"))
    assert said.startswith("TLS: certificate verify failed: ")
    assert "not among the trusted authorities" in said


async def test_a_server_without_tls_is_told(trust: TlsSettings) -> None:
    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(100)
        writer.write(http("400 Bad Request"))
        await reader.read()

    async with talking(talk) as port:
        said = await refused(f"wss://127.0.0.1:{port}/", tls=RotatingContext(trust))
    assert said == "TLS: the server does not speak TLS on this port"


@pytest.mark.parametrize(
    ("newest", "said"),
    [
        (ssl.TLSVersion.TLSv1_2, "TLS: the server ended the handshake; it may want a client certificate"),
        (ssl.TLSVersion.TLSv1_3, "TLS: the server wants a client certificate (certificate_file)"),
    ],
)
async def test_a_missing_client_certificate_is_told(
    authority: Authority, trust: TlsSettings, newest: ssl.TLSVersion, said: str
) -> None:
    with strict_server(authority.server(clients=authority, newest=newest)) as port:
        assert await refused(f"wss://127.0.0.1:{port}/", tls=RotatingContext(trust)) == said


async def test_a_server_that_ends_without_a_word_may_want_a_certificate(
    authority: Authority, trust: TlsSettings
) -> None:
    wants = authority.server(clients=authority)
    async with websocket_server(acknowledge, ssl=wants) as stand:
        said = await refused(stand.url.replace("ws:", "wss:"), tls=RotatingContext(trust))
    assert "may want a client certificate" in said


async def test_a_client_proves_who_it_is(authority: Authority, tmp_path: Path) -> None:
    files = authority.client(tmp_path)
    tls = TlsSettings(
        ca_file=files.ca,
        certificate_file=files.certificate,
        key_file=files.encrypted_key,
        key_password=PASSWORD,
    )
    async with websocket_server(acknowledge, ssl=authority.server(clients=authority)) as stand:
        one = transport(stand.url.replace("ws:", "wss:"), tls=RotatingContext(tls))
        await connect(one)
        one.abort()


async def test_a_file_that_is_gone_is_told_by_its_setting(tmp_path: Path) -> None:
    missing = RotatingContext(TlsSettings(ca_file=tmp_path / "gone.pem"))
    assert await refused(FAR, tls=missing) == f"TLS: ca_file: {tmp_path}/gone.pem is not there"


async def test_renewed_files_are_used_by_the_next_socket(
    authority: Authority, trust: TlsSettings, tmp_path: Path
) -> None:
    (tmp_path / "old").mkdir()
    old, new = Authority().client(tmp_path / "old"), authority.client(tmp_path)
    settings = replace(trust, certificate_file=old.certificate, key_file=old.key)
    tls = RotatingContext(settings)
    async with websocket_server(acknowledge, ssl=authority.server(clients=authority)) as stand:
        url = stand.url.replace("ws:", "wss:")
        await refused(url, tls=tls)
        old.certificate.write_bytes(new.certificate.read_bytes())
        old.key.write_bytes(new.key.read_bytes())
        one = transport(url, tls=tls)
        await connect(one)
        one.abort()

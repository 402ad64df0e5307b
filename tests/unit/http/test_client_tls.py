"""Token requests over TLS: every way in which certificates do not fit is told, and new files are used."""

from __future__ import annotations

import asyncio
import ssl
from dataclasses import replace
from pathlib import Path

import pytest

from connector.http import HttpClient, Unreachable
from connector.tls import TlsSettings
from tests.standins.certificates import PASSWORD, Authority, strict_server

from .loopback import http, saying, serving

ANSWER = saying(http("200 OK", b"{}"))


@pytest.fixture(scope="module")
def authority() -> Authority:
    return Authority()


@pytest.fixture
def trust(authority: Authority, tmp_path: Path) -> TlsSettings:
    return TlsSettings(ca_file=authority.client(tmp_path).ca)


async def refused(url: str, tls: TlsSettings) -> str:
    """Why there was no answer, without the URL's name."""
    async with HttpClient(timeout=10, tls=tls) as client:
        with pytest.raises(Unreachable) as caught:
            await client.post_form(f"{url}?token=hunter2", {"client_secret": "hunter2"})
    assert "hunter2" not in str(caught.value)
    assert caught.value.__context__ is None
    return str(caught.value).partition("TLS: ")[2]


async def test_a_server_of_the_ca_file_is_trusted(authority: Authority, trust: TlsSettings) -> None:
    async with serving(ANSWER, tls=authority.server()) as server, HttpClient(tls=trust) as client:
        assert (await client.post_form(server.url, {})).status == 200


async def test_an_unknown_authority_is_told(authority: Authority) -> None:
    async with serving(ANSWER, tls=authority.server()) as server:
        assert "not among the trusted authorities" in await refused(server.url, TlsSettings())


async def test_another_host_is_told(authority: Authority, trust: TlsSettings) -> None:
    async with serving(ANSWER, tls=authority.server("other.example")) as server:
        said = await refused(server.url.replace("127.0.0.1", "localhost"), trust)
    assert "Hostname mismatch" in said
    assert "localhost" in said


async def test_an_expired_certificate_is_told(authority: Authority, trust: TlsSettings) -> None:
    async with serving(ANSWER, tls=authority.server(expired=True)) as server:
        assert "certificate has expired" in await refused(server.url, trust)


async def test_a_server_without_tls_is_told(trust: TlsSettings) -> None:
    async def refuse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(100)
        writer.write(http("400 Bad Request"))
        await reader.read()
        writer.close()

    async with await asyncio.start_server(refuse, "127.0.0.1", 0) as server:
        url = f"https://127.0.0.1:{server.sockets[0].getsockname()[1]}/"
        assert await refused(url, trust) == "the server does not speak TLS on this port"


@pytest.mark.parametrize(
    ("newest", "said"),
    [
        (ssl.TLSVersion.TLSv1_2, "the server ended the handshake; it may want a client certificate"),
        (ssl.TLSVersion.TLSv1_3, "the server wants a client certificate (certificate_file)"),
    ],
)
async def test_a_missing_client_certificate_is_told(
    authority: Authority, trust: TlsSettings, newest: ssl.TLSVersion, said: str
) -> None:
    # In TLS 1.3 the client believes that the handshake is done, and learns of it with the answer.
    with strict_server(authority.server(clients=authority, newest=newest)) as port:
        assert await refused(f"https://127.0.0.1:{port}/", trust) == said


async def test_a_client_certificate_of_another_authority_is_told(
    authority: Authority, trust: TlsSettings, tmp_path: Path
) -> None:
    (tmp_path / "theirs").mkdir()
    theirs = Authority().client(tmp_path / "theirs")
    tls = replace(trust, certificate_file=theirs.certificate, key_file=theirs.key)
    with strict_server(authority.server(clients=authority)) as port:
        said = await refused(f"https://127.0.0.1:{port}/", tls)
    assert said == "the server does not trust the issuer of our certificate"


async def test_a_server_that_ends_without_a_word_may_want_a_certificate(
    authority: Authority, trust: TlsSettings
) -> None:
    # asyncio's own server never sends the alert.
    async with serving(ANSWER, tls=authority.server(clients=authority)) as server:
        assert "may want a client certificate" in await refused(server.url, trust)


async def test_a_client_proves_who_it_is(authority: Authority, tmp_path: Path) -> None:
    files = authority.client(tmp_path)
    tls = TlsSettings(
        ca_file=files.ca,
        certificate_file=files.certificate,
        key_file=files.encrypted_key,
        key_password=PASSWORD,
    )
    wants = authority.server(clients=authority)
    async with serving(ANSWER, tls=wants) as server, HttpClient(tls=tls) as client:
        assert (await client.post_form(server.url, {})).status == 200


async def test_a_file_that_is_gone_is_told_by_its_setting(tmp_path: Path) -> None:
    missing = TlsSettings(ca_file=tmp_path / "gone.pem")
    assert await refused("https://127.0.0.1:1/", missing) == f"ca_file: {tmp_path}/gone.pem is not there"


async def test_a_renewed_file_is_used_for_the_next_request(authority: Authority, trust: TlsSettings) -> None:
    assert trust.ca_file is not None
    trust.ca_file.write_bytes(Authority().pem)
    async with serving(ANSWER, tls=authority.server()) as server, HttpClient(tls=trust) as client:
        with pytest.raises(Unreachable, match="certificate verify failed"):
            await client.post_form(server.url, {})
        trust.ca_file.write_bytes(authority.pem)
        assert (await client.post_form(server.url, {})).status == 200


async def test_another_trust_is_used_from_the_next_request_on(
    authority: Authority, trust: TlsSettings
) -> None:
    async with serving(ANSWER, tls=authority.server()) as server, HttpClient(timeout=10) as client:
        with pytest.raises(Unreachable):
            await client.post_form(server.url, {})
        client.reconfigure(tls=trust)
        assert (await client.post_form(server.url, {})).status == 200

"""What is wrong with a connection to a broker is named, on both event loops that are used in production."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace

import pytest

from connector.kafka import BrokerUnreachable, FileUnusable, KafkaSettings, Sasl, Security
from connector.kafka.diagnosis import require_broker, survey
from tests.brokers.certificates import Authority
from tests.brokers.ports import free_ports
from tests.brokers.secured import PLAIN_USER, SecuredKafka
from tests.integration.kafka.securing import (
    MISSING,
    PASSWORD,
    Tokens,
    over_mtls,
    over_oauth,
    over_scram,
    scram,
    settings,
    trusting,
)

USER = "refused-user"


@pytest.fixture(params=["asyncio", "uvloop"])
def anyio_backend(request: pytest.FixtureRequest) -> tuple[str, dict[str, bool]]:
    return "asyncio", {"use_uvloop": request.param == "uvloop"}


@pytest.fixture(scope="module", autouse=True)
def user(secured: SecuredKafka) -> None:
    secured.set_password(USER, PASSWORD)


@dataclass(frozen=True)
class Case:
    """What is tried, and what is said of it: the reason, and words that must be in the message."""

    make: Callable[[SecuredKafka], KafkaSettings]
    reason: str
    words: tuple[str, ...]


def _plain(secured: SecuredKafka, password: str) -> KafkaSettings:
    sasl = Sasl(mechanism="PLAIN", username=PLAIN_USER, password=password)
    return settings(
        secured.servers("SASL_TLS"), Security(protocol="SASL_SSL", tls=trusting(secured), sasl=sasl)
    )


def _with(secured: SecuredKafka, listener: str, protocol: str, sasl: Sasl | None = None) -> KafkaSettings:
    servers = secured.cluster.bootstrap_servers if listener == "PLAINTEXT" else secured.servers(listener)
    return settings(servers, Security(protocol=protocol, tls=trusting(secured), sasl=sasl))  # type: ignore[arg-type]


def _stranger(secured: SecuredKafka) -> KafkaSettings:
    files = Authority(secured.cluster.directory / "stranger").issue(USER)
    return over_mtls(secured, files)


def _elsewhere(secured: SecuredKafka) -> KafkaSettings:
    servers = secured.servers("TLS").replace("127.0.0.1", "localhost")
    return settings(servers, Security(protocol="SSL", tls=trusting(secured)))


CASES = {
    "wrong password, SCRAM-SHA-512": Case(
        lambda secured: over_scram(secured, USER, "wrong"), "credentials", (USER, "SCRAM-SHA-512", "password")
    ),
    "unknown user": Case(lambda secured: over_scram(secured, "nobody"), "credentials", ("nobody",)),
    "wrong password, PLAIN": Case(
        lambda secured: _plain(secured, "wrong"), "credentials", (PLAIN_USER, "PLAIN")
    ),
    "another mechanism": Case(
        lambda secured: _with(secured, "OAUTH", "SASL_SSL", scram(USER)),
        "mechanism",
        ("SCRAM-SHA-512", "OAUTHBEARER", "kafka.security.sasl.mechanism"),
    ),
    "expired token": Case(
        lambda secured: over_oauth(secured, Tokens(secured.token(USER, life=-60))), "token", ("OAUTHBEARER",)
    ),
    "token for another audience": Case(
        lambda secured: over_oauth(secured, Tokens(secured.token(USER, audience="else"))),
        "token",
        ("audience",),
    ),
    "no token": Case(lambda secured: over_oauth(secured, Tokens("ungetbar")), "token", ()),
    "unknown authority": Case(
        lambda secured: settings(secured.servers("TLS"), Security(protocol="SSL")),
        "untrusted",
        ("kafka.security.tls.ca_file",),
    ),
    "another host": Case(_elsewhere, "hostname", ("localhost", "kafka.security.tls.check_hostname")),
    "no client certificate": Case(
        lambda secured: over_mtls(secured, None),
        "client_certificate",
        ("wants a client certificate", "kafka.security.tls.certificate_file"),
    ),
    "certificate of a stranger": Case(_stranger, "client_certificate", ("refuses our certificate",)),
    "plaintext on TLS": Case(
        lambda secured: _with(secured, "TLS", "PLAINTEXT"), "wants_tls", ("kafka.security.protocol: SSL",)
    ),
    "SASL in the clear on TLS": Case(
        lambda secured: _with(secured, "SASL_TLS", "SASL_PLAINTEXT", scram(USER)), "wants_tls", ("SASL_SSL",)
    ),
    "TLS on plaintext": Case(
        lambda secured: _with(secured, "PLAINTEXT", "SSL"), "no_tls", ("kafka.security.protocol: PLAINTEXT",)
    ),
    "TLS on SASL in the clear": Case(
        lambda secured: _with(secured, "SASL", "SASL_SSL", scram(USER)), "no_tls", ("SASL_PLAINTEXT",)
    ),
    "no SASL on SASL": Case(
        lambda secured: _with(secured, "SASL", "PLAINTEXT"), "wants_sasl", ("SASL_PLAINTEXT",)
    ),
    "no SASL on SASL over TLS": Case(
        lambda secured: _with(secured, "SASL_TLS", "SSL"), "wants_sasl", ("SASL_SSL",)
    ),
    "SASL on plaintext": Case(
        lambda secured: _with(secured, "PLAINTEXT", "SASL_PLAINTEXT", scram(USER)), "no_sasl", ("PLAINTEXT",)
    ),
    "SASL over TLS on TLS": Case(
        lambda secured: _with(secured, "TLS", "SASL_SSL", scram(USER)), "no_sasl", ("protocol: SSL",)
    ),
}


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
async def test_a_refusal_is_named(secured: SecuredKafka, case: Case) -> None:
    tried = case.make(secured)
    (check,) = await survey(tried)
    assert check.error is not None
    assert check.error.reason == case.reason
    with pytest.raises(BrokerUnreachable) as raised:
        await require_broker(tried)
    said = str(raised.value)
    assert said.startswith(tried.bootstrap_servers)
    assert not [word for word in case.words if word not in said], said
    assert "wrong" not in said.replace("wrong version", "")


async def test_a_provider_is_told_what_became_of_its_token(secured: SecuredKafka) -> None:
    good, bad = Tokens(secured.token(USER)), Tokens(secured.token(USER, audience="else"))
    await require_broker(over_oauth(secured, good))
    with pytest.raises(BrokerUnreachable):
        await require_broker(over_oauth(secured, bad))
    assert (good.told, bad.told) == (["accepted"] * 2, ["rejected"])


async def test_a_file_that_is_not_there_is_named(secured: SecuredKafka) -> None:
    tried = over_scram(secured, USER)
    tls = replace(tried.security.tls, ca_file=MISSING)
    with pytest.raises(FileUnusable, match=r"^kafka\.security\.tls\.ca_file: /nowhere/ca\.pem is not there"):
        await require_broker(replace(tried, security=replace(tried.security, tls=tls)))


Handler = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


async def _page(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.read(1)
    writer.write(b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n")
    await writer.drain()


async def _nothing(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.read(1)


async def _garbage(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.read(1)
    writer.write(b"\0\0\0\x10" + b"\xff" * 16)
    await writer.drain()
    await reader.read()


async def _silence(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while await reader.read(1000):
        pass


@asynccontextmanager
async def serving(handler: Handler) -> AsyncIterator[str]:
    """Somebody who is no broker."""

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await handler(reader, writer)
        except ConnectionError:
            return
        finally:
            writer.close()

    server = await asyncio.start_server(handle, "127.0.0.1", 0)
    async with server:
        yield f"127.0.0.1:{server.sockets[0].getsockname()[1]}"


@pytest.mark.parametrize(
    ("handler", "plain", "tls"),
    [
        (_page, "not_kafka", ("tls", "closed")),
        (_garbage, "not_kafka", ("tls", "closed")),
        (_nothing, "closed", ("closed", "tls")),
        (_silence, "timeout", ("timeout",)),
    ],
    ids=["page", "garbage", "nothing", "silence"],
)
async def test_whoever_is_no_broker_is_told_from_one(
    handler: Handler, plain: str, tls: tuple[str, ...]
) -> None:
    async with serving(handler) as server:
        for security, reasons in ((Security(), (plain,)), (Security(protocol="SSL"), tls)):
            (check,) = await survey(settings(server, security, request_timeout=2.0))
            assert check.error is not None
            assert check.error.reason in reasons
            assert "HTTP" not in str(check.error)


@pytest.mark.parametrize(
    ("server", "reason"), [("127.0.0.1:{port}", "refused"), ("nobody.invalid:9092", "unresolved")]
)
async def test_nobody_is_told_by_name(server: str, reason: str) -> None:
    (port,) = free_ports(1)
    (check,) = await survey(settings(server.format(port=port), Security()))
    assert check.error is not None
    assert check.error.reason == reason


async def test_a_broker_that_advertises_what_cannot_be_reached_is_named(secured: SecuredKafka) -> None:
    host, _, port = secured.cluster.bootstrap_servers.rpartition(":")
    (closed,) = free_ports(1)
    told, put = (int(number).to_bytes(4, "big") for number in (port, closed))

    async def copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(1 << 16):
            writer.write(data.replace(told, put))
        writer.close()

    async def relay(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Between us and the broker: the port in its metadata becomes another."""
        inner = await asyncio.open_connection(host, int(port))
        await asyncio.gather(copy(reader, inner[1]), copy(inner[0], writer))

    async with serving(relay) as server:
        first, second = await survey(settings(server, Security()))
        assert (first.error, first.broker.address) == (None, server)
        assert second.error is not None
        assert (second.error.reason, second.broker.node_id) == ("refused", 1)
        with pytest.raises(
            BrokerUnreachable, match=f"^broker 1 advertises 127\\.0\\.0\\.1:{closed}: nobody listens"
        ):
            await require_broker(settings(server, Security()))

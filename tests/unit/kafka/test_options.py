"""What aiokafka's clients are made with, and how they get their tokens."""

from __future__ import annotations

import ssl
import threading
from dataclasses import replace
from pathlib import Path

import pytest
from aiokafka.client import AIOKafkaClient

from connector.kafka import FileUnusable, KafkaSettings, Mechanism, Sasl, Security, SecurityProtocol
from connector.kafka.options import client_options, load_context, ssl_context
from connector.tls import TlsSettings
from tests.unit.kafka.test_bearer import Tokens

KAFKA = KafkaSettings(bootstrap_servers="kafka:9092, [::1]:9093,10.0.0.1:9094", client_id="dex")
PASSWORD = "the-password"


def test_addresses_are_hosts_and_ports() -> None:
    assert KAFKA.addresses == (("kafka", 9092), ("::1", 9093), ("10.0.0.1", 9094))


@pytest.mark.parametrize("protocol", ["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"])
@pytest.mark.parametrize("mechanism", ["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512", "OAUTHBEARER"])
async def test_every_client_of_the_library_takes_them(
    protocol: SecurityProtocol, mechanism: Mechanism
) -> None:
    tokens = Tokens("t") if mechanism == "OAUTHBEARER" else None
    sasl = Sasl(mechanism=mechanism, username="alice", password=PASSWORD, tokens=tokens)
    security = Security(protocol=protocol, sasl=sasl if protocol.startswith("SASL") else None)
    settings = replace(KAFKA, security=security)
    context = await ssl_context(security)
    assert (context is not None) == security.uses_tls == protocol.endswith("SSL")
    options = client_options(settings, context)
    AIOKafkaClient(**options)
    assert options["request_timeout_ms"] == 30_000
    assert ("sasl_mechanism" in options) == security.uses_sasl
    assert PASSWORD not in repr(settings)


async def test_the_host_name_is_checked_unless_that_is_switched_off() -> None:
    for check in (True, False):
        context = await ssl_context(Security(protocol="SSL", tls=TlsSettings(check_hostname=check)))
        assert context is not None
        assert context.check_hostname is check


async def test_a_file_that_is_never_read_is_named(tmp_path: Path) -> None:
    """As on a dead network mount; a pipe that nobody writes to would be seen to be none."""
    blocked = threading.Event()

    def make() -> ssl.SSLContext:
        blocked.wait()
        raise AssertionError

    tls = TlsSettings(ca_file=tmp_path / "ca.pem")
    try:
        with pytest.raises(FileUnusable, match=r"ca\.pem is not read in time"):
            await load_context(tls, make, timeout=0.1)
    finally:
        blocked.set()

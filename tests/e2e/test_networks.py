"""
Through real proxies, and over TLS with an authority of our own, to Apache Kafka.

Upstream and token endpoint have names that only the proxy can resolve: whatever arrives went through it.
"""

from __future__ import annotations

import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.brokers.cluster import KafkaCluster
from tests.e2e.connector_process import ConnectorProcess, at_least
from tests.e2e.stage import Stage, open_stage
from tests.proxies import RealProxy
from tests.standins.behaviour import Close
from tests.standins.certificates import PASSWORD, Authority
from tests.standins.feed import Feed

USER, PROXY_PASSWORD = "somebody", "the-password-of-the-proxy"
CREDENTIALS = f"{USER}:{PROXY_PASSWORD}"


@dataclass(kw_only=True)
class Network:
    """A stage behind a proxy; the files of whoever trusts it are in its directory."""

    stage: Stage
    certificates: Authority

    def config(self, **changes: Any) -> dict[str, Any]:
        """A configuration that names the hosts as only the proxy knows them."""
        config = self.stage.config(**changes)
        config["endpoint"]["url"] = config["endpoint"]["url"].replace("127.0.0.1", "upstream.test")
        config["oauth"]["token_url"] = config["oauth"]["token_url"].replace("127.0.0.1", "login.test")
        return config

    def start(self, config: dict[str, Any], **env: str) -> ConnectorProcess:
        """Start the connector with no proxy in the environment but ``env``'s."""
        none = dict.fromkeys(("HTTPS_PROXY", "HTTP_PROXY", "ALL_PROXY", "NO_PROXY"), "")
        none |= {name.lower(): "" for name in none}
        return self.stage.start(config, **{**none, **env})


Behind = Callable[..., Any]


@pytest.fixture
async def behind(kafka: KafkaCluster, tmp_path: Path, topic_name: Callable[[], str]) -> Behind:
    """Open a stage with one feed; ``tls`` is what its servers speak, given an authority."""

    @asynccontextmanager
    async def opened(tls: Callable[[Authority], ssl.SSLContext] | None = None) -> AsyncIterator[Network]:
        certificates = Authority()
        context = tls(certificates) if tls else None
        async with open_stage(kafka, tmp_path, topic_name(), Feed("bsc", rate=200), tls=context) as stage:
            certificates.client(tmp_path)
            yield Network(stage=stage, certificates=certificates)

    return opened


def for_both(certificates: Authority) -> ssl.SSLContext:
    return certificates.server("upstream.test", "login.test")


async def run_for_a_while(connector: ConnectorProcess, network: Network) -> None:
    """Let rows arrive over two sessions, stop, and see that none is missing."""
    await connector.until_metric("connector_rows_acked_total", at_least(100))
    network.stage.upstream.begin(Close(1012))
    await connector.until_metric("connector_sessions_opened_total", at_least(2))
    acked = await connector.metric("connector_rows_acked_total")
    await connector.until_metric("connector_rows_acked_total", at_least(acked + 100))
    assert await connector.stop() == 0
    await network.stage.assert_exact(network.stage.upstream.feed)


@pytest.mark.parametrize("scheme", ["http", pytest.param("socks5h", marks=pytest.mark.slow)])
@pytest.mark.parametrize("tls", [None, for_both], ids=["in-the-clear", "over-tls"])
async def test_a_proxy_carries_the_token_request_and_every_socket(
    behind: Behind, scheme: str, tls: Callable[[Authority], ssl.SSLContext] | None
) -> None:
    async with behind(tls) as network, RealProxy(credentials=CREDENTIALS) as proxy:
        endpoint: dict[str, Any] = {"proxy": proxy.url(scheme)}
        if tls is not None:
            endpoint["tls"] = {"ca_file": str(network.stage.directory / "ca.pem")}
        config = network.config(endpoint=endpoint, log={"level": "debug"})
        async with network.start(config) as connector:
            await run_for_a_while(connector, network)
            assert PROXY_PASSWORD not in connector.text
            assert USER not in connector.text
        # More where a busy machine made one attempt too slow.
        assert len(proxy.connections("login.test")) >= 1
        assert len(proxy.connections("upstream.test")) >= 2
        assert not any("127.0.0.1:" in line.partition("->")[2] for line in proxy.log)


@pytest.mark.slow
async def test_the_environments_proxy_carries_both(behind: Behind) -> None:
    async with behind() as network, RealProxy(credentials=CREDENTIALS) as proxy:
        async with network.start(network.config(), ALL_PROXY=proxy.url("http")) as connector:
            await run_for_a_while(connector, network)
            assert PROXY_PASSWORD not in connector.text
            used = {line["peer"]: line for line in connector.logs("proxy in use")}
        assert used["endpoint"]["named_by"] == used["token endpoint"]["named_by"] == "ALL_PROXY"
        assert used["endpoint"]["proxy"] == f"http://***@127.0.0.1:{proxy.port}"
        assert proxy.connections("login.test")
        assert proxy.connections("upstream.test")


@pytest.mark.slow
async def test_neither_this_machine_nor_no_proxy_goes_through_a_proxy(behind: Behind) -> None:
    async with behind() as network, RealProxy() as proxy:
        # The socket goes to this machine itself, and login.test is excepted, so that nobody finds it.
        config = network.stage.config()
        config["oauth"]["token_url"] = config["oauth"]["token_url"].replace("127.0.0.1", "login.test")
        env = {"ALL_PROXY": proxy.url("http"), "NO_PROXY": "login.test,other.test"}
        async with network.start(config, **env) as connector:
            await connector.until_metric("connector_token_requests_total", at_least(1), outcome="failed")
            _, body = await connector.readyz()
            assert "login.test" in body["token"]["last_error"]
            assert await connector.stop() == 0
        # And all of it on this machine, with a proxy that the configuration names.
        config = network.stage.config(endpoint={"proxy": proxy.url("http")})
        async with network.start(config, ALL_PROXY=proxy.url("http")) as connector:
            await run_for_a_while(connector, network)
            assert any(
                "endpoint.proxy does nothing" in line["warning"] for line in connector.logs("configuration")
            )
        assert not any("->" in line for line in proxy.log)


async def test_a_proxy_that_refuses_is_named_and_tried_again(behind: Behind) -> None:
    async with behind() as network, RealProxy(credentials=CREDENTIALS) as proxy:
        wrong = proxy.url("http", f"{USER}:not-{PROXY_PASSWORD}")
        config = network.config(endpoint={"proxy": wrong})
        config["oauth"]["proxy"] = proxy.url("http")
        async with network.start(config) as connector:
            await connector.until_metric(
                "connector_reconnects_total", at_least(2), reason="unreachable", subscription="bsc"
            )
            status, body = await connector.readyz()
            assert status == 200
            said = body["subscriptions"]["bsc"]["last_error"]
            assert f"the proxy http://***@127.0.0.1:{proxy.port} does not accept user and password" in said
            assert PROXY_PASSWORD not in connector.text
            assert await connector.stop() == 0


@pytest.mark.slow
async def test_a_proxy_that_comes_back_is_used_again(behind: Behind) -> None:
    async with behind() as network, RealProxy() as proxy:
        await proxy.stop()
        async with network.start(network.config(endpoint={"proxy": proxy.url("socks5h")})) as connector:
            await connector.until_metric("connector_token_requests_total", at_least(1), outcome="failed")
            _, body = await connector.readyz()
            assert "cannot be reached: Connect" in body["token"]["last_error"]
            await proxy.start()
            await run_for_a_while(connector, network)


# Certificates


def wanting_clients(certificates: Authority) -> ssl.SSLContext:
    return certificates.server("127.0.0.1", "localhost", clients=certificates)


async def test_a_client_certificate_opens_both_on_the_same_host(behind: Behind) -> None:
    async with behind(wanting_clients) as network:
        tls = {
            "ca_file": "../ca.pem",  # beside the configuration, as documents are
            "certificate_file": "../client.pem",
            "key_file": "../locked.key",
            "key_password": "${env:KEY_PASSWORD}",
        }
        config = network.stage.config(endpoint={"tls": tls})
        async with network.start(config, KEY_PASSWORD=PASSWORD) as connector:
            await run_for_a_while(connector, network)
            assert PASSWORD not in connector.text


@pytest.mark.slow
async def test_a_certificate_renewed_on_the_disk_is_used_without_a_restart(behind: Behind) -> None:
    async with behind(wanting_clients) as network:
        directory = network.stage.directory
        right = {name: (directory / name).read_bytes() for name in ("client.pem", "client.key")}
        Authority().client(directory)  # somebody else's, over all files
        (directory / "ca.pem").write_bytes(network.certificates.pem)
        tls = {
            "ca_file": str(directory / "ca.pem"),
            "certificate_file": str(directory / "client.pem"),
            "key_file": str(directory / "client.key"),
        }
        async with network.start(network.stage.config(endpoint={"tls": tls})) as connector:
            await connector.until_metric("connector_token_requests_total", at_least(1), outcome="failed")
            _, body = await connector.readyz()
            assert "TLS: " in body["token"]["last_error"]
            for name, content in right.items():
                (directory / name).write_bytes(content)
            await run_for_a_while(connector, network)
            assert connector.logs("certificates renewed")


@pytest.mark.parametrize(
    ("server", "said"),
    [
        (lambda ca: Authority().server(), "not among the trusted authorities"),
        (lambda ca: ca.server("other.example"), "mismatch"),
        (lambda ca: ca.server(expired=True), "certificate has expired"),
        (lambda ca: ca.server(clients=ca), "may want a client certificate"),
    ],
    ids=["unknown authority", "other host", "expired", "no client certificate"],
)
async def test_why_tls_fails_is_in_the_log_and_in_readyz(
    behind: Behind, server: Callable[[Authority], ssl.SSLContext], said: str
) -> None:
    async with behind(server) as network:
        directory = network.stage.directory
        config = network.stage.config(endpoint={"tls": {"ca_file": str(directory / "ca.pem")}})
        config["token"] = network.stage.authority.issue()
        del config["oauth"]
        async with network.start(config) as connector:
            await connector.until_metric("connector_reconnects_total", at_least(2), reason="unreachable")
            status, body = await connector.readyz()
            assert status == 200
            assert said in body["subscriptions"]["bsc"]["last_error"]
            assert any(said in str(line.get("error")) for line in connector.logs("session ended"))
            assert await connector.stop() == 0


@pytest.mark.slow
async def test_a_file_at_fault_stops_the_start_by_its_key(behind: Behind) -> None:
    async with behind(wanting_clients) as network:
        config = network.stage.config(endpoint={"tls": {"certificate_file": "gone.pem"}})
        async with network.start(config) as connector:
            assert await connector.ended() == 2
            assert "endpoint.tls.certificate_file: " in connector.text
            assert "gone.pem is not there" in connector.text
            assert "Traceback" not in connector.text

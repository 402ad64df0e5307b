"""Subscriptions through a real nginx: it cuts what is idle, answers with pages, and ends TLS."""

from __future__ import annotations

from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Any

import anyio
import pytest

from connector.subscription import GraphQLRequest
from connector.task import KeepAlivePolicy, State
from connector.tls import RotatingContext, TlsSettings
from tests.brokers.ports import free_ports
from tests.conformance.client import KINDS, TICKS, WITHIN, deliver, settings_for, transport_to
from tests.integration.task.following import Bench, following
from tests.nginx.fixtures import StartNginx
from tests.nginx.server import passing_to
from tests.references.fixtures import StartReference
from tests.references.servers import Kind, ReferenceServer
from tests.standins.certificates import Authority
from tests.standins.fixtures import StartProxy

QUIET = GraphQLRequest("subscription { quiet }")
SLOWLY = GraphQLRequest("subscription { ticks(n: 1000000, interval: 5) { rows { number text } } }")
CUTS_IDLE = "proxy_read_timeout 2s;"


def follow(
    url: str, kind: Kind, request: GraphQLRequest = SLOWLY, **changes: Any
) -> AbstractAsyncContextManager[Bench]:
    """Follow ``url``; rows are what ``ticks`` gives."""
    offers = settings_for(kind).subprotocols
    return following(url, request=request, rows=("ticks", "rows"), subprotocols=offers, **changes)


async def until(bench: Bench, state: State, *, sessions: int = 0) -> None:
    """Return once the subscription is in ``state`` and has opened so many sessions."""
    with anyio.fail_after(WITHIN):
        while bench.state is not state or bench.told.sessions < sessions:  # noqa: ASYNC110
            await anyio.sleep(0.02)


async def refused(bench: Bench) -> None:
    """Return once a session was refused."""
    with anyio.fail_after(WITHIN):
        while not bench.told.reconnects:  # noqa: ASYNC110
            await anyio.sleep(0.02)


@pytest.mark.parametrize("kind", KINDS)
async def test_an_idle_socket_that_is_cut_without_a_close_is_opened_again(
    start_reference: StartReference, start_nginx: StartNginx, kind: Kind
) -> None:
    server = await start_reference(kind)
    nginx = await start_nginx(*passing_to(server.port, CUTS_IDLE))
    async with follow(nginx.url, kind, QUIET) as bench:
        await until(bench, State.LIVE, sessions=2)
        await bench.stop()
    assert set(bench.told.reconnects) == {"connection_lost"}
    assert "timed out" in nginx.errors


@pytest.mark.parametrize("kind", KINDS)
async def test_a_client_that_asks_for_signs_of_life_is_not_idle(
    start_reference: StartReference, start_nginx: StartNginx, kind: Kind
) -> None:
    server = await start_reference(kind)
    nginx = await start_nginx(*passing_to(server.port, CUTS_IDLE))
    patience = KeepAlivePolicy(keepalive_timeout=0.5, probe=True)
    async with follow(nginx.url, kind, QUIET, keep_alive=patience) as bench:
        await until(bench, State.LIVE)
        await anyio.sleep(5)  # more than twice what nginx takes for idle
        assert bench.state is State.LIVE
        await bench.stop()
    assert bench.told.reconnects == []
    assert server.connections == 1


@pytest.mark.parametrize(
    ("location", "reason"),
    [
        ("return 502;", "server_error"),
        ("return 503;", "server_error"),
        ("return 504;", "server_error"),
        ("return 401;", "unauthorized"),
        ("return 403;", "unauthorized"),
        ("return 404;", "handshake_refused"),
        ("return 429;", "too_many_sessions"),
        ("return 301 http://127.0.0.1:1/elsewhere;", "handshake_refused"),
    ],
)
async def test_a_page_for_an_answer_is_told_by_its_status(
    start_nginx: StartNginx, location: str, reason: str
) -> None:
    nginx = await start_nginx(location)
    async with follow(nginx.url, "modern") as bench:
        await refused(bench)
        status = location.split()[1].rstrip(";")
        assert f"HTTP {status}" in str(bench.runner.status.last_error)
        await bench.stop()
    assert set(bench.told.reconnects) == {reason}


async def test_a_server_that_is_away_behind_it_is_found_again(
    modern_reference: ReferenceServer, start_nginx: StartNginx
) -> None:
    nginx = await start_nginx(*passing_to(free_ports(1)[0]))
    async with follow(nginx.url, "modern") as bench:
        await refused(bench)
        assert "HTTP 502" in str(bench.runner.status.last_error)
        await nginx.serve(*passing_to(modern_reference.port))
        await until(bench, State.LIVE)
        # nginx ends: so do its connections, without a Close.
        await nginx.stop()
        await until(bench, State.WAITING)
        await nginx.start()
        await until(bench, State.LIVE, sessions=2)
        await bench.stop()
    assert bench.told.reconnects[0] == "server_error"
    assert set(bench.told.reconnects) <= {"server_error", "connection_lost", "unreachable"}


async def test_a_server_that_does_not_answer_in_time_is_a_server_error(
    modern_reference: ReferenceServer, start_nginx: StartNginx, start_proxy: StartProxy
) -> None:
    proxy = await start_proxy(modern_reference.port)
    proxy.stall()
    nginx = await start_nginx(*passing_to(proxy.port, "proxy_read_timeout 1s;"))
    async with follow(nginx.url, "modern") as bench:
        await refused(bench)
        assert "HTTP 504" in str(bench.runner.status.last_error)
        proxy.resume()
        await until(bench, State.LIVE)
        await bench.stop()
    assert set(bench.told.reconnects) == {"server_error"}


async def test_an_nginx_that_was_not_told_of_websockets_is_told_as_a_refused_handshake(
    modern_reference: ReferenceServer, start_nginx: StartNginx
) -> None:
    nginx = await start_nginx(f"proxy_pass http://127.0.0.1:{modern_reference.port};")
    async with follow(nginx.url, "modern") as bench:
        await refused(bench)
        await bench.stop()
    assert bench.told.reconnects == ["handshake_refused"]


@pytest.mark.parametrize("kind", KINDS)
async def test_big_and_compressed_messages_pass(
    start_reference: StartReference, start_nginx: StartNginx, kind: Kind
) -> None:
    server = await start_reference(kind, compress={"threshold": 0})
    nginx = await start_nginx(*passing_to(server.port))
    size = 3 * 2**20
    request = GraphQLRequest(
        "subscription ($size: Int!) { big(size: $size) }", variable_values={"size": size}
    )
    delivery = await deliver(transport_to(nginx.url, kind), request)
    assert [len(data["big"]) for data in delivery.data] == [size]


@pytest.mark.parametrize("kind", KINDS)
async def test_it_may_end_tls_with_a_certificate_of_a_private_authority(
    start_reference: StartReference, start_nginx: StartNginx, tmp_path: Path, kind: Kind
) -> None:
    authority = Authority()
    issued = authority.ca.issue_cert("127.0.0.1", "localhost")
    files = {name: tmp_path / f"{name}.pem" for name in ("ca", "certificate", "key")}
    files["ca"].write_bytes(authority.pem)
    files["certificate"].write_bytes(b"".join(blob.bytes() for blob in issued.cert_chain_pems))
    files["key"].write_bytes(issued.private_key_pem.bytes())
    server = await start_reference(kind)
    nginx = await start_nginx(*passing_to(server.port), certificate=files["certificate"], key=files["key"])
    trusting = RotatingContext(TlsSettings(ca_file=files["ca"]))
    request = GraphQLRequest(TICKS, variable_values={"n": 100})
    delivery = await deliver(transport_to(nginx.url, kind, tls=trusting), request)
    assert delivery.numbers == list(range(100))
    mistrusting = await deliver(transport_to(nginx.url, kind), request)
    assert mistrusting.results == []
    assert "TLS" in str(mistrusting.error)

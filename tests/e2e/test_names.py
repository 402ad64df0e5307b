"""Names with several addresses, and names that no resolver answers for, without any server behind them."""

import contextlib
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.connector_process import PATIENCE
from tests.e2e.test_bad_input import DOCUMENT

SWALLOWS, GOOD = "127.0.0.2", "127.0.0.1"

PRELUDE = f"""
import socket, sys, time
real = socket.getaddrinfo
def look_up(host, port, *rest, **options):
    if host == "hung.test":
        time.sleep(600)
    if host == "two.test":
        return [found for place in ("{SWALLOWS}", "{GOOD}") for found in real(place, port, *rest, **options)]
    return real(host, port, *rest, **options)
socket.getaddrinfo = look_up
sys.argv = ["connector", "run", "-c", "dex.yaml"]
from connector.cli import main
main()
"""

CONFIG = """
name: dex
endpoint: {{url: "ws://{upstream}/graphql"}}
oauth: {{token_url: "http://{token}/token", client_id: me, client_secret: not-a-real-secret}}
kafka: {{bootstrap_servers: "{kafka}"}}
subscriptions:
  - {{name: trades, document: trades.graphql, rows: EVM.DEXTrades, topic: dex.trades}}
http: {{host: 127.0.0.1, port: 0}}
log: {{format: json}}
"""


@contextlib.contextmanager
def running(directory: Path, **places: str) -> Iterator[subprocess.Popen[bytes]]:
    (directory / "dex.yaml").write_text(CONFIG.format(**places))
    (directory / "trades.graphql").write_text(DOCUMENT)
    with (directory / "err").open("wb") as errors:
        process = subprocess.Popen(
            [sys.executable, "-c", PRELUDE], cwd=directory, stdin=subprocess.DEVNULL, stderr=errors
        )
    try:
        yield process
    finally:
        process.kill()
        process.wait()


@contextlib.contextmanager
def two_addresses() -> Iterator[socket.socket]:
    """A listener at `GOOD`; at `SWALLOWS` the same port takes no connection, and refuses none."""
    with contextlib.ExitStack() as stack:
        good = stack.enter_context(socket.create_server((GOOD, 0)))
        good.settimeout(PATIENCE)
        port = good.getsockname()[1]
        full = stack.enter_context(socket.socket())
        full.bind((SWALLOWS, port))
        full.listen(0)
        for _ in range(4):
            waiting = stack.enter_context(socket.socket())
            waiting.setblocking(False)
            with contextlib.suppress(BlockingIOError):
                waiting.connect((SWALLOWS, port))
        yield good


@pytest.mark.parametrize("door", ["token", "kafka"])
def test_an_address_that_swallows_connections_keeps_nobody_from_the_other(tmp_path: Path, door: str) -> None:
    with two_addresses() as good:
        places = dict.fromkeys(("upstream", "token", "kafka"), "127.0.0.1:1")
        places[door] = f"two.test:{good.getsockname()[1]}"
        with running(tmp_path, **places):
            taken, _ = good.accept()
            taken.settimeout(PATIENCE)
            assert taken.recv(1)
            taken.close()


def test_a_name_that_hangs_holds_up_neither_the_others_nor_the_end(tmp_path: Path) -> None:
    with two_addresses() as good:
        token = f"two.test:{good.getsockname()[1]}"
        with running(tmp_path, upstream="hung.test", token=token, kafka="hung.test:9092") as process:
            good.accept()[0].close()
            process.send_signal(signal.SIGTERM)
            stopping = time.monotonic()
            assert process.wait(PATIENCE) == 0
    assert time.monotonic() - stopping < PATIENCE
    assert '"stopped"' in (tmp_path / "err").read_text()

"""
Promise 2: memory is bounded whatever the upstream sends, in a process that has no more than the chart says.

The bound is the formula of docs/operations.md. Nobody else is held up either: between two answers of /livez
the process works for less than a second. That is counted in its own time, for others use the machine, too.
"""

from __future__ import annotations

import os
import re
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import anyio
import pytest
import yaml

from connector.config import read_config
from tests.e2e.connector_process import CONFIG, ConnectorProcess
from tests.e2e.flood import CALM, MIB, Flood, deflated, result
from tests.slow import first_of
from tests.standins.mock_kafka import MockKafka

CHART = Path(__file__).parents[2] / "helm" / "graphql-kafka-connector" / "values.yaml"
DOCS = Path(__file__).parents[2] / "docs" / "operations.md"
LARGEST = 15 * MIB
"""Bytes of a message within ``endpoint.max_message_bytes``."""

IN_A_GO = 1.0
"""Seconds of its own that the process may work between two answers."""


def filled(element: bytes, size: int = LARGEST) -> bytes:
    """Return so many of ``element``, with commas between them, that they take about ``size`` bytes."""
    return b",".join([element] * (size // (len(element) + 1)))


def bound_of(config: Any) -> int:
    """Return the bytes that the formula of the docs allows, with the numbers that it has there."""
    found = re.search(
        r"(\d+) MiB \+ (\d+) . `inbox\.max_bytes` \+ subscriptions . \((\d+) . `endpoint\.max_message_bytes` "
        r"\+ (\d+) MiB\)",
        DOCS.read_text(),
    )
    assert found is not None
    base, inbox, message, each = map(int, found.groups())
    of_each = message * config.endpoint.max_message_bytes + each * MIB
    total: int = base * MIB + inbox * config.inbox.max_bytes + len(config.subscriptions) * of_each
    return total


def chart_defaults() -> tuple[dict[str, Any], int]:
    """Return the configuration of the chart, and its limit of memory in bytes."""
    values = yaml.safe_load(CHART.read_text())
    limit = values["resources"]["limits"]["memory"]
    assert limit == "1Gi"
    return values["config"], 1024 * MIB


Ordeal = Callable[[], Flood]

ORDEALS: dict[str, tuple[Ordeal, int | None]] = {
    "pings that nobody reads the answers of": (
        lambda: Flood(deflated(b'{"type":"ping","payload":"%b"}' % (b"x" * 3000)) * 5000, 20, reads=False),
        0,
    ),
    "pings above the bound": (
        lambda: Flood(deflated(b'{"type":"ping","payload":"%b"}' % (b"x" * 60 * MIB)), 40),
        0,
    ),
    "pings below the bound": (
        lambda: Flood(deflated(b'{"type":"ping","payload":"%b"}' % (b"x" * LARGEST)), 40),
        0,
    ),
    "a list of zeros": (lambda: Flood(deflated(result(filled(b"0")))), None),
    "many rows that are counted": (
        lambda: Flood(deflated(result(filled(b'{"a":1}', 2 * MIB)))),
        2 * MIB // 8,
    ),
    "many lists of zeros": (lambda: Flood(deflated(result(filled(b"0", 500_000))), 20), None),
    "halves of surrogate pairs": (
        lambda: Flood(deflated(result(b'"' + rb"\ud800" * (LARGEST // 6) + b'"')), 4),
        4,
    ),
    "large rows": (lambda: Flood(deflated(result(b'"' + b"y" * LARGEST + b'"')), 40), None),
    "a million errors": (
        lambda: Flood(deflated(result(CALM, b',"errors":[' + filled(b"{}") + b"]")), 4),
        4,
    ),
}
"""Each with the rows that come of it; ``None``: as many as there is time for."""


def peak_of(process: int) -> int:
    found = re.search(r"VmHWM:\s+(\d+) kB", Path(f"/proc/{process}/status").read_text())
    assert found is not None
    return int(found[1]) * 1024


def cpu_of(process: int) -> float:
    fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


async def until_calm(connector: ConnectorProcess, rows: int | None, *, within: float = 120.0) -> float:
    """Ask /livez until all ``rows`` are in Kafka, and some more; return the longest work in one go."""
    await connector._ask("/livez")  # what it takes to start is another matter
    longest, before, deadline = 0.0, cpu_of(connector.process.pid), time.monotonic() + within
    enough = time.monotonic() + 5.0
    while True:
        status, _ = await connector._ask("/livez")
        assert status == 200
        now = cpu_of(connector.process.pid)
        longest, before = max(longest, now - before), now
        acknowledged = await connector.metric("connector_rows_acked_total")
        if acknowledged > (rows or 0) + 3 and (rows is not None or time.monotonic() > enough):
            return longest
        assert time.monotonic() < deadline, (acknowledged, connector.text[-2000:])
        before = cpu_of(connector.process.pid)
        await anyio.sleep(0.1)


@pytest.mark.parametrize("ordeal", first_of(list(ORDEALS)))
async def test_no_ordeal_takes_more_memory_than_the_formula_says_or_holds_others_up(
    mock_kafka: MockKafka, tmp_path: Path, ordeal: str
) -> None:
    mock_kafka.create_topic("rows", partitions=4)
    defaults, limit = chart_defaults()
    prelude = f"import resource; resource.setrlimit(resource.RLIMIT_DATA, ({limit}, {limit}))"
    make, rows = ORDEALS[ordeal]
    async with make().serve() as upstream:
        config = {
            **defaults,
            "name": "memory",
            "http": {"host": "127.0.0.1", "port": 0},
            "endpoint": {"preset": "generic", "url": upstream.url, "keepalive_timeout": "3s"},
            "kafka": {"bootstrap_servers": mock_kafka.bootstrap_servers},
            "topics": {"create": False},
            "offsets": False,
            "subscriptions": [
                {"name": "s", "document": "subscription { rows { a } }", "topic": "rows", "rows": "rows"}
            ],
        }
        async with ConnectorProcess(tmp_path, config, prelude=prelude) as connector:
            longest = await until_calm(connector, rows)
            print(ordeal, f"longest {longest:.2f} s, peak {peak_of(connector.process.pid) / MIB:.0f} MiB")
            bound = bound_of(read_config(tmp_path / CONFIG, env={}).config)
            assert peak_of(connector.process.pid) <= bound < limit
            assert longest < IN_A_GO
            acknowledged = await connector.metric("connector_rows_acked_total")
            assert await connector.metric("connector_rows_received_total") >= acknowledged
            if rows is not None:
                assert acknowledged <= rows + upstream.calm

"""The stand-in upstream as a process of its own."""

import asyncio
import json
import urllib.request
from pathlib import Path
from urllib.parse import urlencode

import pytest

from tests.standins.client import plain_client
from tests.standins.process import StandInProcess
from tests.standins.rows_in import rows_in

pytestmark = pytest.mark.slow  # what tests stand on, and not what they test


def token(process: StandInProcess) -> str:
    """A token from the process's own endpoint."""
    form = {
        "grant_type": "client_credentials",
        "scope": "api",
        "client_id": process.client_id,
        "client_secret": process.client_secret,
    }
    with urllib.request.urlopen(process.token_url, data=urlencode(form).encode(), timeout=5) as answer:
        return str(json.load(answer)["access_token"])


@pytest.fixture
def options() -> tuple[str, ...]:
    return ("--rate", "full", "--limit", "2000", "--rows-per-frame", "100")


async def test_its_rows_are_counted_by_the_ledger_that_it_leaves(
    tmp_path: Path, options: tuple[str, ...]
) -> None:
    async with StandInProcess(directory=tmp_path, options=options) as process:
        async with plain_client(process.url, await asyncio.to_thread(token, process)) as client:
            await client.initialise()
            await client.subscribe()
            await client.rows(2000)
            assert (await process.order("/begin", trouble="1012", reason="restart")) == 1
            close = await client.end()
            assert close is not None
            assert close.code == 1012
        summary = await process.order("/summary")
        assert summary["feeds"]["rows"]["must_arrive"] == 2000
        assert (await process.stop())["tokens"] == 1
    audit = process.ledger().audit(rows_in(client.received))
    assert audit.is_exact
    assert audit.consumed == 2000


async def test_orders_that_make_no_sense_are_refused(tmp_path: Path) -> None:
    async with StandInProcess(directory=tmp_path) as process:
        assert (await process.order("/rate", feed="rows", rate=0))["open"] == 0
        assert (await process.order("/behave", keepalive_interval=0.5))["violations"] == []
        with pytest.raises(OSError, match="400"):
            await process.order("/nonsense")

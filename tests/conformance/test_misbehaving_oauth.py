"""The keeper and npm oauth2-mock-server, which answers correctly, or as it is told to."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import anyio
import pytest

from connector.auth import ClientCredentials, Keeper
from connector.http import HttpClient
from tests.references.servers import NodeProcess

WITHIN = 90.0


@asynccontextmanager
async def keeping(server: NodeProcess) -> AsyncIterator[Keeper]:
    """Run a keeper that asks ``server``."""
    async with HttpClient() as http:
        url = f"http://127.0.0.1:{server.port}/token"
        source = ClientCredentials(http, token_url=url, client_id="i", client_secret="s", scope="api")
        keeper = Keeper(source, rng=lambda: 0.0)  # the shortest waits
        async with anyio.create_task_group() as group:
            group.start_soon(keeper.run)
            with anyio.fail_after(WITHIN):
                yield keeper
            group.cancel_scope.cancel()


async def test_a_signed_token_is_taken_with_its_life_and_scope(misbehaving: NodeProcess) -> None:
    async with keeping(misbehaving) as keeper:
        token = await keeper.token()
        assert token.value.count(".") == 2
        assert keeper.status.expires_in_seconds is not None
        assert 3500 < keeper.status.expires_in_seconds <= 3600


async def test_an_outage_is_waited_out(misbehaving: NodeProcess) -> None:
    for status in (503, 500, 429):
        await misbehaving.order("answer", status=status, body={"error": "unavailable"})
    async with keeping(misbehaving) as keeper:
        await keeper.token()
        assert keeper.status.state == "valid"
    assert len(misbehaving.seen("asked")) == 4


@pytest.mark.parametrize(
    ("change", "life"),
    [
        ({"expires_in": 0}, None),
        ({"expires_in": -5}, None),
        ({"expires_in": "soon"}, None),
        ({"expires_in": "120"}, 120.0),
        ({"expires_in": 1.5e300}, 315_360_000.0),
        ({"expires_in": [60]}, None),
        ({"token_type": "BEARER"}, 3600.0),
        ({"scope": ["api"]}, 3600.0),
        ({"expires_in": None, "refresh_token": 7, "id_token": {}}, None),
    ],
)
async def test_an_odd_answer_that_holds_a_token_serves(
    misbehaving: NodeProcess, change: dict[str, object], life: float | None
) -> None:
    await misbehaving.order("answer", change=change)
    async with keeping(misbehaving) as keeper:
        await keeper.token()
        left = keeper.status.expires_in_seconds
        assert (left is None) if life is None else (left is not None and life - 60 < left <= life)


@pytest.mark.parametrize(
    "answer",
    [
        {"body": None},
        {"body": []},
        {"body": {}},
        {"body": {"access_token": ""}},
        {"leave_out": ["access_token"]},
        {"change": {"access_token": {"value": "x"}}},
        {"change": {"token_type": "mac"}},
        {"change": {"error": "invalid_client"}},
        {"status": 302},
        {"status": 400, "body": {"error": "invalid_client", "error_description": "s3cret"}},
    ],
)
async def test_an_answer_without_a_usable_token_is_a_refusal_and_is_not_asked_again_at_once(
    misbehaving: NodeProcess, answer: dict[str, object]
) -> None:
    await misbehaving.order("answer", **answer)
    async with keeping(misbehaving) as keeper:
        while keeper.status.state != "refused":  # noqa: ASYNC110 - the status has no event
            await anyio.sleep(0.01)
        assert "s3cret" not in str(keeper.status)
        await anyio.sleep(0.8)  # longer than a passing failure is waited out
        assert len(misbehaving.seen("asked")) == 1

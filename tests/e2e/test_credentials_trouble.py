"""Tokens that are not to be had, or are refused: the connector says so, waits, and does not hammer."""

import time
from functools import partial

import anyio
import pytest

from tests.e2e.recoveries import recovery
from tests.e2e.stage import Stage
from tests.standins.behaviour import Fin
from tests.standins.oauth import TokenAnswer

SLOW = partial(pytest.param, marks=pytest.mark.slow)


@pytest.mark.takes(150)
@pytest.mark.slow
@pytest.mark.timeout(600)
async def test_a_deleted_client_is_not_hammered_and_the_reason_is_told(stage: Stage) -> None:
    async with stage.start(stage.config()) as connector:
        await connector.until_metric("connector_rows_acked_total", lambda acked: acked > 100)
        stage.oauth.delete_client()
        since = time.monotonic()
        stage.upstream.begin(Fin())
        await connector.until_metric(
            "connector_token_requests_total", lambda count: count >= 1, outcome="refused"
        )
        await anyio.sleep(60)  # the promise is a rate, so a minute has to pass
        assert 1 <= stage.oauth.count(since=since) <= 5
        status, body = await connector.readyz()
        assert status == 200
        assert body["token"]["state"] == "refused"
        assert "invalid_client" in body["token"]["last_error"]
        assert await connector.metric("connector_token_state", state="refused") == 1
        async with recovery(connector, "deleted application restored", within=300, from_steady=False):
            stage.oauth.is_deleted = False
        assert await connector.stop() == 0


async def test_a_token_endpoint_that_recovers_is_used_again(stage: Stage) -> None:
    stage.oauth.next_answer(
        TokenAnswer(status=503, retry_after="1"), TokenAnswer.html(502), TokenAnswer(drop=True)
    )
    async with stage.start(stage.config()) as connector:
        await connector.until_metric("connector_rows_acked_total", lambda acked: acked > 100)
        assert await connector.metric("connector_token_requests_total", outcome="failed") == 3
        assert await connector.stop() == 0
    await stage.assert_exact(stage.upstream.feed)


@pytest.mark.parametrize("expires_in", [None, SLOW(0), -5, "soon", SLOW("3600"), SLOW(1e300)])
async def test_odd_lifetimes_are_lived_with(stage: Stage, expires_in: object) -> None:
    stage.oauth.behave(TokenAnswer(expires_in=expires_in))
    async with stage.start(stage.config()) as connector:
        await connector.until_metric("connector_rows_acked_total", lambda acked: acked > 100)
        assert stage.oauth.count() == 1
        assert await connector.stop() == 0

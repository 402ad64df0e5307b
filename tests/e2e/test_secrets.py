"""Nothing that a run emits holds a secret; and the search finds one where redaction is taken out."""

import anyio
import pytest

from tests.e2e.connector_process import PATIENCE, ConnectorProcess, at_least
from tests.e2e.stage import Stage
from tests.standins.behaviour import Close, HttpRefusal, InBandError, InConnection
from tests.standins.oauth import TokenAnswer

WITHOUT_REDACTION = """
from connector.telemetry.redaction import Redactor
Redactor.redact = lambda self, text: text
"""


async def _all_sorts_of_trouble(stage: Stage, prelude: str | None = None) -> list[str]:
    """Run with DEBUG on, every refusal quoting the token; return what leaked."""
    stage.oauth.next_answer(TokenAnswer(status=500, echo=True), TokenAnswer(status=503, echo=True))
    connector = stage.start(stage.config(log={"level": "debug"}), prelude=prelude)
    try:
        await connector.until_state("bsc", "live")
        token = stage.authority.issued[-1].value
        troubles: tuple[InConnection, ...] = (
            InBandError("errors", f"cannot resolve for {token}"),
            InBandError("frame", f"Unauthorized: token {token}"),
            Close(4403, "Forbidden"),
            InBandError("data", f'{{"token": "{token}"}} is unauthorized'),
        )
        for number, trouble in enumerate(troubles):
            await _until_proven(connector)
            token = stage.authority.issued[-1].value
            body, challenge = (
                f"<h1>Unauthorized</h1> token={token}",
                f'Bearer error_description="{token} is bad"',
            )
            stage.upstream.next_connection(
                at_upgrade=HttpRefusal(status=401, body=body, challenges=(challenge,))
            )
            opened = await connector.metric("connector_sessions_opened_total")
            stage.upstream.begin(trouble)
            if number:
                await connector.until_metric("connector_sessions_opened_total", at_least(opened + 1))
        assert await connector.stop() == 0
        return connector.leaks()
    finally:
        connector.process.kill()
        connector.process.wait(10)


async def _until_proven(connector: ConnectorProcess) -> None:
    """Return once the session counts as a success: refusals in a row would be waited for ever longer."""
    with anyio.fail_after(PATIENCE):
        while True:
            _, body = await connector.readyz()
            one = body["subscriptions"]["bsc"]
            if one["state"] == "live" and one["last_error"] is None:
                return
            await anyio.sleep(0.1)


async def test_nothing_emitted_holds_a_secret(stage: Stage) -> None:
    assert await _all_sorts_of_trouble(stage) == []


@pytest.mark.slow
async def test_without_redaction_the_search_finds_some(stage: Stage) -> None:
    assert await _all_sorts_of_trouble(stage, WITHOUT_REDACTION)

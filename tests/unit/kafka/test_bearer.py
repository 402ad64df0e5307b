"""How aiokafka gets its tokens."""

from __future__ import annotations

import anyio
import pytest
from aiokafka import errors as kafka_errors

from connector.kafka.options import TOKEN_TIMEOUT, BearerTokenProvider, NoToken
from tests.unit.publish.clock import JumpingLoop


@pytest.fixture
def anyio_backend() -> tuple[str, dict[str, object]]:
    """Time that jumps: nobody waits for a token."""
    return "asyncio", {"loop_factory": JumpingLoop}


class Tokens:
    """Satisfies `TokenProvider`; without a token it is waited for, for ever."""

    def __init__(self, value: str | None, error: str | None = None) -> None:
        self.value = value
        self.error = error
        self.told: list[tuple[str, str]] = []

    async def token(self) -> str:
        if self.value is None:
            await anyio.sleep_forever()
        assert self.value is not None
        return self.value

    def rejected(self, token: str) -> None:
        self.told.append(("rejected", token))

    def accepted(self, token: str) -> None:
        self.told.append(("accepted", token))


async def test_a_bearer_remembers_what_it_showed() -> None:
    tokens = Tokens("first")
    bearer = BearerTokenProvider(tokens)
    bearer.report(accepted=True)
    assert tokens.told == []
    assert await bearer.token() == "first"
    bearer.report(accepted=True)
    bearer.report(accepted=False)
    assert tokens.told == [("accepted", "first"), ("rejected", "first")]


@pytest.mark.parametrize("error", [None, "the token endpoint answered HTTP 503"])
async def test_whoever_waits_for_a_token_too_long_is_told_why(error: str | None) -> None:
    began = anyio.current_time()
    with pytest.raises(NoToken, match=error or "has not answered yet") as raised:
        await BearerTokenProvider(Tokens(None, error)).token()
    assert anyio.current_time() - began == pytest.approx(TOKEN_TIMEOUT, abs=1)
    # Who opens connections inside the library takes it for a broker that cannot be reached.
    assert isinstance(raised.value, kafka_errors.KafkaConnectionError)

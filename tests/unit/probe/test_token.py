"""Whether a token is to be had."""

import anyio
import pytest

from connector.auth import Grant, GrantRefused, GrantUnavailable, Keeper
from connector.errors import RetriableError
from connector.probe import TokenProbe, probe_kafka_token
from connector.probe.token import in_words


class Source:
    """Answers one thing; satisfies auth's `TokenSource`."""

    def __init__(self, answer: Grant | RetriableError) -> None:
        self._answer = answer

    async def fetch(self) -> Grant:
        if isinstance(self._answer, RetriableError):
            raise self._answer
        return self._answer

    async def changed(self) -> None:
        await anyio.sleep_forever()


REFUSED = GrantRefused(
    "HTTP 401, invalid_client", status=401, code="invalid_client", remedy="check the client id and secret"
)
BUSY = GrantUnavailable("HTTP 503, not an OAuth answer", status=503)


def probe(answer: Grant | RetriableError | None, learnt: list[str], *, is_given: bool = False) -> TokenProbe:
    return TokenProbe(
        source=Source(answer) if answer is not None else None,
        subject="https://oauth.test/token",
        asked="api",
        is_given=is_given,
        learn=learnt.append,
    )


async def test_a_token_its_life_and_who_learns_of_it() -> None:
    learnt: list[str] = []
    finding, token = await probe(Grant(access_token="t", expires_in=2_627_999), learnt).run()
    assert (finding.outcome, token, learnt) == ("ok", "t", ["t"])
    assert finding.facts == {"life_seconds": 2_627_999, "scope": None}
    assert "30.4 days" in finding.detail


@pytest.mark.parametrize(("scope", "told"), [(None, None), ("api", None), ("read api", "read api")])
async def test_a_scope_is_told_only_where_it_is_another(scope: str | None, told: str | None) -> None:
    finding, _ = await probe(Grant(access_token="t", scope=scope), []).run()
    assert finding.facts["scope"] == told
    assert finding.remedy == ""


async def test_a_scope_that_lacks_something_has_a_remedy() -> None:
    finding, _ = await probe(Grant(access_token="t", scope="read"), []).run()
    assert (finding.outcome, bool(finding.remedy)) == ("ok", True)


async def test_the_life_of_a_given_token_is_not_known() -> None:
    finding, token = await probe(Grant(access_token="t"), [], is_given=True).run()
    assert (finding.outcome, token) == ("ok", "t")
    assert "not known" in finding.detail


async def test_a_refusal_is_told_from_trouble() -> None:
    refused, token = await probe(REFUSED, []).run()
    assert (refused.outcome, refused.facts["error"], token) == ("refused", "invalid_client", None)
    assert refused.remedy == REFUSED.remedy
    busy, token = await probe(BUSY, []).run()
    assert (busy.outcome, token) == ("failed", None)


async def test_where_no_token_is_named_none_is_needed() -> None:
    finding, token = await probe(None, []).run()
    assert (finding.outcome, token) == ("not needed", None)


@pytest.mark.parametrize(
    ("answer", "outcome"),
    [(Grant(access_token="t", expires_in=20), "ok"), (REFUSED, "refused"), (BUSY, "failed")],
)
async def test_the_tokens_of_the_brokers(answer: Grant | RetriableError, outcome: str) -> None:
    keeper = Keeper(Source(answer))
    async with anyio.create_task_group() as group:
        group.start_soon(keeper.run)
        with anyio.fail_after(30):
            finding = await probe_kafka_token(keeper, "https://oauth.test/token")
        group.cancel_scope.cancel()
    assert finding.outcome == outcome


@pytest.mark.parametrize(
    ("seconds", "words"), [(3600, "3600 s"), (43_200, "12 h (43200 s)"), (2_627_999, "30.4 days (2627999 s)")]
)
def test_spans_in_words(seconds: float, words: str) -> None:
    assert in_words(seconds) == words

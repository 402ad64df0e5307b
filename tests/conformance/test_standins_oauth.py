"""The stand-in token endpoint, by RFC 6749 and by its switches."""

import base64
import json
import urllib.error
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Any
from urllib.parse import quote_plus, urlencode

import anyio.to_thread
import pytest

from tests.standins.oauth import StandInOAuth, TokenAnswer
from tests.standins.tokens import AWKWARD, TokenAuthority

pytestmark = pytest.mark.slow  # what tests stand on, and not what they test


@dataclass(frozen=True)
class Answer:
    status: int
    body: str
    headers: dict[str, str]

    @property
    def fields(self) -> Any:
        return json.loads(self.body)


def _post(url: str, form: str, headers: dict[str, str], timeout: float) -> Answer:
    request = urllib.request.Request(url, data=form.encode(), headers=headers, method="POST")
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(request, timeout=timeout) as answer:
            return Answer(answer.status, answer.read().decode(), dict(answer.headers))
    except urllib.error.HTTPError as error:
        with error:
            return Answer(error.code, error.read().decode(), dict(error.headers))


async def post(
    oauth: StandInOAuth, form: Mapping[str, str], *, timeout: float = 5.0, header: str | None = None
) -> Answer:
    headers = {} if header is None else {"Authorization": header}
    return await anyio.to_thread.run_sync(partial(_post, oauth.url, urlencode(form), headers, timeout))


async def ask(oauth: StandInOAuth, **changes: str) -> Answer:
    """A proper request, credentials in the body."""
    form = {
        "grant_type": "client_credentials",
        "client_id": oauth.client_id,
        "client_secret": oauth.client_secret,
        "scope": "api",
    }
    return await post(oauth, form | changes)


async def test_a_proper_request_gets_a_token_that_the_authority_knows(
    oauth: StandInOAuth, authority: TokenAuthority
) -> None:
    answer = await ask(oauth)
    assert answer.status == 200
    assert answer.fields["expires_in"] == 3600
    assert answer.fields["scope"] == "api"
    assert answer.fields["token_type"] == "bearer"
    assert authority.is_valid(answer.fields["access_token"])
    assert set(AWKWARD) <= set(answer.fields["access_token"])
    assert (oauth.count(), oauth.requests[0].auth) == (1, "body")


async def test_basic_credentials_are_form_decoded(oauth: StandInOAuth) -> None:
    def basic(identity: str, secret: str) -> str:
        return "Basic " + base64.b64encode(f"{identity}:{secret}".encode()).decode()

    encoded = basic(quote_plus(oauth.client_id), quote_plus(oauth.client_secret))
    form = {"grant_type": "client_credentials", "scope": "api"}
    assert (await post(oauth, form, header=encoded)).status == 200
    raw = await post(oauth, form, header=basic(oauth.client_id, oauth.client_secret))
    assert (raw.status, raw.fields["error"]) == (401, "invalid_client")
    assert raw.headers["WWW-Authenticate"].startswith("Basic")
    both = await post(oauth, form | {"client_secret": oauth.client_secret}, header=encoded)
    assert (both.status, both.fields["error"]) == (400, "invalid_request")
    assert [request.auth for request in oauth.requests] == ["basic", "basic", "both"]


@pytest.mark.parametrize(
    ("changes", "status", "error"),
    [
        ({"client_secret": "wrong"}, 401, "invalid_client"),
        ({"client_id": "wrong"}, 401, "invalid_client"),
        ({"grant_type": "password"}, 400, "unsupported_grant_type"),
        ({"scope": "admin"}, 400, "invalid_scope"),
    ],
)
async def test_mistakes_are_named_as_rfc_6749_names_them(
    oauth: StandInOAuth, changes: dict[str, str], status: int, error: str
) -> None:
    answer = await ask(oauth, **changes)
    assert (answer.status, answer.fields["error"]) == (status, error)


async def test_without_the_scope_a_token_is_minted_that_is_good_for_nothing(
    oauth: StandInOAuth, authority: TokenAuthority
) -> None:
    answer = await ask(oauth, scope="")
    assert answer.status == 200
    assert not authority.is_valid(answer.fields["access_token"])


@pytest.mark.parametrize("status", [400, 401, 429, 503])
async def test_it_fails_as_often_as_planned(oauth: StandInOAuth, status: int) -> None:
    oauth.next_answer(TokenAnswer(status=status, retry_after="2"), TokenAnswer.html())
    answers = [await ask(oauth) for _ in range(3)]
    assert [answer.status for answer in answers] == [status, 503, 200]
    assert answers[0].headers["Retry-After"] == "2"
    assert answers[1].headers["Content-Type"] == "text/html"
    assert oauth.count(status=status) == (2 if status == 503 else 1)


async def test_a_deleted_client_is_invalid_and_so_are_its_tokens(
    oauth: StandInOAuth, authority: TokenAuthority
) -> None:
    token = (await ask(oauth)).fields["access_token"]
    oauth.delete_client()
    assert not authority.is_valid(token)
    assert (await ask(oauth)).fields["error"] == "invalid_client"


@pytest.mark.parametrize("odd", ["17999", -1, 0, float("nan"), "soon", 1.5, True, [1]])
async def test_expires_in_may_be_anything(oauth: StandInOAuth, odd: object) -> None:
    oauth.behave(TokenAnswer(expires_in=odd))
    assert repr((await ask(oauth)).fields["expires_in"]) == repr(odd)


async def test_fields_may_be_missing(oauth: StandInOAuth) -> None:
    oauth.behave(TokenAnswer(expires_in=None, says_scope=False))
    assert set((await ask(oauth)).fields) == {"access_token", "token_type"}


async def test_a_body_may_echo_the_secret_or_be_anything(oauth: StandInOAuth) -> None:
    oauth.next_answer(TokenAnswer(status=400, echo=True), TokenAnswer(body="[]"))
    echoed = (await ask(oauth)).body
    assert json.dumps(oauth.client_secret) in echoed
    assert urlencode({"client_secret": oauth.client_secret}) in echoed
    assert (await ask(oauth)).body == "[]"
    assert oauth.client_secret not in repr(oauth.requests)


async def test_it_may_hang_drop_or_refuse(oauth: StandInOAuth) -> None:
    hanging = TokenAnswer(hang=True)
    oauth.next_answer(hanging, replace(hanging, hang=False, drop=True))
    with pytest.raises(TimeoutError):
        await post(oauth, {}, timeout=0.2)
    with pytest.raises(ConnectionError):
        await post(oauth, {})
    await oauth.server.stop_listening()
    with pytest.raises(urllib.error.URLError):
        await ask(oauth)
    await oauth.server.listen()
    assert (await ask(oauth)).status == 200


async def test_a_short_life_is_true(oauth: StandInOAuth, authority: TokenAuthority) -> None:
    oauth.behave(TokenAnswer(life=0.0))
    answer = await ask(oauth)
    assert answer.fields["expires_in"] == 0
    assert not authority.is_valid(answer.fields["access_token"])

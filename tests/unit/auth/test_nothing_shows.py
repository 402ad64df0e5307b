"""Promise 5: neither token nor secret appears in a log, an exception or a ``repr``."""

from __future__ import annotations

import base64
import json
import traceback
from pathlib import Path
from urllib.parse import quote, quote_plus

import anyio
import pytest
from structlog.testing import capture_logs

from connector.auth import ClientCredentials, Keeper, StaticToken, TokenFile
from connector.auth.grant import build_request, parse_answer
from connector.errors import ConfigError, RetriableError
from connector.http import HttpAnswer, Unreachable

from .fakes import FakeTime, settle
from .test_sources import FakeHttp

SECRET = 's3cr+e/t=%"x'
TOKEN = 'ory_at_+t/o=k%e"n'


def forms(value: str) -> set[str]:
    """Return ``value`` in every writing in which it might slip out."""
    raw = value.encode()
    return {
        value,
        quote(value, safe=""),
        quote_plus(value),
        json.dumps(value)[1:-1],
        repr(value)[1:-1],
        base64.b64encode(raw).decode().rstrip("="),
        base64.urlsafe_b64encode(raw).decode().rstrip("="),
    }


def assert_nothing_shows(text: str) -> None:
    """Fail if a secret is in ``text``."""
    basic = base64.b64encode(f"id:{quote_plus(SECRET)}".encode()).decode()
    for form in forms(SECRET) | forms(TOKEN) | {basic}:
        assert form not in text


def test_the_check_itself_sees_a_leak() -> None:
    for form in forms(SECRET):
        with pytest.raises(AssertionError):
            assert_nothing_shows(f"<{form}>")


def http() -> FakeHttp:
    granted = json.dumps({"access_token": TOKEN, "expires_in": 60, "scope": "other"}).encode()
    echoed = json.dumps({"error": SECRET, "error_description": TOKEN}).encode()
    return FakeHttp(
        HttpAnswer(status=200, headers={"set-cookie": TOKEN}, body=granted),
        HttpAnswer(status=401, headers={"www-authenticate": SECRET}, body=echoed),
        HttpAnswer(status=503, headers={}, body=SECRET.encode()),
        Unreachable("no answer"),
        *[HttpAnswer(status=200, headers={}, body=granted)] * 50,
    )


@pytest.mark.parametrize("auth", ["body", "basic"])
async def test_a_keepers_whole_life_shows_neither(auth: str) -> None:
    time = FakeTime()
    source = ClientCredentials(
        http(),
        token_url="http://t/x",
        client_id="id",
        client_secret=SECRET,
        scope="api",
        auth="basic" if auth == "basic" else "body",
    )
    keeper = Keeper(source, clock=time.clock, sleep=time.sleep)
    shown: list[str] = []
    with capture_logs() as logs:
        async with anyio.create_task_group() as group:
            group.start_soon(keeper.run)
            await settle()
            token = await keeper.token()
            assert token.value == TOKEN
            for _ in range(600):
                await time.advance(1)
                shown.append(repr(keeper.status))
                keeper.reject(keeper.status.generation)
            group.cancel_scope.cancel()
    assert {"token obtained", "token endpoint refused", "token rejected"} <= {log["event"] for log in logs}
    objects = [token, keeper, source, keeper.status]
    assert_nothing_shows("".join([repr(logs), *shown, *map(repr, objects), *map(str, objects)]))


def test_requests_grants_and_sources_show_neither(tmp_path: Path) -> None:
    granted = json.dumps({"access_token": TOKEN}).encode()
    objects = [
        build_request(client_id="id", client_secret=SECRET, scope=None, auth="body"),
        build_request(client_id="id", client_secret=SECRET, scope=None, auth="basic"),
        parse_answer(200, granted),
        StaticToken(TOKEN),
        TokenFile(tmp_path),
        HttpAnswer(status=200, headers={"x": SECRET}, body=granted),
    ]
    assert_nothing_shows("".join(f"{thing!r}{thing}" for thing in objects))


@pytest.mark.parametrize("status", [200, 302, 400, 401, 404, 429, 503])
def test_errors_show_nothing_of_the_body(status: int) -> None:
    answers = [
        f"<html>{SECRET}</html>".encode(),
        json.dumps({"error": SECRET, "error_description": TOKEN, "error_uri": TOKEN}).encode(),
        json.dumps({"access_token": TOKEN + "\n", "token_type": SECRET}).encode(),
        json.dumps({"access_token": TOKEN, "token_type": SECRET}).encode(),
        SECRET.encode() + b"\xff",
    ]
    for answer in answers:
        with pytest.raises(RetriableError) as caught:
            parse_answer(status, answer)
        assert_nothing_shows("".join(traceback.format_exception(caught.value)) + repr(caught.value))


def test_a_wrong_static_token_is_not_shown() -> None:
    with pytest.raises(ConfigError) as caught:
        StaticToken(TOKEN + "\x00")
    assert_nothing_shows("".join(traceback.format_exception(caught.value)) + repr(caught.value.problems))

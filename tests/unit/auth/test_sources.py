"""Where tokens come from: endpoint, configuration, file."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path

import anyio
import pytest
from structlog.testing import capture_logs

from connector.auth import (
    ClientCredentials,
    GrantRefused,
    GrantUnavailable,
    StaticToken,
    TokenFile,
    TokenFileUnreadable,
    secrets_of,
)
from connector.auth.grant import AuthStyle, basic_credentials
from connector.errors import ConfigError
from connector.http import HttpAnswer, Unreachable


class FakeHttp:
    """Answers what it is told to, and remembers what was posted."""

    def __init__(self, *answers: HttpAnswer | Unreachable) -> None:
        self._answers = list(answers)
        self.posted: list[tuple[str, Mapping[str, str], Mapping[str, str]]] = []

    async def post_form(self, url: str, form: Mapping[str, str], headers: Mapping[str, str]) -> HttpAnswer:
        self.posted.append((url, form, headers))
        answer = self._answers.pop(0)
        if isinstance(answer, Unreachable):
            raise answer
        return answer


def ok(body: bytes) -> HttpAnswer:
    return HttpAnswer(status=200, headers={}, body=body)


def credentials(http: FakeHttp, scope: str | None = "api") -> ClientCredentials:
    return ClientCredentials(http, token_url="http://t/x", client_id="i", client_secret="s", scope=scope)


# ClientCredentials


async def test_an_endpoint_is_asked_each_time() -> None:
    http = FakeHttp(ok(b'{"access_token":"a","expires_in":5}'), ok(b'{"access_token":"b"}'))
    source = credentials(http)
    assert ((await source.fetch()).access_token, (await source.fetch()).access_token) == ("a", "b")
    url, form, _ = http.posted[0]
    assert (url, form["client_secret"], form["scope"]) == ("http://t/x", "s", "api")


async def test_basic_credentials_leave_the_form() -> None:
    http = FakeHttp(ok(b'{"access_token":"a"}'))
    await ClientCredentials(http, token_url="u", client_id="i", client_secret="s", auth="basic").fetch()
    assert http.posted[0][1] == {"grant_type": "client_credentials"}
    assert http.posted[0][2]["authorization"].startswith("Basic ")


async def test_further_headers_go_along_and_replace_none_of_the_requests_own() -> None:
    http = FakeHttp(ok(b'{"access_token":"a"}'), ok(b'{"access_token":"a"}'))
    source = ClientCredentials(
        http, token_url="u", client_id="i", client_secret="s", headers={"x-app-key": "k", "accept": "x"}
    )
    await source.fetch()
    assert http.posted[0][2] == {"x-app-key": "k", "accept": "application/json"}
    source.replace(client_id="i", client_secret="s", headers={"x-app-key": "other"})
    await source.fetch()
    assert http.posted[1][2]["x-app-key"] == "other"


async def test_retry_after_reaches_the_error() -> None:
    busy = HttpAnswer(status=429, headers={"retry-after": "9"}, body=b"")
    with pytest.raises(GrantUnavailable) as caught:
        await credentials(FakeHttp(busy)).fetch()
    assert caught.value.retry_after == 9.0


async def test_an_unreachable_endpoint_is_retriable() -> None:
    with pytest.raises(Unreachable):
        await credentials(FakeHttp(Unreachable("no"))).fetch()


async def test_a_narrower_scope_than_asked_for_is_said_once() -> None:
    narrow, whole = ok(b'{"access_token":"a","scope":"openid"}'), ok(b'{"access_token":"a"}')
    source = credentials(FakeHttp(whole, narrow, narrow, whole, narrow), scope="api openid")
    with capture_logs() as logs:
        for _ in range(5):
            await source.fetch()
    assert [log["missing"] for log in logs] == ["api", "api"]


@pytest.mark.parametrize("auth", ["body", "basic"])
async def test_replaced_credentials_are_sent_with_the_next_request(auth: AuthStyle) -> None:
    http = FakeHttp(ok(b'{"access_token":"a"}'), ok(b'{"access_token":"b"}'))
    source = ClientCredentials(http, token_url="u", client_id="i", client_secret="s", scope="api", auth=auth)
    await source.fetch()
    source.replace(client_id="j", client_secret="t")
    await source.fetch()
    sent = str(http.posted[1][1:])
    assert basic_credentials("j", "t") in sent if auth == "basic" else "'client_secret': 't'" in sent
    assert http.posted[1][1].get("scope") == "api"
    assert source.secrets == secrets_of("j", "t")


# StaticToken


async def test_a_static_token_is_given_without_its_newline() -> None:
    grant = await StaticToken(' ory_at_+/=%"\n').fetch()
    assert (grant.access_token, grant.expires_in) == ('ory_at_+/=%"', None)


@pytest.mark.parametrize("value", ["", " \n", "a\nb", "tök", "\ud800"])
def test_a_static_token_that_cannot_be_one_is_a_mistake_of_configuration(value: str) -> None:
    with pytest.raises(ConfigError) as caught:
        StaticToken(value)
    assert caught.value.problems[0].path == "token"


async def test_a_replaced_static_token_is_told_of_once() -> None:
    source = StaticToken("first")
    source.replace(" second\n")
    with anyio.fail_after(5):
        await source.changed()
    assert (await source.fetch()).access_token == "second"
    with anyio.move_on_after(0.05) as waiting:
        await source.changed()
    assert waiting.cancelled_caught


async def test_a_static_token_is_not_replaced_by_what_cannot_be_one() -> None:
    source = StaticToken("first")
    with pytest.raises(ConfigError):
        source.replace("a\nb")
    assert (await source.fetch()).access_token == "first"


# TokenFile


def changing(*steps: Callable[[], object]) -> Callable[[float], Awaitable[None]]:
    """Return a `sleep` that takes the next step each time, and fails after the last."""
    left = list(steps)

    async def sleep(_: float) -> None:
        left.pop(0)()

    return sleep


async def test_a_token_file_is_read_anew_without_its_newline(tmp_path: Path) -> None:
    path = tmp_path / "token"
    source = TokenFile(path)
    for content in (b"a+/=\n", b"  b\r\n\n", b"c"):
        path.write_bytes(content)
        assert (await source.fetch()).access_token == content.decode().strip()


@pytest.mark.parametrize("before", ["\ufeff", "\ufeff \r\n", "\u00a0", "\u3000"])
async def test_what_validate_takes_for_a_token_file_is_one(tmp_path: Path, before: str) -> None:
    path = tmp_path / "token"
    path.write_text(f"{before}s3cret\r\n", encoding="utf-8")
    assert (await TokenFile(path).fetch()).access_token == "s3cret"


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (None, "FileNotFoundError"),
        (b"", "is empty"),
        (b"\n \n", "is empty"),
        (b"s3cret\ns3cret", "characters"),
        (b"s3cret\xff", "characters"),
        (b"s3cret\x00", "characters"),
        (b"x" * 70_000, "longer than"),
    ],
)
async def test_a_file_without_a_token_is_retriable(tmp_path: Path, content: bytes | None, says: str) -> None:
    path = tmp_path / "token"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(TokenFileUnreadable, match=says) as caught:
        await TokenFile(path).fetch()
    assert "s3cret" not in str(caught.value)
    assert not isinstance(caught.value, GrantRefused)


async def test_a_directory_is_no_token_file(tmp_path: Path) -> None:
    with pytest.raises(TokenFileUnreadable, match="IsADirectoryError"):
        await TokenFile(tmp_path).fetch()


async def test_only_another_token_is_a_change(tmp_path: Path) -> None:
    path = tmp_path / "token"
    path.write_text("a\n")
    taken: list[str] = []

    def write(content: str) -> Callable[[], object]:
        def step() -> None:
            taken.append(content)
            path.write_text(content)

        return step

    source = TokenFile(
        path, sleep=changing(path.touch, write("a"), path.unlink, write(""), write("b\n"), write("c"))
    )
    await source.fetch()
    await source.changed()
    assert taken == ["a", "", "b\n"]
    assert (await source.fetch()).access_token == "b"


async def test_a_file_that_stays_away_is_said_once(tmp_path: Path) -> None:
    path = tmp_path / "token"
    path.write_text("a")
    nothing: list[Callable[[], object]] = [lambda: None] * 6
    source = TokenFile(path, sleep=changing(path.unlink, *nothing, lambda: path.write_text("b")))
    await source.fetch()
    with capture_logs() as lines:
        await source.changed()
    assert [line["event"] for line in lines] == ["token file unreadable"]
    assert str(path) in lines[0]["reason"]


async def test_a_file_that_appears_is_a_change(tmp_path: Path) -> None:
    path = tmp_path / "token"
    source = TokenFile(path, sleep=changing(lambda: None, lambda: path.write_text("a")))
    with pytest.raises(TokenFileUnreadable):
        await source.fetch()
    await source.changed()
    assert (await source.fetch()).access_token == "a"


async def test_a_swapped_symlink_is_a_change(tmp_path: Path) -> None:
    """Kubernetes swaps the directory behind ``..data``; times and sizes may stay the same."""
    for name in ("old", "new"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "token").write_text(name)
    data, swapped = tmp_path / "..data", tmp_path / "..tmp"
    data.symlink_to("old")
    (tmp_path / "token").symlink_to("..data/token")
    swapped.symlink_to("new")
    source = TokenFile(tmp_path / "token", sleep=changing(lambda: swapped.rename(data)))
    assert (await source.fetch()).access_token == "old"
    await source.changed()
    assert (await source.fetch()).access_token == "new"

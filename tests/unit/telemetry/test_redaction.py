import base64
import json
import threading
from urllib.parse import quote

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from connector.telemetry import Redactor
from connector.telemetry.redaction import RECENT, REMEMBERED
from tests.unit.telemetry.encodings import ENCODERS, shown

SECRET = "aB3+/=%\"x\\y'<&>é"

secrets = st.one_of(
    st.text(st.characters(codec="utf-8"), min_size=4, max_size=40),
    st.text("ab01+/=%\" \\'&<>\nü😀", min_size=4, max_size=40),
)
"""Anything, and what encoders quarrel about."""


@pytest.fixture
def redactor() -> Redactor:
    redactor = Redactor()
    redactor.add(SECRET)
    return redactor


@pytest.mark.parametrize("encoding", ENCODERS)
def test_a_secret_is_hidden_in_every_encoding_and_nothing_else_is(redactor: Redactor, encoding: str) -> None:
    line = f"before «{ENCODERS[encoding](SECRET)}» after"

    assert redactor.redact(line) == "before «***» after"


@pytest.mark.parametrize("encoding", ENCODERS)
@given(secret=secrets)
@example(secret="****")
@example(secret="\\\\\\\\")
@example(secret='"""a')
@example(secret="    ")
def test_no_secret_is_shown_in_any_encoding(encoding: str, secret: str) -> None:
    redactor = Redactor()
    redactor.add(secret)
    encoded = ENCODERS[encoding](secret)

    assert encoded not in redactor.redact(f"«{encoded}»")


@given(st.lists(secrets, max_size=4), st.data())
def test_redacting_again_changes_nothing(known: list[str], data: st.DataObject) -> None:
    redactor = Redactor()
    for secret in known:
        redactor.add(secret)
    parts = ["Bearer ", "?token=", '"access_token":"', "Authorization: ", "***", " ", "&key=", '\\"', *known]
    text = "".join(data.draw(st.lists(st.one_of(st.sampled_from(parts), st.text(max_size=8)), max_size=12)))

    once = redactor.redact(text)

    assert redactor.redact(once) == once


@given(st.text())
def test_nothing_known_and_nothing_like_a_credential_leaves_the_text(text: str) -> None:
    plain = text.replace("=", "").replace(":", "").replace(",", "").replace("earer", "").replace("asic", "")

    assert Redactor().redact(plain) == plain


@given(before=st.binary(max_size=5), after=st.binary(max_size=5))
def test_base64_of_more_than_the_secret_hides_the_secret(before: bytes, after: bytes) -> None:
    secret = 'q"+7/=%Zk1oW'
    redactor = Redactor()
    redactor.add(secret)

    redacted = redactor.redact(base64.b64encode(before + secret.encode() + after).decode())

    assert "***" in redacted
    assert len(redacted) <= 22


def test_http_basic_of_a_client_is_hidden() -> None:
    redactor = Redactor()
    redactor.add(SECRET)
    pair = base64.b64encode(f"client:{quote(SECRET, safe='')}".encode()).decode()

    assert redactor.redact(f"Authorization: Basic {pair}") == "Authorization: Basic ***"


def test_what_is_left_of_a_secret_that_was_cut_is_hidden() -> None:
    redactor = Redactor()
    redactor.add("eyJhbGciOiJSUzI1NiJ9.cGF5bG9hZA.c2ln-nature")

    assert redactor.redact("frame: eyJhbGciOiJSUzI1NiJ9.cGF5... [12 more]") == "frame: ***... [12 more]"


@pytest.mark.parametrize("secret", ["", "a", "abc"])
def test_a_secret_that_is_too_short_hides_nothing(secret: str) -> None:
    redactor = Redactor()
    redactor.add(secret)

    assert redactor.redact("a abc") == "a abc"


def test_a_secret_that_begins_with_another_leaves_no_tail() -> None:
    redactor = Redactor()
    redactor.add("secret")
    redactor.add("secret-and-more")

    assert redactor.redact("secret-and-more") == "***"


def test_configured_secrets_outlive_any_number_of_tokens() -> None:
    redactor = Redactor()
    redactor.add("configured-secret")
    for number in range(REMEMBERED + 1):
        redactor.add(f"passing-{number:06}", keep=False)

    assert redactor.redact("configured-secret") == "***"
    assert redactor.redact(f"passing-{REMEMBERED:06} passing-000001") == "*** ***"
    assert redactor.redact("passing-000000") == "passing-000000"


def test_a_token_that_is_configured_later_is_kept() -> None:
    redactor = Redactor()
    redactor.add("token-one", keep=False)
    redactor.add("token-one")
    redactor.add("token-one", keep=False)
    for number in range(REMEMBERED + 1):
        redactor.add(f"passing-{number:06}", keep=False)

    assert redactor.redact("token-one") == "***"


def test_its_own_repr_shows_no_secret(redactor: Redactor) -> None:
    assert shown(SECRET, repr(redactor)) == []


@pytest.mark.parametrize(
    ("line", "redacted"),
    [
        ("wss://h/g?token=a+b%2Fc&x=1", "wss://h/g?token=***&x=1"),
        ("wss://h/g?a=1&access_token=a,b;c next", "wss://h/g?a=1&access_token=*** next"),
        ("<a href='/g?a=1&amp;api_key=abc'>", "<a href='/g?a=1&amp;api_key=***'>"),
        (r'{"url":"/g?a=1\u0026password=abc","b":1}', r'{"url":"/g?a=1\u0026password=***","b":1}'),
        ("/g?key=abc&secret=def", "/g?key=***&secret=***"),
        ("grant_type=x&client_secret=a%20b", "grant_type=x&client_secret=***"),
        ("Authorization: Bearer abc", "Authorization: Bearer ***"),
        ("authorization: abc", "authorization: ***"),
        ("(b'Authorization', b'Basic YTpi')", "(b'Authorization', b'Basic ***')"),
        ("{'Authorization': 'Bearer abc', 'a': 1}", "{'Authorization': '***', 'a': 1}"),
        ("sent Bearer abc.def-1~/= and more", "sent Bearer *** and more"),
        ('{"access_token":"a\\"b","x":1}', '{"access_token":"***","x":1}'),
        ("{'client_secret': 'abc', 'x': 1}", "{'client_secret': '***', 'x': 1}"),
    ],
)
def test_what_stands_where_credentials_stand_is_hidden(line: str, redacted: str) -> None:
    assert Redactor().redact(line) == redacted


def test_json_in_json_stays_json() -> None:
    inner = json.dumps({"access_token": 'a"b\\', "expires_in": 5})
    line = json.dumps({"event": json.dumps({"body": inner}), "level": "info"})

    redacted = json.loads(Redactor().redact(line))

    assert redacted["level"] == "info"
    assert json.loads(json.loads(redacted["event"])["body"]) == {"access_token": "***", "expires_in": 5}


@pytest.mark.parametrize(
    "line",
    [
        'WWW-Authenticate: Bearer realm="api", error="invalid_token"',
        "the bearer token was refused",
        "basic authentication",
        "TopicAuthorizationFailedError: topic orders",
        "monkey=banana",
    ],
)
def test_words_stay_readable(line: str) -> None:
    assert Redactor().redact(line) == line


def test_threads_may_add_and_redact_at_once() -> None:
    redactor = Redactor()
    failures: list[str] = []

    def work(thread: int) -> None:
        for number in range(100):
            secret = f"secret-{thread}-{number}"
            redactor.add(secret, keep=False)
            if redactor.redact(secret) != "***":
                failures.append(secret)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert failures == []


@pytest.mark.parametrize("secret", ["s3cret/+value", "pässwörd-1", 'a"quoted\\one'])
def test_in_bytes_secrets_are_hidden_and_nothing_else_is_changed(secret: str) -> None:
    redactor = Redactor()
    redactor.add(secret)
    looks_like_one = b'{"token":"0xabc","password":"x"} Bearer abcdefgh \xff\xfe\x00 \xe2\x82'
    for written in (secret, quote(secret, safe=""), json.dumps(secret)[1:-1]):
        found = redactor.hide_in(looks_like_one + written.encode() + b"\xff")
        assert found == looks_like_one + b"***\xff"


def test_in_bytes_what_was_configured_and_the_newest_tokens_are_looked_for() -> None:
    redactor = Redactor()
    redactor.add("configured-once")
    tokens = [f"token-{number:04}-of-many" for number in range(RECENT + 1)]
    for token in tokens:
        redactor.add(token, keep=False)
    found = redactor.hide_in(" ".join(["configured-once", *tokens]).encode()).decode()
    assert found.split() == ["***", tokens[0], *["***"] * RECENT]

"""The client credentials grant, clause by clause (RFC 6749)."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from urllib.parse import parse_qsl

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from connector.auth.grant import (
    LONGEST_LIFE,
    Grant,
    GrantRefused,
    GrantUnavailable,
    build_request,
    is_access_token,
    parse_answer,
)

HTML = b"<!doctype html><title>Just a moment...</title>"
GOOD: Mapping[str, object] = {
    "access_token": 'ory_at_x+/=%"',
    "token_type": "bearer",
    "expires_in": 17999,
    "scope": "api",
}


def body(**members: object) -> bytes:
    """Return a good answer with some members changed; ``None`` leaves one out."""
    return json.dumps(
        {name: value for name, value in {**GOOD, **members}.items() if value is not None}
    ).encode()


# §4.4.2, §2.3.1: the request


def test_body_credentials_are_form_parameters() -> None:
    request = build_request(client_id="id", client_secret='s+/=%"', scope="api", auth="body")
    assert request.form == {
        "grant_type": "client_credentials",
        "client_id": "id",
        "client_secret": 's+/=%"',
        "scope": "api",
    }
    assert "authorization" not in request.headers


def test_basic_credentials_are_form_encoded_before_base64() -> None:
    request = build_request(client_id="a:b c", client_secret='s+/=%"ü', scope=None, auth="basic")
    assert request.form == {"grant_type": "client_credentials"}
    scheme, _, credentials = request.headers["authorization"].partition(" ")
    assert scheme == "Basic"
    assert base64.b64decode(credentials) == b"a%3Ab+c:s%2B%2F%3D%25%22%C3%BC"


@given(st.text(), st.text())
def test_whatever_id_and_secret_are_a_server_reads_them_back(client_id: str, client_secret: str) -> None:
    request = build_request(client_id=client_id, client_secret=client_secret, scope=None, auth="basic")
    pair = base64.b64decode(request.headers["authorization"].removeprefix("Basic ")).decode("ascii")
    first, _, second = pair.partition(":")
    decoded = dict(parse_qsl(f"i={first}&s={second}", keep_blank_values=True))
    assert decoded == {"i": client_id, "s": client_secret}


# §5.1: the successful answer


def test_a_good_answer_is_taken() -> None:
    assert parse_answer(200, body()) == Grant(
        access_token='ory_at_x+/=%"', expires_in=17999.0, scope="api", token_type="bearer"
    )


BEARER = [
    "Bearer",
    "BEARER",
    "bearer",
    None,
    "BearerToken",
    "bearer_token",
    "Bearer Token",
    "",
    " ",
    " Bearer ",
    "Bearer:",
]


@pytest.mark.parametrize("kind", BEARER)
def test_the_token_type_is_bearer_in_any_way_of_writing_it_or_left_out(kind: str | None) -> None:
    assert parse_answer(200, body(token_type=kind)).token_type == "bearer"


@pytest.mark.parametrize("kind", ["mac", "DPoP", "N_A", "bearermac", 7, ["bearer"]])
def test_another_token_type_is_refused(kind: object) -> None:
    with pytest.raises(GrantRefused, match="HTTP 200 with a token_type other than bearer"):
        parse_answer(200, body(token_type=kind))


@pytest.mark.parametrize(
    ("kind", "named"),
    [
        ("JWT", " (JWT)"),
        ("access_token", " (access_token)"),
        ("OAuth", " (OAuth)"),
        ("Token", " (Token)"),
        ("dpop", " (DPoP)"),
        ("urn:ietf:params:oauth:token-type:jwt", " (JWT)"),
        ("s3cret", ""),
    ],
)
def test_a_type_that_is_not_bearer_is_named_and_the_url_is_not_blamed(kind: str, named: str) -> None:
    with pytest.raises(GrantRefused) as caught:
        parse_answer(200, body(token_type=kind))
    said = "the token endpoint answered HTTP 200 with a token_type other than bearer"
    assert str(caught.value) == said + named
    assert caught.value.remedy == "have the authorization server answer with token_type Bearer (RFC 6750)"


@pytest.mark.parametrize(
    ("error", "code"),
    [
        ("invalid_client ", "invalid_client"),
        ("Access_Denied", "access_denied"),
        ("invalid-scope", "invalid_scope"),
        ("Invalid Client", "invalid_client"),
        ({"code": "invalid_client"}, "invalid_client"),
        ({"error": "unauthorized_client", "message": "s3cret"}, "unauthorized_client"),
        ({"type": " INVALID_GRANT", "code": 400}, "invalid_grant"),
    ],
)
def test_a_code_is_known_however_it_is_written(error: object, code: str) -> None:
    with pytest.raises(GrantRefused) as caught:
        parse_answer(400, json.dumps({"error": error}).encode())
    assert caught.value.code == code
    assert str(caught.value) == f"the token endpoint answered HTTP 400, {code}"


def test_a_passing_code_is_known_however_it_is_written() -> None:
    with pytest.raises(GrantUnavailable):
        parse_answer(400, b'{"error": {"code": "Temporarily_Unavailable"}}')


@pytest.mark.parametrize(
    "token", [None, "", 7, ["x"], "a\r\nHost: evil", "a\x00", "tökén", "a\x7f", "\n", "\ud800"]
)
def test_without_a_usable_token_the_answer_is_refused(token: object) -> None:
    with pytest.raises(GrantRefused, match="HTTP 200 without a usable access_token"):
        parse_answer(200, body(access_token=token))


@pytest.mark.parametrize("token", ["ory_at_x\n", " ory_at_x", "ory_at_x\r\n"])
def test_white_space_around_a_token_is_no_part_of_it(token: str) -> None:
    assert parse_answer(200, body(access_token=token)).access_token == "ory_at_x"


@pytest.mark.parametrize(
    ("life", "seconds"),
    [
        ("17999", 17999.0),
        (" 5 ", 5.0),
        ("5.5", 5.5),
        ('"60"', 60.0),
        ('" 60 "', 60.0),
        ("0.5", 0.5),
        ("0", None),
        ("-1", None),
        ('"0"', None),
        ('"-60"', None),
        ("NaN", None),
        ("Infinity", None),
        ("-Infinity", None),
        ("1e999", None),
        ('"inf"', None),
        ('"nan"', None),
        ('"1e3"', None),
        ('"1_000"', None),
        ('"٣"', None),
        ('""', None),
        ('"soon"', None),
        ("true", None),
        ("null", None),
        ("[60]", None),
        ("{}", None),
        ("9" * 30, LONGEST_LIFE),
        ("1e300", LONGEST_LIFE),
        (f'"{"9" * 999}"', LONGEST_LIFE),
    ],
)
def test_a_life_is_a_positive_number_or_numeric_text_and_else_unknown(
    life: str, seconds: float | None
) -> None:
    answer = f'{{"access_token": "x", "token_type": "bearer", "expires_in": {life}}}'
    assert parse_answer(200, answer.encode()).expires_in == seconds


def test_a_life_may_be_left_out() -> None:
    assert parse_answer(200, body(expires_in=None)).expires_in is None


@pytest.mark.parametrize(
    ("scope", "taken"),
    [
        ("api", "api"),
        ("a b", "a b"),
        (None, None),
        ("", None),
        (["api"], None),
        ("a\nb", None),
        ('a"b', None),
    ],
)
def test_a_scope_left_out_or_unreadable_is_the_one_asked_for(scope: object, taken: str | None) -> None:
    assert parse_answer(200, body(scope=scope)).scope == taken


def test_of_doubled_members_one_is_taken() -> None:
    assert parse_answer(200, b'{"access_token":"a","access_token":"b"}').access_token == "b"


def test_a_byte_order_mark_is_tolerated() -> None:
    assert parse_answer(200, b"\xef\xbb\xbf" + body()).scope == "api"


# §5.2 and everything else


@pytest.mark.parametrize(
    "code",
    [
        "invalid_request",
        "invalid_client",
        "invalid_grant",
        "unauthorized_client",
        "unsupported_grant_type",
        "invalid_scope",
    ],
)
@pytest.mark.parametrize("status", [200, 400, 401, 403])
def test_the_codes_of_the_standard_are_permanent_and_named(status: int, code: str) -> None:
    answer = json.dumps({"error": code, "error_description": "s3cret"}).encode()
    with pytest.raises(GrantRefused) as caught:
        parse_answer(status, answer)
    error = caught.value
    assert (error.status, error.code) == (status, code)
    assert error.remedy
    assert str(error) == f"the token endpoint answered HTTP {status}, {code}"


@pytest.mark.parametrize(
    ("status", "answer", "says"),
    [
        (400, b'{"error": "s3cret"}', "HTTP 400, an unrecognised error"),
        (400, b'{"error": ["invalid_client"]}', "HTTP 400, an unrecognised error"),
        (401, b"", "HTTP 401, not an OAuth answer"),
        (404, HTML, "HTTP 404, not an OAuth answer"),
        (403, b'{"message": "s3cret"}', "HTTP 403, not an OAuth answer"),
        (302, HTML, "HTTP 302, not an OAuth answer"),
        (307, b"", "HTTP 307, not an OAuth answer"),
        (200, HTML, "HTTP 200, not an OAuth answer"),
        (200, b"", "HTTP 200, not an OAuth answer"),
        (204, b"", "HTTP 204, not an OAuth answer"),
        (200, b'["access_token"]', "HTTP 200, not an OAuth answer"),
        (200, b"null", "HTTP 200, not an OAuth answer"),
        (200, b'{"access_token": "\xff"}', "HTTP 200, not an OAuth answer"),
        (200, b"[" * 500_000, "HTTP 200, not an OAuth answer"),
        (200, b'{"a":' * 100_000, "HTTP 200, not an OAuth answer"),
        (200, b'{"expires_in":' + b"9" * 5000 + b"}", "HTTP 200, not an OAuth answer"),
        (101, b"", "HTTP 101, not an OAuth answer"),
    ],
)
def test_what_is_no_grant_and_does_not_pass_is_refused(status: int, answer: bytes, says: str) -> None:
    with pytest.raises(GrantRefused) as caught:
        parse_answer(status, answer)
    assert str(caught.value) == f"the token endpoint answered {says}"
    assert "s3cret" not in caught.value.remedy


@pytest.mark.parametrize("status", [408, 425, 429, 500, 502, 503, 504, 599])
def test_busy_and_broken_endpoints_pass_by_themselves(status: int) -> None:
    with pytest.raises(GrantUnavailable) as caught:
        parse_answer(status, HTML, retry_after=7.0)
    assert (caught.value.status, caught.value.retry_after) == (status, 7.0)


@pytest.mark.parametrize("code", ["temporarily_unavailable", "server_error"])
def test_codes_that_say_so_pass_by_themselves(code: str) -> None:
    with pytest.raises(GrantUnavailable, match=code):
        parse_answer(400, json.dumps({"error": code}).encode())


def test_a_redirect_is_refused_with_its_remedy() -> None:
    with pytest.raises(GrantRefused) as caught:
        parse_answer(308, b"")
    assert "redirects" in caught.value.remedy


def test_a_client_that_is_denied_tokens_is_told_so() -> None:
    with pytest.raises(GrantRefused, match="access_denied") as caught:
        parse_answer(403, b'{"error":"access_denied"}')
    assert "allow this client" in caught.value.remedy


@pytest.mark.parametrize(("asked", "waits"), [(None, 5.0), (2.0, 5.0), (60.0, 60.0)])
def test_an_endpoint_that_is_asked_too_often_is_asked_more_slowly(asked: float | None, waits: float) -> None:
    with pytest.raises(GrantUnavailable, match="slow_down") as caught:
        parse_answer(400, b'{"error":"slow_down"}', retry_after=asked)
    assert caught.value.retry_after == waits


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=8,
)
MEMBERS = st.dictionaries(
    st.sampled_from(["access_token", "token_type", "expires_in", "scope", "error", "other"]),
    JSON | st.sampled_from(["bearer", "x", "invalid_client"]),
)


@given(
    st.integers(0, 1000),
    st.binary() | JSON.map(json.dumps).map(str.encode) | MEMBERS.map(json.dumps).map(str.encode),
)
@example(200, json.dumps({"access_token": "x", "expires_in": 10**400}).encode())
def test_any_status_with_any_bytes_is_a_grant_or_one_of_two_errors(status: int, answer: bytes) -> None:
    try:
        grant = parse_answer(status, answer)
    except (GrantRefused, GrantUnavailable):
        return
    assert is_access_token(grant.access_token)
    assert grant.expires_in is None or 0 < grant.expires_in <= LONGEST_LIFE

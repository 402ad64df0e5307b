"""``WWW-Authenticate`` of a bearer token, and what is put in its place."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector.subscription.challenge import Challenge, bearer_challenge

REFUSED = 'Bearer realm="api", error="invalid_token", error_description="The access token expired"'
FORBIDDEN = 'Bearer error="insufficient_scope", scope="trades:read  blocks", error_description="more rights"'


@pytest.mark.parametrize(
    ("lines", "error", "description", "scope"),
    [
        # As RFC 6750 §3 has them.
        (['Bearer realm="example"'], "", "", ""),
        ([REFUSED], "invalid_token", "The access token expired", ""),
        ([FORBIDDEN], "insufficient_scope", "more rights", "trades:read  blocks"),
        # Names and schemes are read without regard to case, values may be plain, spaces may stand anywhere.
        (["bEARER   ERROR = invalid_token"], "invalid_token", "", ""),
        (["DPoP error=invalid_token, algs=ES256"], "invalid_token", "", ""),
        (['Bearer\terror\t=\t"invalid_request"'], "invalid_request", "", ""),
        # Several challenges, in one header or in several, in any order.
        ([f'Basic realm="x", {REFUSED}'], "invalid_token", "The access token expired", ""),
        ([f'{REFUSED}, Basic realm="x"'], "invalid_token", "The access token expired", ""),
        (['Basic realm="x"', REFUSED], "invalid_token", "The access token expired", ""),
        ([REFUSED, 'Basic realm="x"'], "invalid_token", "The access token expired", ""),
        ([f"Negotiate oYG2MIGzoAMKAQ==, {REFUSED}"], "invalid_token", "The access token expired", ""),
        (['Bearer realm="a"', 'Bearer error="invalid_token"'], "invalid_token", "", ""),
        (['Bearer realm="a", Bearer error="invalid_token"'], "invalid_token", "", ""),
        ([REFUSED, FORBIDDEN], "invalid_token", "The access token expired", ""),
        (['Bearer error="invalid_token", error="insufficient_scope"'], "invalid_token", "", ""),
        # Quoted texts are no parameters, and other schemes' errors none of ours.
        (['Basic realm="Bearer error=\\"invalid_token\\"", Bearer'], "", "", ""),
        (['Digest error="invalid_token"'], "", "", ""),
        (['Basic error="a", Bearer realm="b", Digest error="c"'], "", "", ""),
        (['Bearer error_description="say \\"no\\""'], "", 'say "no"', ""),
        # Malformed.
        (["", ",", "=", "Bearer", "Bearer,,,=", '"', "\\"], "", "", ""),
        (['Bearer error="invalid_token'], "", "", ""),
        (['Bearer error=, error_description="x"'], "", "x", ""),
        (["Bearer error invalid_token"], "", "", ""),
        (['error="invalid_token"'], "", "", ""),
        (['Bearer ,,,error="invalid_token",,,'], "invalid_token", "", ""),
        (['Bearer error="invalid_token";error_description="x"'], "invalid_token", "x", ""),
        (['Bearer error="invalid\ntoken", error_description="caf\udcc3 \x00"'], "", "", ""),
        (['Bearer error="invalid_token\\'], "", "", ""),
    ],
)
def test_what_is_said_of_the_token_is_read(
    lines: list[str], error: str, description: str, scope: str
) -> None:
    assert bearer_challenge(lines) == Challenge(error=error, description=description, scope=scope)


def test_no_value_is_long() -> None:
    said = bearer_challenge([f'Bearer error="x", error_description="{"y" * 5000}"'])
    assert said.error == "x"
    assert 0 < len(said.description) <= 200


@given(st.lists(st.text(max_size=60) | st.text(alphabet='Bearer ="\\,xtok', max_size=60), max_size=4))
def test_nothing_makes_it_fail(lines: list[str]) -> None:
    said = bearer_challenge(lines)
    assert all(text.isascii() and "\n" not in text for text in (said.error, said.description, said.scope))


@pytest.mark.parametrize("piece", ['a="', 'a="\\"', "a ", "a=", " ", "\t=", "\\", '"', "a", 'a= "', ","])
def test_nothing_makes_it_think_for_long(piece: str) -> None:
    begun = time.process_time()
    bearer_challenge(["Bearer " + piece * 100_000] * 100)
    assert time.process_time() - begun < 2.0  # a hundred times what it takes

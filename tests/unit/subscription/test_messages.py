"""Errors as servers really write them, and refusals that look like data."""

import tracemalloc

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector.subscription.messages import (
    MAX_ERRORS,
    MAX_TEXT,
    GraphQLError,
    encode,
    read_errors,
    refusal_in_data,
    result_of,
)


def error(message: str = "", *codes: str) -> GraphQLError:
    return GraphQLError(message=message, codes=codes)


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        (b"", ()),
        (b"null", ()),
        (b"[]", ()),
        (b"[ ]", ()),
        (b'"Unauthorized"', (error("Unauthorized"),)),
        (b'{"message":"no"}', (error("no"),)),
        (b'[{"message":"no"}]', (error("no"),)),
        (b'[{"message":"a"},{"message":"b"}]', (error("a"), error("b"))),
        (b'["a","b"]', (error("a"), error("b"))),
        (b'[{"message":"a"},"b"]', (error("a"), error("b"))),
        (b'{"message":"no","extensions":{"code":"FORBIDDEN"}}', (error("no", "FORBIDDEN"),)),
        (b'{"message":"no","extensions":{"code":401}}', (error("no", "401"),)),
        (b'{"errors":[{"message":"no","extensions":{"code":"invalid-jwt"}}]}', (error("no", "invalid-jwt"),)),
        (b'{"error":"no"}', (error("no"),)),
        (b"{}", (error(),)),
        (b"1", (error(),)),
        (b"[[]]", (error(),)),
    ],
)
def test_errors_are_read_in_every_form(raw: bytes, expected: tuple[GraphQLError, ...]) -> None:
    assert read_errors(raw) == expected


@pytest.mark.parametrize(
    ("more", "codes"),
    [
        ('"errorType":"UnauthorizedException","errorCode":401', ("UnauthorizedException", "401")),
        ('"code":"UNAUTHENTICATED"', ("UNAUTHENTICATED",)),
        ('"extensions":{"classification":"UNAUTHORIZED"}', ("UNAUTHORIZED",)),
        ('"extensions":{"http":{"status":401}}', ("401",)),
        ('"extensions":{"code":"INTERNAL","originalError":{"statusCode":401}}', ("INTERNAL", "401")),
        ('"extensions":{"exception":{"code":"ExpiredSignatureError"}}', ("ExpiredSignatureError",)),
        ('"extensions":{"status":401,"statusCode":"401"}', ("401",)),
        ('"extensions":{"http":[],"status":true,"code":""}', ()),
    ],
)
def test_a_code_is_found_where_servers_put_it(more: str, codes: tuple[str, ...]) -> None:
    assert read_errors(f'[{{"message":"no",{more}}}]'.encode()) == (error("no", *codes),)


def test_the_codes_of_an_error_inside_another_are_found() -> None:
    raw = b'{"errors":[{"errorType":"UnauthorizedException","errorCode":401}]}'
    assert read_errors(raw) == (error("", "UnauthorizedException", "401"),)


@pytest.mark.parametrize(
    "extensions", ["[]", "null", '"x"', '{"code":null}', '{"code":1.5}', '{"code":{}}', "{}"]
)
def test_odd_extensions_do_not_hide_the_message(extensions: str) -> None:
    assert read_errors(b'[{"message":"no","extensions":%s}]' % extensions.encode()) == (error("no"),)


@pytest.mark.parametrize("raw", [b'"\xff"', b'[{"message":"\xff"}]', b'{"message":"\\ud800"}', b"[" * 5000])
def test_text_that_cannot_be_decoded_is_an_error_without_text(raw: bytes) -> None:
    assert read_errors(raw) == (error(),)


def test_long_texts_and_long_lists_are_cut() -> None:
    raw = b"[" + b",".join([b'{"message":"%s"}' % (b"x" * 2000)] * 50) + b"]"
    errors = read_errors(raw)
    assert len(errors) == MAX_ERRORS
    assert {len(one.message) for one in errors} == {MAX_TEXT}


@given(st.binary())
def test_no_bytes_make_reading_errors_fail(raw: bytes) -> None:
    read_errors(raw)
    refusal_in_data(raw)
    result_of(raw)


def test_a_refusal_in_the_place_of_data_is_found() -> None:
    assert refusal_in_data(b'{"type":"error","payload":{"message":"no"}}') == (error("no"),)
    assert refusal_in_data(b'{"payload":"no","type":"error"}') == (error("no"),)
    assert refusal_in_data(b'{"type":"error"}') == (error(),)


@pytest.mark.parametrize("data", [b"", b"null", b"[]", b'{"type":"trade"}', b'{"type":1}', b'{"EVM":{}}'])
def test_data_is_not_taken_for_a_refusal(data: bytes) -> None:
    assert refusal_in_data(data) == ()


def test_a_result_is_found_in_its_frame() -> None:
    result = result_of(b'{"payload":{"errors":[1],"data":{"a":1}},"id":1,"type":"next"}')
    assert (bytes(result.data), bytes(result.errors)) == (b'{"a":1}', b"[1]")


def test_messages_leave_out_what_they_do_not_have() -> None:
    assert encode("ping") == b'{"type":"ping"}'
    assert encode("stop", operation=True) == b'{"type":"stop","id":"1"}'
    assert encode("x", payload={"a": 1}, operation=True) == b'{"type":"x","id":"1","payload":{"a":1}}'


@pytest.mark.parametrize("element", [b"{}", b"0", b'{"message":"x"}'])
def test_a_million_errors_are_not_decoded_to_read_the_first(element: bytes) -> None:
    raw = b"[" + b",".join([element] * 1_000_000) + b"]"
    tracemalloc.start()
    try:
        errors = read_errors(raw)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert len(errors) == MAX_ERRORS
    assert peak < 3 * len(raw)


@pytest.mark.parametrize("code", ['"😀%s"' % ("y" * 100_000), "9" * 100_000])
def test_a_code_that_is_no_word_is_none(code: str) -> None:
    found = read_errors(f'[{{"message":"no","extensions":{{"code":{code}}}}}]'.encode())
    assert found == (error("no"),)

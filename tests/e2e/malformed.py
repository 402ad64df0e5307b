"""
What no server should send: websocket messages and frames, and answers of a token endpoint.

In all of them `SECRET` stands where the peer repeats the secret that it was given.
"""

from __future__ import annotations

import random
import struct
from collections.abc import Iterator

SECRET = "@" * 48
"""As long as a token or a client secret of the stand-ins inside a JSON text."""

TOKEN = "&" * 48
"""Stands for a token that is good."""

TEXT, BINARY, CLOSE, PING, PONG = 1, 2, 8, 9, 10

DEEP = 100_000
ROW = '{"Block":{"Time":"2024-02-02T00:00:00Z"},"Transaction":{"Hash":"0xodd"},"Trade":{"Amount":1.50}}'
SAID = [
    *("null", "true", "5", "-0", "1e999999", "9" * 5000, '""', '"x"', "[]", "{}", "[null]", "[5]", "[[]]"),
    *("[{}]", '{"a":1}', '"\\ud800"', '"\\u0000"', '"%s"' % ("x" * 100_000), "[" * DEEP + "]" * DEEP),
    *('{"a":' * 600 + "1" + "}" * 600, f'"bad token {SECRET}"', "NaN", "1.", "01", "'x'", '"\\x"', "tru", ""),
]
"""Values of any shape, some of which are none."""

KINDS = [
    *("connection_ack", "connection_error", "error", "complete", "ka", "ping", "pong", "connection_init"),
    *("subscribe", "start", "stop", "connection_terminate", "connection_keep_alive", "data", "next", "ack"),
    *("", "NEXT", " next", "next\\u0000", "nex\\u0074", "__proto__", "\\ud800", SECRET),
]
IDS = ["null", "1", '"1"', '"2"', '""', "{}", "[]", "1e400", "-1", '"\\ud800"', "9" * 400, f'"{SECRET}"']


def frame(content: bytes, *, opcode: int = TEXT, first: int | None = None) -> bytes:
    """Return one unmasked frame (RFC 6455 §5.2); ``first`` is its first byte, if not a final one's."""
    head = bytes([0x80 | opcode if first is None else first])
    if len(content) < 126:
        return head + bytes([len(content)]) + content
    if len(content) < 65536:
        return head + b"\x7e" + struct.pack("!H", len(content)) + content
    return head + b"\x7f" + struct.pack("!Q", len(content)) + content


def result(payload: str, *, more: str = "") -> str:
    """Return a result message with ``payload``, which need not be JSON."""
    return f'{{"id":"1","type":"next"{more},"payload":{payload}}}'


def rows(*values: str) -> str:
    """Return a result message with these rows."""
    return result(f'{{"data":{{"EVM":{{"DEXTrades":[{",".join(values)}]}}}}}}')


def _no_messages() -> Iterator[str]:
    yield from (
        "",
        " ",
        "{",
        "}",
        "[",
        "nul",
        "hello",
        '{"type"',
        '{"type":}',
        '{"type":"next"',
        "{}{}",
        "\ufeff{}",
    )
    yield from (
        '{"type":"next",}',
        "{'type':'next'}",
        '{"type":"pong"}//',
        '{"type":"pong"}\n{"type":"pong"}',
    )
    yield from (f'{{"payload":{{}},"id":"1","type":{value}}}' for value in SAID)
    yield from SAID
    yield from (f'{{"id":"1","type":"{kind}","payload":' for kind in KINDS[:4])


def _messages() -> Iterator[str]:
    for kind in KINDS:
        yield f'{{"type":"{kind}"}}'
        yield from (f'{{"id":"2","type":"{kind}","payload":{value}}}' for value in SAID[::5])
    for kind in ("next", "error", "complete", "ping"):
        yield from (f'{{"type":"{kind}","id":{value},"payload":{{"data":null}}}}' for value in IDS)
    yield from (f'{{"type":"ping","payload":{value}}}' for value in SAID)
    yield from (f'{{"id":"1","type":"error","payload":{value}}}' for value in SAID)
    yield from (f'{{"id":"1","type":"error","payload":[{{"message":{value}}}]}}' for value in SAID[::3])
    yield from (
        '{"type":"pong","type":"next"}',
        '{"id":"1","id":"2","type":"next","payload":{"data":null},"payload":5}',
        result('{"data":null,"data":{"EVM":null}}'),
        result('{"data":{"EVM":{"DEXTrades":null,"DEXTrades":[]}}}'),
        result("{}", more=',"x":' + "[" * DEEP + "]" * DEEP),
        " " * 3_000_000 + '{"type":"pong"}',
    )


def _results() -> Iterator[str]:
    yield from (result(value) for value in SAID)
    for parts in ('{"data":%s}', '{"data":{"EVM":%s}}', '{"data":{"EVM":{"DEXTrades":%s}}}'):
        yield from (result(parts % value) for value in SAID)
    for parts in ('{"errors":%s}', '{"data":null,"errors":%s}', '{"errors":[{"message":%s}]}'):
        yield from (result(parts % value) for value in SAID)
    for parts in ('{"data":{"type":"error","payload":%s}}', '{"errors":[{"extensions":{"code":%s}}]}'):
        yield from (result(parts % value) for value in SAID[::2])


def _rows() -> Iterator[str]:
    yield from (rows(ROW, value, ROW) for value in SAID)
    for part in ('"2024-02-02T00:00:00Z"', '"0xodd"', "1.50"):
        yield from (rows(ROW.replace(part, value)) for value in SAID)
    for moment in ("0000-00-00T00:00:00Z", "9999-12-31T23:59:59Z", "1900-01-01T00:00:00Z", "2024-02-30", "٣"):
        yield rows(ROW.replace("2024-02-02T00:00:00Z", moment))
    yield rows(ROW.replace('"Block"', '"Block":null,"Block"'), ROW.replace("Hash", "hash"))


def _bytes() -> Iterator[bytes]:
    whole = rows(ROW).encode()
    for spoilt in (b"\xff", b"\xc0\xaf", b"\xed\xa0\x80", b"\x00", b"\xf4\x90\x80\x80", b"\xe2\x82"):
        yield whole.replace(b"0xodd", spoilt)
        yield spoilt
    yield whole.decode().encode("utf-16")
    yield b"\xef\xbb\xbf" + whole
    dice = random.Random(6455)
    for _ in range(150):
        at = dice.randrange(len(whole))
        yield whole[:at] + dice.randbytes(dice.randrange(5)) + whole[at + dice.randrange(9) :]


def messages() -> list[bytes]:
    """Return frames with a whole message each, in no order; any may be met in any way but by a crash."""
    texts = [*_no_messages(), *_messages(), *_results(), *_rows()]
    found = [frame(text.encode("utf-8", "surrogatepass")) for text in texts]
    found += [frame(text.encode(), opcode=BINARY) for text in texts[::7]]
    found += [frame(content, opcode=BINARY) for content in _bytes()]
    found += [frame(content) for content in list(_bytes())[::3]]
    found = list(dict.fromkeys(found))
    random.Random(4918).shuffle(found)
    return found


def _fragments(message: bytes, size: int, between: bytes = b"") -> bytes:
    pieces = [message[at : at + size] for at in range(0, len(message), size)] or [b""]
    middle = b"".join(between + frame(piece, first=0) for piece in pieces[1:])
    return frame(pieces[0], first=TEXT) + middle + frame(b"", first=0x80)


def frames() -> dict[str, bytes]:
    """Return sequences of frames that RFC 6455 forbids, or seldom sees."""
    whole = rows(ROW).encode()
    closes = (
        0,
        999,
        1000,
        1001,
        1004,
        1005,
        1006,
        1007,
        1012,
        1013,
        1015,
        2999,
        3000,
        4000,
        4999,
        5000,
        65535,
    )
    return {
        "one byte a fragment": _fragments(whole, 1),
        "pings between fragments": _fragments(whole, 9, frame(b"x" * 125, opcode=PING)),
        "empty fragments": frame(b"", first=TEXT) + frame(b"", first=0) * 500 + frame(whole, first=0x80),
        "fragments of nothing": frame(b"", first=TEXT) + frame(b"", first=0x80),
        "a character in two fragments": frame(b'{"type":"\xe2\x82', first=TEXT)
        + frame(b'\xac"}', first=0x80),
        "pongs": frame(b"unasked", opcode=PONG) * 100,
        "pings": frame(b"", opcode=PING) * 100,
        "a flood": frame(b'{"type":"ping"}') * 2000,
        "reserved bits": frame(whole, first=0xF1),
        "compressed": frame(whole, first=0xC1),
        "an opcode that is none": frame(whole, opcode=3),
        "a control opcode that is none": frame(b"", opcode=11),
        "masked": b"\x81\x85aaaaxxxxx",
        "a long ping": frame(b"x" * 126, opcode=PING),
        "a ping in fragments": frame(b"x", first=PING),
        "a continuation of nothing": frame(whole, first=0x80),
        "a message in a message": frame(b"{", first=TEXT) + frame(whole),
        "a length of 2^63": b"\x81\x7f" + b"\xff" * 8,
        "a length of a gigabyte": b"\x81\x7f" + struct.pack("!Q", 1 << 30) + b"x" * 1000,
        "a length that is not the shortest": b"\x81\x7e\x00\x05hello",
        "too large": frame(b" " * (17 << 20)),
        "too large in fragments": frame(b"[" * (9 << 20), first=TEXT) + frame(b"[" * (9 << 20), first=0x80),
        "http": b"HTTP/1.1 400 Bad Request\r\n\r\n" + SECRET.encode() * 9,
        "zeros": b"\x00" * 1000,
        "noise": random.Random(1).randbytes(1000),
        "half a frame": frame(whole)[: len(whole) // 2],
        "nothing": b"",
        "a close of one byte": frame(b"\x03", opcode=CLOSE),
        "a close without a code": frame(b"", opcode=CLOSE),
        "a close whose reason is no text": frame(b"\x03\xe8\xff\xfe", opcode=CLOSE),
        "a close that tells": frame(b"\x0f\xa0" + SECRET.encode(), opcode=CLOSE),
        "two closes": frame(b"\x03\xe8", opcode=CLOSE) * 2 + frame(whole),
        **{f"close {code}": frame(struct.pack("!H", code), opcode=CLOSE) for code in closes},
    }


GRANT = f'{{"access_token":"{TOKEN}","token_type":"bearer","expires_in":2,"scope":"api"}}'
"""A good answer of a token endpoint; refreshed soon."""

_STATUSES = (200, 201, 204, 302, 304, 400, 401, 403, 404, 418, 429, 500, 503, 599)
_HEADERS = (
    "Retry-After: 1",
    "Retry-After: -5",
    "Content-Encoding: gzip",
    "Content-Type: \xff",
    "X: " + "y" * 999,
)


def answer(status: int, body: bytes, *headers: str) -> bytes:
    """Return a whole HTTP answer."""
    head = (f"HTTP/1.1 {status} Why", f"Content-Length: {len(body)}", "Connection: close", *headers, "", "")
    return "\r\n".join(head).encode("latin-1") + body


def _grants() -> Iterator[str]:
    yield from SAID
    for name, usual in (
        ("access_token", f'"{TOKEN}"'),
        ("token_type", '"bearer"'),
        ("expires_in", "2"),
        ("scope", '"api"'),
    ):
        yield from (GRANT.replace(f'"{name}":{usual}', f'"{name}":{value}') for value in SAID)
    yield GRANT.replace("access_token", "token")
    yield GRANT.replace("{", '{"error":"invalid_client",')
    yield GRANT.replace("{", '{"access_token":null,')
    yield from (GRANT[:length] for length in range(0, len(GRANT), 9))
    yield from (f"<html>{SECRET}</html>", "error=invalid_client", "\ufeff" + GRANT, GRANT * 2, f"[{GRANT}]")


def token_answers() -> list[bytes]:
    """Return answers of a token endpoint, in no order; some hold a token that can be used."""
    found = [answer(200, body.encode()) for body in _grants()]
    errors = (f'{{"error":{value},"error_description":"{SECRET}"}}' for value in SAID)
    found += [answer(400, body.encode()) for body in errors]
    found += [answer(status, f'{{"error":"invalid_client","x":"{SECRET}"}}'.encode()) for status in _STATUSES]
    found += [answer(status, b"\xff\xfe" + SECRET.encode()) for status in _STATUSES]
    found += [answer(200, GRANT.encode(), header) for header in _HEADERS]
    found += [answer(503, b"{}", header) for header in _HEADERS]
    whole = answer(200, GRANT.encode())
    found += [b"", b"\r\n\r\n", b"HTTP/1.1 ", b"\x16\x03\x01\x02", b"x" * 100_000, whole[:-9], whole[:30]]
    found += [whole.replace(b"HTTP/1.1", b"HTTP/9.9"), whole + whole]
    found += [whole.replace(b"200", status) for status in (b"abc", b"101", b"099", b"1000", b"-1")]
    found += [whole.replace(b"Length: ", b"Length: " + more) for more in (b"-", b"9", b"x", b"1, ")]
    found.append(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n" + GRANT.encode())
    random.Random(6749).shuffle(found)
    return found

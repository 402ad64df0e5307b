"""
Numbered rows shaped like the vendor's ``EVM.DEXTrades``.

A row is a pure function of its feed's name, number, second and style, so a ledger need not keep the bytes
to know them exactly. The number is the last 16 hex digits of the transaction hash.
"""

from __future__ import annotations

import hashlib
import random
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache

_EPOCH = 1_700_000_000
_FIRST_BLOCK = 41_000_000
_TOKENS = tuple(hashlib.sha256(b"token %d" % index).hexdigest()[:40].encode() for index in range(16))
# Prices arrive as floats, in exponent form, or as the integer 0 in the very same field.
_PRICES = (b"0.1473770190975815", b"0", b"6.78531840393568", b"2.5e-07", b"596.1203840268988")
_FILLER = random.Random(7).randbytes(1 << 16).hex().encode()
_NUMBER = re.compile(rb'"Hash"\s*:\s*"0x[0-9a-f]{48}([0-9a-f]{16})"')

_COMPACT = (
    b'{"Block":{"Time":"%(time)b","Number":"%(block)d"},'
    b'"Transaction":{"Hash":"0x%(hash)b%(number)016x","Index":"%(slot)d","Data":"0x%(filler)b"},'
    b'"Log":{"Index":%(log)d},"Call":{"Index":%(slot)d},'
    b'"Trade":{"Index":%(slot)d,"Success":true,"Sender":null,'
    b'"Dex":{"ProtocolFamily":"PancakeSwap","ProtocolName":"pancake_swap_v3"},'
    b'"Buy":{"Amount":"%(number)d.%(log)018d","Currency":{"Decimals":9,"Fungible":true,'
    b'"Name":"Caf\\u00e9 \\"Lait\\" \xe4\xb8\xad\xe6\x96\x87\\/x","SmartContract":"0x%(token)b",'
    b'"Symbol":"CAF"},"Price":%(price)b,"PriceInUSD":%(usd)b},'
    b'"Sell":{"Amount":"417.465650494159369062","Currency":{"Decimals":18,"Fungible":true,'
    b'"Name":"Tether USD","SmartContract":"0x55d398326f99059ff775485246999027b3197955","Symbol":"USDT"},'
    b'"Price":6.78531840393568,"PriceInUSD":0}}}'
)
_SPACED = _COMPACT.replace(b'":', b'" : ').replace(b',"', b' ,\n\t"').replace(b"}}", b"} }")


@dataclass(frozen=True, kw_only=True, slots=True)
class RowStyle:
    """
    What changes a row's bytes.

    ``row_bytes`` is the wished size of a row (a row is never shorter than its fields need);
    ``spaced`` puts insignificant whitespace into the JSON; another ``revision`` gives the same identity
    with other content, as a revised row has.
    """

    row_bytes: int = 1000
    spaced: bool = False
    revision: int = 0


PLAIN = RowStyle()


@lru_cache(maxsize=64)
def block_time(second: int) -> str:
    """``Block.Time`` of the unix ``second``: RFC 3339 UTC, whole seconds."""
    return datetime.fromtimestamp(second, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


@lru_cache(maxsize=64)
def _hash_prefix(feed: str) -> bytes:
    return hashlib.sha256(feed.encode()).hexdigest()[:48].encode()


def transaction_hash(feed: str, number: int) -> str:
    """``Transaction.Hash`` of a row: unique over all feeds."""
    return f"0x{_hash_prefix(feed).decode()}{number:016x}"


def buy_contract(number: int) -> str:
    """``Trade.Buy.Currency.SmartContract`` of a row: one of sixteen, so that keys repeat."""
    return "0x" + _TOKENS[number % len(_TOKENS)].decode()


def make_row(feed: str, number: int, second: int, style: RowStyle = PLAIN) -> bytes:
    """The row's exact bytes; ``second`` is the unix time that ``Block.Time`` tells."""
    fields: dict[bytes, bytes | int] = {
        b"time": block_time(second).encode(),
        b"block": _FIRST_BLOCK + second - _EPOCH,
        b"hash": _hash_prefix(feed),
        b"number": number,
        b"slot": number % 200,
        b"log": number % 1000,
        b"token": _TOKENS[number % len(_TOKENS)],
        b"price": _PRICES[(number + style.revision) % len(_PRICES)],
        b"usd": _PRICES[(number + style.revision + 1) % len(_PRICES)],
        b"filler": b"",
    }
    template = _SPACED if style.spaced else _COMPACT
    bare = template % fields
    missing = style.row_bytes - len(bare)
    if missing <= 0:
        return bare
    at = bare.index(b'"0x"') + 3
    return bare[:at] + _filler(number, missing) + bare[at:]


def _filler(number: int, size: int) -> bytes:
    start = (number * 97) % (len(_FILLER) // 2)
    piece = _FILLER[start : start + size]
    return piece if len(piece) == size else (_FILLER * (size // len(_FILLER) + 2))[start : start + size]


def row_number(row: bytes) -> int | None:
    """The number in a row; ``None`` for bytes that are no row of ours."""
    match = _NUMBER.search(row)
    return int(match[1], 16) if match else None


def row_feed_prefix(feed: str) -> bytes:
    """What the hash of every row of the feed begins with."""
    return b"0x" + _hash_prefix(feed)

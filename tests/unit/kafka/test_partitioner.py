"""A record lands where the Java client would put it."""

import pytest
from aiokafka.partitioner import murmur2

from connector.kafka import positive_hash

JAVA = {
    # org.apache.kafka.common.utils.UtilsTest.testMurmur2
    b"21": -973932308,
    b"foobar": -790332482,
    b"a-little-bit-long-string": -985981536,
    b"a-little-bit-longer-string": -1486304829,
    b"lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8": -58897971,
    b"abc": 479470107,
}
"""Key and ``Utils.murmur2`` of it, a signed 32-bit integer."""


@pytest.mark.parametrize(("key", "murmur"), JAVA.items())
def test_it_is_what_java_says(key: bytes, murmur: int) -> None:
    assert positive_hash(key) == murmur & 0x7FFFFFFF


@pytest.mark.parametrize(
    "key", [b"", b"\0", b"\xff" * 3, "ключ".encode(), "鍵🔑".encode(), bytes(range(256)), b"x" * 100_001]
)
def test_any_key_has_one_and_the_slower_hash_agrees(key: bytes) -> None:
    assert positive_hash(key) == int(murmur2(key)) & 0x7FFFFFFF


def test_lengths_that_leave_one_two_or_three_bytes_over() -> None:
    for length in range(64):
        key = bytes(range(200, 200 - length, -1))
        assert positive_hash(key) == int(murmur2(key)) & 0x7FFFFFFF

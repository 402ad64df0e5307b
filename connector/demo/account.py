"""Where every numbered row ended up."""

from __future__ import annotations

from collections.abc import Mapping, Set
from dataclasses import dataclass

from connector.demo.errors import AccountingError


@dataclass(frozen=True, kw_only=True, slots=True)
class Account:
    """
    Rows by their fate; ``sent = consumed - duplicates + missing + while_away``.

    ``sent`` were numbered by the feed, ``consumed`` records were read from the topics, ``duplicates`` of
    them carried a number read before, ``missing`` rows were written to a socket and never read from a
    topic, ``while_away`` rows were never written to a socket, because none was open to take them.
    """

    sent: int
    consumed: int
    missing: int
    while_away: int
    duplicates: int


def settle(*, numbered: int, written: Set[int], consumed: Mapping[int, int]) -> Account:
    """
    Compare the feed's numbers with those that were read from the topics.

    ``numbered`` is how many rows the feed numbered from nought, ``written`` the numbers that were handed
    to an open socket, ``consumed`` how often each number was read.

    Raises:
        AccountingError: A row was read that no socket carried, or the sum does not hold.
    """
    read = set(consumed)
    if strays := read - written:
        raise AccountingError(f"{len(strays)} rows were consumed that no socket carried, as {min(strays)}")
    total = sum(consumed.values())
    account = Account(
        sent=numbered,
        consumed=total,
        missing=len(written - read),
        while_away=len(set(range(numbered)) - written),
        duplicates=total - len(read),
    )
    if numbered != total - account.duplicates + account.missing + account.while_away:
        raise AccountingError("the rows do not add up")
    return account

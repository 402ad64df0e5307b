"""Where every numbered row ended up."""

import pytest

from connector.demo.account import Account, settle
from connector.demo.errors import AccountingError


def test_every_row_has_one_fate() -> None:
    account = settle(numbered=10, written={0, 1, 2, 3, 7, 8, 9}, consumed={0: 1, 1: 3, 2: 1, 7: 2, 8: 1})
    assert account == Account(sent=10, consumed=8, missing=2, while_away=3, duplicates=3)
    assert account.sent == account.consumed - account.duplicates + account.missing + account.while_away


def test_a_consumed_row_that_no_socket_carried_is_an_accounting_bug() -> None:
    with pytest.raises(AccountingError, match="1 rows were consumed that no socket carried, as 2"):
        settle(numbered=3, written={0, 1}, consumed={0: 1, 1: 1, 2: 1})


def test_a_written_row_that_the_feed_never_numbered_is_an_accounting_bug() -> None:
    with pytest.raises(AccountingError, match="do not add up"):
        settle(numbered=1, written={0, 5}, consumed={0: 1})

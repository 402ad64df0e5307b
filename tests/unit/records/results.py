"""Results as a server sends them, and what is found in them at once."""

from __future__ import annotations

from typing import Any

import msgspec

from connector.records.row_finder import RowFinder
from connector.subscription.messages import envelope_type


def message(result: bytes) -> bytes:
    """Return ``result`` as the payload of a message."""
    return b'{"id":"1","type":"next","payload":%s}' % result


def rows_in(frame: bytes, one: RowFinder) -> list[msgspec.Raw] | None:
    """
    Return the rows that ``one`` finds in ``frame``, a whole message, without a closer look.

    Raises:
        msgspec.ValidationError: Its payload has another shape than ordinary ones.
    """
    decoded: Any = msgspec.json.decode(frame, type=envelope_type(one.payload_type))
    return one.rows_of(decoded.payload, frame)

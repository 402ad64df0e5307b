"""What an HTTP answer to the upgrade says."""

from __future__ import annotations

import re
import time
from email.utils import parsedate_to_datetime

from websockets.http11 import Response

from connector.subscription.errors import HandshakeRefused
from connector.subscription.messages import MAX_TEXT

_TAG = re.compile(r"<[^>]{0,1000}>")
_SPACE = re.compile(r"\s+")


def handshake_refused(response: Response) -> HandshakeRefused:
    """
    Return the error for a status other than 101.

    Its text is the body without HTML tags, cut to `MAX_TEXT`: for the table of refusals, not for people.
    """
    body = bytes(response.body or b"")[:20_000].decode("utf-8", "replace")
    text = _SPACE.sub(" ", _TAG.sub(" ", body)).strip()[:MAX_TEXT]
    return HandshakeRefused(response.status_code, text, _retry_after(response.headers.get("Retry-After")))


def _retry_after(value: str | None) -> float | None:
    """RFC 9110 §10.2.3: seconds, or an HTTP date."""
    if value is None:
        return None
    if value.strip().isascii() and value.strip().isdigit():
        return float(value)
    try:
        return max(0.0, parsedate_to_datetime(value).timestamp() - time.time())
    except (ValueError, TypeError, OverflowError):
        return None

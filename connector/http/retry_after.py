"""``Retry-After`` (RFC 9110 §10.2.3)."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Mapping
from datetime import UTC
from email.utils import parsedate_to_datetime

#: No wait is longer than this, whatever the other side asks; callers may well cap it lower.
LONGEST_RETRY_AFTER = 86_400.0

_SECONDS = re.compile(r"([0-9]+(?:\.[0-9]+)?)[ \t]*(?:s|sec|secs|seconds?)?", re.IGNORECASE)
_LEAP_SECOND = re.compile(r"(?<=:[0-5][0-9]):60\b")


def retry_after_seconds(
    headers: Mapping[str, str], *, wall_clock: Callable[[], float] = time.time
) -> float | None:
    """
    Return the seconds that an answer asks to wait, or ``None`` when it does not say so readably.

    ``headers`` have lower-case names. Both forms of RFC 9110 §10.2.3 are read: delta-seconds (a
    fraction is tolerated, a unit such as ``s``, and a list, of which the longest counts) and HTTP-date; a
    date in the past is 0. ``wall_clock`` returns seconds since the epoch. A date is counted from the answer's
    own ``date`` (§6.6.1), where it has one: the clocks of the two sides may differ. One that makes the wait
    longer than `LONGEST_RETRY_AFTER` is that of a clock which was never set, and does not count.
    """
    value = headers.get("retry-after", "").strip()
    # A header that came twice may have been joined to a list.
    numbers = [_SECONDS.fullmatch(number.strip()) for number in value.split(",")]
    if all(numbers):
        return min(max(float(number[1]) for number in numbers if number), LONGEST_RETRY_AFTER)
    until = _moment(value)
    if until is None:
        return None
    said_at = _moment(headers.get("date", ""))
    if said_at is None or until - said_at > LONGEST_RETRY_AFTER:  # a clock that was never set
        said_at = wall_clock()
    seconds = until - said_at
    return min(max(seconds, 0.0), LONGEST_RETRY_AFTER)


def _moment(date: str) -> float | None:
    """Return ``date`` in seconds since the epoch; ``None``: it is none."""
    # RFC 9110 §5.6.7 has leap seconds; a `datetime` has none.
    in_range, leaps = _LEAP_SECOND.subn(":59", date.strip())
    try:
        moment = parsedate_to_datetime(in_range)
        # "-0000" parses to a naive date; RFC 9110 §5.6.7 knows UTC alone.
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp() + leaps
    except (ValueError, OverflowError):
        return None

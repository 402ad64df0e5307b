"""What was seen before: a refusal is news once, also where its text differs from one time to the next."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Hashable

from connector.refusals.pattern import LONGEST_TEXT
from connector.refusals.symptom import Symptom

REMEMBERED = 200
"""RepetitionFilter; the longest unseen is forgotten first."""

NEWS_AGAIN_AFTER = 3600.0
"""Seconds without one of a kind, after which the next is news again."""

NEWS_AT_ONCE = 10
NEWS_EVERY = 300.0
"""
So many new kinds are news at once, then one in so many seconds: where each text differs from all before
it beyond recognition, it is no news either.
"""

_VARIES = re.compile(r"(0x)?[0-9a-f]*[0-9][0-9a-f]*(-[0-9a-f]+)*|['\"`][^'\"`]*['\"`]", re.IGNORECASE)
_LONGEST = 120


def kind_of(symptom: Symptom) -> Hashable:
    """Return what two refusals of one kind share: numbers, ids and quoted parts of texts do not count."""
    shapes = tuple(_VARIES.sub("#", text[:LONGEST_TEXT].casefold())[:_LONGEST] for text in symptom.texts[:3])
    codes = tuple(sorted(set(symptom.error_codes)))
    return symptom.place, symptom.status, symptom.close_code, codes, shapes


class RepetitionFilter:
    """Tells news from repetition, in bounded memory. ``clock`` returns seconds."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._seen: dict[Hashable, float] = {}
        self._left = float(NEWS_AT_ONCE)
        self._counted_at = clock()

    def is_new(self, symptom: Symptom) -> bool:
        """Return whether this is worth saying; true once for each kind."""
        kind, now = kind_of(symptom), self._clock()
        seen_at = self._seen.pop(kind, None)
        self._seen[kind] = now
        if len(self._seen) > REMEMBERED:
            del self._seen[next(iter(self._seen))]
        is_known = seen_at is not None and now - seen_at < NEWS_AGAIN_AFTER
        return not is_known and self._may_say(now)

    def _may_say(self, now: float) -> bool:
        self._left = min(self._left + (now - self._counted_at) / NEWS_EVERY, float(NEWS_AT_ONCE))
        self._counted_at = now
        if self._left < 1:
            return False
        self._left -= 1
        return True

"""
Parts of secrets: cut short, cut into pieces, reversed, or written in digits.

A text is searched in one pass, and in a second one where it has escapes, whatever the number of secrets. All
that is no ASCII letter or digit is taken out of it first, so that separators and the marks of escapes hide
nothing; then a group of characters at every fourth is looked up among those of the secrets' forms. A run that
is found is followed to both its ends.

A text may be made of what is nearly a secret, again and again. Who says how much work it may take gets the
rest of such a text hidden as a whole.
"""

from __future__ import annotations

import math
import re
from bisect import bisect_right
from collections.abc import Iterable, Iterator
from itertools import accumulate

from connector.telemetry.forms import RUN, Form, forms_of, levelled, squeezed
from connector.telemetry.patterns import HIDDEN
from connector.telemetry.unescaped import FILL, unescaped

_STRIDE = 4
"""Groups are so long, and looked up as the numbers that their bytes make: nothing else is as fast."""

_GRAM = _STRIDE + 1
"""With the next character they are rarer. A run of `_GRAM` + `_STRIDE` - 1 holds one, wherever it stands."""

_TRIED = 50
"""How many places of the forms a group is compared at: a secret of one repeated letter has many."""

MOST_WORK = 1_000_000
"""For what a peer sent: a fifth of a second. Half a MiB of digits, or of any text, takes less."""

_PER_RUN, _PER_TRY, _PER_SCANNED = 400, 25, 1 / 128
"""What a run, a place that is compared, and a byte of the forms cost, in compared characters."""

_CHUNK = 64
_MARKS = re.compile(rb"(?:\\+(?:u00|x)?|%(?:25)*|&(?:amp;)*#x?|0x)\Z", re.IGNORECASE)
"""What stands before the digits of an escaped character and goes with them, that no half escape is left."""


class _Known:
    """What is known of one secret."""

    __slots__ = ("forms", "grams", "numbers")

    def __init__(self, secret: str) -> None:
        self.forms = tuple(forms_of(secret))
        self.grams = frozenset(
            form.text[at : at + _GRAM] for form in self.forms for at in range(len(form.text) - _GRAM + 1)
        )
        self.numbers = frozenset(_number(gram[:_STRIDE]) for gram in self.grams)


class Fragments:
    """Hides each run of `RUN` or more characters of ``secrets``; those shorter than `RUN` only as a whole."""

    __slots__ = ("_ends", "_forms", "_grams", "_joined", "_known", "_numbers")

    def __init__(self, secrets: Iterable[str], before: Fragments | None = None) -> None:
        """What ``before`` knows of the same secrets is taken over: a token has thousands of groups."""
        known = before._known if before is not None else {}
        self._known: dict[str, _Known] = {secret: known.get(secret) or _Known(secret) for secret in secrets}
        self._forms = tuple(dict.fromkeys(form for one in self._known.values() for form in one.forms))
        self._joined = b"\0".join(form.text for form in self._forms)
        self._ends = list(accumulate(len(form.text) + 1 for form in self._forms))
        self._grams = frozenset[bytes]().union(*(one.grams for one in self._known.values()))
        self._numbers = frozenset[int]().union(*(one.numbers for one in self._known.values()))

    @property
    def secrets(self) -> tuple[str, ...]:
        """Those that it knows, in their order."""
        return tuple(self._known)

    def hide_in_text(self, text: str) -> str:
        """Return ``text`` with the runs hidden."""
        if not self._grams or len(text) < RUN:
            return text
        content = text.encode("utf-8", "surrogatepass")
        hidden = self.hide(content)
        return text if hidden is content else hidden.decode("utf-8", "surrogatepass")

    def hide(self, content: bytes, most: float = math.inf) -> bytes:
        """
        Return ``content`` with the runs hidden, the same object where there are none.

        ``most`` is the work that it may take, in compared characters of about 0.1 µs: where it is done, all
        that follows is hidden.
        """
        if not self._grams:
            return content
        # First, so that of a secret written half in one way and half in another no short half is left.
        view = unescaped(content)
        if view is not None:
            content = self._hide_by(view, content, most)
        return self._hide_by(levelled(content), content, most)

    def _hide_by(self, view: bytes, content: bytes, most: float) -> bytes:
        """Return ``content`` without the runs that its ``view`` has at the same places."""
        runs = list(self._runs(squeezed(view), most))
        return _without(content, view, runs) if runs else content

    def _runs(self, letters: bytes, most: float) -> Iterator[tuple[int, int]]:
        """
        Yield where runs begin and end in ``letters``, in order; none begins in another. After ``most`` work
        the last one goes to the end.
        """
        done, left = 0, most
        known = self._numbers
        padded = letters.ljust(-(-len(letters) // _STRIDE) * _STRIDE, b"\0")
        numbers = memoryview(padded).cast("I")
        for found in [index for index, number in enumerate(numbers) if number in known]:
            at = found * _STRIDE
            if at >= done and (gram := letters[at : at + _GRAM]) in self._grams:
                start, end, work = self._longest(letters, at, gram, left)
                left -= work + (_PER_RUN if end > start else 0)
                if left < 0:
                    # What begins earlier was found at an earlier group.
                    yield max(done, min(start, at - _GRAM)), len(letters)
                    return
                if end > start:
                    yield max(start, done), end
                    done = end

    def _longest(self, letters: bytes, at: int, gram: bytes, most: float) -> tuple[int, int, float]:
        """Return the ends of the longest run at ``at``, and the work; after ``most`` it is cut short."""
        best = (at, at)
        work = len(self._joined) * _PER_SCANNED
        place = self._joined.find(gram)
        for _ in range(_TRIED):
            if place < 0 or work > most:
                break
            number = bisect_right(self._ends, place)
            form = self._forms[number]
            begins = self._ends[number - 1] if number else 0
            start, end = _followed(letters, at, form, place - begins)
            work += _PER_TRY + end - start
            if end - start >= form.least and end - start > best[1] - best[0]:
                best = (start, end)
            place = self._joined.find(gram, place + 1)
        return *best, work


def _number(group: bytes) -> int:
    return memoryview(group).cast("I")[0]


def _followed(letters: bytes, at: int, form: Form, place: int) -> tuple[int, int]:
    """Return both ends of what ``letters`` at ``at`` and the form at ``place`` have in common."""
    text = form.text
    back, most = 0, min(at, place)
    while back < most and letters[at - back - 1] == text[place - back - 1]:
        back += 1
    on, most = _GRAM, min(len(letters) - at, len(text) - place)
    while on < most and letters[at + on] == text[place + on]:
        on += 1
    return at - back, at + on


def _without(content: bytes, level: bytes, runs: list[tuple[int, int]]) -> bytes:
    """Return ``content`` with ``runs``, which count letters, hidden; ``level`` has the letters in place."""
    chunks = [squeezed(level[at : at + _CHUNK]) for at in range(0, len(level), _CHUNK)]
    sums = list(accumulate(map(len, chunks)))

    def place(letter: int) -> int:
        number = bisect_right(sums, letter)
        at, left = number * _CHUNK, letter - (sums[number - 1] if number else 0)
        chunk = level[at : at + _CHUNK]
        low, high = 0, len(chunk)
        while low < high:
            middle = (low + high) // 2
            if len(squeezed(chunk[: middle + 1])) > left:
                high = middle
            else:
                low = middle + 1
        return at + low

    parts, done = [], 0
    for first, last in runs:
        start, end = place(first), place(last - 1) + 1
        start = len(level[:start].rstrip(FILL)) if level[max(0, start - 1) : start] == FILL else start
        marks = _MARKS.search(content, max(done, start - 40), start)
        parts += [content[done : marks.start() if marks else start], HIDDEN.encode()]
        done = end
    return b"".join((*parts, content[done:]))

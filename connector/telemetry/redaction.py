"""
Nothing that was handed to the `Redactor` leaves the process, in whatever encoding.

It works on rendered text, as the last step of every line, so that exceptions, warnings and libraries'
own messages go through it too.
"""

from __future__ import annotations

import re
import threading
from collections import OrderedDict
from collections.abc import Callable, Iterator, Sequence

from connector.telemetry.disguises import alone, anchor, base64_cores, base64_spelled, spelled
from connector.telemetry.fragments import MOST_WORK, Fragments
from connector.telemetry.patterns import HIDDEN, hide_credentials

SHORTEST = 4
"""Shorter secrets would redact ordinary words; the configuration's checks are the place to refuse them."""

SHORTEST_INSIDE = 8
"""Shorter ones are hidden where they stand alone: inside a file's name or a word they are that word."""

REMEMBERED = 1000
"""How many rotated tokens are kept; what was configured is never forgotten."""

RECENT = 10
"""How many rotated tokens are looked for in what may be megabytes: a peer repeats what it was just told."""

LONG_PART = 16
"""An unbroken part of a secret as long as this is hidden by itself: somebody may have cut the rest off."""

IN_PARTS = 4
"""How many of the newest tokens are known by their parts: a signed one has tens of thousands of groups."""

_PASSES = 5
"""Hiding one secret may join the parts of another; no text that is not made for it needs a second pass."""


class _Disguise:
    """One way to look for a secret. Its pattern is compiled when its anchor first shows up."""

    __slots__ = ("_pattern", "_text", "_to_pattern", "anchor")

    def __init__(self, text: str, to_pattern: Callable[[str], str]) -> None:
        self.anchor = anchor(text)
        self._text = text
        self._to_pattern = to_pattern
        self._pattern: re.Pattern[str] | None = None

    def hide(self, text: str) -> str:
        if self._pattern is None:
            self._pattern = re.compile(self._to_pattern(self._text))
        return self._pattern.sub(HIDDEN, text)


def _disguises(secret: str) -> Iterator[_Disguise]:
    yield _Disguise(secret, spelled if len(secret) >= SHORTEST_INSIDE else lambda text: alone(spelled(text)))
    for core in base64_cores(secret):
        yield _Disguise(core, base64_spelled)


class Redactor:
    """
    Knows the secrets. Safe to use from several threads.

    A line costs one search per secret and alignment of base64, whatever the number of encodings, and one for
    the parts of all that was configured and of the `IN_PARTS` newest tokens.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._kept: dict[str, tuple[_Disguise, ...]] = {}
        self._passing: OrderedDict[str, tuple[_Disguise, ...]] = OrderedDict()
        self._disguises: tuple[_Disguise, ...] = ()
        self._recent: tuple[_Disguise, ...] = ()
        self._fragments = Fragments(())
        self._in_parts: tuple[str, ...] = ()

    def __repr__(self) -> str:
        return f"<Redactor of {len(self._kept) + len(self._passing)} secrets>"

    def add(self, secret: str, *, keep: bool = True) -> None:
        """
        Hide ``secret`` from now on.

        With ``keep=False`` it is forgotten once `REMEMBERED` newer ones have come. Secrets shorter than
        `SHORTEST` are not taken.
        """
        if len(secret) < SHORTEST:
            return
        with self._lock:
            if secret in self._kept:
                return
            known = self._passing.pop(secret, None)
            found = known or tuple(_disguises(secret))
            if keep:
                self._kept[secret] = found
            else:
                self._passing[secret] = found
                while len(self._passing) > REMEMBERED:
                    self._passing.popitem(last=False)
            if known is None or keep:
                self._arrange()

    def _arrange(self) -> None:
        kept, passing = list(self._kept.items()), list(self._passing.items())
        self._disguises = _longest_first(kept + passing)
        self._recent = _longest_first(kept + passing[-RECENT:])
        self._in_parts = tuple(secret for secret, _ in kept + passing[-IN_PARTS:])

    def _parts(self) -> Fragments:
        """Return what knows parts, made anew where a secret came since: at the first text after it."""
        with self._lock:
            if self._fragments.secrets != self._in_parts:
                self._fragments = Fragments(self._in_parts, self._fragments)
            return self._fragments

    def redact(self, text: str) -> str:
        """Return ``text`` with every secret, and whatever looks like one in its place, hidden."""
        parts = self._parts()
        for _ in range(_PASSES):
            before = text
            text = parts.hide_in_text(_hide(self._disguises, text))
            text = hide_credentials(_hide_anchors(self._disguises, text))
            if text == before:
                break
        return text

    def hide_in(self, content: bytes) -> bytes:
        """
        Return ``content``, be it text or not, with what was configured and the `RECENT` tokens hidden.

        Nothing else is changed, whatever it looks like; but of what repeats parts of secrets without end,
        the rest is hidden too.
        """
        parts = self._parts()
        for _ in range(_PASSES):
            before = content
            text = _hide(self._recent, content.decode("utf-8", "surrogateescape"))
            content = parts.hide(text.encode("utf-8", "surrogateescape"), MOST_WORK)
            for disguise in self._recent:
                if len(disguise.anchor) >= LONG_PART:
                    content = content.replace(disguise.anchor.encode(), HIDDEN.encode())
            if content == before:
                break
        return content


def _longest_first(known: Sequence[tuple[str, tuple[_Disguise, ...]]]) -> tuple[_Disguise, ...]:
    """Order them so that no secret leaves the tail of one that begins with it."""
    ordered = sorted(known, key=lambda item: -len(item[0]))
    return tuple(disguise for _, disguises in ordered for disguise in disguises)


def _hide(disguises: Sequence[_Disguise], text: str) -> str:
    for disguise in disguises:
        if disguise.anchor in text:
            text = disguise.hide(text)
    return text


def _hide_anchors(disguises: Sequence[_Disguise], text: str) -> str:
    """Hide the longest unbroken part of each: of old tokens it is all that is known but the whole."""
    for disguise in disguises:
        if len(disguise.anchor) >= LONG_PART:
            text = text.replace(disguise.anchor, HIDDEN)
    return text

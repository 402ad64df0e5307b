"""One line of the table of refusals."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from connector.refusals.symptom import Action, Symptom


def _search(pattern: str, text: str) -> re.Match[str] | None:
    return re.search(pattern, text, re.IGNORECASE)


@dataclass(frozen=True, kw_only=True, slots=True)
class Rule:
    """
    One line. An empty condition is not asked; of several given ones all must hold.

    ``text`` is a regular expression, searched case-insensitively in what was said of the refusal (an HTTP
    body, a close reason, an error's message): by ``search``, which is Python's for our own rules and
    `search_pattern` for a user's. ``error_codes`` are compared without regard to case.
    ``known`` is false where the action is a guess, so that what was seen is worth a line in the log.
    ``example`` is a text as it is said, for people and for the tests.
    """

    action: Action
    reason: str
    places: frozenset[str] = frozenset()
    statuses: frozenset[int] = frozenset()
    close_codes: frozenset[int] = frozenset()
    error_codes: frozenset[str] = frozenset()
    text: str = ""
    search: Callable[[str, str], object] = _search
    known: bool = True
    example: str = ""

    def matches(self, symptom: Symptom) -> bool:
        """Return whether every given condition holds."""
        return (
            (not self.places or symptom.place in self.places)
            and (not self.statuses or symptom.status in self.statuses)
            and (not self.close_codes or symptom.close_code in self.close_codes)
            and (not self.error_codes or self._has_code(symptom.error_codes))
            and (not self.text or any(self.search(self.text, said) for said in symptom.texts))
        )

    def _has_code(self, codes: Iterable[str]) -> bool:
        wanted = {code.casefold() for code in self.error_codes}
        return any(code.casefold() in wanted for code in codes)


def rule(
    action: Action,
    reason: str,
    *,
    place: str = "",
    statuses: Iterable[int] = (),
    close_codes: Iterable[int] = (),
    error_codes: str = "",
    text: str = "",
    example: str = "",
    known: bool = True,
) -> Rule:
    """Return a `Rule` from what is short to write: ``place`` and ``error_codes`` are words."""
    return Rule(
        action=action,
        reason=reason,
        places=frozenset(place.split()),
        statuses=frozenset(statuses),
        close_codes=frozenset(close_codes),
        error_codes=frozenset(error_codes.split()),
        text=text,
        example=example,
        known=known,
    )

"""Rules of the user's own for the table of refusals."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import BeforeValidator, WithJsonSchema

from connector.config.mistake import Mistake
from connector.config.paths import KeyPath
from connector.config.scalars import text
from connector.config.section import Section, setting
from connector.config.source import Source
from connector.config.values import Text, Whole, choice
from connector.refusals import PLACES, Action, BadPattern, Rule, check_pattern, search_pattern

ActionName = Annotated[
    Literal["reconnect", "new_token", "wait", "pause", "slow"],
    choice(*(action.name.lower() for action in Action)),
]
PlaceName = Annotated[
    Literal[
        "connect",
        "handshake",
        "subprotocol",
        "ack",
        "init",
        "subscribe",
        "stream",
        "complete",
        "close",
        "silence",
        "protocol",
    ],
    choice(*PLACES),
]

_CONDITIONS = ("status", "close_code", "error_code", "text")
_LABEL = re.compile(r"[a-z][a-z0-9_]{0,39}")
_LONGEST_PATTERN = 500


def _pattern(value: object) -> object:
    checked = text(value)
    if len(checked) > _LONGEST_PATTERN:
        raise Mistake(f"is longer than {_LONGEST_PATTERN} characters", "write several rules")
    try:
        check_pattern(checked)
    except BadPattern as error:
        if error.is_too_large:
            raise Mistake(f"could take too long: it {error}", "write a plainer pattern") from None
        place = f" at character {error.place + 1}" if error.place is not None else ""
        raise Mistake(
            f"is no regular expression: {error}{place}", "correct it; \\ takes away a sign's meaning"
        ) from None
    if search_pattern(checked, ""):
        raise Mistake("fits every text, even none", "write what the text must hold, without ^ and $ alone")
    return checked


def _label(value: object) -> object:
    checked = text(value)
    if not _LABEL.fullmatch(checked):
        raise Mistake("is no label", "use up to 40 of a-z 0-9 _, a letter first")
    return checked


Pattern = Annotated[
    str, BeforeValidator(_pattern), WithJsonSchema({"type": "string", "x-type": "regular expression"})
]
Label = Annotated[
    str,
    BeforeValidator(_label),
    WithJsonSchema({"type": "string", "pattern": _LABEL.pattern.join("^$"), "x-type": "label"}),
]


class RefusalSection(Section):
    """
    One rule of the user's own; see docs/refusals.md.

    What is given must all hold; the first rule that fits decides.
    """

    place: PlaceName | None = setting(None, "Where the refusal is met.")
    status: Whole | None = setting(
        None, "The HTTP status that answers the handshake, but for 101.", ge=100, le=599
    )
    close_code: Whole | None = setting(
        None, "The websocket close code; 1006: the connection ended without a Close.", ge=1000, le=4999
    )
    error_code: Text | None = setting(
        None, "The extensions.code of a GraphQL error, or the error of WWW-Authenticate, in any case."
    )
    text: Pattern | None = setting(
        None,
        "A regular expression (of RE2), searched without regard to case in what is said of the refusal.",
    )
    action: ActionName = setting(..., "What is done.")
    reason: Label = setting("own_rule", "The label in metrics and logs.")

    def as_rule(self) -> Rule:
        """The same, as the table takes it."""
        return Rule(
            action=Action[self.action.upper()],
            reason=self.reason,
            places=frozenset([self.place] if self.place else ()),
            statuses=frozenset([self.status] if self.status else ()),
            close_codes=frozenset([self.close_code] if self.close_code else ()),
            error_codes=frozenset([self.error_code] if self.error_code else ()),
            text=self.text or "",
            search=search_pattern,
        )


def check_refusals(endpoint: Mapping[str, object], source: Source) -> None:
    """Report rules without a condition, and conditions that can never hold together."""
    rules = endpoint.get("refusals")
    for index, rule in enumerate(rules if isinstance(rules, list) else ()):
        if isinstance(rule, dict):
            _check_rule(rule, ("endpoint", "refusals", index), source)


def _check_rule(rule: Mapping[str, object], path: KeyPath, source: Source) -> None:
    given = [name for name in _CONDITIONS if name in rule]
    place = rule.get("place")
    if not given and place is None:
        source.report(path, "has no condition", f"give place, {', '.join(_CONDITIONS[:-1])} or text")
        return
    if rule.get("status") == 101:
        source.report((*path, "status"), "is that of a handshake that is accepted", "write another")
    if isinstance(place, str):
        if place not in PLACES:
            return
        for name in given:
            if name not in PLACES[place]:
                known = [other for other, facts in PLACES.items() if name in facts]
                what = f"is never known at {place}"
                source.report((*path, name), what, f"take one of them out; it is known at {', '.join(known)}")
    elif not any(facts.issuperset(given) for facts in PLACES.values()):
        what = f"can never hold beside {' and '.join(given[:-1])}"
        source.report((*path, given[-1]), what, "write a rule for each")

"""
The table. The first rule whose every given condition holds decides; texts are matched only against what
was said of the refusal (an HTTP body, a close reason, an error's message), never against data, and never
as a bare number.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from connector.refusals.symptom import Action, Symptom, Verdict

_AUTH_TEXT = (
    r"\bunauthori[sz]ed\b|\bunauthenticated\b|\bnot authenticated\b|\bforbidden\b|\baccess denied\b"
    r"|\b(invalid|expired|missing|revoked|bad) (access )?(token|jwt|credentials?|api.?key)\b"
    r"|\b(token|jwt)\b.{0,30}\b(invalid|expired|missing|revoked|not valid)\b|\bauthentication\b"
)
_POINTS_TEXT = r"no active billing period|points limit|usage quota reached"
_CAP_TEXT = (
    r"too many (sessions|concurrent subscriptions|requests)|temporarily blocked"
    r"|exceeded the maximum number of subscriptions"
)
_DOCUMENT_TEXT = r"no table can query|cannot query field|unknown (argument|type|fragment)|syntax error"
_AUTH_CODES = frozenset(
    [
        "UNAUTHENTICATED",
        "UNAUTHORIZED",
        "FORBIDDEN",
        "MISSING_TOKEN",
        "INVALID_TOKEN",
        "invalid-jwt",
        "access-denied",
    ]
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Rule:
    """
    One line. An empty condition is not asked; of several given ones all must hold. ``text`` is a regular
    expression, searched case-insensitively.
    """

    action: Action
    reason: str
    places: frozenset[str] = frozenset()
    statuses: frozenset[int] = frozenset()
    close_codes: frozenset[int] = frozenset()
    error_codes: frozenset[str] = frozenset()
    text: str = ""

    def matches(self, symptom: Symptom) -> bool:
        """Return whether every given condition holds."""
        return (
            (not self.places or symptom.place in self.places)
            and (not self.statuses or symptom.status in self.statuses)
            and (not self.close_codes or symptom.close_code in self.close_codes)
            and (not self.error_codes or not self.error_codes.isdisjoint(symptom.error_codes))
            and (not self.text or any(re.search(self.text, said, re.IGNORECASE) for said in symptom.texts))
        )


def _rule(
    action: Action, reason: str, *, text: str = "", place: str = "", **conditions: Sequence[object]
) -> Rule:
    return Rule(
        action=action,
        reason=reason,
        text=text,
        places=frozenset(place.split()),
        **{name: frozenset(values) for name, values in conditions.items()},  # type: ignore[arg-type]
    )


RULES: tuple[Rule, ...] = (
    # What was said outranks the number it came with: 1008 and 403 mean many things.
    _rule(Action.PAUSE, "points", text=_POINTS_TEXT),
    _rule(Action.WAIT, "too_many_sessions", text=_CAP_TEXT),
    _rule(Action.SLOW, "document_refused", text=_DOCUMENT_TEXT),
    _rule(Action.NEW_TOKEN, "unauthorized", error_codes=tuple(_AUTH_CODES)),
    _rule(Action.NEW_TOKEN, "unauthorized", text=_AUTH_TEXT),
    _rule(Action.NEW_TOKEN, "unauthorized", place="handshake", statuses=(401, 403)),
    _rule(Action.PAUSE, "points", place="handshake", statuses=(402,)),
    _rule(Action.WAIT, "too_many_sessions", place="handshake", statuses=(429,)),
    _rule(Action.RECONNECT, "server_error", place="handshake", statuses=(408, 424, 425, *range(500, 600))),
    _rule(Action.SLOW, "handshake_refused", place="handshake"),
    _rule(Action.NEW_TOKEN, "unauthorized", place="close", close_codes=(1008, 4400, 4401, 4403)),
    _rule(Action.WAIT, "too_many_sessions", place="close", close_codes=(4429,)),
    _rule(Action.WAIT, "overload", place="close", close_codes=(1013,)),
    _rule(Action.WAIT, "already_subscribed", place="close", close_codes=(4409,)),
    _rule(Action.SLOW, "message_too_big", place="close", close_codes=(1009,)),
    _rule(Action.SLOW, "subprotocol_refused", place="close", close_codes=(1002, 4004, 4406)),
    _rule(
        Action.RECONNECT,
        "closed",
        place="close",
        close_codes=(1000, 1001, 1005, 1006, 1011, 1012, 4408, 4500),
    ),
    _rule(Action.NEW_TOKEN, "refused_at_init", place="init"),
    _rule(Action.SLOW, "document_refused", place="subscribe"),
    _rule(Action.SLOW, "subprotocol_refused", place="subprotocol"),
    _rule(Action.RECONNECT, "unreachable", place="connect"),
    _rule(Action.RECONNECT, "no_ack", place="ack"),
    _rule(Action.RECONNECT, "silent", place="silence"),
    _rule(Action.RECONNECT, "completed", place="complete"),
    _rule(Action.RECONNECT, "protocol_violation", place="protocol"),
)


def classify(symptom: Symptom, overrides: Sequence[Rule] = ()) -> Verdict:
    """Return what to do. ``overrides`` are asked before the table; an unknown symptom is retried."""
    for rule in (*overrides, *RULES):
        if rule.matches(symptom):
            return Verdict(action=rule.action, reason=rule.reason)
    if symptom.place == "close" and symptom.close_code is None:
        return Verdict(action=Action.RECONNECT, reason="connection_lost")
    return Verdict(action=Action.RECONNECT, reason="unknown", known=False)

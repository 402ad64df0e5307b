"""
What one provider says in its own words; asked before the general rules, by the name of its preset.

Texts and codes are those of the providers' documentation and public clients.
"""

from __future__ import annotations

from collections.abc import Mapping

from connector.refusals.rule import Rule, rule
from connector.refusals.symptom import Action

BITQUERY = (
    rule(
        Action.PAUSE,
        "points",
        text=r"no active billing period|access restricted by points limit|points limit exceeded",
        example="points limit exceeded: usage quota reached",
    ),
    rule(
        Action.WAIT,
        "busy",
        text=r"temporarily blocked due to a high number of long-running queries",
        example="temporarily blocked due to a high number of long-running queries",
    ),
    rule(
        Action.WAIT,
        "too_many_sessions",
        text=r"too many sessions|too many concurrent subscriptions"
        r"|exceeded the maximum number of subscriptions per user id",
        example="exceeded the maximum number of subscriptions per user id",
    ),
    rule(
        Action.SLOW,
        "document_refused",
        text=r"no table can query|consider use realtime dataset",
        example="no table can query Holders, consider use realtime dataset",
    ),
)

GOLDRUSH = (
    # Its server acknowledges any key, and refuses it only in answer to the operation.
    rule(Action.NEW_TOKEN, "unauthorized", error_codes="MISSING_TOKEN INVALID_TOKEN"),
    rule(Action.RECONNECT, "server_error", error_codes="AUTH_SYSTEM_ERROR"),
)

OHIP = (
    rule(
        Action.SLOW,
        "document_refused",
        place="close",
        close_codes=(4400,),
    ),
    # One consumer of a chain: the one before has not completed, or another one runs.
    rule(Action.WAIT, "already_subscribed", place="close", close_codes=(4409,)),
    rule(Action.NEW_TOKEN, "unauthorized", place="close", close_codes=(4401, 4403)),
    rule(Action.SLOW, "handshake_refused", place="handshake", statuses=(400,)),
)

HASURA = (
    rule(
        Action.NEW_TOKEN,
        "unauthorized",
        text=r"could not verify jwt|jwt ?expired|jws ?error|jwt_?cookie|missing .?authorization.? (or|header)"
        r"|malformed authorization header|authentication hook unauthori[sz]ed",
        example="Could not verify JWT: JWTExpired",
    ),
    rule(
        Action.NEW_TOKEN,
        "unauthorized",
        error_codes="invalid-jwt invalid-headers access-denied jwt-invalid-claims jwt-missing-role-claims",
    ),
    rule(
        Action.RECONNECT,
        "start_failed",
        error_codes="start-failed",
    ),
    rule(
        Action.RECONNECT,
        "start_failed",
        text=r"start received before the connection is initiali[sz]ed",
        example="start received before the connection is initialised",
    ),
    rule(
        Action.SLOW,
        "document_refused",
        error_codes="validation-failed parse-failed not-supported",
    ),
)

TIBBER = (
    rule(Action.NEW_TOKEN, "unauthorized", place="close", close_codes=(4403,)),
    rule(Action.WAIT, "too_many_sessions", place="close", close_codes=(4429,)),
)

PROVIDERS: Mapping[str, tuple[Rule, ...]] = {
    "bitquery": BITQUERY,
    "goldrush": GOLDRUSH,
    "ohip": OHIP,
    "hasura": HASURA,
    "tibber": TIBBER,
}
"""By the names of the presets; a preset that is not here has no rules of its own."""

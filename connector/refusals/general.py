"""
What any upstream may answer. The first rule whose every given condition holds decides.

What was said outranks the number that it came with, for 403, 1008 and 4400 mean many things. Only phrases
count, never a bare number. A failing server's page outranks "unauthorized" and its like on it, but not
what it says of the token itself.
"""

from __future__ import annotations

from connector.refusals.rule import Rule, rule
from connector.refusals.symptom import Action

_SAID = "handshake init subscribe stream close"

_POINTS = (
    r"\bbilling period\b|\bpoints? limit\b|\b(usage )?quota\b.{0,20}\b(reached|exceeded|exhausted|used up)\b"
    r"|\bpayment required\b|\b(insufficient|out of|not enough) (credits?|points|funds)\b"
)
_CAP = (
    r"\btoo many\b.{0,20}\b(sessions|connections|subscriptions|streams|requests)\b"
    r"|\brate.?limit(ed| exceeded)\b|\bmaximum number of (subscriptions|connections|sessions|streams)\b"
)
_BUSY = r"\btemporarily (blocked|unavailable|overloaded)\b|\bserver (is )?(busy|overloaded)\b"
_DOCUMENT = (
    r"\bcannot query field\b|\bunknown (argument|type|fragment|directive|operation)\b|\bsyntax error\b"
    r"|\bvariable ['\"]?\$|\bgot invalid value\b|\bmust (not )?have a selection\b|\bno table can query\b"
    r"|\b(int|float|string|boolean|id) cannot represent\b|\bof (type .{1,40} is required|required type)\b"
    r"|\bmust select only one top level field\b|\bmust provide (an )?operation\b|\bidentify operation\b"
    r"|\bis not defined by (operation|type)\b|\bthere can be only one\b"
    r"|\bnot found in type\b|\bexpected value of type\b|\b(doesn't|does not) exist on type\b"
)

# Not "invalid token address": what is traded is called a token, too.
_OF_TOKENS = (
    r"\b(invalid|expired|missing|revoked|bad|malformed) ((access|bearer|auth|id) )?"
    r"(token|jwt|credentials?|api.?key)\b(?! (address|contract|symbol|name|id|amount|mint|pair)\b)"
    r"|\b(access |bearer |the |your )(token|jwt|api.?key)\b.{0,30}"
    r"\b(invalid|expired|missing|revoked|not valid)\b"
    r"|\bjwt\b.{0,30}\b(invalid|expired|missing|not valid)\b|\bjwt ?expired\b|\bcould not verify jwt\b"
    r"|(^|[:;,.] ?)token (is |has |was )?(been )?(invalid|expired|missing|revoked|not valid)\b"
)
_ACCESS = (
    r"\bunauthori[sz]ed\b|\bunauthenticated\b|\bnot (authenticated|authori[sz]ed)\b|\bforbidden\b"
    r"|\badmin.?secret\b.{0,80}\b(required|missing|not found|invalid|wrong)\b"
    r"|\b(invalid|missing|wrong)\b.{0,20}\badmin.?secret\b"
    r"|\baccess denied\b|\bpermission denied\b"
    r"|\bauthentication (is )?(required|failed|error|failure|expired)\b"
)
_NO_MESSAGE = r"\binvalid message\b|\bunexpected message\b|\bmessage is missing\b|\bmessage has an invalid\b"

RULES: tuple[Rule, ...] = (
    # RFC 6750 §3.1, in WWW-Authenticate: of the token, in words that are meant for programs.
    rule(Action.NEW_TOKEN, "unauthorized", place="handshake", error_codes="invalid_token"),
    # A token issued before the right was granted never gets it: a fresh one may, once in a pause.
    rule(Action.PAUSE, "insufficient_scope", place="handshake", error_codes="insufficient_scope"),
    rule(Action.SLOW, "invalid_request", place="handshake", error_codes="invalid_request"),
    rule(Action.PAUSE, "points", text=_POINTS, place=_SAID, example="quota exceeded"),
    rule(Action.PAUSE, "points", error_codes="PAYMENT_REQUIRED QUOTA_EXCEEDED 402"),
    rule(Action.WAIT, "too_many_sessions", text=_CAP, place=_SAID, example="Too many requests"),
    rule(Action.WAIT, "too_many_sessions", error_codes="TOO_MANY_REQUESTS RATE_LIMITED 429"),
    rule(Action.WAIT, "busy", text=_BUSY, place="init subscribe stream close", example="server is busy"),
    rule(Action.SLOW, "document_refused", text=_DOCUMENT, place=_SAID, example='Cannot query field "x"'),
    rule(
        Action.SLOW,
        "document_refused",
        error_codes="GRAPHQL_VALIDATION_FAILED GRAPHQL_PARSE_FAILED BAD_USER_INPUT validation-failed"
        " parse-failed",
    ),
    rule(
        Action.NEW_TOKEN,
        "unauthorized",
        place="init subscribe stream",
        error_codes="UNAUTHENTICATED UNAUTHORIZED FORBIDDEN MISSING_TOKEN INVALID_TOKEN EXPIRED_TOKEN"
        " TOKEN_EXPIRED"
        " JWT_EXPIRED NOT_AUTHENTICATED NOT_AUTHORIZED AUTH_NOT_AUTHENTICATED AUTH_NOT_AUTHORIZED"
        " AUTHENTICATION_ERROR UnauthorizedException ExpiredSignatureError invalid-jwt access-denied"
        " 401 403",
    ),
    rule(Action.NEW_TOKEN, "unauthorized", text=_OF_TOKENS, place=_SAID, example="The token has expired"),
    rule(Action.RECONNECT, "server_error", place="handshake", statuses=(408, 424, 425, *range(500, 600))),
    rule(Action.NEW_TOKEN, "unauthorized", text=_ACCESS, place=_SAID, example="Unauthorized"),
    rule(Action.NEW_TOKEN, "unauthorized", place="handshake", statuses=(401, 403)),
    rule(Action.PAUSE, "points", place="handshake", statuses=(402,)),
    rule(Action.WAIT, "too_many_sessions", place="handshake", statuses=(429,)),
    rule(
        Action.SLOW,
        "handshake_refused",
        place="handshake",
        statuses=(200, 300, 301, 302, 303, 307, 308, 400, 404, 405, 406, 410, 421, 426),
    ),
    rule(Action.SLOW, "handshake_refused", place="handshake", known=False),
    # graphql-transport-ws says 4400 of a message that it cannot read; others say it of credentials.
    rule(
        Action.SLOW,
        "message_refused",
        place="close",
        close_codes=(4400,),
        text=_NO_MESSAGE,
        example="Invalid message received",
    ),
    rule(Action.NEW_TOKEN, "unauthorized", place="close", close_codes=(1008, 3000, 3003, 4400, 4401, 4403)),
    rule(Action.WAIT, "too_many_sessions", place="close", close_codes=(4429,)),
    rule(Action.PAUSE, "points", place="close", close_codes=(4402,)),
    rule(Action.WAIT, "overload", place="close", close_codes=(1013,)),
    rule(Action.WAIT, "already_subscribed", place="close", close_codes=(4409,)),
    rule(Action.SLOW, "message_too_big", place="close", close_codes=(1009,)),
    rule(Action.SLOW, "subprotocol_refused", place="close", close_codes=(1002, 1003, 1007, 4004, 4406)),
    rule(
        Action.RECONNECT,
        "closed",
        place="close",
        close_codes=(1000, 1001, 1005, 1011, 1012, 1014, 3008, 4408, 4499, 4500, 4504),
    ),
    # RFC 6455 §7.1.5: the TCP stream ended without a Close frame.
    rule(Action.RECONNECT, "connection_lost", place="close", close_codes=(1006,)),
    rule(Action.NEW_TOKEN, "refused_at_init", place="init", known=False),
    rule(Action.WAIT, "refused_at_subscribe", place="subscribe", known=False),
    rule(Action.SLOW, "subprotocol_refused", place="subprotocol"),
    rule(Action.RECONNECT, "unreachable", place="connect"),
    rule(Action.RECONNECT, "no_ack", place="ack"),
    rule(Action.RECONNECT, "silent", place="silence"),
    rule(Action.RECONNECT, "completed", place="complete"),
    rule(Action.RECONNECT, "protocol_violation", place="protocol"),
)

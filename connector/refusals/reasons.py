"""What each reason means to the one who operates the connector, and what there is to do about it."""

from __future__ import annotations

from collections.abc import Mapping

REMEDIES: Mapping[str, str] = {
    "unauthorized": "check that the application exists and may subscribe, oauth.scope, endpoint.url and"
    " endpoint.credentials",
    "insufficient_scope": "grant the application what the endpoint asks for, and check oauth.scope; a fresh"
    " token is tried by itself after each pause",
    "invalid_request": "check endpoint.url and endpoint.credentials: the token is expected in another place,"
    " or came in two",
    "points": "buy points or renew the plan; a fresh token is tried by itself after each pause",
    "too_many_sessions": "close other streams of the account, or take a larger plan",
    "busy": "nothing: the upstream is overloaded for a while",
    "document_refused": "correct the document, its variables or the dataset; see the error",
    "server_error": "nothing, unless it lasts: the upstream or a gateway before it fails",
    "handshake_refused": "check endpoint.url, and what stands between here and there",
    "message_refused": "check endpoint.subprotocol and endpoint.init_payload; else it is worth a report",
    "overload": "filter the document, select fewer fields, move closer to the endpoint",
    "already_subscribed": "stop the other consumer of these credentials; else nothing: it passes",
    "message_too_big": "raise endpoint.max_message_bytes, or select less",
    "subprotocol_refused": "check endpoint.url and endpoint.subprotocol",
    "start_failed": "nothing, unless it lasts",
    "closed": "nothing, unless it is frequent: the upstream restarts or balances its load",
    "connection_lost": "nothing, unless it is frequent: look at the network, and at proxies that cut idle"
    " sockets",
    "refused_at_init": "read the error; a rule in endpoint.refusals settles what it means",
    "refused_at_subscribe": "read the error; a rule in endpoint.refusals settles what it means",
    "unreachable": "check the name, the port, TLS and proxies",
    "no_ack": "check that a GraphQL server listens there, and endpoint.ack_timeout",
    "silent": "nothing, unless it is frequent; a healthy endpoint that is quieter wants a longer"
    " endpoint.keepalive_timeout",
    "completed": "check that the document is a subscription to something that does not end",
    "protocol_violation": "check that endpoint.url is that of a GraphQL server",
    "unknown": "read the log line; a rule in endpoint.refusals settles what it means",
}
"""By the label in metrics and logs. A reason of the user's own is not here."""


GIVEN_TOKEN: Mapping[str, str] = {
    "unauthorized": "put another token in the place of the given one, which is not accepted (any more); if it"
    " is new, check endpoint.url and endpoint.credentials",
    "insufficient_scope": "give a token that has the rights which the endpoint asks for; it is tried by"
    " itself",
    "points": "buy points or renew the plan, then give a new token; the old one may keep the old limits",
}
"""The same where the token is one that the user gave, so that there is no application behind it."""


def remedy_of(reason: str, *, token_is_given: bool = False) -> str:
    """Return what to do about ``reason``; ``token_is_given``: by ``token`` or ``token_file``."""
    if token_is_given and reason in GIVEN_TOKEN:
        return GIVEN_TOKEN[reason]
    return REMEDIES.get(reason, "a rule in endpoint.refusals decided this")

"""Where the rows come from, and how a session proves who it is."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from pydantic import AfterValidator, BeforeValidator, JsonValue

from connector.config.mistake import Mistake
from connector.config.proxy import ProxyUrl
from connector.config.secret import Secret
from connector.config.section import Section, setting
from connector.config.tls import TlsSection
from connector.config.values import (
    Duration,
    HeaderName,
    HttpUrl,
    Size,
    SocketUrl,
    Text,
    choice,
    text,
)

PresetName = Annotated[Literal["bitquery", "generic"], choice("generic", "bitquery")]
Subprotocol = Annotated[
    Literal["auto", "graphql-transport-ws", "graphql-ws"],
    choice("auto", "graphql-transport-ws", "graphql-ws"),
]
Place = Annotated[Literal["url", "header", "init"], choice("url", "header", "init")]
Rotation = Annotated[Literal["reopen", "never"], choice("reopen", "never")]
TokenAuth = Annotated[Literal["body", "basic"], choice("body", "basic")]

_HANDSHAKE = (
    "connection",
    "content-length",
    "host",
    "transfer-encoding",
    "upgrade",
)


def _one_token(value: object) -> str:
    checked = text(value)
    if checked.count("{token}") != 1:
        raise Mistake("must hold {token} exactly once", "write {token}, or 'Bearer {token}'")
    if not checked.isprintable():
        raise Mistake("holds a line break or control character", "take it out")
    return checked


def _header_name(value: str) -> str:
    lowered = value.lower()
    if lowered in _HANDSHAKE or lowered.startswith("sec-websocket-"):
        raise Mistake("is a header that the handshake sets itself", "take it out")
    return value


def _header_value(value: object) -> object:
    if isinstance(value, Secret):
        return value
    checked = text(value)
    if not checked.isprintable() or not checked.isascii():
        raise Mistake("holds a character that a header may not", "use printable ASCII")
    return checked


HandshakeHeader = Annotated[HeaderName, AfterValidator(_header_name)]
HeaderValue = Annotated[Secret, BeforeValidator(_header_value)]


class CredentialsSection(Section):
    """Where the token of a session goes."""

    from_preset: ClassVar[frozenset[str]] = frozenset({"in", "name", "template"})

    in_: Place = setting(
        ...,
        "Where the token goes: the URL's query, a header of the handshake, or connection_init's payload.",
        alias="in",
    )
    name: Text = setting(..., "The query parameter, header or payload key that holds it.")
    template: Annotated[str, BeforeValidator(_one_token)] = setting(
        ..., "What is put there; {token} stands for the token, exactly once."
    )


class EndpointSection(Section):
    """The GraphQL endpoint."""

    from_preset: ClassVar[frozenset[str]] = frozenset({"url", "http_url", "credentials", "keepalive_timeout"})

    preset: PresetName = setting(
        "generic", "What is known of the endpoint; its values serve where keys are absent."
    )
    url: SocketUrl = setting(..., "The websocket address. The preset generic needs it.")
    http_url: HttpUrl | None = setting(
        None, "The address for queries over HTTP. No feature of this version uses it."
    )
    subprotocol: Subprotocol = setting(
        "auto", "What to speak. auto offers both; an endpoint that then chooses none is an error."
    )
    credentials: CredentialsSection = setting(..., "Where the token goes.")
    keepalive_timeout: Duration = setting(
        ..., "How long a session may be silent before it is probed (generic) or given up (bitquery)."
    )
    tls: TlsSection | None = setting(None, "Certificates for sockets (wss).")
    proxy: ProxyUrl | None = setting(
        None,
        "What sockets go through: http://, socks5:// or socks5h://[user:password@]host:port, or "
        "none. Default: what HTTPS_PROXY, HTTP_PROXY, ALL_PROXY and NO_PROXY say. Never for this machine "
        "itself. User and password are secrets.",
    )
    max_message_bytes: Size = setting("64MiB", "A larger message ends the session.")
    rotation: Rotation = setting(
        "reopen",
        "What to do before the token expires: reopen the session with a fresh one, or never, "
        "where an endpoint leaves open sessions alone.",
    )
    no_data_alarm: Duration = setting(
        "5m", "A session alive for so long without rows raises an alarm, no reconnect."
    )
    ack_timeout: Duration = setting("10s", "How long to wait for connection_ack.")
    open_timeout: Duration = setting("10s", "How long the handshake may take.")
    close_timeout: Duration = setting("5s", "How long to go on receiving after our Close.")
    headers: dict[HandshakeHeader, HeaderValue] = setting(
        {}, "Further headers for the handshake. Their values are secrets and never shown."
    )
    init_payload: dict[str, JsonValue] = setting(
        {}, "Further keys for the payload of connection_init. Their values are secrets and never shown."
    )


class OauthSection(Section):
    """An OAuth 2.0 client credentials grant (RFC 6749 §4.4)."""

    from_preset: ClassVar[frozenset[str]] = frozenset({"token_url", "scope", "auth"})

    token_url: HttpUrl = setting(..., "The token endpoint.")
    client_id: Text = setting(..., "The client's identifier.")
    client_secret: Secret = setting(..., "The client's secret.")
    scope: Text | None = setting(None, "The scope to ask for; absent: none.")
    auth: TokenAuth = setting("body", "How the client proves itself: form body, or HTTP Basic.")
    tls: TlsSection | None = setting(
        None,
        "Certificates for token requests. Default: what endpoint.tls trusts, with its certificate where the "
        "token endpoint is on the same host.",
    )
    proxy: ProxyUrl | None = setting(
        None, "What token requests go through, or none. Default: endpoint.proxy, else the environment."
    )

"""Where the rows come from, and how a session proves who it is."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from pydantic import AfterValidator, BeforeValidator, JsonValue, WithJsonSchema

from connector.config.credentials import CredentialsList
from connector.config.mistake import Mistake
from connector.config.proxy import ProxyUrl
from connector.config.refusals import RefusalSection
from connector.config.scalars import text
from connector.config.secret import Secret
from connector.config.section import Section, setting
from connector.config.tls import TlsSection
from connector.config.values import (
    Duration,
    DurationOrNever,
    DurationOrNone,
    HeaderName,
    HttpUrl,
    QuietAfter,
    Size,
    SocketUrl,
    Text,
    Whole,
    choice,
)

PresetName = Annotated[
    Literal["generic", "bitquery", "goldrush", "hasura", "ohip", "tibber"],
    choice("generic", "bitquery", "goldrush", "hasura", "ohip", "tibber"),
]
Subprotocol = Annotated[
    Literal["auto", "graphql-transport-ws", "graphql-ws"],
    choice("auto", "graphql-transport-ws", "graphql-ws"),
]
RotationKind = Annotated[Literal["overlap", "reopen", "never"], choice("overlap", "reopen", "never")]
Compression = Annotated[
    Literal["auto", "off"],
    choice("auto", "off"),
    # YAML 1.1 reads the words on and off as true and false, and Helm writes them so.
    BeforeValidator(lambda value: {True: "auto", False: "off"}[value] if isinstance(value, bool) else value),
    WithJsonSchema({"enum": ["auto", "off", True, False], "x-type": "`auto` | `off`"}),
]
TokenAuth = Annotated[Literal["body", "basic"], choice("body", "basic")]

_REQUEST = (
    "accept",
    "accept-encoding",
    "authorization",
    "connection",
    "content-length",
    "content-type",
    "host",
    "transfer-encoding",
)
_HANDSHAKE = (
    "connection",
    "content-length",
    "host",
    "transfer-encoding",
    "upgrade",
)


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


def _request_header_name(value: str) -> str:
    if value.lower() in _REQUEST:
        raise Mistake("is a header that the request sets itself", "take it out")
    return value


HandshakeHeader = Annotated[HeaderName, AfterValidator(_header_name)]
RequestHeader = Annotated[HeaderName, AfterValidator(_request_header_name)]
HeaderValue = Annotated[Secret, BeforeValidator(_header_value)]


class EndpointSection(Section):
    """The GraphQL endpoint."""

    from_preset: ClassVar[frozenset[str]] = frozenset(
        {
            "url",
            "http_url",
            "subprotocol",
            "credentials",
            "keepalive_timeout",
            "ping_interval",
            "rotation",
            "reopen_pause",
        }
    )

    preset: PresetName = setting(
        "generic", "What is known of the endpoint; its values serve where keys are absent."
    )
    url: SocketUrl = setting(..., "The websocket address. All presets but bitquery need it.")
    http_url: HttpUrl | None = setting(
        None, "The address for queries over HTTP. No feature of this version uses it."
    )
    subprotocol: Subprotocol = setting(
        ..., "What to speak. auto offers both; an endpoint that then chooses none is an error."
    )
    credentials: CredentialsList = setting(
        ..., "Where the token goes; a list where it goes to several places."
    )
    keepalive_timeout: Duration = setting(
        ..., "How long a session may be silent before it is given up (bitquery) or probed (all others)."
    )
    ping_interval: DurationOrNever = setting(
        ...,
        "How often we ping while a session is open, whatever comes: GraphQL's ping, or the websocket's on "
        "graphql-ws. none: only to probe.",
    )
    tls: TlsSection | None = setting(None, "Certificates for sockets (wss).")
    proxy: ProxyUrl | None = setting(
        None,
        "What sockets go through: http://, socks5:// or socks5h://[user:password@]host:port, or "
        "none. Default: what HTTPS_PROXY, HTTP_PROXY, ALL_PROXY and NO_PROXY say. Never for this machine "
        "itself. User and password are secrets.",
    )
    max_message_bytes: Size = setting(
        "16MiB", "A larger message ends the session; of a compressed one, what it inflates to counts."
    )
    compression: Compression = setting(
        "auto", "auto: offer permessage-deflate, which makes messages small on the wire; off: do not."
    )
    rotation: RotationKind = setting(
        ...,
        "What to do before the token expires. overlap: open a session with a fresh one beside the old, which "
        "is closed once nothing can be missing between them; both are billed meanwhile. reopen: close the "
        "old one first, which costs a gap. never: leave it, where an endpoint lets open sessions be. "
        "Default: overlap, but reopen with a preset that allows one session only, or with a reopen_pause.",
    )
    overlap: Duration = setting(
        "5s", "With overlap, how long both sessions live at least; at most a tenth of the token's life."
    )
    overlap_max: Duration = setting(
        "30s",
        "With overlap, how long they live at most, within the old token's life: then the old one is closed, "
        "and a gap declared where rows may be missing.",
    )
    rotation_parallelism: Whole = setting(
        2,
        "With overlap, how many subscriptions have two sessions at once; more only where a token would end "
        "before all had their turn. The next token is fetched as early as all their turns take.",
        ge=1,
        le=1000,
    )
    max_streams: Whole | None = setting(
        None,
        "How many streams this connector may have open: what the plan allows, less what others use of it. "
        "Where there is no room for a second session the subscription is reopened instead. Absent: not "
        "known.",
        ge=1,
        le=1_000_000,
    )
    reopen_pause: DurationOrNone = setting(
        ...,
        "The least time between the end of a session and the next one, for endpoints that take the client "
        "before for one that is still there.",
    )
    refusals: tuple[RefusalSection, ...] = setting(
        (), "Rules of your own about what is done when the endpoint refuses, asked before all others."
    )
    no_data_alarm: Duration = setting(
        "5m", "A session alive for so long without rows raises an alarm, no reconnect."
    )
    quiet_after: QuietAfter = setting(
        "auto",
        "A session alive for so long without rows is reopened, to find out whether it is dead. auto: a "
        "silence far beyond what is usual for the subscription, never under 40s; off: never.",
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
    headers: dict[RequestHeader, HeaderValue] = setting(
        {}, "Further headers for the request. Their values are secrets and never shown."
    )

"""
The switches of the upstream: what a connection does beside delivering rows.

A ``Trouble`` is one thing that can go wrong; a ``Behaviour`` says where it goes wrong. Both are frozen:
``dataclasses.replace`` or ``StandInUpstream.behave`` makes another.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

MODERN = "graphql-transport-ws"
LEGACY = "graphql-ws"

HTML_UNAUTHORIZED = "<html><head><title>401</title></head><body><h1>Unauthorized</h1></body></html>"


@dataclass(frozen=True, kw_only=True, slots=True)
class HttpRefusal:
    """An HTTP answer instead of the upgrade; ``challenges`` are values of ``WWW-Authenticate``."""

    status: int
    body: str = "Unauthorized"
    content_type: str = "text/plain; charset=utf-8"
    retry_after: str | None = None
    challenges: tuple[str, ...] = ()

    @classmethod
    def json(cls, status: int, message: str) -> HttpRefusal:
        """A refusal whose body is a GraphQL answer with one error."""
        body = json.dumps({"errors": [{"message": message}]})
        return cls(status=status, body=body, content_type="application/json")

    @classmethod
    def html(cls, status: int) -> HttpRefusal:
        """A refusal as a gateway words it."""
        return cls(status=status, body=HTML_UNAUTHORIZED, content_type="text/html")


@dataclass(frozen=True, slots=True)
class Close:
    """A Close frame of ours. Codes that never travel (1005, 1006) are a ``Fin``."""

    code: int
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Fin:
    """The end of the TCP stream with no Close frame, after all that was written."""


@dataclass(frozen=True, slots=True)
class Rst:
    """A TCP reset: what the client has not read may be lost."""


@dataclass(frozen=True, slots=True)
class Stall:
    """Neither reading nor writing any more, the TCP connection staying up."""


@dataclass(frozen=True, slots=True)
class Silence:
    """No rows any more; with ``keepalive=False`` no keep-alives either."""

    keepalive: bool = True


@dataclass(frozen=True, slots=True)
class ErrorOnConnection:
    """A ``connection_error`` message; then, as servers do, a Close 1011 (``None``: no Close)."""

    message: str = "Unauthorized"
    then_close: int | None = 1011


@dataclass(frozen=True, slots=True)
class InBandError:
    """
    An error inside the stream, in one of its three forms.

    ``frame``: an ``error`` message · ``errors``: ``errors`` in the payload of a ``next`` · ``data``: a
    ``next`` whose ``data`` is itself an error message. ``ends`` completes the operation after it (an
    ``error`` frame always ends it).
    """

    form: Literal["frame", "errors", "data"] = "frame"
    message: str = "Unauthorized"
    extensions: Mapping[str, str] | None = None
    ends: bool = False


InConnection = Close | Fin | Rst | Stall | Silence | ErrorOnConnection | InBandError
Trouble = HttpRefusal | InConnection
Stage = Literal["upgrade", "init", "subscribe"]
KeepAlive = Literal["usual", "ka", "ping", "pong", "websocket ping"]

REFUSED_TOKEN = HttpRefusal(status=401)
NO_BILLING = HttpRefusal(status=402, body="No active billing period")
POINTS_LIMIT = HttpRefusal(status=402, body="points limit exceeded: usage quota reached")
GATEWAY_FORBIDDEN = HttpRefusal.html(403)
TOO_MANY_SESSIONS = HttpRefusal(status=429, body="Too Many Sessions")
SLOW_CONSUMER = Close(1013, "client is not consuming messages fast enough")


@dataclass(frozen=True, kw_only=True, slots=True)
class Behaviour:
    """
    One connection's course. Durations are seconds; ``None`` switches a thing off.

    ``at_upgrade``, ``instead_of_ack`` and ``at_subscribe`` replace what the stage would do. ``hang_upgrade``
    never answers the upgrade. ``refusal`` is done to a token that the authority calls stale, at the stage
    ``refuse_at`` (``None``: where that kind of refusal can first be made). ``before_ack`` are messages sent
    before the ack, by type. ``keepalive="usual"`` is ``ka`` on the legacy protocol and an unsolicited
    ``pong`` on the modern one. ``ending`` happens after ``ending_after_rows`` rows (exactly: a frame is cut
    there) or ``ending_after_seconds`` of being subscribed, whichever is set. ``on_stop`` says what a
    client's ``complete`` or ``stop`` does: the vendor ignores it. ``closes_at_expiry`` refuses mid-stream
    as soon as the token is stale. ``overflow_bytes`` is how much may wait for a slow reader before 1013.
    ``payload_first`` puts ``payload`` before ``type`` and ``id`` in a result message; ``spaced`` puts
    whitespace round its parts (``RowStyle.spaced``: inside the rows).
    ``snapshot_rows`` are emitted once more at the beginning, to this session alone.
    """

    subprotocols: tuple[str, ...] = (MODERN, LEGACY)
    credentials_in: Literal["url", "header", "init"] | None = "url"
    credentials_name: str | None = None
    refusal: Trouble = REFUSED_TOKEN
    refuse_at: Stage | None = None
    at_upgrade: HttpRefusal | Fin | Rst | None = None
    upgrade_delay: float = 0.0
    hang_upgrade: bool = False
    before_ack: tuple[Literal["ka", "ping", "pong"], ...] = ()
    ack_delay: float = 0.0
    instead_of_ack: InConnection | None = None
    init_timeout: float | None = 3.0
    at_subscribe: InConnection | None = None
    ending: InConnection | None = None
    ending_after_rows: int | None = None
    ending_after_seconds: float | None = None
    keepalive: KeepAlive | None = "usual"
    keepalive_interval: float = 2.0
    answers_ping: bool = True
    on_stop: Literal["ignored", "ends", "completes"] = "ignored"
    closes_at_expiry: bool = False
    overflow_bytes: int = 16 << 20
    snapshot_rows: int = 0
    payload_first: bool = False
    spaced: bool = False

"""The body of ``/readyz``."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec


class TokenBody(msgspec.Struct, frozen=True, kw_only=True):
    """``expires_in_seconds`` is ``None`` where the life is unknown; ``state`` is "unused" without a token."""

    state: str
    expires_in_seconds: float | None
    last_error: str | None


class KafkaBody(msgspec.Struct, frozen=True, kw_only=True):
    """
    ``state`` is ``connecting``, ``up``, ``stalled``, ``refused`` or ``throttled``; ``error`` says what
    keeps the brokers from answering or acknowledging, or a topic from being ready, ``None`` where nothing
    does or nothing is known. ``token`` is what is shown to them, ``None`` without OAUTHBEARER.
    """

    state: str
    error: str | None = None
    token: TokenBody | None = None


class OffsetsBody(msgspec.Struct, frozen=True, kw_only=True):
    """
    ``state`` is ``off``, ``reading``, ``kept`` or ``not_kept``: rows go on without; ``error`` says why they
    are not kept, ``None`` where they are or nothing is known.
    """

    state: str = "off"
    error: str | None = None


class ConfigBody(msgspec.Struct, frozen=True, kw_only=True):
    """
    ``state`` is ``current``, ``rejected`` (the files say something that does not run, ``last_error`` says
    why) or ``unwatched``; ``loaded_at`` is in seconds since 1970, ``None`` where nothing runs.
    """

    state: str
    last_error: str | None
    loaded_at: float | None


class SubscriptionBody(msgspec.Struct, frozen=True, kw_only=True):
    """Moments are seconds since 1970; ``None`` before the first row or error."""

    state: str
    since: float
    last_row_at: float | None
    last_error: str | None


class ReadyBody(msgspec.Struct, frozen=True, kw_only=True):
    """All of it."""

    ready: bool
    token: TokenBody
    kafka: KafkaBody
    config: ConfigBody
    offsets: OffsetsBody = OffsetsBody()
    subscriptions: Mapping[str, SubscriptionBody]

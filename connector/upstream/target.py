"""An endpoint before and after the token is put in."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from html import escape
from urllib.parse import quote, quote_plus, urlsplit, urlunsplit

from connector.upstream.placement import Placement

_SHORTEST_PART = 6
"""Characters of a token's beginning that could tell something."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Opening:
    """What one attempt opens with. Holds the token, so its repr shows nothing of it."""

    url: str = field(repr=False)
    headers: Mapping[str, str] = field(repr=False)
    init_payload: Mapping[str, object] | None = field(repr=False)
    token: str | None = field(default=None, repr=False)

    def without_token(self, text: str) -> str:
        """Return ``text``, which the other side said, without the token that it may repeat."""
        if not self.token:
            return text
        for written in _ways_to_write(self.token):
            text = text.replace(written, "[token]")
            # Long texts are cut, maybe in the middle of it.
            for length in range(min(len(written) - 1, len(text)), _SHORTEST_PART - 1, -1):
                if text.endswith(written[:length]):
                    text = text[:-length] + "[token]"
                    break
        return text


def _ways_to_write(token: str) -> Iterable[str]:
    """Return ``token`` as it stands in texts, URLs, forms, JSON and HTML; logs know more (`telemetry`)."""
    in_json = json.dumps(token)[1:-1]
    ways = (
        token,
        quote(token, safe=""),
        quote_plus(token),
        in_json,
        in_json.replace("/", r"\/"),
        escape(token),
    )
    return dict.fromkeys(ways)


@dataclass(frozen=True, kw_only=True, slots=True)
class Target:
    """
    The endpoint before a token is put in, into all of ``placements``; ``headers`` and ``init_payload`` are
    sent besides.
    """

    url: str
    placements: tuple[Placement, ...] = ()
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    init_payload: Mapping[str, object] | None = field(default=None, repr=False)

    def opening(self, token: str | None) -> Opening:
        """Return what to open with; ``None`` leaves credentials out."""
        url, headers, init_payload = self.url, self.headers, self.init_payload
        if token is None or not self.placements:
            return Opening(url=url, headers=headers, init_payload=init_payload)
        for placement in self.placements:
            name, value = placement.name, placement.template.replace("{token}", token)
            match placement.place:
                case "url":
                    url = _with_query(url, name, value)
                case "header":
                    headers = {**headers, name: value}
                case "init":
                    init_payload = _with_key(init_payload or {}, name.split("."), value)
        return Opening(url=url, headers=headers, init_payload=init_payload, token=token)


def _with_key(payload: Mapping[str, object], names: Sequence[str], value: str) -> Mapping[str, object]:
    name, *rest = names
    if not rest:
        return {**payload, name: value}
    below = payload.get(name)
    return {**payload, name: _with_key(below if isinstance(below, Mapping) else {}, rest, value)}


def _with_query(url: str, name: str, value: str) -> str:
    # RFC 3986 §2.1: everything but unreserved characters is percent-encoded, "+" and "/" included.
    parts = urlsplit(url)
    added = f"{quote(name, safe='')}={quote(value, safe='')}"
    return urlunsplit(parts._replace(query=f"{parts.query}&{added}" if parts.query else added))

"""What the connector says of itself over HTTP: ``/readyz`` and ``/metrics``."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from http.client import HTTPException
from urllib.error import HTTPError
from urllib.request import ProxyHandler, build_opener

import anyio.to_thread

_TIMEOUT = 2.0
_SAMPLE = re.compile(r"^(?P<name>[a-z_]+)(?:\{(?P<labels>[^}]*)\})? (?P<value>\S+)$", re.MULTILINE)
_LABEL = re.compile(r'(\w+)="([^"]*)"')
_opener = build_opener(ProxyHandler({}))


@dataclass(frozen=True, kw_only=True, slots=True)
class Glance:
    """
    The connector's own view at one moment.

    ``states`` maps subscriptions to session states; ``token_seconds_left`` is ``None`` where unknown;
    ``reconnects`` counts by reason.
    """

    states: Mapping[str, str] = field(default_factory=dict)
    token_state: str = "none"  # noqa: S105 - a state, not a password
    token_seconds_left: float | None = None
    reconnects: Mapping[str, int] = field(default_factory=dict)


async def look(api_port: int) -> Glance | None:
    """Ask the connector's API; ``None`` if it does not answer."""
    return await anyio.to_thread.run_sync(_look, api_port, abandon_on_cancel=True)


def _look(api_port: int) -> Glance | None:
    try:
        return read(_get(api_port, "/readyz"), _get(api_port, "/metrics"))
    except (OSError, HTTPException, ValueError, LookupError, AttributeError, TypeError):
        return None


def _get(port: int, path: str) -> str:
    try:
        with _opener.open(f"http://127.0.0.1:{port}{path}", timeout=_TIMEOUT) as answer:
            body: bytes = answer.read()
    except HTTPError as refusal:
        # 503 until ready: the body tells the same.
        with refusal:
            body = refusal.read()
    return body.decode()


def read(readyz: str, metrics: str) -> Glance:
    """Read the two answers."""
    health = json.loads(readyz)
    reconnects: Counter[str] = Counter()
    for sample in _SAMPLE.finditer(metrics):
        labels = dict(_LABEL.findall(sample["labels"] or ""))
        if sample["name"] == "connector_reconnects_total":
            reconnects[labels.get("reason", "?")] += int(float(sample["value"]))
    return Glance(
        states={name: one["state"] for name, one in health["subscriptions"].items()},
        token_state=health["token"]["state"],
        token_seconds_left=health["token"]["expires_in_seconds"],
        reconnects=+reconnects,
    )

"""Values that come from the preset, or from another key, where the user gave none."""

from __future__ import annotations

from connector.config.credentials import fill_credentials
from connector.config.rotation import allows_overlap
from connector.presets import PRESETS, Preset


def preset_of(tree: dict[str, object]) -> Preset:
    """The preset that is named, or ``generic`` where none is or it is unknown."""
    endpoint = tree.get("endpoint")
    name = endpoint.get("preset") if isinstance(endpoint, dict) else None
    return PRESETS.get(name if isinstance(name, str) else "", PRESETS["generic"])


def fill_defaults(tree: dict[str, object]) -> None:
    """Put the defaults into ``tree``; sections of a wrong kind are left as they are."""
    preset = preset_of(tree)
    endpoint = tree.get("endpoint")
    if isinstance(endpoint, dict):
        _fill(endpoint, url=preset.url, http_url=preset.http_url)
        endpoint.setdefault("keepalive_timeout", f"{preset.keepalive_timeout:g}s")
        endpoint.setdefault("subprotocol", preset.subprotocol)
        endpoint.setdefault("ping_interval", f"{preset.ping_interval:g}s" if preset.ping_interval else "none")
        endpoint.setdefault("reopen_pause", f"{preset.reopen_pause:g}s")
        endpoint.setdefault("rotation", "overlap" if allows_overlap(endpoint, preset) else "reopen")
        fill_credentials(endpoint, preset)
    oauth = tree.get("oauth")
    if isinstance(oauth, dict):
        _fill(oauth, token_url=preset.token_url, scope=preset.scope, auth=preset.oauth_auth)
    kafka = tree.get("kafka")
    if isinstance(kafka, dict):
        name = tree.get("name")
        # Without a name, which is reported, the missing client_id says nothing.
        kafka.setdefault("client_id", name if isinstance(name, str) and name else "connector")


def _fill(section: dict[str, object], **values: str | None) -> None:
    for key, value in values.items():
        if value is not None:
            section.setdefault(key, value)

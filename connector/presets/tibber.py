"""Tibber's streaming API (https://developer.tibber.com); its URL is asked for by a query of the account."""

from connector.presets.preset import Preset
from connector.upstream import Placement

TIBBER = Preset(
    name="tibber",
    needs_token=True,
    subprotocol="graphql-transport-ws",
    credentials=(Placement(place="init", name="token", template="{token}"),),
    keepalive_timeout=30.0,
    probe=True,
    rows_default="root",
)

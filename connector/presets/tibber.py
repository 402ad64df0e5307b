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
    # Closed with 4429, "Too many open connections on this server: 2", where one was open besides
    # (github.com/ericbstie/tibber.py, issue 23).
    two_sessions=False,
    rows_default="root",
)

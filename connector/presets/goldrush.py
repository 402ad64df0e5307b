"""GoldRush's streaming API (https://goldrush.dev/docs/goldrush-streaming-api)."""

from connector.presets.preset import Preset
from connector.upstream import Placement

GOLDRUSH = Preset(
    name="goldrush",
    needs_token=True,
    subprotocol="graphql-transport-ws",
    # An API key that does not expire. The server acknowledges any, and refuses it on subscribing.
    credentials=(Placement(place="init", name="GOLDRUSH_API_KEY", template="{token}"),),
    keepalive_timeout=30.0,
    probe=True,
    # Credits are counted by what is sent; no limit of sessions is documented for it.
    two_sessions=True,
    rows_default="root",
)

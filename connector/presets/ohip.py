"""
Oracle Hospitality's streaming API (https://docs.oracle.com/en/industries/hospitality/integration-platform).

The URL, which holds the hash of the application's key, and the key itself are the user's to give.
"""

from connector.presets.preset import Preset
from connector.upstream import Placement

OHIP = Preset(
    name="ohip",
    scope="urn:opc:hgbu:ws:__myscopes__",
    oauth_auth="basic",
    needs_token=True,
    subprotocol="graphql-transport-ws",
    credentials=(Placement(place="init", name="Authorization", template="Bearer {token}"),),
    keepalive_timeout=30.0,
    probe=True,
    ping_interval=15.0,
    # One consumer of a chain. One page of the documentation says five seconds, another ten.
    reopen_pause=10.0,
    # A second one is closed with 4409.
    two_sessions=False,
    # "Send complete, take what still comes, and wait for the server to close."
    peer_closes=True,
    rows_default="root",
)

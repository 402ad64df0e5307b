"""Hasura (https://hasura.io/docs), and servers that took over its ways."""

from connector.presets.preset import Preset
from connector.upstream import Placement

HASURA = Preset(
    name="hasura",
    # A role for those who do not authenticate may be configured there.
    needs_token=False,
    # HTTP headers travel in the payload: {"headers": {"Authorization": ...}}.
    credentials=(Placement(place="init", name="headers.Authorization", template="Bearer {token}"),),
    # It sends ka (or ping) every five seconds, also before the acknowledgement.
    keepalive_timeout=20.0,
    probe=True,
    # Each session is a subscriber of its own, of which any number shares one query of the database
    # (``subscriptions/postgres/livequery/execution``).
    two_sessions=True,
    rows_default="root",
)

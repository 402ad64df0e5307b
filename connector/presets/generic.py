"""Any endpoint that speaks ``graphql-transport-ws`` or the legacy ``graphql-ws``."""

from connector.presets.preset import DEFAULT_CREDENTIALS, Preset

GENERIC = Preset(
    name="generic",
    needs_token=False,
    credentials=(DEFAULT_CREDENTIALS["header"],),
    # Many healthy servers say nothing while there is no data, so silence is probed before it counts.
    keepalive_timeout=30.0,
    probe=True,
    # Neither protocol knows of a limit, and the reference servers have none.
    two_sessions=True,
    rows_default="root",
)

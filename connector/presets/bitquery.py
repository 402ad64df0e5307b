"""
Bitquery's streaming API (https://docs.bitquery.io).

The cubes are those that the vendor measured on 2026-08-03 (``subscriptions/which-cubes-stream``).
"""

from connector.presets.bitquery_cubes import CUBES, EXPRESSIONS, METRICS
from connector.presets.preset import DEFAULT_CREDENTIALS, Preset

_QUERY_ONLY = "can be queried but does not stream: the subscription is accepted and stays silent"
_SUNSET = "was to be switched off on 2026-08-10: the subscription may be refused or stay silent"
_NEEDS_FILTER = "is too much to receive without a filter (the upstream closes with 1013): add a 'where'"

BITQUERY = Preset(
    name="bitquery",
    url="wss://streaming.bitquery.io/graphql",
    http_url="https://streaming.bitquery.io/graphql",
    token_url="https://oauth2.bitquery.io/oauth2/token",  # noqa: S106 - an address, no password
    scope="api",
    needs_token=True,
    credentials=(DEFAULT_CREDENTIALS["url"],),
    # The vendor's rule: ten seconds without any frame, and the connection is dead. It sends `ka` or `pong`.
    keepalive_timeout=10.0,
    probe=False,
    # A plan caps streams, not sessions: a second consumer of a document is served, and billed, as another one
    # (``plans/rate-limits``, ``plans/how-billing-works``).
    two_sessions=True,
    rows_limit=800,
    rows_default="cube",
    warned_cubes={
        **dict.fromkeys(
            ("EVM.Balances", "EVM.Holders", "EVM.Uncles", "Tron.Balances", "Tron.Holders"), _QUERY_ONLY
        ),
        **dict.fromkeys(("EVM.BalanceUpdates", "EVM.TokenHolders", "Tron.BalanceUpdates"), _SUNSET),
    },
    filtered_cubes=dict.fromkeys(
        ("Solana.Instructions", "Solana.BalanceUpdates", "Solana.InstructionBalanceUpdates"), _NEEDS_FILTER
    ),
    cubes=CUBES,
    metrics=METRICS,
    expressions=EXPRESSIONS,
)

"""
What tells the rows of Bitquery's cubes apart (https://docs.bitquery.io).

*Unique* are the identities that the vendor documents: that of ``EVM.Transfers``, and that of
``Trading.Trades``, whose repeats differ in the last digits of their dollars only. All others are *advisory*:
inferred from the schema of 2024-07 and from the fields that the vendor's examples of 2026-08 select. Of
``Solana.DEXTrades`` the order within a slot is documented (``graphql/sorting``), which is less.

``Block.Hash`` is part of an identity where that is known, or a row that a reorganised chain brings anew would
pass for a repeat. A position in a block alone is therefore no way to name a transaction without it.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from connector.upstream import Cube, cube

_TRANSACTION = "Transaction.Hash"
_SIGNATURE = "Transaction.Signature"
_NUMBER = "Block.Number"
_SLOT = "Block.Slot"
_TRADE = (_TRANSACTION, "Call.Index", "Log.Index", "Trade.Index")
_SOLANA_TRADE = (_SIGNATURE, "Instruction.Index", "Trade.Index")
_INTERVAL = ("Interval.Time.Start", "Interval.Time.Duration")

CUBES: Mapping[str, Cube] = MappingProxyType(
    {
        "EVM.Transfers": cube(
            "Block.Hash?",
            _NUMBER,
            "Transaction.Hash | Block.Hash + Transaction.Index",
            "Call.Index",
            "Log.Index",
            "Transfer.Index",
            "Transfer.Type",
            kind="unique",
            cursor=_NUMBER,
        ),
        "EVM.Events": cube(
            "Block.Hash",
            _TRANSACTION,
            "LogHeader.Index | Call.Index + Log.Index",
            kind="advisory",
            cursor=_NUMBER,
        ),
        "EVM.Calls": cube("Block.Hash", _TRANSACTION, "Call.Index", kind="advisory", cursor=_NUMBER),
        "EVM.Transactions": cube("Block.Hash", _TRANSACTION, kind="advisory", cursor=_NUMBER),
        "EVM.Blocks": cube("Block.Hash", kind="advisory", cursor=_NUMBER),
        "EVM.DEXTrades": cube(*_TRADE, kind="advisory", cursor=_NUMBER),
        # One swap makes two rows, one for each token.
        "EVM.DEXTradeByTokens": cube(
            *_TRADE,
            "Trade.Currency.SmartContract",
            "Trade.Side.Currency.SmartContract",
            kind="advisory",
            cursor=_NUMBER,
        ),
        "EVM.TransactionBalances": cube(
            _TRANSACTION,
            "TokenBalance.Address",
            "TokenBalance.Currency.SmartContract",
            kind="advisory",
            cursor=_NUMBER,
        ),
        "Solana.DEXTrades": cube(*_SOLANA_TRADE, kind="advisory", cursor=_SLOT),
        "Solana.DEXTradeByTokens": cube(
            *_SOLANA_TRADE, "Trade.Side.Type | Trade.Currency.MintAddress", kind="advisory", cursor=_SLOT
        ),
        "Solana.Transfers": cube(
            _SIGNATURE, "Instruction.Index", "Transfer.Index", kind="advisory", cursor=_SLOT
        ),
        "Solana.Instructions": cube(_SIGNATURE, "Instruction.Index", kind="advisory", cursor=_SLOT),
        "Solana.BalanceUpdates": cube(_SIGNATURE, "BalanceUpdate.Index", kind="advisory", cursor=_SLOT),
        # The Id may be that of a token, which several transfers of one transaction may have.
        "Tron.Transfers": cube(
            _TRANSACTION, "Transfer.Id", "Transfer.Index?", kind="advisory", cursor=_NUMBER
        ),
        "Tron.DEXTrades": cube(_TRANSACTION, "Trade.Index", kind="advisory", cursor=_NUMBER),
        "Trading.Trades": cube(
            "TransactionHeader.Hash",
            "Block.Time",
            "Side",
            "Amounts.Base",
            "Pair.QuoteToken.Symbol",
            "Trader.Address",
            kind="unique",
            cursor="Block.Time",
        ),
        # Rows of an interval are revised until it is over: with the same identity they say something else.
        "Trading.Tokens": cube("Token.Id", *_INTERVAL, kind="advisory", cursor=_INTERVAL[0]),
        "Trading.Pairs": cube(
            "Token.Id",
            "QuoteToken.Id",
            "Market.Address | Market.Id",
            *_INTERVAL,
            kind="advisory",
            cursor=_INTERVAL[0],
        ),
        "Trading.Currencies": cube("Currency.Id", *_INTERVAL, kind="advisory", cursor=_INTERVAL[0]),
    }
)
"""``Root.Cube``, by names of the schema. What is not in it has no identity unless the user names one."""

METRICS = frozenset(
    (
        *("count", "sum", "average", "uniq", "median", "quantile", "minimum", "maximum", "PnL"),
        *("standard_deviation", "dispersion", "skew", "kurtosis", "entropy", "gini", "nakamoto"),
        *("theil_index", "theils_corrected", "cramers", "cramers_bias_corrected", "contingency"),
        *("correlation", "rank_correlation", "covariance", "array_intersect"),
    )
)
"""Fields that make a row of many (``graphql/metrics``, and the schema of 2024-07)."""

EXPRESSIONS = frozenset(("calculate",))
"""Fields whose arguments only make another value of the same row (``graphql/capabilities/expression``)."""

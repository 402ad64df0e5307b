"""Subscriptions that are planned as they would be from a configuration, with short defaults."""

from __future__ import annotations

import pytest

from connector.records.plan import DocumentRules, Finding, PlanError, SubscriptionPlan, SubscriptionSpec
from connector.records.planning import plan_subscription
from connector.upstream import cube

ROOT = DocumentRules()
CUBE = DocumentRules(
    rows_default="cube",
    warned_cubes={"EVM.Balances": "does not stream"},
    filtered_cubes={"Solana.Instructions": "needs a filter"},
)
KNOWN = DocumentRules(
    rows_default="cube",
    cubes={
        "E.A": cube("B.Hash?", "B.N", "T.Hash | T.I + C.I", "Side", kind="advisory", cursor="B.N"),
        "E.U": cube("Id", kind="unique", cursor="Time"),
    },
    metrics=frozenset(("count", "sum")),
    expressions=frozenset(("calculate",)),
)
"""Two cubes whose identities are known; where ``Hash`` is, fields may be left out, or others serve."""

TRADES = """
subscription ($network: evm_network!, $limit: Int = 5) {
  EVM(network: $network) {
    trades: DEXTrades(limit: $limit) {
      Block { Number Time }
      Transaction { Hash }
      __typename
    }
    __typename
  }
}
"""


def plan(document: str = TRADES, rules: DocumentRules = CUBE, **spec: object) -> SubscriptionPlan:
    defaults: dict[str, object] = {"variables": {"network": "bsc"}} if document is TRADES else {}
    values = {"topic": "t", **defaults, **spec}
    return plan_subscription(SubscriptionSpec(name="n", document=document, **values), rules)  # type: ignore[arg-type]


def findings(document: str = TRADES, rules: DocumentRules = CUBE, **spec: object) -> list[Finding]:
    with pytest.raises(PlanError) as caught:
        plan(document, rules, **spec)
    assert all(finding.message and finding.remedy for finding in caught.value.findings)
    return list(caught.value.findings)

"""What tells rows apart, and for how long their repeats are dropped, as a configuration says it."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from connector.config import compare
from connector.records.dedup import DEFAULT_BYTES, DEFAULT_WINDOW, DedupWindow
from connector.records.plan import SubscriptionPlan
from tests.unit.config.conftest import GENERIC, Load, Outlined, Refused

TRADES = """\
name: dex
endpoint: {preset: bitquery}
token: a-token-of-ours
kafka: {bootstrap_servers: "localhost:9092"}
subscriptions:
  - name: trades
    document: trades.graphql
    topic: trades
"""
LOG = "Log { Index }"
DOCUMENT = """\
subscription {
  EVM(network: bsc) {
    DEXTrades { Block { Number } Transaction { Hash } Call { Index } Log { Index } Trade { Index } }
  }
}
"""
KNOWN = ("Transaction.Hash", "Call.Index", "Log.Index", "Trade.Index")

Plan = Callable[..., SubscriptionPlan]


@pytest.fixture
def planned(load: Load) -> Plan:
    """The plan of the one subscription, with ``more`` keys."""

    def _planned(more: str = "", *, document: str = DOCUMENT, text: str = TRADES) -> SubscriptionPlan:
        (plan,) = load(f"{text}    {more}\n", files={"trades.graphql": document}).plans
        return plan

    return _planned


def fields(plan: SubscriptionPlan) -> tuple[str, ...]:
    return tuple(".".join(path) for path in plan.identity.fields) if plan.identity else ()


def test_the_preset_says_what_tells_the_rows_of_a_cube_apart(planned: Plan) -> None:
    plan = planned()
    assert (fields(plan), plan.cursor, plan.dedup) == (KNOWN, ("Block", "Number"), DedupWindow())
    assert plan.identity is not None
    assert plan.identity.kind == "advisory"
    assert plan.lacks == ()


def test_the_defaults_are_written_as_they_are(planned: Plan) -> None:
    assert planned("dedup: {}").dedup == DedupWindow()
    written = f"dedup: {{window: {DEFAULT_WINDOW}, max_bytes: {DEFAULT_BYTES}}}"
    assert planned(written).dedup == DedupWindow()


@pytest.mark.parametrize(
    ("written", "seconds", "max_bytes"),
    [
        ("window", 600.0, 16 * 2**20),
        ("{window: 5m}", 300.0, 16 * 2**20),
        ("{max_bytes: 1MiB}", 600.0, 2**20),
        ("{window: 1h30m, max_bytes: 64KiB}", 5400.0, 2**16),
    ],
)
def test_a_window_is_a_word_or_a_mapping(planned: Plan, written: str, seconds: float, max_bytes: int) -> None:
    assert planned(f"dedup: {written}").dedup == DedupWindow(seconds=seconds, max_bytes=max_bytes)


@pytest.mark.parametrize(
    "written", ["off", "'off'", "Off", "false", "no", "{window: off}", "{window: 'off'}"]
)
def test_off_is_a_word_that_yaml_reads_as_false(planned: Plan, written: str) -> None:
    plan = planned(f"dedup: {written}")
    assert plan.dedup is None
    assert fields(plan) == KNOWN  # overlaps are joined by it all the same


def test_off_is_the_default_where_rows_have_no_identity(planned: Plan, load: Load) -> None:
    assert load(GENERIC).plans[0].dedup is None
    assert load(f"{GENERIC}    dedup: off\n").plans[0].dedup is None
    bare = planned(document=DOCUMENT.replace(LOG, ""))
    assert (bare.identity, bare.dedup) == (None, None)
    assert [(lack.key, lack.message) for lack in bare.lacks] == [
        ("identity", "the document does not select Log.Index")
    ]


@pytest.mark.parametrize("written", ["identity: id", "identity: [id]", "identity: [id, customer.id]"])
def test_an_identity_of_the_users_own_is_unique(load: Load, written: str) -> None:
    (plan,) = load(f"{GENERIC}    {written}\n").plans
    assert plan.identity is not None
    assert (fields(plan)[0], plan.identity.kind, plan.dedup) == ("id", "unique", DedupWindow())


def test_fields_that_are_lacking_are_added_to_the_document(planned: Plan) -> None:
    plan = planned("add_fields: true", document=DOCUMENT.replace(LOG, ""))
    assert (fields(plan), plan.added) == (KNOWN, (("Log", "Index"),))
    assert "Trade { Index } Log { Index } }" in plan.document_text


def test_aggregates_are_known_as_such(planned: Plan) -> None:
    plan = planned(document=DOCUMENT.replace(LOG, "count"))
    assert (plan.identity, plan.has_metrics) == (None, True)
    assert not planned().has_metrics


@pytest.mark.parametrize(
    ("more", "path", "message", "remedy"),
    [
        ("dedup: {window: 0s}", "dedup.window", "longer than nothing", "such as 10s"),
        ("dedup: {window: -5m}", "dedup.window", "not a duration", "10s"),
        ("dedup: {window: 600}", "dedup.window", "without a unit", "10s"),
        ("dedup: {window: true}", "dedup.window", "not a duration", "10s"),
        ("dedup: {max_bytes: 1KiB}", "dedup.max_bytes", "from 64KiB to 16GiB", "64KiB"),
        ("dedup: {seconds: 5}", "dedup.seconds", "unknown key", "there is: window, max_bytes"),
        ("dedup: 10m", "dedup", "a duration alone", "{window: 10m}"),
        ("dedup: 0", "dedup", "neither window nor off", "write window, off, or"),
        ("dedup: on", "dedup", "says nothing", "write window, off, or"),
        ("dedup: 'OFF'", "dedup", "neither window nor off", "write window, off, or"),
        ("dedup: once", "dedup", "neither window nor off", "write window, off, or"),
        ("dedup: [window]", "dedup", "neither window nor off", "write window, off, or"),
        ("dedup:", "dedup", "has no value", "give it one"),
        ("identity: []", "identity", "is an empty list", "name fields"),
        ("identity: Block", "identity", "is not a leaf", "Block.Number"),
        ("identity: [Block.Number, Block.Nr]", "identity[1]", "has no Block.Nr", "Block.Number"),
        ("identity: [Block.Number, a..b]", "identity[1]", "is no path", "Block.Number"),
        ("identity: 5", "identity", "neither a path", "Block.Number"),
        ("add_fields: some", "add_fields", "neither true nor false", "write true"),
        ("cursor: Block.Number", "cursor", "not built yet", "validate"),
    ],
)
def test_what_is_refused_has_its_place_and_a_remedy(
    refused: Refused, more: str, path: str, message: str, remedy: str
) -> None:
    (problem,) = refused(f"{TRADES}    {more}\n", files={"trades.graphql": DOCUMENT})
    assert (problem.where, problem.path) == ("shop.yaml:9", f"subscriptions[0].{path}")
    assert message in problem.message
    assert remedy in problem.remedy


@pytest.mark.parametrize(
    ("more", "path", "message"),
    [
        ("dedup: window", "dedup", "these have none: the document does not select Log.Index"),
        ("dedup: {window: 1m}", "dedup", "these have none: the document does not select Log.Index"),
    ],
)
def test_no_window_without_an_identity(refused: Refused, more: str, path: str, message: str) -> None:
    document = DOCUMENT.replace(LOG, "")
    (problem,) = refused(f"{TRADES}    {more}\n", files={"trades.graphql": document})
    assert problem.path == f"subscriptions[0].{path}"
    assert message in problem.message
    assert "add_fields: true" in problem.remedy


@pytest.mark.parametrize("more", ["identity: Block.Number", "add_fields: true", "dedup: window"])
def test_aggregates_get_neither_an_identity_nor_fields(refused: Refused, more: str) -> None:
    document = DOCUMENT.replace(LOG, "count")
    (problem,) = refused(f"{TRADES}    {more}\n", files={"trades.graphql": document})
    assert problem.path == f"subscriptions[0].{more.partition(':')[0]}"
    assert "a row is made of many by count" in problem.message
    assert "count where you consume" in problem.remedy


def test_a_wrong_identity_is_no_reason_to_refuse_what_asks_for_one(refused: Refused) -> None:
    more = "    identity: a..b\n    dedup: window\n    add_fields: true\n"
    (problem,) = refused(f"{GENERIC}{more}")
    assert problem.path == "subscriptions[0].identity"


def test_fields_are_named_openly(refused: Refused) -> None:
    (problem,) = refused(f"{GENERIC}    identity: ${{file:secret}}\n", files={"secret": "id"})
    assert problem.path == "subscriptions[0].identity"
    assert "${env:" in problem.remedy


def test_what_is_not_known_yet_is_not_checked(outlined: Outlined) -> None:
    outline = outlined(f"{TRADES}    dedup: ${{env:DEDUP}}\n", files={"trades.graphql": DOCUMENT})
    assert outline.plans == ()


def test_a_window_from_the_environment_is_one(load: Load) -> None:
    text = f"{GENERIC}    identity: ${{env:ID}}\n    dedup: ${{env:DEDUP}}\n"
    off, on = (load(text, env={"ID": "id", "DEDUP": word}).plans[0] for word in ("off", "window"))
    assert (off.dedup, on.dedup) == (None, DedupWindow())


@pytest.mark.parametrize(
    ("before", "after", "keys"),
    [
        ("", "dedup: window", ()),
        ("dedup: {window: 600s}", "dedup: {max_bytes: 16MiB}", ()),
        ("dedup: off", "dedup: {window: off, max_bytes: 1MiB}", ()),
        ("", "add_fields: true", ()),
        ("", "dedup: off", ("dedup",)),
        ("dedup: window", "dedup: {window: 5m}", ("dedup",)),
        ("", "identity: Transaction.Hash", ("identity",)),
        (f"identity: [{', '.join(KNOWN)}]", "", ("identity",)),
    ],
)
def test_a_subscription_changes_by_what_comes_of_it(
    load: Load, before: str, after: str, keys: tuple[str, ...]
) -> None:
    old, new = (load(f"{TRADES}    {more}\n", files={"trades.graphql": DOCUMENT}) for more in (before, after))
    change = compare(old, new)
    assert change.keys == tuple(f"subscriptions[trades].{key}" for key in keys)
    assert change.changed == (("trades",) if keys else ())
    assert change.refused == ()


def test_fields_that_are_added_make_another_document(load: Load) -> None:
    less = {"trades.graphql": DOCUMENT.replace(LOG, "")}
    old, new = load(TRADES, files=less), load(f"{TRADES}    add_fields: true\n", files=less)
    assert compare(old, new).keys == ("subscriptions[trades].add_fields",)
    selected = load(TRADES, files={"trades.graphql": DOCUMENT})
    assert compare(old, selected).keys == ("subscriptions[trades].document",)

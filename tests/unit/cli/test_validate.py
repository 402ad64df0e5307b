"""What ``connector validate`` says of what rows are known by."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from connector.cli.outline import duration
from connector.cli.validate import validate
from connector.records.plan import PlanError, SubscriptionPlan
from tests.unit.config.test_identity import DOCUMENT, KNOWN, LOG, TRADES
from tests.unit.records.planned import plan
from tests.unit.records.test_documents_with_identity import CORPUS, RULES

Said = tuple[int, str, str]
Validate = Callable[..., Said]


@pytest.fixture
def validated(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Validate:
    """The exit code, and what is printed, of one subscription with ``more`` keys."""

    def _validated(more: str = "", *, document: str = DOCUMENT, json: bool = False) -> Said:
        (tmp_path / "trades.graphql").write_text(document)
        (tmp_path / "dex.yaml").write_text(f"{TRADES}    {more}\n")
        code = validate(tmp_path / "dex.yaml", resolve=True, json=json)
        out, err = capsys.readouterr()
        return code, out, err

    return _validated


def one(said: Said) -> dict[str, Any]:
    code, out, _ = said
    found = json.loads(out)
    assert (code, found["exit_code"], found["outcome"]) == (0, 0, "ok")
    (subscription,) = found["subscriptions"]
    assert isinstance(subscription, dict)
    return subscription


def test_a_table_says_what_rows_are_known_by_and_for_how_long(validated: Validate) -> None:
    code, out, err = validated()
    assert (code, err) == (0, "")
    assert ", ".join(KNOWN) in out
    line = next(line for line in out.splitlines() if KNOWN[0] in line)
    assert "advisory" in line
    assert "Block.Number" in line
    assert "dropped for 10m; at more than 873 rows/s for less" in line
    assert out.endswith("the configuration is valid\n")


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ("dedup: {window: 1h30m, max_bytes: 1MiB}", "dropped for 1h30m; at more than 6.1 rows/s for less"),
        ("identity: Transaction.Hash", "dropped for 10m; at more than 1,747 rows/s for less"),
        ("dedup: off", "published"),
    ],
)
def test_the_rate_depends_on_window_memory_and_kind(validated: Validate, more: str, said: str) -> None:
    assert said in validated(more)[1]


def test_what_is_lacking_is_a_note_and_no_mistake(validated: Validate) -> None:
    code, out, err = validated(document=DOCUMENT.replace(LOG, "").replace("Block { Number }", ""))
    assert code == 0
    assert "published" in out
    assert (err, out.endswith("\nthe configuration is valid\n")) == ("", True)
    assert [line for line in out.splitlines() if line.startswith("note")] == [
        f"note: trades: no {key}: the document does not select {field}; write add_fields: true, or select it"
        for key, field in (("identity", "Log.Index"), ("cursor", "Block.Number"))
    ]


def test_what_is_added_is_noted(validated: Validate) -> None:
    _, out, err = validated("add_fields: true", document=DOCUMENT.replace(LOG, ""))
    assert (err, "\nnote: trades: Log.Index is added to the document's rows\n" in out) == ("", True)
    assert "advisory" in out


def test_a_document_that_is_not_shown_is_not_quoted(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "hidden.txt").write_text(DOCUMENT.replace(LOG, "secretName: count"))
    (tmp_path / "dex.yaml").write_text(TRADES.replace("trades.graphql", f"${{file:{tmp_path}/hidden.txt}}"))
    assert validate(tmp_path / "dex.yaml", resolve=True) == 0
    out, err = capsys.readouterr()
    assert (err, "\nnote: trades: no identity: " in out) == ("", True)
    assert "secretName" not in out + err


def test_json_is_one_object(validated: Validate) -> None:
    assert one(validated(json=True)) == {
        "name": "trades",
        "rows": "EVM.DEXTrades",
        "topic": "trades",
        "key": [],
        "timestamp": None,
        "streams": 1,
        "identity": {"fields": list(KNOWN), "kind": "advisory"},
        "cursor": "Block.Number",
        "dedup": {"window_seconds": 600.0, "max_bytes": 16777216, "rows_per_second": 873.8},
        "added": [],
        "lacks": [],
        "warnings": [],
    }


def test_json_says_what_is_lacking(validated: Validate) -> None:
    found = one(validated(document=DOCUMENT.replace(LOG, ""), json=True))
    assert (found["identity"], found["dedup"], found["cursor"]) == (None, None, "Block.Number")
    assert [lack["key"] for lack in found["lacks"]] == ["identity"]
    assert "Log.Index" in found["lacks"][0]["message"]


def test_json_of_mistakes_names_each(validated: Validate) -> None:
    code, out, err = validated("dedup: {window: 0s}", json=True)
    found = json.loads(out)
    assert (code, found["exit_code"], found["outcome"]) == (2, 2, "configuration")
    (problem,) = found["problems"]
    assert problem["path"] == "subscriptions[0].dedup.window"
    assert problem["message"] in err


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (600.0, "10m"),
        (5400.0, "1h30m"),
        (1.5, "1.5s"),
        (90061.0, "1d1h1m1s"),
        (86400.0, "1d"),
        (0.25, "0.25s"),
    ],
)
def test_a_duration_is_said_as_it_is_written(seconds: float, text: str) -> None:
    assert duration(seconds) == text


def planned(text: str) -> SubscriptionPlan | None:
    try:
        return plan(text, RULES)
    except PlanError:
        return None


@pytest.mark.skipif(not CORPUS.is_file(), reason="the corpus of documented operations is not on this machine")
@pytest.mark.parametrize("adds", [False, True])
def test_documented_subscriptions_are_valid_and_say_what_they_lack(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], adds: bool
) -> None:
    operations = map(json.loads, CORPUS.read_text(encoding="utf-8").splitlines())
    texts = dict.fromkeys(item["src"] for item in operations if item["op"] == "subscription")
    plans = {text: made for text in texts if (made := planned(text)) is not None}
    if adds:  # refused where there is nothing to add
        plans = {
            text: made for text, made in plans.items() if any(lack.key == "cursor" for lack in made.lacks)
        }
    sections = []
    for number, text in enumerate(plans):
        (tmp_path / f"{number}.graphql").write_text(text, encoding="utf-8")
        sections.append(
            {"name": f"s{number}", "document": f"{number}.graphql", "topic": "t", "add_fields": adds}
        )
    head = TRADES.partition("subscriptions:")[0]
    (tmp_path / "all.yaml").write_text(head + f"subscriptions: {json.dumps(sections)}\n")
    assert validate(tmp_path / "all.yaml", resolve=True, json=True) == 0
    found = json.loads(capsys.readouterr().out)["subscriptions"]
    kinds: Counter[str] = Counter()
    for one, made in zip(found, plans.values(), strict=True):
        lacking = {lack["key"] for lack in one["lacks"]}
        assert (one["identity"] is None) == ("identity" in lacking)
        assert (one["dedup"] is None) == (one["identity"] is None)
        assert bool(one["added"]) == adds
        kinds[one["identity"]["kind"] if one["identity"] else "none"] += 1
        assert one["rows"] == ".".join(made.rows)
    print(dict(kinds))
    assert len(found) > (100 if adds else 400)
    assert kinds["advisory"] > 20

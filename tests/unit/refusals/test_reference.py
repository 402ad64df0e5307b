"""The document that is made from the rules."""

from pathlib import Path

import pytest

from connector.refusals import PROVIDERS, RULES, Action
from connector.refusals.reference import main, reference_text

ROOT = Path(__file__).parents[3]


def test_the_document_is_up_to_date() -> None:
    assert main(["--check", str(ROOT / "docs/refusals.md")]) == 0, "make generate"


def test_it_has_a_row_for_each_rule() -> None:
    rows = [line for line in reference_text().splitlines() if line.count("|") >= 5 and "`" in line]
    assert len(rows) == len(RULES) + sum(map(len, PROVIDERS.values())) + 1


def test_each_row_names_its_action_and_reason() -> None:
    text = reference_text()
    assert all(f"`{rule.reason}`" in text for rule in RULES)
    assert len(Action) == sum(f"| **{name}** |" in text for name in words())


def words() -> list[str]:
    return ["reconnect", "new token", "wait", "pause", "slow"]


def test_numbers_that_follow_one_another_are_a_range() -> None:
    assert "HTTP 408, 424, 425, 500\u2013599" in reference_text()


def test_an_old_document_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    old = tmp_path / "refusals.md"
    old.write_text("old")
    assert main(["--check", str(old)]) == 1
    assert "make it again" in capsys.readouterr().err

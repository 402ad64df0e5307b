"""What a check found, as people and machines get it."""

import json
from collections.abc import Callable

import pytest

from connector.cli.check import exit_code
from connector.cli.findings import NOT_LOOKED_AT, as_json, as_table
from connector.probe import Finding, Outcome, Report

SECRET = "s3cr3t-in-a-reply"


def redact(text: str) -> str:
    return text.replace(SECRET, "[hidden]")


def finding(outcome: Outcome, *, needed: bool = True, detail: str = "") -> Finding:
    return Finding(
        area="kafka", subject="a:9092", check=outcome, outcome=outcome, needed=needed, detail=detail
    )


@pytest.mark.parametrize(
    ("outcomes", "code"),
    [
        (["ok", "not needed"], 0),
        (["ok", "not checked"], 0),
        (["failed", "not checked"], 3),
        (["refused"], 4),
        (["missing", "failed"], 4),
        (["failed", "refused"], 4),
    ],
)
def test_exit_codes(outcomes: list[Outcome], code: int) -> None:
    assert exit_code(Report(findings=[finding(outcome) for outcome in outcomes])) == code


@pytest.mark.parametrize("outcome", ["refused", "missing", "failed"])
def test_what_is_not_needed_fails_nothing(outcome: Outcome) -> None:
    assert exit_code(Report(findings=[finding(outcome, needed=False)])) == 0


def table(report: Report, capsys: pytest.CaptureFixture[str]) -> str:
    as_table(report, "c.yaml: dex", redact)
    return capsys.readouterr().out


def test_not_checked_is_never_called_ok(capsys: pytest.CaptureFixture[str]) -> None:
    said = table(Report(findings=[finding("not checked", detail="no broker tells")]), capsys)
    assert "1 not checked, which is not the same as ok" in said
    assert "nothing that was checked stands in the way" in said


def test_what_is_not_needed_leaves_no_doubt(capsys: pytest.CaptureFixture[str]) -> None:
    said = table(Report(findings=[finding("not checked", needed=False)]), capsys)
    assert "nothing stands in the way" in said
    assert "not checked (optional)" in said


def test_what_peers_said_neither_shows_secrets_nor_moves_the_terminal(
    capsys: pytest.CaptureFixture[str],
) -> None:
    hostile = Report(findings=[finding("failed", detail=f"{SECRET}\x1b[2J\n│ forged [red]line[/red]")])
    said = table(hostile, capsys)
    assert SECRET not in said
    assert "\x1b" not in said
    assert "[red]line[/red]" in said  # text, no markup
    line = as_json(hostile, "dex", 3, redact)
    assert SECRET not in line
    assert "\n" not in line


def test_a_secret_beside_a_quote_leaves_json_whole() -> None:
    eager: Callable[[str], str] = lambda text: text.replace(f'{SECRET}"', "[hidden]")  # noqa: E731
    line = as_json(Report(findings=[finding("failed", detail=f'"{SECRET}"')]), "dex", 3, eager)
    assert json.loads(line)["checks"][0]["detail"] == '"[hidden]'


def test_the_shape_for_machines() -> None:
    one = Finding(
        area="token",
        subject="u",
        check="token",
        outcome="ok",
        detail="lives 20 s",
        facts={"life_seconds": 20.0, "scope": None},
    )
    assert json.loads(as_json(Report(findings=[one]), "dex", 0, redact)) == {
        "name": "dex",
        "outcome": "ok",
        "exit_code": 0,
        "checks": [
            {
                "area": "token",
                "subject": "u",
                "check": "token",
                "outcome": "ok",
                "needed": True,
                "detail": "lives 20 s",
                "remedy": None,
                "how": None,
                "life_seconds": 20.0,
                "scope": None,
            }
        ],
        "not_looked_at": list(NOT_LOOKED_AT),
    }


@pytest.mark.parametrize("outcome", ["ok", "failed", "refused", "not checked"])
def test_what_no_check_asks_is_said_whatever_came_of_it(
    outcome: Outcome, capsys: pytest.CaptureFixture[str]
) -> None:
    report = Report(findings=(finding(outcome),))
    shown = " ".join(table(report, capsys).split())
    assert "not looked at:" in shown
    assert "whether the endpoint takes the documents, and lets this token subscribe" in shown
    found = json.loads(as_json(report, "dex", exit_code(report), redact))
    assert len(found["not_looked_at"]) == shown.count(" - whether")

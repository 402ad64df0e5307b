"""What the demo says of itself."""

from __future__ import annotations

import io
from dataclasses import replace

from rich.console import Console

from connector.demo.account import Account
from connector.demo.run import PROVOKED
from connector.demo.table import Result, summary_of, verdict_of

RESULT = Result(
    account=Account(sent=100, consumed=92, missing=0, while_away=10, duplicates=2),
    tokens=5,
    sessions={"graphql-ws": 4},
    refused=3,
    dropped={"FIN": 2},
    reconnects={},
    seconds=20.0,
)


def test_the_verdict_counts_what_was_written_and_names_the_faults_as_provoked() -> None:
    assert verdict_of(RESULT) == (
        "verdict: PASSED: all 90 rows that were written to a socket are in Kafka, 2 of them twice, in spite "
        "of 2 sockets dropped and 3 tokens refused on purpose; 10 more came while none was open"
    )
    clean = replace(RESULT, account=Account(sent=5, consumed=5, missing=0, while_away=0, duplicates=0))
    assert "all 5 rows that were written to a socket are in Kafka, each once, in spite" in verdict_of(clean)


def test_one_of_a_kind_is_no_plural() -> None:
    said = verdict_of(replace(RESULT, refused=1, dropped={"RST": 1}))
    assert "in spite of 1 socket dropped and 1 token refused on purpose" in said


def test_a_failed_demo_has_a_verdict_too() -> None:
    failed = replace(RESULT, complaints=("3 rows are not in Kafka", "the connector exited with -9"))
    said = "verdict: FAILED: 3 rows are not in Kafka; the connector exited with -9"
    assert verdict_of(failed) == said


def test_faults_are_said_to_be_provoked_before_and_after() -> None:
    out = io.StringIO()
    Console(file=out, width=120).print(summary_of(RESULT))
    assert out.getvalue().count("provoked") == 2
    assert "provoked on purpose" in PROVOKED

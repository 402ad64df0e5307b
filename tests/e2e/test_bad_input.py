"""Mistakes of the user: exit code 2, every mistake at once with place and remedy, never a traceback."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.e2e.connector_process import PATIENCE
from tests.slow import first_of

GOOD = """\
name: dex
endpoint: {preset: generic, url: "ws://127.0.0.1:1/graphql"}
kafka: {bootstrap_servers: "127.0.0.1:1"}
subscriptions:
  - name: bsc
    document: trades.graphql
    rows: EVM.DEXTrades
    topic: dex.bsc
    key: [Transaction.Hash]
"""
DOCUMENT = "subscription { EVM { DEXTrades { Block { Time } Transaction { Hash } } } }"


def connector(*arguments: str, directory: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "connector", *arguments],
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        cwd=directory,
        check=False,
    )


def refused(directory: Path, config: str, document: str = DOCUMENT, command: str = "validate") -> str:
    (directory / "dex.yaml").write_text(config)
    (directory / "trades.graphql").write_text(document)
    done = connector(command, "-c", "dex.yaml", directory=directory)
    assert done.returncode == 2, done
    assert "Traceback" not in done.stderr
    assert "→" in done.stderr
    assert done.stdout == ""
    return done.stderr


def test_a_good_configuration_is_valid(tmp_path: Path) -> None:
    (tmp_path / "dex.yaml").write_text(GOOD)
    (tmp_path / "trades.graphql").write_text(DOCUMENT)
    done = connector("validate", "-c", "dex.yaml", directory=tmp_path)
    assert (done.returncode, "valid" in done.stdout) == (0, True)


@pytest.mark.parametrize(
    ("wrong", "right", "named"),
    first_of(
        [
            ("topic: dex.bsc", "topik: dex.bsc", ["dex.yaml:8", "subscriptions[0].topik", "topic"]),
            ("kafka: {", "http: {port: eight}\nkafka: {", ["dex.yaml:3", "http.port"]),
            ("trades.graphql", "missing.graphql", ["missing.graphql"]),
            ("ws://127.0.0.1:1/graphql", "${env:NOT_SET_ANYWHERE}", ["NOT_SET_ANYWHERE", "endpoint.url"]),
            ("EVM.DEXTrades", "EVM.Transfers", ["subscriptions[0].rows", "DEXTrades"]),
            ("Transaction.Hash", "Transaction.Hush", ["subscriptions[0].key[0]", "Hash"]),
            ("name: dex\n", "name: dex\ndelivery: exactly_once\n", ["delivery", "not built"]),
            ("    key:", "    dedup: {window: 0s}\n    key:", ["subscriptions[0].dedup.window", "nothing"]),
            ("    key:", "    backfill: {cursor: Block.Number}\n    key:", ["backfill", "not built"]),
            ("    key:", "    value: {format: avro}\n    key:", ["value.format", "not built"]),
        ]
    ),
)
def test_a_mistake_is_named_with_its_place(tmp_path: Path, wrong: str, right: str, named: list[str]) -> None:
    assert wrong in GOOD
    said = refused(tmp_path, GOOD.replace(wrong, right))
    for word in named:
        assert word in said


@pytest.mark.parametrize(
    ("document", "named"),
    first_of(
        [
            ("subscription { EVM { DEXTrades { Block { Time }", ["trades.graphql:1"]),
            ("query { EVM { DEXTrades { Transaction { Hash } } } }", ["subscription"]),
            (DOCUMENT[:-1] + "Solana { DEXTrades { Block { Time } } } }", ["root"]),
            (DOCUMENT.replace("{ DEXTrades", "{ Transfers { Block { Time } } DEXTrades"), ["Transfers"]),
            ("", ["subscriptions[0].document", "empty"]),
            ("{" * 3000, ["trades.graphql"]),
        ]
    ),
)
def test_a_document_that_cannot_be_used_is_named(tmp_path: Path, document: str, named: list[str]) -> None:
    said = refused(tmp_path, GOOD, document)
    for word in named:
        assert word in said


def test_several_mistakes_are_told_at_once(tmp_path: Path) -> None:
    said = refused(
        tmp_path, GOOD.replace("topic:", "topik:").replace("EVM.DEXTrades", "EVM.Nothing") + "tasks: many\n"
    )
    assert all(word in said for word in ("topik", "Nothing", "tasks"))


@pytest.mark.parametrize("command", ["validate", "run"])
@pytest.mark.slow
def test_a_mistake_beside_a_secret_does_not_quote_it(tmp_path: Path, command: str) -> None:
    said = refused(
        tmp_path, GOOD + 'oauth: {client_id: a, client_secret: "S3cret+/=%q", tokenurl: 5}\n', command=command
    )
    assert "S3cret" not in said


@pytest.mark.parametrize(
    "arguments", [(), ("run",), ("fly",), ("validate", "-c", "absent.yaml"), ("validate", "--what", "x")]
)
def test_a_wrong_command_line_is_no_traceback(tmp_path: Path, arguments: tuple[str, ...]) -> None:
    done = connector(*arguments, directory=tmp_path)
    assert done.returncode == 2
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(("name", "said"), [("", "is empty"), ("-", "stdin")])
@pytest.mark.slow
def test_a_configuration_without_a_name_is_no_file(tmp_path: Path, name: str, said: str) -> None:
    done = connector("validate", "-c", name, directory=tmp_path)
    assert (done.returncode, done.stdout) == (2, "")
    assert said in done.stderr


def test_no_control_character_of_a_file_reaches_the_terminal(tmp_path: Path) -> None:
    said = refused(tmp_path, GOOD + '"a\\e[31m\\n\\u202Eforged": 1\n')
    assert "\\x1b[31m\\n\\u202eforged" in said
    assert not {"\x1b", "\u202e"} & set(said)
    assert len(said.splitlines()) == 3


def test_what_does_nothing_is_warned_of(tmp_path: Path) -> None:
    (tmp_path / "dex.yaml").write_text(GOOD + "topics: {create: false, partitions: 3}\n")
    (tmp_path / "trades.graphql").write_text(DOCUMENT)
    done = connector("validate", "-c", "dex.yaml", directory=tmp_path)
    assert done.returncode == 0
    assert "warning: dex.yaml:10: topics.partitions does nothing" in done.stderr


def test_a_taken_port_is_named(tmp_path: Path) -> None:
    import socket

    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        (tmp_path / "dex.yaml").write_text(GOOD + f"http: {{host: 127.0.0.1, port: {port}}}\n")
        (tmp_path / "trades.graphql").write_text(DOCUMENT)
        done = connector("run", "-c", "dex.yaml", directory=tmp_path)
    assert done.returncode == 1
    assert f"127.0.0.1:{port}" in done.stderr
    assert "Traceback" not in done.stderr

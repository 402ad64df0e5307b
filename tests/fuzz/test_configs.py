"""A thousand malformed configurations: each is one, or is refused with every mistake named and no secret."""

from __future__ import annotations

import contextlib
import io
import json
import tempfile
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from connector.cli.problems import show
from connector.config import LoadedConfig, Outline, check_without_secrets, read_config
from connector.errors import ConfigError
from tests.fuzz.strategies import EXAMPLES, SECRET, spoilt
from tests.unit.config.conftest import GENERIC, ORDERS
from tests.unit.config.test_anything import KEYS, TREES

ENVIRONMENT = {"A": "1", "SECRET": SECRET}
WHOLE = """\
name: dex
endpoint:
  preset: bitquery
  url: wss://h/graphql?key=${env:SECRET}
  credentials: {in: header, name: Authorization, template: "Bearer {token} ${env:SECRET}"}
oauth:
  token_url: https://h/token
  client_id: ${env:SECRET}
  client_secret: ${env:SECRET}
  scope: api
kafka:
  bootstrap_servers: localhost:9092
  compression: lz4
topics: {create: true, config: {retention.ms: "1"}}
inbox: {max_bytes: 64MiB}
log: {level: info}
subscriptions:
  - name: trades
    document: |
      subscription ($network: evm_network) {
        EVM(network: $network) {
          DEXTrades { Block { Time Number } Transaction { Hash } Trade { Amount } }
        }
      }
    variables: {network: bsc}
    topic: dex.{network}
    key: [Transaction.Hash]
    timestamp: Block.Time
    headers: {block: Block.Number}
  - name: orders
    document: orders.graphql
    rows: orders
    topic: shop.orders
    key: [id]
    timestamp: at
"""
LINES = WHOLE.split("\n")


def with_line(line: int, key: str, value: object) -> str:
    """Return `WHOLE` with one of its lines replaced."""
    indent = LINES[line][: len(LINES[line]) - len(LINES[line].lstrip(" -"))]
    return "\n".join([*LINES[:line], f"{indent}{key}: {json.dumps(value)}", *LINES[line + 1 :]])


def without_line(line: int) -> str:
    """Return `WHOLE` with one line left out."""
    return "\n".join([*LINES[:line], *LINES[line + 1 :]])


AT = st.sampled_from(range(len(LINES)))
VALUES = TREES | st.sampled_from(
    ["${env:SECRET}", "x${env:SECRET}y", ["${env:SECRET}"], {"a": "${env:SECRET}"}]
)
PUNCTUATION = st.text(alphabet=st.sampled_from("ab:-?[]{}&*!|>'\"%@#\n \t,<$0.~"), max_size=80)
FILES = (
    st.builds(with_line, AT, KEYS, VALUES).map(str.encode)
    | st.builds(without_line, AT).map(str.encode)
    | spoilt(st.just(WHOLE.encode()) | st.just(GENERIC.encode()))
    | spoilt(spoilt(st.just(WHOLE.encode())))
    | st.dictionaries(KEYS, VALUES, max_size=8).map(lambda tree: json.dumps(tree).encode())
    | PUNCTUATION.map(str.encode)
    | st.binary(max_size=200)
)


def attempt(content: bytes, *, resolve: bool = True) -> LoadedConfig | Outline | ConfigError:
    """Return what the file holds, or why it cannot be used."""
    with tempfile.TemporaryDirectory() as directory:
        (Path(directory) / "orders.graphql").write_text(ORDERS)
        path = Path(directory) / "x.yaml"
        path.write_bytes(content)
        try:
            return (read_config if resolve else check_without_secrets)(path, env=ENVIRONMENT)
        except ConfigError as error:
            return error


@settings(max_examples=EXAMPLES)
@given(FILES, st.booleans())
def test_any_file_is_a_configuration_or_is_refused_with_what_to_do_and_no_secret(
    content: bytes, resolve: bool
) -> None:
    found = attempt(content, resolve=resolve)
    if isinstance(found, ConfigError):
        assert found.problems
        assert all(problem.message and problem.remedy for problem in found.problems)
        with contextlib.redirect_stderr(io.StringIO()) as stderr:
            show(found.problems)
        lines = stderr.getvalue().splitlines()
        assert len(lines) == 2 * len(found.problems) + 1  # whatever stands in the names that they quote
        assert all(line.isprintable() for line in lines)
        shown = f"{found} {found!r} {lines}"
    elif isinstance(found, LoadedConfig):
        shown = f"{found!r} {found.config!r} {found.effective()}"
    else:
        shown = f"{found.name} {found.warnings}"
    if SECRET.encode() not in content:
        assert SECRET not in shown


def test_what_they_are_made_of_is_a_configuration() -> None:
    assert isinstance(attempt(WHOLE.encode()), LoadedConfig)
    assert isinstance(attempt(WHOLE.encode(), resolve=False), Outline)

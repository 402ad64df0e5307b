"""Whatever is in the file, the answer is a configuration or a `ConfigError`."""

from __future__ import annotations

import contextlib
import json
import tempfile
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from connector.config import check_without_secrets, read_config
from connector.config.root import Config
from connector.config.section import Section
from connector.config.validation import section_in
from connector.errors import ConfigError
from tests.unit.config.conftest import GENERIC, ORDERS


def attempt(content: bytes) -> None:
    with tempfile.TemporaryDirectory() as directory:
        (Path(directory) / "orders.graphql").write_text(ORDERS)
        path = Path(directory) / "x.yaml"
        path.write_bytes(content)
        with contextlib.suppress(ConfigError):
            read_config(path, env={"A": "1"}).effective()
        with contextlib.suppress(ConfigError):
            check_without_secrets(path, env={"A": "1"})


def _keys(section: type[Section]) -> list[str]:
    names = []
    for name, field in section.model_fields.items():
        inner = section_in(field.annotation)
        names += [field.alias or name, *(_keys(inner) if inner else ())]
    return names


KEYS = st.sampled_from([*sorted(set(_keys(Config))), "identity", "security", "x"])
PLACEHOLDERS = ["${env:A}", "${env:B}", "${file:/}", "${", "{token}"]
TEXTS = [
    "10s",
    "64MiB",
    "orders.graphql",
    "bitquery",
    "a.b",
    "h:1",
    "init",
    "url",
    "ws://h/",
    "overlap",
    "all",
]
WORDS = st.sampled_from([*PLACEHOLDERS, *TEXTS, ORDERS, "\ud800", "\0"])
SCALARS = st.one_of(
    WORDS, st.text(max_size=20), st.booleans(), st.none(), st.integers(), st.floats(allow_nan=False)
)
TREES = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS | WORDS, inner, max_size=6)
)
LINES = GENERIC.split("\n")


@settings(deadline=None)
@given(st.binary(max_size=200))
def test_bytes(content: bytes) -> None:
    attempt(content)


@settings(deadline=None)
@given(st.text(alphabet=st.sampled_from("ab:-?[]{}&*!|>'\"%@#\n \t,<$0.~"), max_size=80))
def test_punctuation(text: str) -> None:
    attempt(text.encode())


@settings(max_examples=200, deadline=None)
@given(st.dictionaries(KEYS, TREES, max_size=8))
def test_known_keys_with_any_values(tree: dict[str, object]) -> None:
    attempt(json.dumps(tree).encode())


@settings(max_examples=200, deadline=None)
@given(st.sampled_from(range(len(LINES))), KEYS, TREES)
def test_one_line_replaced(line: int, key: str, value: object) -> None:
    indent = LINES[line][: len(LINES[line]) - len(LINES[line].lstrip(" -"))]
    changed = [*LINES[:line], f"{indent}{key}: {json.dumps(value)}", *LINES[line + 1 :]]
    attempt("\n".join(changed).encode())

"""Keys of the configuration in documentation, against its schema and its reader."""

from __future__ import annotations

import json
import re
import tempfile
from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from connector.config import check_without_secrets
from connector.config.not_built import names_not_built
from connector.errors import ConfigError

ROOT = Path(__file__).parents[2]
EXAMPLE_DOCUMENT = "bsc-trades.graphql"

_KEY = re.compile(r"(?:config\.)?([a-z_]+(?:\[\d*\])?(?:\.[A-Za-z_]+(?:\[\d*\])?)*)(?:: +(.+))?")
_VARIABLE = re.compile(r"\(\$?network: [^)]*\)")
_INDEX = re.compile(r"\[\d*\]")

_BASE: Mapping[str, Any] = {
    "name": "docs",
    "endpoint": {"preset": "bitquery", "url": "wss://streaming.example/graphql"},
    "oauth": {"token_url": "https://login.example/token", "client_id": "a", "client_secret": "${env:A}"},
    "kafka": {"bootstrap_servers": "kafka:9092"},
    "subscriptions": [],
}
_SUBSCRIPTION: Mapping[str, Any] = {"name": "trades", "topic": "trades"}
_DOCUMENT: Mapping[str, Any] = {"document": EXAMPLE_DOCUMENT, "variables": {"network": "bsc"}}


def wrong_key(text: str) -> Iterator[str]:
    """Say what is wrong with ``text`` if it looks like a key of the configuration, alone or with a value."""
    found = _KEY.fullmatch(text)
    if found is None:
        return
    path, value = _INDEX.sub("[]", found[1]), found[2]
    first = path.partition(".")[0].removesuffix("[]")
    if "." in path:
        if first in _schema()["properties"] or get_close_matches(first, _schema()["properties"], cutoff=0.8):
            yield from _wrong_path(path, value)
    elif value is not None and first in _schema()["properties"]:
        yield from _wrong_path(path, value)
    elif first not in _words() and (value is not None or "_" in first):
        near = get_close_matches(first, _words(), n=1, cutoff=0.87)
        if near:
            yield f"there is no key {first}; did you mean {near[0]}?"


def _wrong_path(path: str, value: str | None) -> Iterator[str]:
    refused = _not_built().get(path.replace("subscriptions.", "subscriptions[]."), ())
    if refused is None or (value is not None and set(value.split(" / ")) <= set(refused)):
        return
    node = _find(path)
    if node is None:
        yield f"the configuration has no key {path}"
    elif value is not None and not _accepts(node, value):
        yield f"{path} does not take {value}"


def _find(path: str) -> dict[str, Any] | None:
    node: dict[str, Any] = _schema()
    for name in path.replace("[]", "").split("."):
        if name in node.get("properties", {}):
            node = _resolve(node["properties"][name])
            if "$ref" in (one := node.get("anyOf", [{}])[0]):
                node = _resolve(one)  # one mapping, or a list of them
            node = _resolve(node.get("items", node))
        elif node.get("additionalProperties"):
            return {}  # a name that is the user's, dots and all
        else:
            return None
    return node


def _resolve(node: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = _schema()["$defs"][node["$ref"].rpartition("/")[2]] if "$ref" in node else node
    return found


def _accepts(node: dict[str, Any], value: str) -> bool:
    plain = value.strip("\"'")
    return any(_fits(_resolve(option), plain) for option in node.get("anyOf", [node]))


def _fits(option: dict[str, Any], value: str) -> bool:
    if "enum" in option or "const" in option:
        return value in option.get("enum", [option.get("const")])
    kind = option.get("type")
    if kind == "boolean":
        return value in ("true", "false")
    if kind == "integer":
        return re.fullmatch(r"-?\d+", value) is not None
    return re.search(option.get("pattern", ""), value) is not None


@cache
def _schema() -> dict[str, Any]:
    found: dict[str, Any] = json.loads((ROOT / "schemas/config.schema.json").read_text(encoding="utf-8"))
    return found


@cache
def _words() -> tuple[str, ...]:
    sections = [_schema(), *_schema()["$defs"].values()]
    return tuple({name for section in sections for name in section.get("properties", {})})


@cache
def _not_built() -> dict[str, tuple[str, ...] | None]:
    """Keys that are refused by name; with the values that are, or ``None`` for the key itself."""
    found: dict[str, tuple[str, ...] | None] = {}
    for name, _ in names_not_built():
        key, _, values = name.partition(": ")
        found[key] = tuple(values.split(" / ")) if values else None
    return found


def wrong_yaml(text: str, root: Path) -> Iterator[str]:
    """Say what is wrong with a block: a whole configuration, a part of one, or values of the chart."""
    try:
        tree = yaml.safe_load(text)
    except yaml.YAMLError as error:
        yield f"the block is no YAML: {str(error).splitlines()[0]}"
        return
    if not isinstance(tree, dict):
        yield "the block is no mapping"
        return
    if "apiVersion" in tree or "groups" in tree:
        return
    values = yaml.safe_load(next(root.glob("helm/*/values.yaml")).read_text(encoding="utf-8"))
    if set(tree) & set(values):
        yield from (f"the chart has no value {key}" for key in tree if key not in values)
        tree = tree.get("config", {})
        yield from _read(yaml.safe_dump(_completed(tree)), tree, root) if tree else ()
        return
    is_whole = _BASE.keys() - {"oauth"} <= tree.keys()
    yield from _read(text if is_whole else yaml.safe_dump(_completed(tree)), tree, root)


def _completed(part: Mapping[str, Any]) -> dict[str, Any]:
    base = {
        key: value
        for key, value in _BASE.items()
        if key != "oauth" or not part.keys() & {"token", "token_file"}
    }
    whole = _merged(base, part)
    given = part.get("subscriptions") or [{}]
    whole["subscriptions"] = [
        {**_SUBSCRIPTION, **({} if "document" in item else _DOCUMENT), **item} for item in given
    ]
    return whole


def _merged(base: Mapping[str, Any], part: Mapping[str, Any]) -> dict[str, Any]:
    merged = dict(base)
    for key, value in part.items():
        below = base.get(key)
        if isinstance(below, Mapping) and isinstance(value, Mapping):
            value = _merged(below, value)
        merged[key] = value
    return merged


def _read(config: str, tree: Mapping[str, Any], root: Path) -> Iterator[str]:
    document = (root / "docs/examples" / EXAMPLE_DOCUMENT).read_text(encoding="utf-8")
    with tempfile.TemporaryDirectory() as directory:
        for item in [_DOCUMENT, *tree.get("subscriptions", [])]:
            if "{" not in item.get("document", "{"):
                # A document that is not shown is taken to be the example's, its variable written out.
                text = document if "variables" in item else _VARIABLE.sub("", document)
                (Path(directory) / item["document"]).write_text(text, encoding="utf-8")
        path = Path(directory) / "block.yaml"
        path.write_text(config, encoding="utf-8")
        try:
            check_without_secrets(path, env={})
        except ConfigError as error:
            yield from (f"{problem.path}: {problem.message}" for problem in error.problems)

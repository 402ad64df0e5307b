"""YAML text → a tree of plain values, with the line of every key."""

from __future__ import annotations

from pathlib import Path

import yaml

from connector.config.files import Files, read_text, refusal
from connector.config.nodes import Builder
from connector.config.source import Source
from connector.config.syntax import compose


def read_source(path: Path, files: Files) -> Source:
    """
    Read and parse a configuration. Mistakes that leave the rest readable are in ``problems``.

    ``files`` remembers what was read, also where this raises.

    Raises:
        ConfigError: There is no file, no YAML or no mapping.
    """
    name = str(path)
    text = read_text(path, what="the configuration", files=files)
    source = Source(name=name, directory=path.parent, files=files)
    node = compose(name, text)
    if node is None:
        raise refusal(name, "the configuration is empty", "begin with name:, endpoint: and subscriptions:")
    if not isinstance(node, yaml.MappingNode):
        raise refusal(f"{name}:{node.start_mark.line + 1}", "is not a mapping", "write key: value lines")
    tree = Builder(source, text).build(node, ())
    assert isinstance(tree, dict)
    source.tree = tree
    return source

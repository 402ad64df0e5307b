"""
The reference of all keys in Markdown, made from their declaration.

``python -m connector.config.reference`` writes it to stdout; with ``--check FILE`` it says whether
``FILE`` is up to date (exit code 1 where it is not).
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from typing import Any

from connector.config.not_built import names_not_built
from connector.config.root import Config
from connector.config.schema import config_schema
from connector.config.section import Section
from connector.config.validation import section_in
from connector.generated import write_or_check
from connector.presets import PRESETS

_HEAD = """\
# Configuration

<!-- Made by `python -m connector.config.reference` from the declaration in connector/config. Do not edit. -->

One YAML file. Unknown keys are refused, and every mistake is reported at once with its line
(`connector validate -c FILE`). Examples: [bitquery.yaml](examples/bitquery.yaml),
[generic.yaml](examples/generic.yaml).

- A **duration** has its unit, `ms`, `s`, `m`, `h` or `d`: `500ms`, `1.5s`, `1h30m`. A number without one is
  refused.
- A **size** is a number of bytes, or has its unit, `B`, `kB`, `MB`, `GB` (by 1000) or `KiB`, `MiB`, `GiB` (by
  1024): `900KiB`, `1.5MiB`.
- A **path** is response names with dots between them: `Block.Number`. An alias counts as the name.
- In any value `${env:NAME}` stands for an environment variable and `${file:/path}` for a file's text, either
  without its trailing line break; `$${` stands for `${`. `validate --no-env` leaves them unresolved.
  Names, topics and paths of fields take no `${file:…}`, for they are shown everywhere.
- YAML is read as YAML 1.1, and strictly. Anchors (`&`), aliases (`*`) and merges (`<<`) are followed. Tags
  (`!…`) are refused, but for YAML's own on plain values (`!!str 1`); so are repeated keys, numbers not in
  decimal (`010`, `0x1F`, `1_000`, `1:30`), and more than 40 levels. Dates and keys are always text.
- Relative paths start from the directory of the configuration.
- A **secret** is never shown: not in logs, nor in the effective configuration. The same goes for whatever
  comes from a `${file:…}`.
"""

_PRESET_KEYS = (
    *("url", "http_url", "subprotocol", "credentials", "keepalive_timeout", "ping_interval"),
    *("reopen_pause", "rotation"),
    *("token_url", "scope", "oauth_auth"),
)

_NOTHING = "\u2013"


def reference_text() -> str:
    """The whole document."""
    return "\n".join([_HEAD, *_section(Config, "", "Top level"), *_presets(), *_not_built()])


def _section(section: type[Section], path: str, title: str) -> Iterator[str]:
    schema = config_schema()
    properties = (schema if section is Config else schema["$defs"][section.__name__])["properties"]
    required = (schema if section is Config else schema["$defs"][section.__name__]).get("required", [])
    yield f"## {title}\n"
    yield "| key | type | default | meaning |"
    yield "|---|---|---|---|"
    below: list[tuple[type[Section], str]] = []
    for name, field in section.model_fields.items():
        key = field.alias or name
        inner = section_in(field.annotation)
        if inner is not None:
            below.append((inner, f"{path}{key}" + ("[]" if key in ("subscriptions", "refusals") else "")))
        default = _default(key, section, properties[key], is_required=key in required)
        kind = _type(properties[key], inner)
        yield f"| `{path}{key}` | {kind} | {default} | {_cell(field.description or '')} |"
    yield ""
    for inner, name in below:
        yield from _section(inner, f"{name}.", f"`{name}`")


def _default(key: str, section: type[Section], schema: dict[str, Any], *, is_required: bool) -> str:
    if key in section.from_preset:
        return "the connector's name" if key == "client_id" else "from the preset"
    if is_required:
        return "**required**"
    default = schema.get("default")
    if default is None or default in ({}, []):
        return _NOTHING
    return f"`{default if isinstance(default, str) else json.dumps(default)}`"


def _type(schema: dict[str, Any], inner: type[Section] | None) -> str:
    if inner is not None:
        if "x-type" in schema:
            return _cell(str(schema["x-type"]))
        if "anyOf" in schema:
            return "mapping, or list of mappings"
        return "list of mappings" if schema.get("type") == "array" else "mapping"
    options = schema.get("anyOf", [schema])[0]
    if "x-type" in options:
        return _cell(str(options["x-type"]))
    if "enum" in options or "const" in options:
        values = options.get("enum", [options.get("const")])
        return " \\| ".join(f"`{value}`" for value in values)
    kind = str(options.get("type"))
    if kind == "array":
        return "list of paths"
    words = {"object": "mapping", "boolean": "`true` \\| `false`", "integer": "number"}
    return words.get(kind, kind) + _range(options)


def _range(schema: dict[str, Any]) -> str:
    if "minimum" not in schema:
        return ""
    return f", {schema['minimum']} to {schema['maximum']}"


def _presets() -> Iterator[str]:
    yield "## Presets\n"
    yield "| | " + " | ".join(f"`{name}`" for name in PRESETS) + " |"
    yield "|---|" + "---|" * len(PRESETS)
    name = {"token_url": "oauth.token_url", "scope": "oauth.scope", "oauth_auth": "oauth.auth"}
    for key in _PRESET_KEYS:
        values = [_preset_value(getattr(preset, key)) for preset in PRESETS.values()]
        yield f"| `{name.get(key, f'endpoint.{key}')}` | " + " | ".join(values) + " |"
    yield ""


def _preset_value(value: object) -> str:
    if value is None:
        return _NOTHING
    if isinstance(value, float):
        return f"`{value:g}s`"
    if isinstance(value, str):
        return f"`{value}`"
    assert isinstance(value, tuple)
    return ", ".join(f'`{{in: {one.place}, name: {one.name}, template: "{one.template}"}}`' for one in value)


def _not_built() -> Iterator[str]:
    yield "## Not built yet\n"
    yield "These are refused by name, never accepted and ignored.\n"
    yield "| key | what to do |"
    yield "|---|---|"
    for name, remedy in names_not_built():
        yield f"| `{name}` | {_cell(remedy)} |"
    yield ""


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


if __name__ == "__main__":
    sys.exit(write_or_check(sys.argv[1:], reference_text))

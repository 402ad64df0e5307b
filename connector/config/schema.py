"""
The JSON Schema of the configuration, made from its declaration.

``python -m connector.config.schema`` writes it to stdout; with ``--check FILE`` it says whether ``FILE``
is up to date (exit code 1 where it is not).
"""

from __future__ import annotations

import json
import sys
from typing import Any

from connector.config.root import Config
from connector.config.section import Section
from connector.config.validation import section_in
from connector.generated import write_or_check

PLACEHOLDER = {"type": "string", "pattern": r"\$\{(env|file):"}
"""What may stand in the place of every value that is not text anyway."""

_PAIRS = (["oauth", "token"], ["oauth", "token_file"], ["token", "token_file"])

DRAFT = "https://json-schema.org/draft/2020-12/schema"


def config_schema() -> dict[str, Any]:
    """The schema: editors complete and check a configuration with it. `read_config` checks more."""
    schema = Config.model_json_schema(by_alias=True)
    definitions = schema["$defs"]
    definitions.pop("JsonValue", None)
    for name, section in _sections(Config).items():
        target = schema if section is Config else definitions[name]
        _adapt(target, section)
    definitions["Placeholder"] = PLACEHOLDER
    definitions["EndpointSection"]["if"] = {
        "not": {"properties": {"preset": {"const": "bitquery"}}, "required": ["preset"]}
    }
    definitions["EndpointSection"]["then"] = {"required": ["url"]}
    credentials = definitions["EndpointSection"]["properties"]["credentials"]
    credentials["anyOf"] = [credentials["items"], {name: credentials.pop(name) for name in ("type", "items")}]
    dedup = definitions["SubscriptionSection"]["properties"]["dedup"]
    words = {"enum": ["window", "off", False]}
    dedup["anyOf"] = [{"$ref": dedup.pop("$ref")}, words, {"$ref": "#/$defs/Placeholder"}]
    dedup["x-type"] = "`window` | `off` | mapping"
    schema["not"] = {"anyOf": [{"required": pair} for pair in _PAIRS]}
    schema["properties"]["subscriptions"]["minItems"] = 1
    return {"$schema": DRAFT, **schema, "title": "Configuration of the connector"}


def schema_text() -> str:
    return json.dumps(config_schema(), indent=2, ensure_ascii=False) + "\n"


def _sections(root: type[Section]) -> dict[str, type[Section]]:
    found = {root.__name__: root}
    for field in root.model_fields.values():
        section = section_in(field.annotation)
        if section is not None:
            found |= _sections(section)
    return found


def _adapt(schema: dict[str, Any], section: type[Section]) -> None:
    """Leave out what readers need not know (titles, null), and let placeholders stand for values."""
    schema.pop("title", None)
    required = [name for name in schema.get("required", ()) if name not in section.from_preset]
    schema.pop("required", None)
    if required:
        schema["required"] = required
    for name, value in schema["properties"].items():
        schema["properties"][name] = _property(value)


def _property(value: dict[str, Any]) -> dict[str, Any]:
    value.pop("title", None)
    if value.get("default", ...) is None:
        del value["default"]
    options = [option for option in value.pop("anyOf", ()) if option != {"type": "null"}]
    if options:
        value |= options[0]
    if "items" in value and "$ref" not in value["items"]:
        value["items"] = _property(value["items"])
    if isinstance(value.get("additionalProperties"), dict):
        inner = value["additionalProperties"]
        value["additionalProperties"] = True if "JsonValue" in inner.get("$ref", "") else _property(inner)
    for ours, theirs in (("ge", "minimum"), ("le", "maximum")):
        if ours in value:  # pydantic leaves them so where a value may be absent
            value[theirs] = value.pop(ours)
    kept: dict[str, Any] = {key: value.pop(key) for key in ("description", "default") if key in value}
    is_plain = value.get("type") == "string" and not {"pattern", "enum", "const"} & set(value)
    is_nested = "$ref" in value or value.get("type") in ("array", "object")
    if not is_plain and not is_nested:
        value = {"anyOf": [value, {"$ref": "#/$defs/Placeholder"}]}
    return {**kept, **value}


if __name__ == "__main__":
    sys.exit(write_or_check(sys.argv[1:], schema_text))

"""
What the chart's ``values.schema.json`` says of ``config``, made from the configuration's own schema.

``python -m connector.config.chart_schema FILE`` writes the definitions in ``FILE`` anew, and leaves what is
written by hand; with ``--check FILE`` it says whether they are up to date (exit code 1 where they are not).

What the connector takes is taken: words in other cases, and numbers and flags that are quoted. Helm knows the
regular expressions of RE2. Secrets are left to the templates, which refuse them without repeating them.
"""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from typing import Any

from connector.config.schema import config_schema
from connector.generated import write_or_check

_Schema = dict[str, Any]

_PLACEHOLDER: _Schema = {
    "type": "string",
    "pattern": r"(^|[^$])(\$\$)*\$\{(env:[A-Za-z_][A-Za-z0-9_]*|file:[^{}]+)\}",
}
_ANY_CASE = (("LogSection", "level"), ("SecuritySection", "protocol"), ("SaslSection", "mechanism"))
_NOTES = ("title", "description", "default", "x-type")
_UNITS = {"B?": 1, "[kK]B": 1000, "MB": 1000**2, "GB": 1000**3} | {"KiB": 2**10, "MiB": 2**20, "GiB": 2**30}


def chart_definitions() -> _Schema:
    """The definitions: ``Config`` is the whole, and each begins with a capital."""
    schema = config_schema()
    definitions: _Schema = schema.pop("$defs")
    for name, key in _ANY_CASE:
        option = definitions[name]["properties"][key]["anyOf"][0]
        option["pattern"] = f"(?i)^({'|'.join(option.pop('enum'))})$"
    endpoint = definitions["EndpointSection"]
    preset = endpoint["if"]["not"]["properties"]["preset"]
    endpoint["if"]["not"]["properties"]["preset"] = {"anyOf": [preset, {"$ref": "#/$defs/Placeholder"}]}
    # The templates speak of these after they refused what is secret.
    del schema["not"], schema["$schema"], schema["properties"]["subscriptions"]["minItems"]
    del definitions["SaslSection"]["required"]
    made = {name: _adapted(definition) for name, definition in definitions.items()}
    return {"Config": _adapted(schema), **made, "Placeholder": _PLACEHOLDER}


def chart_schema(file: Path) -> str:
    """The text of ``file`` with the definitions of today."""
    schema = json.loads(file.read_text(encoding="utf-8"))
    by_hand = {name: value for name, value in schema["$defs"].items() if not name[0].isupper()}
    schema["$defs"] = by_hand | chart_definitions()
    return json.dumps(schema, indent=2, ensure_ascii=False) + "\n"


def _adapted(schema: _Schema) -> _Schema:
    kind = schema.get("x-type")
    found = {key: value for key, value in schema.items() if key not in _NOTES}
    for key in ("items", "additionalProperties"):
        if isinstance(found.get(key), dict):
            found[key] = _adapted(found[key])
            if found[key].get("type") == ["string", "number"]:
                found[key]["type"] = "string"  # a header's value
    if "properties" in found:
        found["properties"] = {name: _adapted(value) for name, value in found["properties"].items()}
    if "anyOf" in found:
        found["anyOf"] = [_adapted(option) for option in found["anyOf"]]
    if "propertyNames" in found:
        found["propertyNames"] = {"pattern": r"\S"}
    if kind in ("secret", "proxy"):
        return {"type": ["string", "number"]}  # a number is refused as a literal
    if kind == "size":
        return _size(found)
    if kind == "URL":
        return found | {"pattern": f"(?i){found['pattern']}"}
    if found.get("type") == "boolean":
        return {"anyOf": [found, {"type": "string", "pattern": "(?i)^(true|false)$"}]}
    if found.get("type") == "integer":
        return _whole(found)
    if found == {"type": "string"}:
        return found | {"pattern": r"\S"}
    return found


def _whole(schema: _Schema) -> _Schema:
    pattern = r"^-?(0|[1-9][0-9]{0,8})$"
    least = schema.get("minimum", 0)
    if least >= 0 and "maximum" in schema:
        pattern = f"^({at_least(least)})$"
    limits = [{"pattern": f"^(-1|{at_most(schema['maximum'])})$"}] if "maximum" in schema else []
    text = {"type": "string", "pattern": pattern, "allOf": limits, "not": {"pattern": "^0$"}}
    if not limits:
        del text["allOf"]
    if schema.get("not") is None:
        del text["not"]
    return {"anyOf": [schema, text]}


def _size(schema: _Schema) -> _Schema:
    low, high = schema.pop("minimum"), schema.pop("maximum")
    # A fraction makes a number more than its whole part, and less than the next.
    lows = [
        f"({at_least(-(-low // bytes_))}|{at_least(low // bytes_)}[.][0-9]+) ?{unit}"
        for unit, bytes_ in _UNITS.items()
    ]
    highs = [f"{at_most(high // bytes_)}([.][0-9]+)? ?{unit}" for unit, bytes_ in _UNITS.items()]
    limits = [{"pattern": f"^({'|'.join(lows)})$"}, {"pattern": f"^({'|'.join(highs)})$"}]
    return {
        "anyOf": [
            {"type": "integer", "minimum": low, "maximum": high},
            {"type": "string", "allOf": limits},
        ]
    }


def at_least(number: int) -> str:
    """A regular expression of RE2 for whole numbers of up to twelve digits that are not less."""
    digits = str(number)
    same = [
        f"{digits[:index]}[{int(digit) + 1}-9]" + f"[0-9]{{{len(digits) - index - 1}}}"
        for index, digit in enumerate(digits)
        if digit != "9"
    ]
    return f"0*({'|'.join([digits, *same, f'[1-9][0-9]{{{len(digits)},11}}'])})"


def at_most(number: int) -> str:
    """A regular expression of RE2 for whole numbers that are not more."""
    digits = str(number)
    same = [
        f"{digits[:index]}[0-{int(digit) - 1}]" + f"[0-9]{{{len(digits) - index - 1}}}"
        for index, digit in enumerate(digits)
        if digit != "0"
    ]
    shorter = [f"[0-9]{{1,{len(digits) - 1}}}"] if len(digits) > 1 else []
    return f"0*({'|'.join([digits, *same, *shorter])})"


def _main(arguments: list[str]) -> int:
    file = Path(arguments[-1]) if arguments else Path()
    if len(arguments) == 1 and not re.match("-", arguments[0]):
        file.write_text(chart_schema(file), encoding="utf-8")
        return 0
    return write_or_check(arguments or ["--help"], lambda: chart_schema(file))


if __name__ == "__main__":
    sys.exit(_main(sys.argv[1:]))

"""The schema and the reference are what the declaration says."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from connector.config.reference import reference_text
from connector.config.root import Config
from connector.config.schema import config_schema, schema_text
from connector.config.section import Section
from connector.config.validation import section_in
from connector.generated import write_or_check

ROOT = Path(__file__).parents[3]


@pytest.mark.parametrize(
    ("path", "text"),
    [("schemas/config.schema.json", schema_text()), ("docs/configuration.md", reference_text())],
)
def test_the_file_is_up_to_date(path: str, text: str) -> None:
    assert (ROOT / path).read_text(encoding="utf-8") == text


def test_the_schema_knows_every_key_and_no_other() -> None:
    schema = config_schema()

    def check(section: type[Section], shape: dict[str, object]) -> None:
        assert shape["additionalProperties"] is False
        properties = shape["properties"]
        assert isinstance(properties, dict)
        assert set(properties) == {field.alias or name for name, field in section.model_fields.items()}
        for field in section.model_fields.values():
            assert field.description
            inner = section_in(field.annotation)
            if inner is not None:
                check(inner, schema["$defs"][inner.__name__])

    check(Config, schema)
    assert schema["required"] == ["name", "endpoint", "kafka", "subscriptions"]
    assert "required" not in schema["$defs"]["EndpointSection"]
    assert schema["$defs"]["OauthSection"]["required"] == ["client_id", "client_secret"]
    assert "null" not in json.dumps(schema)


def test_every_key_is_in_the_reference() -> None:
    text = reference_text()
    for key in ("endpoint.credentials.in", "kafka.producer.linger", "subscriptions[].headers", "tasks"):
        assert f"| `{key}` |" in text


def test_the_reference_has_words_of_yaml_and_none_of_python() -> None:
    cells = [line.split(" | ")[1] for line in reference_text().splitlines() if line.startswith("| `")]
    assert not [cell for cell in cells if "True" in cell or "False" in cell or "None" in cell]
    assert "| `endpoint.compression` | `auto` \\| `off` | `auto` |" in reference_text()


def test_check_tells_a_stale_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "x"
    assert write_or_check(["--check", str(file)], lambda: "new") == 1
    file.write_text("new")
    assert write_or_check(["--check", str(file)], lambda: "new") == 0
    assert write_or_check(["--what"], lambda: "new") == 2
    assert capsys.readouterr().out == ""
    assert write_or_check([], lambda: "new") == 0
    assert capsys.readouterr().out == "new"

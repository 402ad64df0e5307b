"""A real Helm behind one small interface: the command, or the same code as a Python library."""

import importlib
import subprocess
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol

import yaml

from tests.helm.objects import Object, objects_in

RELEASE = "r"
NAMESPACE = "streams"


class RefusedError(Exception):
    """Helm refused the chart with these values; the message is what it says."""


class Helm(Protocol):
    """What the tests ask of Helm. Values are a whole tree, merged over the chart's own."""

    def lint(self, chart: Path, values: Mapping[str, Any]) -> None:
        """`helm lint --strict`; raises RefusedError for an error and for a warning."""

    def template(self, chart: Path, values: Mapping[str, Any]) -> list[Object]:
        """The rendered objects, without notes; raises RefusedError."""


class HelmCommand:
    """The `helm` program at this path."""

    def __init__(self, program: Path) -> None:
        self._program = program

    def lint(self, chart: Path, values: Mapping[str, Any]) -> None:
        self._run(["lint", "--strict", str(chart)], values)

    def template(self, chart: Path, values: Mapping[str, Any]) -> list[Object]:
        return objects_in(self._run(["template", RELEASE, str(chart), "--namespace", NAMESPACE], values))

    def _run(self, arguments: list[str], values: Mapping[str, Any]) -> str:
        with tempfile.TemporaryDirectory() as directory:
            file = Path(directory, "values.yaml")
            file.write_text(yaml.safe_dump(dict(values)))
            command = [str(self._program), *arguments, "--values", str(file)]
            answer = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
        if answer.returncode != 0:
            raise RefusedError(answer.stdout + answer.stderr)
        return answer.stdout


class HelmLibrary:
    """PyPI's helm-python-sdk: Helm's own packages as a library, for machines with neither `helm` nor Go."""

    def __init__(self) -> None:
        self._sdk = importlib.import_module("helm_python")

    def lint(self, chart: Path, values: Mapping[str, Any]) -> None:
        report = self._sdk.lint(chart, dict(values), strict=True)
        told = [str(message["error"]) for message in report["messages"] if message["severity"] >= 2]
        if told or report["errors"]:
            raise RefusedError("\n".join([*told, *report["errors"]]))

    def template(self, chart: Path, values: Mapping[str, Any]) -> list[Object]:
        try:
            with self._sdk.Chart.load(chart) as loaded:
                loaded.validate_schema(dict(values))
                files = loaded.render(dict(values), name=RELEASE, namespace=NAMESPACE)
        except self._sdk.HelmError as error:
            raise RefusedError(str(error)) from error
        texts = [text for name, text in sorted(files.items()) if name.endswith(".yaml")]
        return [item for text in texts for item in objects_in(text)]

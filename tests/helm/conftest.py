"""The chart, Helm, and values to render it with."""

import os
from pathlib import Path
from typing import Never

import pytest
import yaml

from tests.helm.find import BUILD_DEADLINE, MissingComponentError, find_helm
from tests.helm.objects import Object
from tests.helm.runner import Helm

REPOSITORY = Path(__file__).parents[2]
CHART = REPOSITORY / "helm" / "graphql-kafka-connector"
CI_VALUES = sorted(CHART.glob("ci/*-values.yaml"))


def is_missing(component: str, reason: object) -> Never:
    """Skip the test and say why; with CI=true, fail."""
    if os.environ.get("CI") == "true":
        pytest.fail(f"{component} is missing, and in CI it must not be: {reason}", pytrace=False)
    pytest.skip(f"{component} is missing: {reason}")


@pytest.hookimpl(tryfirst=True)  # before `-m helm` selects
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if "helm" in getattr(item, "fixturenames", ()):
            item.add_marker("helm")
            item.add_marker(pytest.mark.timeout(BUILD_DEADLINE))  # whichever runs first may build Helm


@pytest.fixture(scope="session")
def helm() -> Helm:
    """A real Helm."""
    try:
        return find_helm()
    except MissingComponentError as error:
        is_missing("Helm", error)


@pytest.fixture(scope="session")
def chart() -> Path:
    """The chart's directory."""
    return CHART


@pytest.fixture
def values() -> Object:
    """The smallest values that render: those of ci/default-values.yaml. Free to be changed."""
    return read_values(CHART / "ci" / "default-values.yaml")


@pytest.fixture(params=CI_VALUES, ids=lambda file: file.name.removesuffix("-values.yaml"))
def ci_values(request: pytest.FixtureRequest) -> Object:
    """Each of ci/*-values.yaml in turn."""
    return read_values(request.param)


def read_values(file: Path) -> Object:
    """A values file."""
    values: Object = yaml.safe_load(file.read_text())
    return values

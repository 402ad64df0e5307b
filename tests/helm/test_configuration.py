"""What the chart mounts is a configuration that the connector takes."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from connector.config import LoadedConfig, check_without_secrets, read_config
from connector.errors import ConfigError
from tests.helm.objects import Object, merged, only
from tests.helm.runner import Helm, RefusedError

_PLACEHOLDER = re.compile(r"\$\{(env|file):[^}]*\}")

Mount = Callable[[list[Object]], Path]


@pytest.fixture
def mounted(tmp_path: Path) -> Mount:
    """Writes the ConfigMap's files as a pod sees them, and gives the path of connector.yaml."""

    def mount(objects: list[Object]) -> Path:
        for name, text in only(objects, "ConfigMap")["data"].items():
            (tmp_path / name).write_text(text)
        return tmp_path / "connector.yaml"

    return mount


def read_whole(file: Path) -> LoadedConfig:
    """The configuration with some word for each placeholder."""
    file.write_text(_PLACEHOLDER.sub("some-word", file.read_text()))
    return read_config(file, env={})


def test_every_feature_mounts_a_configuration_that_the_connector_takes(
    helm: Helm, chart: Path, ci_values: Object, mounted: Mount
) -> None:
    outline = check_without_secrets(mounted(helm.template(chart, ci_values)), env={})
    assert [plan.name for plan in outline.plans] == [
        given["name"] for given in ci_values["config"]["subscriptions"]
    ]


@pytest.mark.parametrize("drain", ["20s", "1m30s", "1500ms", "0.5m", "2m0.5s"])
def test_the_chart_and_the_connector_read_the_same_drain(
    helm: Helm, chart: Path, values: Object, mounted: Mount, drain: str
) -> None:
    """The shortest grace period that the chart takes is the first one above the drain and 5 s."""
    changes: Object = {"config": {"shutdown": {"drain": drain}}, "terminationGracePeriodSeconds": 3600}
    config = read_whole(mounted(helm.template(chart, merged(values, changes)))).config
    shortest = int(config.shutdown.drain + 5) + 1
    helm.template(chart, merged(values, {**changes, "terminationGracePeriodSeconds": shortest}))
    with pytest.raises(RefusedError, match="Raise terminationGracePeriodSeconds"):
        helm.template(chart, merged(values, {**changes, "terminationGracePeriodSeconds": shortest - 1}))


def test_the_chart_sets_the_defaults_of_the_connector(
    helm: Helm, chart: Path, values: Object, mounted: Mount
) -> None:
    """So that a configuration moved into the chart means the same there."""
    file = mounted(helm.template(chart, values))
    with_defaults = read_whole(file)
    bare = values["config"]
    file.write_text(yaml.safe_dump(bare))
    assert read_whole(file).effective() == with_defaults.effective()


def test_numbers_arrive_as_written(helm: Helm, chart: Path, values: Object, mounted: Mount) -> None:
    changes = {"config": {"inbox": {"max_bytes": 67108864}, "http": {"port": 18083}}}
    config = read_whole(mounted(helm.template(chart, merged(values, changes)))).config
    assert (config.inbox.max_bytes, config.http.port) == (67108864, 18083)


def test_a_document_that_the_connector_refuses_is_named(
    helm: Helm, chart: Path, values: Object, mounted: Mount
) -> None:
    """The chart cannot judge GraphQL; the same files show the mistake before a pod does."""
    changes = {"documents": {"bsc-trades.graphql": "query { a }"}}
    with pytest.raises(ConfigError, match=r"bsc-trades\.graphql"):
        check_without_secrets(mounted(helm.template(chart, merged(values, changes))), env={})

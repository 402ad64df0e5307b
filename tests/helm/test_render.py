"""The chart renders, and what it renders is what Kubernetes takes."""

import importlib
import os
from pathlib import Path

import yaml

from tests.helm.conftest import is_missing
from tests.helm.objects import Object, only
from tests.helm.runner import Helm

SNAPSHOT = Path(__file__).with_name("snapshots") / "default.yaml"
KUBERNETES = ("1.25", "1.37")
"""The oldest version that Chart.yaml takes, and the newest that the schemas know."""


def test_lint_has_nothing_to_say_of_the_chart_alone(helm: Helm, chart: Path) -> None:
    helm.lint(chart, {})


def test_lint_has_nothing_to_say_of_any_feature(helm: Helm, chart: Path, ci_values: Object) -> None:
    helm.lint(chart, ci_values)


def test_every_feature_renders_objects_that_kubernetes_takes(
    helm: Helm, chart: Path, ci_values: Object
) -> None:
    try:
        schemas = importlib.import_module("kubernetes_validate")
    except ImportError as error:
        is_missing("kubernetes-validate", error)
    for rendered in helm.template(chart, ci_values):
        if (
            rendered["apiVersion"] != "monitoring.coreos.com/v1"
        ):  # of the operator's own; test_monitors reads them
            for version in KUBERNETES:
                schemas.validate(rendered, version, strict=True)


def test_the_default_render_is_the_reviewed_one(helm: Helm, chart: Path, values: Object) -> None:
    """UPDATE_SNAPSHOT=1 writes what is rendered now; look at the difference before committing it."""
    rendered = yaml.safe_dump_all(helm.template(chart, values), sort_keys=True, width=110)
    if os.environ.get("UPDATE_SNAPSHOT") == "1":
        SNAPSHOT.write_text(rendered)
    assert rendered == SNAPSHOT.read_text()


def test_monitors_select_what_they_scrape(helm: Helm, chart: Path, values: Object) -> None:
    pod_monitor = only(helm.template(chart, {**values, "podMonitor": {"enabled": True}}), "PodMonitor")
    objects = helm.template(chart, {**values, "serviceMonitor": {"enabled": True}})
    service_monitor, service = only(objects, "ServiceMonitor"), only(objects, "Service")
    labels = only(objects, "Deployment")["spec"]["template"]["metadata"]["labels"]
    assert pod_monitor["spec"]["selector"]["matchLabels"].items() <= labels.items()
    assert pod_monitor["spec"]["podMetricsEndpoints"] == [{"port": "http", "path": "/metrics"}]
    assert service_monitor["spec"]["selector"]["matchLabels"].items() <= service["metadata"]["labels"].items()
    assert service_monitor["spec"]["endpoints"] == [{"port": "http", "path": "/metrics"}]
    assert [port["name"] for port in service["spec"]["ports"]] == ["http"]


def test_monitors_are_off_unless_asked_for(helm: Helm, chart: Path, values: Object) -> None:
    kinds = {rendered["kind"] for rendered in helm.template(chart, values)}
    assert kinds == {"ConfigMap", "Deployment", "Service", "ServiceAccount"}

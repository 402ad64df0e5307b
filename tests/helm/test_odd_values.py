"""Values as others write them: as a subchart, with blank sections, under names that no Service may have."""

from pathlib import Path
from typing import Any

import pytest

from tests.helm.objects import Object, container_of, merged, only, pod_of
from tests.helm.runner import Helm, HelmCommand, RefusedError


@pytest.mark.parametrize(
    "section", ["service", "serviceAccount", "podMonitor", "serviceMonitor", "podLabels"]
)
@pytest.mark.parametrize("blank", [None, {}])
def test_a_blank_section_is_as_if_it_was_not_given(
    helm: Helm, chart: Path, values: Object, section: str, blank: Object | None
) -> None:
    assert helm.template(chart, {**values, section: blank}) == helm.template(chart, values)


def test_a_condition_of_a_parent_chart_is_taken(helm: Helm, chart: Path, values: Object) -> None:
    assert helm.template(chart, {**values, "enabled": True}) == helm.template(chart, values)


@pytest.mark.parametrize(
    ("override", "name"), [("my.app", "my-app"), ("My_App", "my-app"), ("1st", "c-1st"), ("a" * 70, "a" * 63)]
)
def test_objects_are_named_as_a_service_may_be(
    helm: Helm, chart: Path, values: Object, override: str, name: str
) -> None:
    objects = helm.template(chart, {**values, "fullnameOverride": override})
    assert {item["metadata"]["name"] for item in objects} == {name}
    assert pod_of(objects)["spec"]["serviceAccountName"] == name


@pytest.mark.parametrize("override", ["_", "---", "Ü"])
def test_a_name_of_which_nothing_is_left_is_that_of_the_chart(
    helm: Helm, chart: Path, values: Object, override: str
) -> None:
    objects = helm.template(chart, {**values, "fullnameOverride": override, "nameOverride": override})
    assert {item["metadata"]["name"] for item in objects} == {"graphql-kafka-connector"}
    labels = only(objects, "Deployment")["spec"]["selector"]["matchLabels"]
    assert labels["app.kubernetes.io/name"] == "graphql-kafka-connector"


@pytest.mark.parametrize(("override", "label"), [("my app", "my-app"), ("My_App.", "My_App"), ("-a", "a")])
def test_a_label_is_one_that_kubernetes_takes(
    helm: Helm, chart: Path, values: Object, override: str, label: str
) -> None:
    pod = pod_of(helm.template(chart, {**values, "nameOverride": override}))
    assert pod["metadata"]["labels"]["app.kubernetes.io/name"] == label


def test_a_name_that_no_service_account_has_is_refused(helm: Helm, chart: Path, values: Object) -> None:
    with pytest.raises(RefusedError, match="/serviceAccount/name"):
        helm.template(chart, {**values, "serviceAccount": {"name": "My_SA"}})


def test_labels_of_the_pod_do_not_pass_for_those_of_the_chart(
    helm: Helm, chart: Path, values: Object
) -> None:
    theirs = {"app.kubernetes.io/version": "9", "helm.sh/chart": "x", "app.kubernetes.io/managed-by": "x"}
    labels = pod_of(helm.template(chart, {**values, "podLabels": theirs}))["metadata"]["labels"]
    assert not labels.keys() & theirs.keys()


def test_a_registry_and_its_secrets_may_be_global(helm: Helm, chart: Path, values: Object) -> None:
    shared = {"imageRegistry": "registry.example:5000", "imagePullSecrets": ["shared", {"name": "own"}]}
    objects = helm.template(chart, {**values, "global": shared, "imagePullSecrets": [{"name": "own"}]})
    assert container_of(objects)["image"] == "registry.example:5000/graphql-kafka-connector:0.1.0"
    assert pod_of(objects)["spec"]["imagePullSecrets"] == [{"name": "shared"}, {"name": "own"}]
    there = {**values, "global": shared, "image": {"repository": "ghcr.io/a/b", "tag": "1"}}
    assert container_of(helm.template(chart, there))["image"] == "ghcr.io/a/b:1"


def test_labels_of_ours_stand_once_and_stay(chart: Path, helm: Helm, values: Object) -> None:
    labels = {"app.kubernetes.io/name": "mine", "app.kubernetes.io/instance": "x", "team": "data"}
    monitor = {"enabled": True, "labels": labels}
    changes = {"podLabels": labels, "podMonitor": monitor}
    if isinstance(helm, HelmCommand):
        text = helm._run(["template", "r", str(chart)], {**values, **changes})
        assert "app.kubernetes.io/name: mine" not in text
    objects = helm.template(chart, {**values, **changes})
    deployment = only(objects, "Deployment")["spec"]
    found = deployment["template"]["metadata"]["labels"]
    assert found == {**deployment["selector"]["matchLabels"], "team": "data"}
    assert only(objects, "PodMonitor")["metadata"]["labels"]["team"] == "data"


LITERALS: dict[str, dict[str, Any]] = {
    "an application's key": {"config": {"endpoint": {"headers": {"x-app-key": "k-123"}}}},
    "an admin's secret": {"config": {"endpoint": {"headers": {"X-Hasura-Admin-Secret": "k"}}}},
    "a header of another name": {"config": {"endpoint": {"headers": {"X-Who": "Bearer abcdef"}}}},
    "a token request's key": {"config": {"oauth": {"headers": {"apikey": "k"}}}},
    "a token in the URL": {"config": {"endpoint": {"url": "wss://h.example/g?x=1&token=abc"}}},
    "a key in the URL": {"config": {"endpoint": {"url": "wss://h.example/g?api-key=abc"}}},
    "a user in the URL": {"config": {"oauth": {"token_url": "https://me:pass@h.example/t"}}},
    "an escaped placeholder": {"config": {"oauth": {"client_secret": "$${env:NO}x"}}},
    "an escaped brace": {"config": {"token": "a$${b"}},
    "a key of the payload": {"config": {"endpoint": {"init_payload": {"authToken": "x"}}}},
    "a key in a list of the payload": {"config": {"endpoint": {"init_payload": {"a": [{"token": "x"}]}}}},
    "a signed token": {"config": {"endpoint": {"init_payload": {"who": "eyJhbGciOiJIUzI1NiJ9.e30.abc"}}}},
    "a number": {"config": {"kafka": {"security": {"sasl": {"password": 123456}}}}},
    "a variable of the environment": {"extraEnv": [{"name": "KAFKA_PASSWORD", "value": "x"}]},
}


@pytest.mark.parametrize("changes", LITERALS.values(), ids=LITERALS)
def test_a_literal_credential_is_refused_wherever_it_stands(
    helm: Helm, chart: Path, values: Object, changes: dict[str, Any]
) -> None:
    with pytest.raises(RefusedError, match="holds a literal secret"):
        helm.template(chart, merged(values, changes))


def test_what_is_no_credential_is_taken(helm: Helm, chart: Path, values: Object) -> None:
    endpoint = {
        "headers": {"Origin": "https://app.example", "X-Request-Source": "connector", "x-key": "${env:KEY}"},
        "url": "wss://h.example/g?network=eth&token=${env:TOKEN}",
        "credentials": {"in": "header", "name": "Authorization", "template": "Bearer {token}"},
    }
    changes = {"config": {"endpoint": endpoint, "token_file": "/run/secrets/connector/token"}}
    values["config"].pop("oauth")
    helm.template(
        chart, merged(values, {**changes, "extraEnv": [{"name": "CONNECTOR_LOG_LEVEL", "value": "debug"}]})
    )

"""What the pod promises: one at a time, restricted, probed, replaced when its files change."""

from pathlib import Path

import pytest

from tests.helm.objects import Object, container_of, merged, only, pod_of
from tests.helm.runner import Helm, RefusedError


def test_the_old_pod_ends_before_the_new_one_starts(helm: Helm, chart: Path, values: Object) -> None:
    spec = only(helm.template(chart, values), "Deployment")["spec"]
    assert (spec["replicas"], spec["strategy"]) == (1, {"type": "Recreate"})


def test_security_is_restricted_for_every_feature(helm: Helm, chart: Path, ci_values: Object) -> None:
    objects = helm.template(chart, ci_values)
    pod, container = pod_of(objects)["spec"], container_of(objects)
    assert pod["automountServiceAccountToken"] is False
    assert pod["securityContext"]["runAsNonRoot"] is True
    assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert container["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }


def test_probes_ask_what_the_connector_answers(helm: Helm, chart: Path, values: Object) -> None:
    container = container_of(helm.template(chart, values))
    paths = {probe: container[f"{probe}Probe"]["httpGet"] for probe in ("startup", "liveness", "readiness")}
    assert paths == {
        "startup": {"path": "/livez", "port": "http"},
        "liveness": {"path": "/livez", "port": "http"},
        "readiness": {"path": "/readyz", "port": "http"},
    }


def test_why_the_program_ended_is_in_the_status_of_the_pod(helm: Helm, chart: Path, values: Object) -> None:
    container = container_of(helm.template(chart, values))
    assert container["terminationMessagePolicy"] == "FallbackToLogsOnError"


@pytest.mark.parametrize(
    ("http", "place"),
    [
        ({}, "0.0.0.0:8083"),
        ({"host": "::", "port": 9000}, "[::]:9000"),
    ],
)
def test_a_configuration_that_cannot_be_used_is_waited_for_where_the_probes_ask(
    helm: Helm, chart: Path, values: Object, http: Object, place: str
) -> None:
    container = container_of(helm.template(chart, merged(values, {"config": {"http": http}})))
    assert container["args"] == ["run", "-c", "/etc/connector/connector.yaml", "--wait-for-config", place]


def test_ports_follow_the_configuration(helm: Helm, chart: Path, values: Object) -> None:
    objects = helm.template(chart, merged(values, {"config": {"http": {"port": 9000}}}))
    assert [port["containerPort"] for port in container_of(objects)["ports"]] == [9000]
    assert [port["port"] for port in only(objects, "Service")["spec"]["ports"]] == [9000]


def test_the_secret_is_environment_and_files(helm: Helm, chart: Path, values: Object) -> None:
    objects = helm.template(chart, {**values, "existingSecret": "mine"})
    container = container_of(objects)
    assert container["envFrom"] == [{"secretRef": {"name": "mine"}}]
    mount = {"name": "secrets", "mountPath": "/run/secrets/connector", "readOnly": True}
    assert mount in container["volumeMounts"]
    volumes = {volume["name"]: volume for volume in pod_of(objects)["spec"]["volumes"]}
    assert volumes["secrets"]["secret"] == {"secretName": "mine", "defaultMode": 0o440}


def test_without_a_secret_nothing_refers_to_one(helm: Helm, chart: Path, values: Object) -> None:
    pod = pod_of(helm.template(chart, {**values, "existingSecret": ""}))
    assert "secret" not in str(pod["spec"]).lower()


def test_documents_lie_beside_the_configuration(helm: Helm, chart: Path, values: Object) -> None:
    text = "  subscription {\n    a { b }\n  }   # trailing \n"
    objects = helm.template(chart, merged(values, {"documents": {"odd.graphql": text}}))
    assert set(only(objects, "ConfigMap")["data"]) == {"connector.yaml", "bsc-trades.graphql", "odd.graphql"}
    assert only(objects, "ConfigMap")["data"]["odd.graphql"] == text


@pytest.mark.parametrize(
    "changes",
    [
        {"config": {"name": "other"}},
        {"documents": {"bsc-trades.graphql": "subscription { other { b } }"}},
        {"documents": {"more.graphql": "subscription { other { b } }"}},
    ],
    ids=["configuration", "document", "another document"],
)
def test_a_changed_file_replaces_the_pod_only_where_it_is_not_watched(
    helm: Helm, chart: Path, values: Object, changes: Object
) -> None:
    """A replaced pod is a period without any socket, so a change that the running one takes costs none."""
    assert pod_of(helm.template(chart, merged(values, changes))) == pod_of(helm.template(chart, values))
    unwatched = merged(values, {"config": {"reload": False}})
    before = pod_of(helm.template(chart, unwatched))
    after = pod_of(helm.template(chart, merged(unwatched, changes)))
    assert before["metadata"]["annotations"] != after["metadata"]["annotations"]
    assert before["spec"] == after["spec"]


@pytest.mark.parametrize("reload", [True, False])
def test_annotations_of_the_pod_stand_beside_the_checksum(
    helm: Helm, chart: Path, values: Object, reload: bool
) -> None:
    changes: Object = {"config": {"reload": reload}, "podAnnotations": {"example.org/a": "1"}}
    found = pod_of(helm.template(chart, merged(values, changes)))["metadata"]["annotations"]
    assert set(found) == {"example.org/a"} | (set() if reload else {"checksum/config"})


def test_files_that_are_watched_are_mounted_so_that_they_are_updated(
    helm: Helm, chart: Path, ci_values: Object
) -> None:
    """The kubelet updates a mounted directory by swapping a link; a subPath stays as it was."""
    mounts = {mount["name"]: mount for mount in container_of(helm.template(chart, ci_values))["volumeMounts"]}
    assert mounts["config"] == {"name": "config", "mountPath": "/etc/connector", "readOnly": True}
    assert all("subPath" not in mount and "subPathExpr" not in mount for mount in mounts.values())


def test_reload_is_a_flag(helm: Helm, chart: Path, values: Object) -> None:
    with pytest.raises(RefusedError, match="reload"):
        helm.template(chart, merged(values, {"config": {"reload": "no"}}))


def test_what_the_pod_does_not_see_does_not_replace_it(helm: Helm, chart: Path, values: Object) -> None:
    """A replaced pod is a period without a socket, so a changed Service must not cost one."""
    before = pod_of(helm.template(chart, values))
    assert pod_of(helm.template(chart, {**values, "service": {"port": 80}})) == before


def test_extras_reach_the_pod(helm: Helm, chart: Path, values: Object) -> None:
    extras: Object = {
        "extraEnv": [{"name": "CONNECTOR_LOG_LEVEL", "value": "debug"}],
        "extraVolumes": [{"name": "ca", "secret": {"secretName": "ca"}}],
        "extraVolumeMounts": [{"name": "ca", "mountPath": "/etc/ca"}],
        "podAnnotations": {"example.org/a": "1"},
        "podLabels": {"example.org/b": "2"},
        "imagePullSecrets": [{"name": "registry"}],
        "nodeSelector": {"disk": "ssd"},
        "tolerations": [{"operator": "Exists"}],
        "affinity": {"podAntiAffinity": {}},
        "serviceAccount": {"create": False, "name": "theirs"},
    }
    objects = helm.template(chart, merged(values, extras))
    pod, container = pod_of(objects), container_of(objects)
    assert container["env"] == extras["extraEnv"]
    assert extras["extraVolumes"][0] in pod["spec"]["volumes"]
    assert extras["extraVolumeMounts"][0] in container["volumeMounts"]
    assert pod["metadata"]["annotations"]["example.org/a"] == "1"
    assert pod["metadata"]["labels"]["example.org/b"] == "2"
    for key in ("imagePullSecrets", "nodeSelector", "tolerations", "affinity"):
        assert pod["spec"][key] == extras[key]
    assert pod["spec"]["serviceAccountName"] == "theirs"
    assert "ServiceAccount" not in {rendered["kind"] for rendered in objects}

"""Namespaces on the given cluster, and Kafka at an address that its pods reach."""

import os
import shutil
import uuid
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import yaml

from tests.brokers.cluster import KafkaCluster
from tests.cluster.commands import Namespace
from tests.helm.conftest import CHART, read_values
from tests.helm.objects import Object, merged

DEADLINE = 600.0
"""Seconds for one test: pods are pulled, started, drained and replaced in it."""
NEEDED = ("helm", "kubectl")


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "cluster: installs the chart on the cluster of KUBECONFIG")


def pytest_ignore_collect(config: pytest.Config) -> bool | None:
    """Only where these tests are named: no other run may install on whatever cluster KUBECONFIG names."""
    is_named = any("tests/cluster" in str(argument) for argument in config.invocation_params.args)
    return None if is_named else True


@pytest.hookimpl(tryfirst=True)  # before `-m cluster` selects
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if "namespace" in getattr(item, "fixturenames", ()):
            item.add_marker("cluster")
            item.add_marker(pytest.mark.timeout(DEADLINE))


@pytest.fixture(scope="session")
def cluster() -> None:
    """Fails where there is no cluster to install on: these tests run only when asked for."""
    missing = [program for program in NEEDED if shutil.which(program) is None]
    if missing:
        pytest.fail(f"not on PATH: {', '.join(missing)}", pytrace=False)
    if not os.environ.get("KUBECONFIG"):
        pytest.fail("KUBECONFIG names no cluster", pytrace=False)


@pytest.fixture(scope="session")
def host_address() -> str:
    """This machine's address, as pods reach it."""
    return os.environ.get("CLUSTER_HOST_ADDRESS", "127.0.0.1")


@pytest.fixture
async def namespace(cluster: None) -> AsyncIterator[Namespace]:
    """A namespace of this test's own; deleted at the end, with all in it."""
    namespace = Namespace(name=f"connector-test-{uuid.uuid4().hex[:8]}")
    await namespace.create()
    try:
        yield namespace
    finally:
        await namespace.delete()


@pytest.fixture(scope="session")
def brokers(kafka_jars: str, host_address: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of one broker that pods reach."""
    directory = tmp_path_factory.mktemp("cluster-kafka")
    cluster = KafkaCluster(directory, kafka_jars)
    (port,) = [broker.port for broker in cluster.brokers]
    properties = directory / "broker-1" / "server.properties"
    text = properties.read_text().replace(
        f"listeners=PLAINTEXT://127.0.0.1:{port}", f"listeners=PLAINTEXT://0.0.0.0:{port}", 1
    )
    properties.write_text(
        text.replace(
            f"advertised.listeners=PLAINTEXT://127.0.0.1:{port}",
            f"advertised.listeners=PLAINTEXT://{host_address}:{port}",
        )
    )
    with cluster:
        yield f"{host_address}:{port}"


@pytest.fixture(scope="session")
def given_values() -> Object:
    """The image, and whatever else this cluster wants, from the environment."""
    version = read_values(CHART / "Chart.yaml")["appVersion"]
    image = os.environ.get("CLUSTER_IMAGE", f"graphql-kafka-connector:{version}")
    repository, _, tag = image.rpartition(":")
    more = os.environ.get("CLUSTER_VALUES")
    extra: Object = yaml.safe_load(Path(more).read_text()) if more else {}
    return merged({"image": {"repository": repository, "tag": tag}}, extra)

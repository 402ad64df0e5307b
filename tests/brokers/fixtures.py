"""
Apache Kafka as pytest fixtures, and the line in the summary that says how many tests ran on it.

Every test that uses one of these fixtures carries the marker `kafka` by itself. Where Java or Maven are
missing such tests skip and say so; with CI=true they fail.
"""

import itertools
import os
import re
import uuid
from collections.abc import Callable, Generator, Iterator
from contextlib import ExitStack
from typing import Protocol

import pytest

from tests.brokers.cluster import FAST_FAILOVER, KafkaCluster
from tests.brokers.jars import MissingComponentError, kafka_classpath
from tests.brokers.secured import SecuredKafka

RAN = pytest.StashKey[int]()


class StartKafka(Protocol):
    """Start a cluster of this test's own; see KafkaCluster for the arguments."""

    def __call__(self, *, brokers: int = 1, config: dict[str, str] | None = None) -> KafkaCluster: ...


@pytest.fixture(scope="session")
def kafka_jars() -> str:
    """The classpath of Apache Kafka."""
    try:
        return kafka_classpath()
    except MissingComponentError as error:
        if os.environ.get("CI") == "true":
            pytest.fail(f"Apache Kafka is missing, and in CI it must not be: {error}", pytrace=False)
        pytest.skip(f"Apache Kafka is missing: {error}")


@pytest.fixture(scope="session")
def kafka(kafka_jars: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[KafkaCluster]:
    """One broker for the whole run. Leave it running; name topics by `topic_name`."""
    with KafkaCluster(tmp_path_factory.mktemp("kafka"), kafka_jars) as cluster:
        yield cluster


@pytest.fixture(scope="session")
def kafka3(kafka_jars: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[KafkaCluster]:
    """Three brokers for the whole run. Leave them running; name topics by `topic_name`."""
    with KafkaCluster(tmp_path_factory.mktemp("kafka3"), kafka_jars, brokers=3) as cluster:
        yield cluster


@pytest.fixture(scope="session")
def secured(kafka_jars: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[SecuredKafka]:
    """One broker with TLS, SASL and ACLs for the whole run. Leave it running; name users by `topic_name`."""
    with SecuredKafka(tmp_path_factory.mktemp("secured"), kafka_jars) as secured:
        yield secured


@pytest.fixture
def start_kafka(kafka_jars: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[StartKafka]:
    """
    Start clusters to be killed and frozen, with FAST_FAILOVER; whatever still runs is ended after the test.

    It blocks for seconds, as `Broker.restart` does: call both in a thread where the event loop has work.
    """
    with ExitStack() as clusters:

        def start(*, brokers: int = 1, config: dict[str, str] | None = None) -> KafkaCluster:
            directory, settings = tmp_path_factory.mktemp("own-kafka"), FAST_FAILOVER | (config or {})
            cluster = KafkaCluster(directory, kafka_jars, brokers=brokers, config=settings)
            return clusters.enter_context(cluster)

        yield start


@pytest.fixture
def topic_name(request: pytest.FixtureRequest) -> Callable[[], str]:
    """Names that no other test uses (for topics, groups, transactional ids); a new one every time."""
    test = re.sub(r"[^a-zA-Z0-9]+", "-", request.node.name)[:80].strip("-")
    stem = f"{test}-{uuid.uuid4().hex[:8]}"
    numbers = itertools.count(1)
    return lambda: f"{stem}-{next(numbers)}"


def pytest_configure(config: pytest.Config) -> None:
    config.stash[RAN] = 0


@pytest.hookimpl(tryfirst=True)  # before `-m kafka` selects
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if "kafka_jars" in getattr(item, "fixturenames", ()):
            item.add_marker("kafka")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    if report.when == "call" and not report.skipped and item.get_closest_marker("kafka") is not None:
        item.config.stash[RAN] += 1
    return report


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    terminalreporter.write_line(f"{config.stash[RAN]} tests ran on Apache Kafka")

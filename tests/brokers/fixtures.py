"""
Apache Kafka as pytest fixtures, and the line in the summary that says how many tests ran on it.

Every test that uses one of these fixtures carries the marker `kafka` by itself. Where Java or Maven are
missing such tests skip and say so; with CI=true they fail.
"""

import functools
import itertools
import os
import re
import uuid
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Protocol

import pytest

from tests.brokers.archive import ensure_archive
from tests.brokers.cluster import FAST_FAILOVER, KafkaCluster
from tests.brokers.jars import MissingComponentError, kafka_classpath
from tests.brokers.secured import SecuredKafka

RUNS_ON_KAFKA = ("runs on", "Apache Kafka")
"""A property of tests; it goes with their reports from the workers to whoever writes the summary."""
ARCHIVE_DEADLINE = 120.0
"""Seconds in which a broker ends that archives its classes at the end; a quiet machine needs five."""
OUTCOMES = ("passed", "failed", "xfailed", "xpassed")


class StartKafka(Protocol):
    """Start a cluster of this test's own; see KafkaCluster for the arguments."""

    def __call__(self, *, brokers: int = 1, config: dict[str, str] | None = None) -> KafkaCluster: ...


@pytest.fixture(scope="session")
def kafka_jars() -> str:
    """The classpath of Apache Kafka."""
    try:
        classpath = kafka_classpath()
    except MissingComponentError as error:
        if os.environ.get("CI") == "true":
            pytest.fail(f"Apache Kafka is missing, and in CI it must not be: {error}", pytrace=False)
        pytest.skip(f"Apache Kafka is missing: {error}")
    ensure_archive(classpath, functools.partial(_run_once, classpath))
    return classpath


def _run_once(classpath: str, jvm: list[str], directory: Path) -> None:
    cluster = KafkaCluster(
        directory, classpath
    )  # formatted without ``jvm``: this would archive the formatter
    (broker,) = cluster.brokers
    broker.start(jvm)
    broker.wait_until_ready()
    broker.stop(ARCHIVE_DEADLINE)


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


@pytest.fixture(scope="session")
def lonely(kafka_jars: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[KafkaCluster]:
    """What `alone` harms."""
    with KafkaCluster(tmp_path_factory.mktemp("lonely"), kafka_jars, config=FAST_FAILOVER) as cluster:
        yield cluster


@pytest.fixture
def alone(lonely: KafkaCluster) -> Iterator[KafkaCluster]:
    """One broker to be killed and frozen; it runs again before the next test."""
    yield lonely
    _restore(lonely)


@pytest.fixture(scope="session")
def fragile3(kafka_jars: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[KafkaCluster]:
    """What `fragile` harms."""
    directory = tmp_path_factory.mktemp("fragile")
    with KafkaCluster(directory, kafka_jars, brokers=3, config=FAST_FAILOVER) as cluster:
        yield cluster


@pytest.fixture
def fragile(fragile3: KafkaCluster) -> Iterator[KafkaCluster]:
    """Three brokers to be killed and frozen; they run again before the next test."""
    yield fragile3
    _restore(fragile3)


def _restore(cluster: KafkaCluster) -> None:
    for broker in cluster.brokers:
        if not broker.is_running:
            broker.restart()
        broker.thaw()


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


@pytest.hookimpl(tryfirst=True)  # before `-m kafka` selects
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if "kafka_jars" in getattr(item, "fixturenames", ()):
            item.add_marker("kafka")
            item.user_properties.append(RUNS_ON_KAFKA)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    reports = [report for kind in OUTCOMES for report in terminalreporter.stats.get(kind, ())]
    ran = sum(report.when == "call" and RUNS_ON_KAFKA in report.user_properties for report in reports)
    terminalreporter.write_line(f"{ran} tests ran on Apache Kafka")

"""The tasks of a configuration, as they are made. Nothing runs here."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from connector.config import LoadedConfig, compare, read_config
from connector.herder import Herder, TaskFactory
from connector.subscription import MemoryBudget
from connector.telemetry import Metrics, Redactor
from connector.wiring.kafka_access import KafkaAccess
from connector.wiring.tasks import ConfiguredTasks
from connector.wiring.token_access import TokenAccess
from tests.unit.auth.fakes import FakeObserver
from tests.unit.config.conftest import GENERIC, ORDERS

SECURITY = """\
kafka:
  security: {protocol: SASL_PLAINTEXT, sasl: {mechanism: PLAIN, username: a, password: %s}}
"""
DEAD_LETTERS = "errors: {tolerance: all, dead_letter_topic: shop.dead}\n"


class Bench:
    """The real factory, and what it shares among the tasks."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        (directory / "orders.graphql").write_text(ORDERS)
        self.metrics = Metrics(version="1")
        self.stack = AsyncExitStack()

    def read(self, *, more: str = "", password: str = "first", topic: str = "shop.orders") -> LoadedConfig:
        text = GENERIC.replace("kafka:\n", SECURITY % password).replace("shop.orders", topic)
        (self.directory / "shop.yaml").write_text(text + more)
        return read_config(self.directory / "shop.yaml", env={})

    async def factory(self, config: LoadedConfig) -> ConfiguredTasks:
        self.kafka = await KafkaAccess.open(config, self.stack, FakeObserver())
        return ConfiguredTasks(
            config,
            tokens=await TokenAccess.open(config, self.stack),
            kafka=self.kafka,
            budget=MemoryBudget(config.config.inbox.max_bytes),
            metrics=self.metrics,
            redactor=Redactor(),
        )


@pytest.fixture
async def bench(tmp_path: Path) -> AsyncIterator[Bench]:
    bench = Bench(tmp_path)
    async with bench.stack:
        yield bench


async def test_a_subscription_waits_for_its_topic_and_that_of_dead_letters(bench: Bench) -> None:
    for more, topics in (("", ("shop.orders",)), (DEAD_LETTERS, ("shop.orders", "shop.dead"))):
        config = bench.read(more=more)
        factory: TaskFactory = await bench.factory(config)
        follower = factory.runner(config.plans[0], factory.task(0))
        assert (follower.name, follower.topics) == ("orders", topics)


async def test_a_subscription_that_is_no_more_leaves_no_series(bench: Bench) -> None:
    config = bench.read()
    factory = await bench.factory(config)
    factory.runner(config.plans[0], factory.task(0))
    assert b'subscription="orders"' in bench.metrics.render()[0]
    factory.forget("orders")
    assert b'subscription="orders"' not in bench.metrics.render()[0]


async def test_what_a_subscription_drops_is_measured_until_it_is_no_more(bench: Bench) -> None:
    config = bench.read()
    factory = await bench.factory(config)
    series = b'connector_rows_repeated_total{subscription="orders"} '
    for repeats in (2, 5):  # the second one is the same subscription after a change
        runner = factory.runner(config.plans[0], factory.task(0))
        runner.seam.counts.repeats = repeats
    assert series + b"7.0" in bench.metrics.render()[0]
    runner.seam.counts.repeats += 1
    assert series + b"8.0" in bench.metrics.render()[0]
    factory.forget("orders")
    assert series not in bench.metrics.render()[0]


async def test_after_a_change_everything_is_made_by_the_new_configuration(bench: Bench) -> None:
    first, second = bench.read(), bench.read(password="second", topic="shop.sales")
    factory = await bench.factory(first)
    herder = Herder(first, factory)
    await herder.start_task(0)
    change = compare(first, second)
    assert change.changed == ("orders",)
    herder.apply(second, change)
    (task,) = herder.tasks
    assert [follower.topics for follower in task.runners] == [("shop.sales",)]
    sasl = bench.kafka.settings.security.sasl
    assert sasl is not None
    assert sasl.password == "second"


async def test_what_a_change_does_not_name_stays_as_it_is(bench: Bench) -> None:
    first, second = bench.read(), bench.read(topic="shop.sales")
    herder = Herder(first, await bench.factory(first))
    await herder.start_task(0)
    settings = bench.kafka.settings
    herder.apply(second, compare(first, second))
    assert bench.kafka.settings is settings

"""The topic of events, wherever it is made use of. Nothing runs here."""

from __future__ import annotations

from contextlib import AsyncExitStack
from pathlib import Path

import msgspec
import pytest

from connector.config import LoadedConfig, read_config
from connector.records.topics import ForbiddenTopic
from connector.subscription import MemoryBudget
from connector.task import SubscriptionSettings
from connector.telemetry import Metrics, Redactor
from connector.wiring.check import topics_of
from connector.wiring.kafka_access import KafkaAccess
from connector.wiring.settings import follow_settings, publish_settings, refusals_of, session_settings
from connector.wiring.tasks import ConfiguredTasks
from connector.wiring.token_access import TokenAccess
from tests.unit.auth.fakes import FakeObserver
from tests.unit.config.conftest import GENERIC, ORDERS

EVENTS = "events_topic: shop.events\n"
COMPACTED = "topics: {config: {cleanup.policy: compact}}\n"
DEAD_LETTERS = "errors: {tolerance: all, dead_letter_topic: shop.dead}\n"


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    (tmp_path / "orders.graphql").write_text(ORDERS)
    return tmp_path


def read(directory: Path, more: str = "", *, topic: str = "shop.orders") -> LoadedConfig:
    (directory / "shop.yaml").write_text(GENERIC.replace("shop.orders", topic) + more)
    return read_config(directory / "shop.yaml", env={})


def settings(loaded: LoadedConfig) -> SubscriptionSettings:
    config = loaded.config
    return follow_settings(config, loaded.plans[0], session_settings(loaded), refusals_of(config))


@pytest.mark.parametrize(
    ("more", "topics"),
    [
        ("", ("shop.orders",)),
        (EVENTS, ("shop.orders", "shop.events")),
        (DEAD_LETTERS + EVENTS, ("shop.orders", "shop.dead", "shop.events")),
    ],
)
def test_a_socket_waits_for_the_topic_of_events(directory: Path, more: str, topics: tuple[str, ...]) -> None:
    assert settings(read(directory, more)).topics == topics


def test_it_is_created_as_others_are_and_never_compacted(directory: Path) -> None:
    new = publish_settings(read(directory, EVENTS + COMPACTED + DEAD_LETTERS).config).create
    assert new is not None
    policies = {
        name: new.config_of(name)["cleanup.policy"] for name in ("shop.orders", "shop.dead", "shop.events")
    }
    assert policies == {"shop.orders": "compact", "shop.dead": "delete", "shop.events": "delete"}


def test_check_asks_for_rights_on_it(directory: Path) -> None:
    assert topics_of(read(directory, EVENTS)).named == {
        "shop.orders": ["orders"],
        "shop.events": ["gap events"],
    }


def test_a_row_that_makes_its_name_is_bad(directory: Path) -> None:
    row = "shop.{id}\n    headers: {id: id}"
    built = settings(read(directory, EVENTS, topic=row)).records.build([msgspec.Raw(b'{"id": "events"}')], [])
    (record,) = built.failed
    assert isinstance(record.error, ForbiddenTopic)


async def test_each_task_has_a_way_to_it_where_it_is_configured(directory: Path) -> None:
    for more, name in (("", None), (EVENTS, "shop.events")):
        loaded = read(directory, more)
        async with AsyncExitStack() as stack:
            factory = ConfiguredTasks(
                loaded,
                tokens=await TokenAccess.open(loaded, stack),
                kafka=await KafkaAccess.open(loaded, stack, FakeObserver()),
                budget=MemoryBudget(loaded.config.inbox.max_bytes),
                metrics=Metrics(version="1"),
                redactor=Redactor(),
            )
            task = factory.task(0)
            assert factory.runner(loaded.plans[0], task).name == "orders"
            assert (task.events and task.events.name) == name

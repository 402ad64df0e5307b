"""What becomes of a configuration that says something else while the connector runs."""

from __future__ import annotations

from collections import deque
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import anyio
import pytest
from structlog.testing import capture_logs
from structlog.typing import EventDict

from connector.config import Change, LoadedConfig, Part, read_config
from connector.errors import ConfigError, Problem
from connector.reload import POLL, Outcome, Reload
from tests.unit.config.conftest import GENERIC, ORDERS
from tests.unit.subscription.servers import until

INVALID = ConfigError(
    [Problem(where="shop.yaml:3", path="endpoint.url", message="is wrong", remedy="mend it")]
)
TOKEN = "a-token-of-the-shop"

Found = LoadedConfig | ConfigError | Exception | None


class FakeSource:
    """Gives what tests put, one a look; an exception that is no `ConfigError` is raised."""

    def __init__(self) -> None:
        self.found: deque[Found] = deque()
        self.looks = 0
        self.is_possible = True

    def look(self) -> LoadedConfig | ConfigError | None:
        self.looks += 1
        found = self.found.popleft() if self.found else None
        if isinstance(found, Exception) and not isinstance(found, ConfigError):
            raise found
        return found


class FakeHerder:
    """Satisfies `Herder` and `Observer`, and learns secrets; notes everything in order."""

    def __init__(self) -> None:
        self.told: list[str] = []
        self.changes: list[Change] = []
        self.logs: list[EventDict] = []
        self.lines_before = 0

    def learn(self, loaded: LoadedConfig) -> None:
        self.told.append("learns")

    def apply(self, loaded: LoadedConfig, change: Change) -> None:
        self.told.append("applies")
        self.lines_before = len(self.logs)
        self.changes.append(change)

    def reloaded(self, outcome: Outcome) -> None:
        self.told.append(outcome)

    def rejected(self, alarm: bool) -> None:
        self.told.append("alarm" if alarm else "no alarm")


class Bench:
    """A reload whose looks are made one by one."""

    def __init__(self, directory: Path, text: str = GENERIC) -> None:
        self.directory = directory
        (directory / "orders.graphql").write_text(ORDERS)
        self.source = FakeSource()
        self.herder = FakeHerder()
        self.slept: list[float] = []
        self._gate = anyio.Semaphore(0)
        self.reload = Reload(
            self.read(text),
            self.source,
            self.herder,
            self.herder,
            learn=self.herder.learn,
            sleep=self._sleep,
        )

    async def _sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        await self._gate.acquire()

    def read(self, text: str) -> LoadedConfig:
        file = self.directory / "shop.yaml"
        file.write_text(text)
        return read_config(file, env={})

    async def look(self, found: Found) -> list[EventDict]:
        """Let one look find ``found``; return what was logged."""
        before = len(self.slept)
        self.source.found.append(found)
        with capture_logs() as logs:
            self.herder.logs = logs
            self._gate.release()
            await until(lambda: len(self.slept) > before)
        return logs


@pytest.fixture
async def bench(tmp_path: Path) -> AsyncIterator[Bench]:
    async with running(tmp_path) as bench:
        yield bench


@asynccontextmanager
async def running(directory: Path, text: str = GENERIC) -> AsyncIterator[Bench]:
    bench = Bench(directory, text)
    async with anyio.create_task_group() as group:
        group.start_soon(bench.reload.run)
        await until(lambda: bench.slept)
        yield bench
        group.cancel_scope.cancel()


def changed(bench: Bench, old: str = "shop.orders", new: str = "shop.sales") -> LoadedConfig:
    assert old in GENERIC
    return bench.read(GENERIC.replace(old, new))


def levels(logs: list[EventDict]) -> Iterator[tuple[str, str]]:
    for line in logs:
        yield line["log_level"], line["event"]


async def test_it_looks_now_and_then_and_says_nothing_of_what_is_as_it_was(bench: Bench) -> None:
    assert await bench.look(None) == []
    assert set(bench.slept) == {POLL}
    assert bench.herder.told == []
    assert (bench.reload.status.state, bench.reload.status.last_error) == ("current", None)


async def test_a_change_is_applied_and_told_of_after_its_secrets_are_known(bench: Bench) -> None:
    loaded_at = bench.reload.status.loaded_at
    logs = await bench.look(changed(bench))
    assert bench.herder.told == ["learns", "applies", "applied", "no alarm"]
    assert bench.herder.changes[0].changed == ("orders",)
    assert list(levels(logs)) == [("info", "configuration reloaded")]
    assert logs[0]["changed"] == {"subscriptions[orders].topic": "shop.sales"}
    assert bench.reload.status.loaded_at > loaded_at


async def test_the_next_change_is_compared_with_what_runs_then(bench: Bench) -> None:
    for text in ("shop.sales", "shop.orders", "shop.sales"):
        await bench.look(changed(bench, new=text))
    assert [change.changed for change in bench.herder.changes] == [("orders",)] * 3


async def test_what_is_the_same_in_other_words_is_nothing_new(bench: Bench) -> None:
    logs = await bench.look(bench.read(f"# a comment\n{GENERIC}"))
    assert logs == []
    assert bench.herder.told == ["learns", "no alarm"]


async def test_a_mistake_keeps_what_runs_and_raises_an_alarm(bench: Bench) -> None:
    logs = await bench.look(INVALID)
    assert list(levels(logs)) == [("error", "configuration not reloaded: it is invalid")]
    assert logs[0]["problems"] == ["shop.yaml:3: endpoint.url: is wrong → mend it"]
    assert bench.herder.told == ["invalid", "alarm"]
    status = bench.reload.status
    assert (status.state, status.last_error) == ("rejected", "shop.yaml:3: endpoint.url: is wrong → mend it")


async def test_the_alarm_is_over_once_the_file_is_right_again(bench: Bench) -> None:
    await bench.look(INVALID)
    logs = await bench.look(changed(bench))
    assert list(levels(logs)) == [("info", "configuration reloaded")]
    assert bench.herder.told[-2:] == ["applied", "no alarm"]
    assert bench.reload.status.state == "current"


async def test_the_alarm_is_over_once_the_file_says_what_runs(bench: Bench) -> None:
    await bench.look(INVALID)
    logs = await bench.look(bench.read(GENERIC))
    assert list(levels(logs)) == [("info", "configuration is again what runs")]
    assert bench.herder.told == ["invalid", "alarm", "learns", "no alarm"]
    assert bench.reload.status.state == "current"


async def test_what_needs_a_restart_is_named_and_nothing_of_the_change_is_applied(bench: Bench) -> None:
    text = GENERIC.replace("localhost:9092", "localhost:9093").replace("shop.orders", "shop.sales")
    logs = await bench.look(bench.read(text))
    assert list(levels(logs)) == [("error", "configuration not reloaded: only a restart applies it")]
    assert logs[0]["needs_restart"] == ("kafka.bootstrap_servers",)
    assert logs[0]["not_applied_either"] == ["subscriptions[orders].topic"]
    assert bench.herder.told == ["learns", "refused", "alarm"]
    assert bench.reload.status.last_error == "only a restart applies kafka.bootstrap_servers"
    # Once the one is taken back, the other is applied.
    await bench.look(changed(bench))
    assert bench.herder.changes[0].keys == ("subscriptions[orders].topic",)


async def test_a_fault_of_ours_ends_nothing(bench: Bench) -> None:
    logs = await bench.look(RuntimeError("it cannot be"))
    assert list(levels(logs)) == [("error", "configuration not reloaded: a fault of the connector")]
    assert bench.herder.told == ["invalid", "alarm"]
    await bench.look(changed(bench))
    assert bench.herder.told[-1] == "no alarm"


@pytest.mark.parametrize(("old", "new"), [("debug", "error"), ("error", "debug")])
async def test_a_change_of_level_is_told_while_it_can_be_heard(tmp_path: Path, old: str, new: str) -> None:
    with_level = GENERIC + "log: {level: %s}\n"
    async with running(tmp_path, with_level % old) as bench:
        logs = await bench.look(bench.read(with_level % new))
        assert bench.herder.changes[0].parts == {Part.LOG}
        assert len(logs) == 1
        assert bench.herder.lines_before == (1 if new == "error" else 0)


async def test_it_is_not_wanted_where_it_is_switched_off_or_impossible(tmp_path: Path) -> None:
    off = Bench(tmp_path, GENERIC + "reload: false\n").reload
    assert (off.is_wanted, off.status.state) == (False, "unwatched")
    piped = Bench(tmp_path)
    piped.source.is_possible = False
    assert (piped.reload.is_wanted, piped.reload.status.state) == (False, "unwatched")

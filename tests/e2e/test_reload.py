"""Promise 3 while the configuration changes: what is touched is reopened, and nothing else."""

from __future__ import annotations

import random
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import anyio
import pytest

from tests.brokers.admin import create_topic
from tests.brokers.fixtures import StartKafka
from tests.e2e.conftest import OpenStage
from tests.e2e.connector_process import CONFIG, at_least
from tests.e2e.mount import ConfigMap, Directory, Mount
from tests.e2e.reloading import (
    ACKED,
    ALARM,
    NEVER,
    RELOADS,
    feeds,
    flowing,
    rejected,
    reloaded,
    sessions,
)
from tests.e2e.stage import DOCUMENT, open_stage
from tests.standins.feed import Feed


@pytest.mark.parametrize("kind", [Directory, ConfigMap], ids=["file", "ConfigMap"])
async def test_of_twenty_subscriptions_the_changed_one_alone_is_reopened(
    open_with: OpenStage, tmp_path: Path, kind: Callable[[Path], Mount]
) -> None:
    names = [f"net{number}" for number in range(20)]
    mount = kind(tmp_path / "mounted")
    mount.path.mkdir()
    mount.put({"trades.graphql": DOCUMENT})
    async with open_with(*names, rate=50) as stage:
        sections = [
            stage.subscription(feed, document="trades.graphql") for feed in stage.upstream.feeds.values()
        ]
        config = stage.config(subscriptions=sections, topics={"partitions": 1})
        async with stage.start_in(mount, config) as connector:
            await connector.until_metric("connector_sessions_opened_total", at_least(20))
            first = list(stage.upstream.sessions)
            assert len(first) == 20
            sections[7] = {**sections[7], "headers": {"block": "Block.Number"}}
            # Their order in the file means nothing.
            connector.configure({**config, "subscriptions": sections[::-1]})
            assert await reloaded(connector) == {"subscriptions[net7].headers": {"block": "Block.Number"}}
            await connector.until_metric(
                "connector_sessions_opened_total", lambda opened: opened == 2, subscription="net7"
            )
            await flowing(connector, "net7", "net0")
            assert stage.upstream.sessions[20:] == sessions(stage, "net7")[1:]
            ended = [session for session in first if session.record.ending != "open"]
            assert ended == sessions(stage, "net7")[:1]
            assert await connector.metric("connector_reconnects_total") == 1
            assert await connector.metric("connector_reconnects_total", reason="reload") == 1
            assert await connector.metric("connector_uncovered_seconds_total") < 10
            assert len(stage.oauth.requests) == 1
            assert await connector.stop() == 0
        for feed in stage.upstream.feeds.values():
            audit = await stage.audit(feed)
            assert (audit.missing, audit.doubled, audit.altered) == (frozenset(),) * 3


async def test_one_comes_another_goes_and_the_third_is_left_alone(open_with: OpenStage) -> None:
    async with open_with("stays", "goes", "comes") as stage:
        config = stage.config(*feeds(stage, "stays", "goes"))
        async with stage.start(config) as connector:
            await flowing(connector, "stays", "goes")
            new = stage.config(*feeds(stage, "comes", "stays"))
            connector.configure(new)
            changed = await reloaded(connector)
            assert set(changed) == {"subscriptions[comes]", "subscriptions[goes]"}
            assert changed["subscriptions[comes]"]["name"] == "comes"
            assert changed["subscriptions[goes]"] is None
            await flowing(connector, "comes", "stays")
            (gone,) = sessions(stage, "goes")
            assert gone.record.ending == "client close"
            _, body = await connector.readyz()
            assert {name: found["state"] for name, found in body["subscriptions"].items()} == {
                "comes": "live",
                "stays": "live",
            }
            assert body["config"] == {**body["config"], "state": "current", "last_error": None}
            assert await connector.metric("connector_session_state", subscription="goes", state="live") == 0
            assert await connector.metric(ACKED, subscription="goes") == 0  # there is no such series any more
            assert len(sessions(stage, "stays")) == 1
            assert await connector.stop() == 0
        for feed in stage.upstream.feeds.values():
            await stage.assert_exact(feed)


@pytest.mark.slow
async def test_an_edited_document_reopens_those_that_use_it(open_with: OpenStage, tmp_path: Path) -> None:
    async with open_with("uses", "too", "other") as stage:
        mount = Directory(tmp_path / "mounted")
        mount.path.mkdir()
        mount.put({"trades.graphql": DOCUMENT, "other.graphql": DOCUMENT})
        documents = {"uses": "trades", "too": "trades", "other": "other"}
        sections = [
            stage.subscription(feed, document=f"{documents[name]}.graphql")
            for name, feed in stage.upstream.feeds.items()
        ]
        async with stage.start_in(mount, stage.config(subscriptions=sections)) as connector:
            await flowing(connector, *documents)
            mount.put({"trades.graphql": DOCUMENT.replace("Log { Index }", "")})
            assert set(await reloaded(connector)) == {
                "subscriptions[uses].document",
                "subscriptions[too].document",
            }
            await stage.upstream.until(lambda: len(stage.upstream.sessions) == 5)
            await flowing(connector, *documents)
            assert [len(sessions(stage, name)) for name in documents] == [2, 2, 1]
            queries = [session.query or "" for session in sessions(stage, "uses")]
            assert ["Log" in query for query in queries] == [True, False]
            assert await connector.stop() == 0
        for feed in stage.upstream.feeds.values():
            await stage.assert_exact(feed)


@pytest.mark.slow
async def test_one_that_failed_starts_anew_with_a_comment_in_its_document(
    open_with: OpenStage, tmp_path: Path
) -> None:
    mount = Directory(tmp_path / "mounted")
    mount.path.mkdir()
    mount.put({"trades.graphql": DOCUMENT})
    async with open_with("bsc", "eth") as stage:
        poisoned, sibling = feeds(stage, "bsc", "eth")
        poisoned.rate = 0
        limit = {"max.message.bytes": "100000"}
        await create_topic(stage.kafka.bootstrap_servers, stage.topic("bsc"), config=limit)
        sections = [stage.subscription(poisoned, document="trades.graphql"), stage.subscription(sibling)]
        async with stage.start_in(mount, stage.config(subscriptions=sections)) as connector:
            await connector.until_state("bsc", "live")
            poison = poisoned.emit(10, row_bytes={5: 150_000})[5]
            await connector.until_state("bsc", "failed")
            mount.put({"trades.graphql": f"# select less\n{DOCUMENT}"})
            assert set(await reloaded(connector)) == {"subscriptions[bsc].document"}
            await connector.until_state("bsc", "live")
            _, body = await connector.readyz()
            assert body["subscriptions"]["bsc"]["last_error"] is None
            poisoned.emit(100)
            await flowing(connector, "eth")
            assert len(sessions(stage, "eth")) == 1
            assert await connector.stop() == 0
        audit = await stage.audit(poisoned)
        assert (set(audit.missing), set(audit.doubled)) == ({poison}, set())
        await stage.assert_exact(sibling)


async def test_a_broken_file_keeps_all_running_and_recovers(open_with: OpenStage, tmp_path: Path) -> None:
    async with open_with("bsc", "eth") as stage:
        mount = Directory(tmp_path / "mounted")
        mount.path.mkdir()
        config = stage.config(*feeds(stage, "bsc"))
        async with stage.start_in(mount, config) as connector:
            await flowing(connector, "bsc")
            mount.put({CONFIG: "name: ["})
            assert "does not parse" in (await rejected(connector))["last_error"]
            wrong = stage.config(*feeds(stage, "bsc", "eth"), tasks="many", colour="red")
            connector.configure(wrong)
            await connector.until_metric(RELOADS, at_least(2), outcome="invalid")
            problems = connector.logs("configuration not reloaded: it is invalid")[-1]["problems"]
            assert [line.split(": ")[1] for line in problems] == ["tasks", "colour"]
            await anyio.sleep(NEVER)
            # Once for each content, not once for each look.
            assert len(connector.logs("configuration not reloaded: it is invalid")) == 2
            assert await connector.metric(ALARM) == 1
            assert len(stage.upstream.sessions) == 1
            await flowing(connector, "bsc")
            connector.configure(config)
            await connector.until_metric(ALARM, lambda alarm: alarm == 0)
            assert len(connector.logs("configuration is again what runs")) == 1
            connector.configure(wrong)
            await rejected(connector)
            connector.configure(stage.config(*feeds(stage, "bsc", "eth")))
            await flowing(connector, "eth")
            _, body = await connector.readyz()
            assert (body["config"]["state"], body["config"]["last_error"]) == ("current", None)
            assert await connector.metric(ALARM) == 0
            assert len(sessions(stage, "bsc")) == 1
            assert await connector.stop() == 0
        for feed in stage.upstream.feeds.values():
            await stage.assert_exact(feed)


async def test_what_needs_a_restart_is_named_and_nothing_is_applied(open_with: OpenStage) -> None:
    async with open_with("bsc", "eth") as stage:
        config = stage.config(*feeds(stage, "bsc"))
        async with stage.start(config) as connector:
            await flowing(connector, "bsc")
            mixed = stage.config(*feeds(stage, "bsc", "eth"), kafka={"bootstrap_servers": "localhost:1"})
            connector.configure(mixed)
            error = (await rejected(connector))["last_error"]
            assert error == "only a restart applies kafka.bootstrap_servers"
            (line,) = connector.logs("configuration not reloaded: only a restart applies it")
            assert line["needs_restart"] == ["kafka.bootstrap_servers"]
            assert line["not_applied_either"] == ["subscriptions[eth]"]
            await anyio.sleep(NEVER)
            assert await connector.metric(RELOADS, outcome="refused") == 1
            assert len(stage.upstream.sessions) == 1
            await flowing(connector, "bsc")
            connector.configure({**mixed, "kafka": config["kafka"]})
            await reloaded(connector)
            await flowing(connector, "eth")
            assert await connector.metric(ALARM) == 0
            assert await connector.stop() == 0
        for feed in stage.upstream.feeds.values():
            await stage.assert_exact(feed)


@pytest.mark.slow
async def test_the_level_of_the_log_changes_while_running(open_with: OpenStage) -> None:
    async with open_with("bsc") as stage:
        config = stage.config(log={"level": "warning"})
        async with stage.start(config) as connector:
            await stage.upstream.until(lambda: stage.upstream.live_sessions)
            assert not connector.logs()
            for number, level in enumerate(("debug", "error", "info"), 1):
                connector.configure(stage.config(log={"level": level}))
                assert await reloaded(connector, number) == {"log.level": level}
            assert len(stage.upstream.sessions) == 1
            assert await connector.stop() == 0
        async with stage.start(config, CONNECTOR_LOG_LEVEL="info") as connector:
            await flowing(connector, "bsc")
            connector.configure(stage.config(log={"level": "debug"}, http={"host": "127.0.0.1", "port": 0}))
            await anyio.sleep(NEVER)
            assert not connector.logs("configuration reloaded")
            assert {line["level"] for line in connector.logs()} <= {"info", "warning"}
            assert await connector.stop() == 0


@pytest.mark.slow
async def test_with_reload_off_nothing_is_watched(open_with: OpenStage) -> None:
    async with open_with("bsc", "eth") as stage:
        config = stage.config(*feeds(stage, "bsc"), reload=False)
        async with stage.start(config) as connector:
            await flowing(connector, "bsc")
            connector.configure(stage.config(*feeds(stage, "eth"), reload=False, colour="red"))
            await anyio.sleep(NEVER)
            _, body = await connector.readyz()
            assert set(body["subscriptions"]) == {"bsc"}
            assert body["config"]["state"] == "unwatched"
            assert await connector.metric(ALARM) == 0
            assert len(stage.upstream.sessions) == 1
            assert await connector.stop() == 0
        await stage.assert_exact(stage.upstream.feed)


async def test_rows_of_a_removed_subscription_hold_up_nobody_and_are_counted_at_the_end(
    start_kafka: StartKafka, tmp_path: Path, topic_name: Callable[[], str]
) -> None:
    kafka = await anyio.to_thread.run_sync(start_kafka)
    names = ("goes", "changes")
    async with open_stage(kafka, tmp_path, topic_name(), *(Feed(name, rate=200) for name in names)) as stage:
        config = stage.config(*feeds(stage, *names), shutdown={"drain": "6s"})
        async with stage.start(config) as connector:
            await flowing(connector, *names)
            kafka.broker(1).freeze()
            await connector.until_metric("connector_inbox_bytes", at_least(50_000))
            changed = stage.subscription(stage.upstream.feeds["changes"], headers={"block": "Block.Number"})
            connector.configure({**config, "subscriptions": [changed]})
            await reloaded(connector)
            await stage.upstream.until(lambda: len(sessions(stage, "changes")) == 2)
            assert sessions(stage, "goes")[0].record.ending == "client close"
            _, body = await connector.readyz()
            assert set(body["subscriptions"]) == {"changes"}
            # The process ends while the brokers are away: that not all was delivered is told.
            assert await connector.stop() == 1
            (line,) = connector.logs("stopped before everything was delivered")
            assert "frames not acknowledged" in line["error"]
            kafka.broker(1).thaw()


@pytest.mark.takes(110)
@pytest.mark.slow
async def test_whoever_cannot_leave_the_configuration_alone_loses_nothing(
    open_with: OpenStage, tmp_path: Path
) -> None:
    """Forty changes in a minute and a half, sensible or not; it does not prove what each of them does."""
    names = ("a", "b", "c", "d")
    chance = random.Random(7)
    mount = ConfigMap(tmp_path / "mounted")
    mount.path.mkdir()
    mount.put({"trades.graphql": DOCUMENT})
    async with open_with(*names, "stays", rate=300) as stage:
        stays = stage.subscription(stage.upstream.feeds["stays"])

        def section(name: str) -> dict[str, Any]:
            headers = {"block": "Block.Number"} if chance.random() < 0.5 else {}
            document = "trades.graphql" if chance.random() < 0.5 else DOCUMENT
            found: dict[str, Any] = stage.subscription(
                stage.upstream.feeds[name], headers=headers, document=document
            )
            return found

        async with stage.start_in(mount, stage.config(subscriptions=[stays])) as connector:
            await flowing(connector, "stays")
            for _ in range(40):
                chosen = [section(name) for name in chance.sample(names, chance.randint(0, 4))]
                wrong: dict[str, Any] = chance.choice(
                    [{}, {}, {}, {"tasks": 0}, {"delivery": "exactly_once"}]
                )
                document = DOCUMENT + "#" * chance.randint(0, 3)
                mount.put({"trades.graphql": document})
                connector.configure(stage.config(subscriptions=[stays, *chosen], **wrong))
                await anyio.sleep(chance.choice([0.1, 1.0, 2.5, 4.0]))
            everything = [stage.subscription(stage.upstream.feeds[name]) for name in names]
            connector.configure(stage.config(subscriptions=[stays, *everything]))
            await flowing(connector, *names, "stays")
            assert await connector.metric(ALARM) == 0
            assert len(sessions(stage, "stays")) == 1
            # No two sockets of one subscription at a time, whatever happened.
            for name in names:
                spans = [(one.record.opened_at, one.record.ended_at) for one in sessions(stage, name)]
                assert all(ended and ended <= opened for (_, ended), (opened, _) in pairwise(spans)), spans
            assert await connector.stop() == 0
        for feed in stage.upstream.feeds.values():
            audit = await stage.audit(feed)
            assert (audit.missing, audit.doubled, audit.altered) == (frozenset(),) * 3
        assert not stage.upstream.violations

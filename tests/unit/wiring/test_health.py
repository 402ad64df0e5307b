"""What ``/readyz`` tells of tasks that run, come and go; real ones, with brokers in memory."""

from __future__ import annotations

import math
from pathlib import Path

from connector.reload import Reload
from connector.subscription import MemoryBudget
from connector.telemetry import Metrics, ReloadMetrics
from connector.wiring.health import PublicHealth
from tests.unit.auth.fakes import FakeSource, FakeTime, keeping, settle
from tests.unit.subscription.servers import until
from tests.unit.test_herder import TASKS, A, Bench, C, running
from tests.unit.test_reload import FakeSource as FakeFiles


def health(bench: Bench, budget: MemoryBudget | None = None) -> PublicHealth:
    """Of what the bench runs; no tokens are used."""
    reload = Reload(
        bench.config,
        FakeFiles(),
        bench.herder,
        ReloadMetrics(Metrics(version="1"), ()),
        learn=lambda config: None,
    )
    return PublicHealth(
        keeper=None, tasks=lambda: bench.herder.tasks, budget=budget or MemoryBudget(1000), reload=reload
    )


async def test_it_is_ready_once_the_brokers_of_every_task_answered_and_stays_so(tmp_path: Path) -> None:
    async with running(tmp_path, A, C, tasks=[]) as bench:
        public = health(bench)
        bench.factory.brokers[1].freeze()
        for number in range(TASKS):
            await bench.herder.start_task(number)
        await until(lambda: bench.numbers(A, 0))
        assert (public.ready(), public.body().kafka.state) == (False, "connecting")
        bench.factory.brokers[1].thaw()
        await until(public.ready)
        await until(lambda: public.body().kafka.state == "up")
        await bench.herder.stop_task(1)
        bench.factory.brokers[1].freeze()
        await bench.herder.start_task(1)  # its brokers are asked anew
        assert (public.ready(), public.body().ready) == (True, True)
        bench.factory.brokers[1].thaw()
        await bench.stop()


async def test_the_body_has_the_subscriptions_that_run_now(tmp_path: Path) -> None:
    async with running(tmp_path, A, C) as bench:
        public = health(bench)
        await until(lambda: bench.numbers(A, 0) and bench.numbers(C, 1))
        body = public.body()
        assert {name: one.state for name, one in body.subscriptions.items()} == {A: "live", C: "live"}
        assert body.subscriptions[A].last_row_at is not None
        assert (body.token.state, body.kafka.token, body.config.state) == ("unused", None, "current")
        await bench.herder.stop_task(0)
        assert set(public.body().subscriptions) == {C}
        await bench.stop()


async def test_what_is_known_only_by_asking_is_measured(tmp_path: Path) -> None:
    async with running(tmp_path, A) as bench:
        await until(lambda: bench.numbers(A, 0))
        budget, metrics = MemoryBudget(4096), Metrics(version="1")
        budget.used = 17
        health(bench, budget).measure(metrics)
        read = metrics.registry.get_sample_value
        assert read("connector_kafka_state", {"state": "up"}) == 1
        assert (read("connector_inbox_bytes"), read("connector_inbox_limit_bytes")) == (17, 4096)
        assert read("connector_last_row_timestamp_seconds", {"subscription": A})
        left = read("connector_token_expires_in_seconds")
        assert left is not None
        assert math.isnan(left)
        await bench.stop()


async def test_each_token_has_a_state_of_its_own(tmp_path: Path) -> None:
    async with (
        running(tmp_path, A) as bench,
        keeping(FakeSource(FakeTime(), script=["token-of-kafka"])) as of_kafka,
    ):
        metrics = Metrics(version="1")
        reload = Reload(
            bench.config, FakeFiles(), bench.herder, ReloadMetrics(metrics, ()), learn=lambda config: None
        )
        public = PublicHealth(
            keeper=None,
            kafka_keeper=of_kafka,
            tasks=lambda: bench.herder.tasks,
            budget=MemoryBudget(1),
            reload=reload,
        )
        await of_kafka.token()
        await settle()
        body = public.body()
        assert body.token.state == "unused"
        assert body.kafka.token is not None
        assert (body.kafka.token.state, body.kafka.token.expires_in_seconds) == ("valid", 100.0)
        public.measure(metrics)
        read = metrics.registry.get_sample_value
        assert read("connector_kafka_token_state", {"state": "valid"}) == 1
        assert read("connector_token_state", {"state": "valid"}) is None
        assert read("connector_token_alarm") == 0
        await bench.stop()

import anyio
import pytest
from prometheus_client.parser import text_string_to_metric_families

from connector.telemetry import LoopWatch, Metrics
from connector.telemetry.loop import EVERY, LOOKS


class LateClock:
    """A clock whose sleeps take longer than asked, by ``late`` seconds in turn; then it sleeps for good."""

    def __init__(self, *late: float) -> None:
        self.now = 100.0
        self.done = anyio.Event()
        self._late = list(late)

    async def sleep(self, seconds: float) -> None:
        if not self._late:
            self.done.set()
            await anyio.sleep_forever()
        self.now += seconds + self._late.pop(0)


async def watched(*late: float) -> LoopWatch:
    clock = LateClock(*late)
    watch = LoopWatch(clock=lambda: clock.now, sleep=clock.sleep)
    async with anyio.create_task_group() as group:
        group.start_soon(watch.run)
        await clock.done.wait()
        group.cancel_scope.cancel()
    return watch


async def test_the_lag_is_the_worst_of_the_last_looks() -> None:
    watch = await watched(0.0, 0.25, 0.125)
    assert watch.lag == pytest.approx(0.25)


async def test_an_old_lag_is_forgotten() -> None:
    watch = await watched(3.0, *[0.125] * LOOKS)
    assert watch.lag == pytest.approx(0.125)
    assert EVERY * LOOKS == 15.0, "the metric's text says fifteen seconds"


async def test_lag_and_tasks_are_told_in_the_metrics() -> None:
    watch, metrics = await watched(0.5), Metrics(version="1")
    metrics.at_scrape(lambda: watch.measure(metrics))
    told = {
        family.name: family.samples[0].value
        for family in text_string_to_metric_families(metrics.render()[0].decode())
        if family.samples
    }
    assert told["connector_event_loop_lag_seconds"] == pytest.approx(0.5)
    assert told["connector_tasks"] >= 1

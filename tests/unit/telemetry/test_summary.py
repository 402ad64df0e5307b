"""The line a minute on a terminal."""

from __future__ import annotations

import io

import anyio
import pytest
import structlog
from structlog.testing import capture_logs

from connector.telemetry import Metrics, Redactor, Summary, configure_logs, people_read


class _Enough(Exception):
    pass


@pytest.mark.parametrize(("is_wanted", "count"), [(True, 1), (False, 0)])
async def test_a_minute_in_which_rows_flowed_is_one_line(is_wanted: bool, count: int) -> None:
    metrics, minutes = Metrics(version=""), iter(range(3))
    tally = metrics.tally("bsc")
    summary_of = Summary(metrics, is_wanted=lambda: is_wanted, sleep=lambda seconds: wait(seconds))

    async def wait(seconds: float) -> None:
        assert seconds == 60.0
        minute = next(minutes, None)
        if minute is None:
            raise _Enough
        if minute == 1:
            tally.received(700, 1)
            tally.acknowledged(600, 1, 0.1)
        await anyio.lowlevel.checkpoint()

    with capture_logs() as lines, pytest.raises(_Enough):
        await summary_of.run()
    assert [(line["event"], line["received"], line["in_kafka"], line["per_second"]) for line in lines] == [
        ("rows flow", 700, 600, 10.0)
    ] * count


def test_what_was_told_is_not_told_again_and_a_removed_subscription_is_no_news() -> None:
    metrics = Metrics(version="")
    metrics.tally("a").received(5, 1)
    summary = Summary(metrics, is_wanted=lambda: True)
    with capture_logs() as lines:
        summary.tell()
        metrics.tally("b").received(7, 1)
        summary.tell()
        metrics.forget_subscription("b")
        summary.tell()
    assert [line["received"] for line in lines] == [7]
    assert "connector_rows_received_total" in metrics.render()[0].decode()


@pytest.mark.parametrize(("format", "people"), [("console", True), ("json", False), ("auto", False)])
def test_the_logs_format_says_who_reads(format: str, people: bool) -> None:
    configure_logs("info", format, Redactor(), io.StringIO())  # type: ignore[arg-type]
    assert people_read() is people


def test_our_loggers_are_not_named_on_a_terminal() -> None:
    stream = io.StringIO()
    configure_logs("info", "console", Redactor(), stream)
    structlog.get_logger("connector.task.follower").info("subscription is live", subscription="bsc")
    assert "connector.task" not in stream.getvalue()
    assert "subscription=bsc" in stream.getvalue()

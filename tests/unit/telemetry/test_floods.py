import io
import json
import logging

import pytest

from connector.telemetry import Redactor, configure_logs
from connector.telemetry.floods import QUIET_FOR, REMEMBERED, Floods


def record(message: str, *args: object, name: str = "aiokafka.client") -> logging.LogRecord:
    return logging.LogRecord(name, logging.ERROR, __file__, 1, message, args, None)


def test_a_repeated_message_is_counted_and_told_later() -> None:
    now = 0.0
    floods = Floods(lambda: now)

    passed = [floods.filter(record("cannot connect to %s", "b1")) for _ in range(10)]
    now = QUIET_FOR
    later = record("cannot connect to %s", "b1")

    assert passed == [True] + [False] * 9
    assert floods.filter(later)
    assert later.__dict__["suppressed"] == 9


def test_another_argument_is_another_message() -> None:
    floods = Floods(lambda: 0.0)

    assert floods.filter(record("cannot connect to %s", "b1"))
    assert floods.filter(record("cannot connect to %s", "b2"))


def test_our_own_lines_are_never_dropped() -> None:
    floods = Floods(lambda: 0.0)

    assert all(floods.filter(record("reconnecting", name="connector.task")) for _ in range(3))


def test_a_message_that_cannot_be_rendered_is_left_to_the_handler() -> None:
    class Broken:
        def __str__(self) -> str:
            raise RuntimeError

    floods = Floods(lambda: 0.0)

    assert floods.filter(record("%s", Broken()))


def test_what_is_remembered_is_bounded() -> None:
    floods = Floods(lambda: 0.0)

    for number in range(REMEMBERED + 1):
        floods.filter(record("message %s", number))

    assert floods.filter(record("message 0"))
    assert not floods.filter(record(f"message {REMEMBERED}"))


@pytest.mark.usefixtures("process_logging")
@pytest.mark.parametrize(("level", "written"), [("info", 1), ("debug", 3)])
def test_at_debug_everything_is_heard(level: str, written: int) -> None:
    stream = io.StringIO()
    configure_logs(level, "json", Redactor(), stream)

    for _ in range(3):
        logging.getLogger("aiokafka").error("cannot connect")

    assert [json.loads(line)["event"] for line in stream.getvalue().splitlines()] == [
        "cannot connect"
    ] * written

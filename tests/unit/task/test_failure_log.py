"""What is said of failures, and when somebody is alarmed."""

from __future__ import annotations

import pytest
from structlog.testing import capture_logs

from connector.refusals import Refusals
from connector.subscription.errors import HandshakeRefused, SessionError, SocketClosed
from tests.unit.task.fakes import FakeKeeper, token
from tests.unit.task.test_retry_policy import BUSY, LOST, NO_POINTS, UNAUTHORIZED, Desk, ended


def test_the_same_end_again_is_no_warning_again() -> None:
    desk = Desk()
    with capture_logs() as lines:
        for error in (LOST, LOST, BUSY, LOST):
            desk.after(error)
        desk.policy.succeeded()
        desk.after(LOST)
    assert [line["log_level"] for line in lines] == ["warning", "debug", "warning", "debug", "warning"]


def test_a_text_that_differs_each_time_is_no_warning_again() -> None:
    desk = Desk()
    with capture_logs() as lines:
        for number in range(50):
            desk.after(ended("stream", text=f"request {number:x}7-{number} failed"))
    assert sum(line["log_level"] != "debug" for line in lines) == 2  # its end, and that it is not known


def test_what_is_not_known_is_told_whole_and_once_for_all_subscriptions() -> None:
    refusals = Refusals()
    desks = [Desk(refusals=refusals, name=name) for name in ("one", "two")]
    error = SocketClosed(4999, "quota of the moon")
    with capture_logs() as lines:
        for _ in range(5):
            for desk in desks:
                desk.after(error)
    (line,) = [line for line in lines if line["event"] == "refusal is not known"]
    assert (line["place"], line["close_code"], line["texts"]) == ("close", 4999, ["quota of the moon"])
    assert "status" not in line


@pytest.mark.parametrize(
    ("error", "alarms"),
    [
        (UNAUTHORIZED, ["unauthorized"]),
        (NO_POINTS, ["points"]),
        (HandshakeRefused(404, "", None), ["handshake_refused"]),
        (SocketClosed(1012, ""), []),
        (SocketClosed(1013, ""), []),
    ],
)
def test_the_alarm_is_raised_where_somebody_has_to_change_something_and_cleared_by_data(
    error: SessionError, alarms: list[str]
) -> None:
    desk = Desk(keeper=FakeKeeper(token()))
    with capture_logs() as lines:
        for _ in range(4):
            desk.after(error, token())
    assert desk.alarms == alarms
    loud = [line for line in lines if line["log_level"] == "error"]
    assert [line["reason"] for line in loud] == alarms
    assert all(line["remedy"] for line in loud)
    desk.policy.succeeded()
    desk.policy.succeeded()
    assert desk.alarms == [*alarms, None] if alarms else desk.alarms == []


def test_one_refused_token_is_no_alarm() -> None:
    desk = Desk(keeper=FakeKeeper(token()))
    desk.after(UNAUTHORIZED, token())
    assert desk.alarms == []


def test_a_subprotocol_that_is_refused_is_no_alarm_before_the_other_was_tried() -> None:
    desk, error = Desk(), SocketClosed(4406, "")
    desk.after(error)
    assert desk.alarms == []
    desk.after(error)
    assert desk.alarms == ["subprotocol_refused"]

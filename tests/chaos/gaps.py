"""What the connector declares about periods that it did not cover, read from where it declares them."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, Protocol

from tests.chaos.accounting import Gap

DECLARED = "gap declared"
LEFT_OPEN = "gap left open"
LIVE = "subscription is live"


class Gaps(Protocol):
    """Where declared gaps are read."""

    def of(self, subscription: str) -> Sequence[Gap]:
        """Every gap that was declared of it, open ones too."""


class LoggedGaps:
    """
    Gaps of log lines: each says from when to when one was, or that it is open at a subscription's end.
    """

    def __init__(self, lines: Iterable[Mapping[str, Any]]) -> None:
        self._lines = [line for line in lines if line.get("event") in (DECLARED, LEFT_OPEN)]

    def of(self, subscription: str) -> Sequence[Gap]:
        """See `Gaps`."""
        return [_logged(line) for line in self._lines if line["subscription"] == subscription]


class RecordedGaps:
    """
    Gaps of the events topic: ``gap_opened``, and ``gap_unfilled`` or ``gap_filled`` with the same id.

    An event may come twice, and one that was never closed is open. A gap that was filled has lost nothing,
    which is to be seen in the rows topic, so that it explains nothing.
    """

    def __init__(self, events: Iterable[Mapping[str, Any]]) -> None:
        self._open: dict[tuple[str, str], Gap] = {}
        self._closed: dict[tuple[str, str], Gap | None] = {}
        for event in events:
            self._take(event)

    def _take(self, event: Mapping[str, Any]) -> None:
        since = moment(event["since"])
        key = (str(event["subscription"]), str(event.get("id", since)))
        if event["event"] == "gap_opened":
            self._open[key] = Gap(since=since, until=math.inf, reason=str(event.get("reason")))
        elif event["event"] == "gap_unfilled":
            until = moment(event["until"])
            self._closed[key] = Gap(since=since, until=until, reason=str(event.get("reason")))
        elif event["event"] == "gap_filled":
            self._closed.setdefault(key, None)

    def of(self, subscription: str) -> Sequence[Gap]:
        """See `Gaps`."""
        latest: Mapping[tuple[str, str], Gap | None] = {**self._open, **self._closed}
        return [gap for (name, _), gap in latest.items() if name == subscription and gap is not None]


def absences(lives: Sequence[tuple[float, Sequence[Mapping[str, Any]]]], subscription: str) -> Sequence[Gap]:
    """
    The periods between the end of one process and the moment at which a later one covers the subscription.

    ``lives`` are the moment at which each process was no longer relied on (unix seconds), with what it
    logged, in their order; the last one's end is no absence: nothing is sent after it.
    """
    found: list[Gap] = []
    since: float | None = None
    for ended_at, lines in lives:
        lived = [
            logged_at(line)
            for line in lines
            if line.get("event") == LIVE and line.get("subscription") == subscription
        ]
        if since is not None and lived:
            found.append(Gap(since=since, until=lived[0], reason="absence", is_assumed=True))
            since = None
        since = ended_at if since is None else since
    return found


def moment(value: object) -> float:
    """Unix seconds of RFC 3339 text or of unix milliseconds."""
    if isinstance(value, int | float):
        return value / 1000
    return datetime.fromisoformat(str(value)).timestamp()


def logged_at(line: Mapping[str, Any]) -> float:
    """When a line was logged, in unix seconds."""
    return datetime.fromisoformat(str(line["time"])).timestamp()


def _logged(line: Mapping[str, Any]) -> Gap:
    # One that was found out later lies before its line.
    until = moment(line["until"]) if "until" in line else logged_at(line)
    return Gap(since=moment(line["since"]), until=until, reason=str(line["reason"]))

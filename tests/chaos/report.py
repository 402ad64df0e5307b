"""What a run comes to: the accounts of its subscriptions, put together as one JSON object."""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tests.chaos.accounting import SLACK, Account, Gap, account
from tests.chaos.connector import UNACKNOWLEDGED
from tests.chaos.faults import Happened
from tests.chaos.gaps import Gaps, LoggedGaps, RecordedGaps, absences
from tests.chaos.options import Options
from tests.chaos.run import EVENTS, Scene
from tests.chaos.topic import Arrivals, arrivals, events
from tests.standins.feed import Feed
from tests.standins.ledger import Ledger

REPEATING = ("kill", "broker_freeze", "broker_restart")
"""Faults after which rows may come twice with ``at_least_once``: what was not acknowledged is sent again."""
BEFORE, AFTER = 3.0, 15.0
"""Seconds before such a fault, and after its end, in which rows that were received may be sent again."""


@dataclass(frozen=True, kw_only=True)
class Counted:
    """One subscription's."""

    name: str
    account: Account
    gaps: Sequence[Gap]
    arrivals: Arrivals
    sent: Mapping[int, float]
    ledger: Ledger


async def counted(scene: Scene, options: Options) -> list[Counted]:
    """Read every topic, and hold it against what was sent and what was declared."""
    servers = scene.stage.kafka.bootstrap_servers
    declared: Gaps = LoggedGaps(scene.connector.lines())
    if options.events_topic:
        declared = RecordedGaps(await events(servers, EVENTS))
    found = []
    for feed in scene.stage.upstream.feeds.values():
        gaps = list(declared.of(feed.name))
        if not options.absence_is_declared:
            lives = [(life.gone_at or 0.0, life.process.logs()) for life in scene.connector.lives]
            gaps += absences(lives, feed.name)
        came = await arrivals(servers, scene.stage.topic(feed.name), feed.ledger)
        sent = {number: feed.ledger.emitted_at(number) + scene.clock for number in range(feed.emitted)}
        whole = account(
            sent,
            came.received,
            gaps,
            owed=_owed(feed, sent, scene),
            repeats=feed.ledger.repeats() if options.repeats else {},
            explain=lambda moment: explanation(scene.faults.happened, moment),
        )
        found.append(
            Counted(name=feed.name, account=whole, gaps=gaps, arrivals=came, sent=sent, ledger=feed.ledger)
        )
    return found


def explanation(happened: Iterable[Happened], moment: float) -> str:
    """The fault that lets a row come twice which was received at this moment; or ``unexplained``."""
    for fault in happened:
        if fault.kind in REPEATING and fault.began - BEFORE <= moment <= fault.ended + AFTER:
            return fault.kind
    return "unexplained"


def _owed(feed: Feed, sent: Mapping[int, float], scene: Scene) -> set[int]:
    """Rows written to sockets that ended in good order, but for what a kill may have taken on its way on."""
    orderly = {
        number
        for number, connection in feed.ledger.connections.items()
        if connection.ending in ("client close", "server close", "fin") and number not in scene.faults.harmed
    }
    kills = [life.gone_at or 0.0 for life in scene.connector.lives if life.how not in ("SIGTERM", "")]
    return {
        number
        for number in feed.ledger.written_to(orderly)
        if not any(at - SLACK <= sent[number] <= at + UNACKNOWLEDGED + SLACK for at in kills)
    }


def result(scene: Scene, options: Options, found: Sequence[Counted]) -> dict[str, Any]:
    """The JSON object that a run ends with; `failures` says what of it must not be."""
    accounts = [one.account for one in found]
    duplicates: Counter[str] = Counter()
    for one in accounts:
        duplicates.update(one.duplicates)
    gaps = [gap for one in found for gap in one.gaps]
    return {
        "delivery": options.delivery,
        "rotation": options.rotation or "default",
        "seed": options.seed,
        "seconds": options.seconds,
        "faults": dict(sorted(Counter(fault.kind for fault in scene.faults.happened).items())),
        "sent": sum(one.sent for one in accounts),
        "lost": sum(len(one.lost) for one in accounts),
        "lost_outside_gaps": sum(len(one.outside) for one in accounts),
        "lost_although_received": sum(len(one.owed) for one in accounts),
        "lost_near_gaps": sum(len(one.near) for one in accounts),
        "duplicates": sum(duplicates.values()),
        "duplicates_by_cause": dict(duplicates),
        "gaps_declared": sum(not gap.is_assumed for gap in gaps),
        "gaps_assumed": sum(gap.is_assumed for gap in gaps),
        "gaps_by_reason": dict(Counter(gap.reason for gap in gaps)),
        "rotations": _rotations(scene),
        "seconds_uncovered": round(sum(one.uncovered for one in accounts), 2),
        "seconds_observed": round(sum(_span(one.sent) for one in found), 2),
        "altered": sum(one.arrivals.altered for one in found),
        "strangers": sum(one.account.strangers + one.arrivals.foreign for one in found),
        "healed": scene.is_healed,
        "exits": dict(Counter(f"{life.how} {life.exit_code}" for life in scene.connector.lives)),
        "secrets_shown": sum(len(life.process.leaks()) for life in scene.connector.lives),
        "violations": len(scene.stage.upstream.violations),
    }


def failures(told: Mapping[str, Any]) -> list[str]:
    """What of a result breaks a promise."""
    forbidden = ["lost_outside_gaps", "altered", "strangers", "secrets_shown", "violations"]
    if told["delivery"] == "exactly_once":
        forbidden.append("duplicates")
    broken = [f"{key}: {told[key]}" for key in forbidden if told[key]]
    allowed = {"SIGTERM 0", "SIGKILL -9"}
    return broken + [f"exit: {exit_}" for exit_ in told["exits"] if exit_ not in allowed]


def _span(sent: Mapping[int, float]) -> float:
    return max(sent.values()) - min(sent.values()) if sent else 0.0


def _rotations(scene: Scene) -> int:
    """Sessions that the client closed although nothing was amiss with them."""
    touched = scene.faults.harmed | scene.faults.disturbed
    return sum(
        session.record.ending == "client close" and session.number not in touched
        for session in scene.stage.upstream.sessions
    )


def losses(one: Counted, happened: Sequence[Happened], began: float) -> list[dict[str, Any]]:
    """
    Runs of rows that are lost outside gaps, with what was about: moments are seconds after ``began``.
    """
    runs: list[list[int]] = []
    for number in sorted(one.account.outside):
        if runs and number == runs[-1][-1] + 1:
            runs[-1].append(number)
        else:
            runs.append([number])
    return [_loss(one, run, happened, began) for run in runs]


def _loss(one: Counted, run: Sequence[int], happened: Sequence[Happened], began: float) -> dict[str, Any]:
    first, last = one.sent[run[0]], one.sent[run[-1]]
    gaps = sorted(one.gaps, key=lambda gap: gap.since)
    place = bisect_right(gaps, last, key=lambda gap: gap.since)
    return {
        "subscription": one.name,
        "rows": [run[0], run[-1]],
        "sent": [round(first - began, 3), round(last - began, 3)],
        "although_received": sum(number in one.account.owed for number in run),
        "gaps": [
            [round(gap.since - began, 3), round(gap.until - began, 3), gap.reason]
            for gap in gaps[max(0, place - 1) : place + 1]
        ],
        "faults": [
            [fault.kind, fault.subscription, round(fault.began - began, 2), round(fault.ended - began, 2)]
            for fault in happened
            if fault.began - 1 <= last and fault.ended + AFTER >= first
        ],
        "connections": sorted({c for c in one.ledger.connections if _was_open(one, c, first, last)}),
    }


def _was_open(one: Counted, connection: int, first: float, last: float) -> bool:
    # Which of a handful of connections were there; moments of the ledger are monotonic, rows' are unix.
    record = one.ledger.connections[connection]
    clock = one.sent[0] - one.ledger.emitted_at(0)
    return record.opened_at + clock <= last and (record.ended_at or 1e12) + clock >= first

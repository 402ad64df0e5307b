"""
What became of the rows of one subscription, as anybody can count who sees only both ends.

Three sources: the numbers that the upstream sent, the copies that a topic holds, the gaps that were declared.
A row that is missing has to lie in a gap by the moment at which it was sent. A row that was handed over, by a
socket that nobody harmed, has to be there whatever gaps say: it was received.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

SLACK = 0.5
"""
Seconds by which moments of the connector may differ from those of the upstream: a session is noticed to be
over, or to have begun, a little later at either end, and the machine has more to do.
"""
LOOK_BACK = 3.0
"""Seconds before a gap in which arrivals tell how long rows were on their way."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Gap:
    """
    A period that was not covered, in unix seconds; ``until`` is infinite as long as it is open.

    ``is_assumed``: nobody declared it, but the process was away, and we know that because we ended it.
    """

    since: float
    until: float
    reason: str
    is_assumed: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class Account:
    """
    ``lost`` are the numbers of rows that are nowhere, ``outside`` those of them that no gap explains and
    ``owed`` those of these that had been handed over. ``near`` are excused by `SLACK` alone. ``duplicates``
    are copies beyond those that were sent, by what explains them. ``uncovered`` are the seconds of all gaps
    together, each counted once.
    """

    sent: int
    lost: frozenset[int]
    outside: frozenset[int]
    owed: frozenset[int]
    near: frozenset[int]
    duplicates: Mapping[str, int]
    strangers: int
    uncovered: float


def account(
    sent: Mapping[int, float],
    arrivals: Mapping[int, Sequence[float]],
    gaps: Iterable[Gap],
    *,
    owed: Collection[int] = (),
    repeats: Mapping[int, int] | None = None,
    explain: Callable[[float], str] = lambda moment: "unexplained",
    slack: float = SLACK,
) -> Account:
    """
    Hold what arrived against what was sent.

    Args:
        sent: Each row's number, and when it was sent (unix seconds, as all moments here).
        arrivals: When each copy in the topic was received.
        gaps: What was declared, and what is assumed; in any order, overlapping or not.
        owed: Rows that had been handed over.
        repeats: How often the upstream sent a row again, where that is to be seen in the topic.
        explain: What repeated a row that was received at this moment.
        slack: See `SLACK`.
    """
    gaps = list(gaps)
    lost = frozenset(sent) - arrivals.keys()
    way = _ways(sent, arrivals)
    widened = _joined((gap.since - slack - way(gap.since), gap.until + slack) for gap in gaps)
    exact = _joined((gap.since - way(gap.since), gap.until) for gap in gaps)
    unpaid = lost & frozenset(owed)
    outside = unpaid | {number for number in lost if not _holds(widened, sent[number])}
    return Account(
        sent=len(sent),
        lost=lost,
        outside=outside,
        owed=unpaid,
        near=frozenset(number for number in lost - outside if not _holds(exact, sent[number])),
        duplicates=_duplicates(arrivals, repeats or {}, explain),
        strangers=len(arrivals.keys() - sent.keys()),
        uncovered=_covered_by(gaps, sent),
    )


def _ways(sent: Mapping[int, float], arrivals: Mapping[int, Sequence[float]]) -> Callable[[float], float]:
    """
    How long rows that were received just before a moment had been on their way.

    A connector tells gaps by when it received; rows that were behind it on a slow socket were sent earlier.
    """
    known = sorted(
        (min(times), min(times) - sent[number]) for number, times in arrivals.items() if number in sent
    )
    moments = [received for received, _ in known]

    def way(moment: float) -> float:
        recent = known[bisect_left(moments, moment - LOOK_BACK) : bisect_right(moments, moment)]
        return max([0.0, *(took for _, took in recent)])

    return way


def _joined(periods: Iterable[tuple[float, float]]) -> list[tuple[float, float]]:
    """The same periods, sorted and without overlaps."""
    joined: list[tuple[float, float]] = []
    for since, until in sorted(periods):
        if joined and since <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(joined[-1][1], until))
        else:
            joined.append((since, until))
    return joined


def _holds(joined: Sequence[tuple[float, float]], moment: float) -> bool:
    place = bisect_right(joined, moment, key=lambda period: period[0]) - 1
    return place >= 0 and moment <= joined[place][1]


def _covered_by(gaps: Iterable[Gap], sent: Mapping[int, float]) -> float:
    """Seconds of ``gaps`` between the first row that was sent and the last one."""
    if not sent:
        return 0.0
    first, last = min(sent.values()), max(sent.values())
    clipped = ((max(first, gap.since), min(last, gap.until)) for gap in gaps)
    joined = _joined((since, until) for since, until in clipped if since < until)
    return sum(until - since for since, until in joined)


def _duplicates(
    arrivals: Mapping[int, Sequence[float]], repeats: Mapping[int, int], explain: Callable[[float], str]
) -> Mapping[str, int]:
    found: Counter[str] = Counter()
    for number, times in arrivals.items():
        for moment in sorted(times)[1 + repeats.get(number, 0) :]:
            found[explain(moment)] += 1
    return dict(found)

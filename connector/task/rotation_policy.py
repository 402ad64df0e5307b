"""How long the sessions of a rotation overlap, and how long before a token's end rotations must begin."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

MARGIN = 2.0
"""
Seconds that a rotation takes besides its overlap: the new session is opened, the old one closed; of a token
that lives shortly no more than `MARGIN_SHARE` of its life.
"""

MARGIN_SHARE = 0.1

OVERLAP_SHARE = 0.1
"""
Of a token's life: no overlap is planned to be longer, nor is a row matched with one that came so long before.
From the moment that a session subscribes until the next one has taken over, there are two of either.
"""

LEAST_OVERLAP = 1.0
"""Seconds; where there are more subscriptions than time, overlaps are not made shorter than this."""

END = 1.5
"""
Seconds before its end by which a token is given up, or `END_SHARE` of a short life. Servers keep an expiry in
whole seconds (``exp`` of RFC 7662 §2.2) and may have cut off the part of one.
"""

END_SHARE = 0.3

LEAD_SHARE = 0.75
"""Of a token's life: sooner no next one is asked for, however many have to be rotated."""

SLACK = 1.1
"""So much more than the turns of all take is planned for them: one late rotation makes no other one due."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Rotation:
    """
    What is done before a token ends. ``overlap``: a second session is opened beside the old one, which is
    closed once both have lived ``overlap`` seconds, and ``overlap_max`` at most; ``reopen``: the old one is
    closed first; ``never``: nothing.
    """

    kind: Literal["overlap", "reopen", "never"] = "reopen"
    overlap: float = 5.0
    overlap_max: float = 30.0


@dataclass(frozen=True, kw_only=True, slots=True)
class RotationTimes:
    """
    Those of one rotation, in seconds. Both sessions live ``overlap`` at least and ``overlap_max`` at most. A
    row of the old one that came more than ``reach`` before it is not taken for the same, so the old one's are
    recorded for so long before the new one subscribes. From then on the rotation ``takes`` so long where
    nothing is slow.
    """

    overlap: float
    overlap_max: float
    reach: float
    takes: float


@dataclass(frozen=True, kw_only=True, slots=True)
class RotationPlan:
    """The arithmetic of ``count`` subscriptions with one token, of which ``parallelism`` rotate at once."""

    rotation: Rotation
    parallelism: int
    count: int

    @property
    def rounds(self) -> int:
        """How many rotations follow one another until all had theirs."""
        return math.ceil(max(1, self.count) / self.parallelism)

    def times(self, life: float) -> RotationTimes:
        """
        Return those for a token that lives ``life`` seconds (infinity: unknown). Where they would take longer
        than its life allows, for all of the subscriptions, the overlap is shorter, down to `LEAST_OVERLAP`.
        """
        reach = min(self.rotation.overlap, life * OVERLAP_SHARE)
        margin = min(MARGIN, life * MARGIN_SHARE)
        fitting = (self._most(life) - reach) / (self.rounds * SLACK) - margin
        overlap = min(reach, max(fitting, LEAST_OVERLAP))
        most = min(self.rotation.overlap_max, max(life - end(life) - margin, overlap))
        return RotationTimes(overlap=overlap, overlap_max=most, reach=reach, takes=overlap + margin)

    def lead(self, life: float) -> float:
        """
        Return how many seconds before the end of a token that lives ``life`` seconds the first rotation has
        to begin, so that the last one is over in time; 0 where sessions do not overlap.
        """
        if self.rotation.kind != "overlap" or life == math.inf:
            return 0.0
        times = self.times(life)
        turns = times.reach + self.rounds * times.takes * SLACK
        turns += times.overlap_max - times.overlap  # the last of them may wait for a session that lags
        return min(turns, self._most(life)) + end(life)

    def _most(self, life: float) -> float:
        """Seconds in which all may be rotated, at most."""
        return life * LEAD_SHARE - end(life)


def end(life: float) -> float:
    """Return how many seconds before its end a token is given up that lives ``life`` seconds."""
    return min(END, life * END_SHARE)

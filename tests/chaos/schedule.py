"""When which fault comes: the same for the same seed."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from tests.chaos.kinds import KINDS

FIRST, CALM = 2.0, 6.0
"""Seconds before the first fault, and at the end of the run, in which none begins."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Fault:
    """
    One fault, ``at`` seconds after the beginning, for ``seconds``. ``subscription`` is whose, by its place;
    only sockets are somebody's. ``seed`` is for what else is drawn.
    """

    at: float
    kind: str
    seconds: float
    subscription: int
    seed: int


def schedule(
    kinds: Sequence[str], *, seed: int, seconds: float, every: float, subscriptions: int
) -> list[Fault]:
    """
    Faults about ``every`` so many seconds, in the order of their moments.

    Each of ``kinds`` comes once before any comes again, so that a short run leaves none out that it has the
    time for. They may begin while an earlier one lasts, or what it did is not healed.
    """
    rng = random.Random(seed)
    faults: list[Fault] = []
    at = FIRST
    for kind in _rounds(kinds, rng):
        if at > seconds - CALM:
            break
        faults.append(
            Fault(
                at=round(at, 2),
                kind=kind,
                seconds=round(rng.uniform(*KINDS[kind].seconds), 2),
                subscription=rng.randrange(subscriptions),
                seed=rng.randrange(1 << 30),
            )
        )
        at += rng.uniform(0.2, 1.8) * every
    return faults


def _rounds(kinds: Sequence[str], rng: random.Random) -> Iterator[str]:
    while kinds:
        yield from rng.sample(kinds, len(kinds))

"""
The feed numbers rows at a steady rate, whoever listens, and remembers which reached a socket.

Row ``n`` belongs to network ``n mod 2``, so one sequence of numbers feeds both subscriptions and
every number has exactly one subscription that should carry it.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Sequence

import anyio

NETWORKS = ("bsc", "eth")
ROWS_PER_SECOND = 500
ROWS_PER_FRAME = 100
TICK = 0.05
"""Seconds between two moments at which rows are numbered."""


def network_of(number: int) -> str:
    """Return the network that row ``number`` belongs to."""
    return NETWORKS[number % len(NETWORKS)]


class Tap:
    """
    One operation's view of the feed: the rows numbered since it opened, in order.

    Rows are ``take``n to be made into a frame and `wrote` once that frame was handed to the open
    socket. A session may lose its tail, never a row in the middle.
    """

    def __init__(self, feed: Feed) -> None:
        self._feed = feed
        self._waiting: deque[int] = deque()
        self._taken: deque[int] = deque()
        self._arrived = anyio.Event()

    def offer(self, numbers: Sequence[int]) -> None:
        """Queue rows that were just numbered."""
        self._waiting.extend(numbers)
        self._arrived.set()

    async def take(self) -> list[int]:
        """Wait for rows, and return at most one frame's worth of them."""
        while not self._waiting:
            self._arrived = anyio.Event()
            await self._arrived.wait()
        numbers = [self._waiting.popleft() for _ in range(min(ROWS_PER_FRAME, len(self._waiting)))]
        self._taken.extend(numbers)
        return numbers

    def wrote(self, numbers: Sequence[int]) -> None:
        """Enter rows that were handed to an open socket; they must be the next ones of this session."""
        for number in numbers:
            if not self._taken or self._taken.popleft() != number:
                self._feed.out_of_turn += 1
        self._feed.written.update(numbers)


class Feed:
    """
    Numbers rows 0, 1, 2, … at ``rows_per_second`` and gives each to the taps of its network.

    ``numbered`` is how many there are so far; ``written`` holds the numbers that reached a socket, and
    ``out_of_turn`` counts those that did so after a row of their session that never would (must be 0).
    """

    def __init__(self, rows_per_second: int = ROWS_PER_SECOND) -> None:
        self.numbered = 0
        self.written: set[int] = set()
        self.out_of_turn = 0
        self._rate = rows_per_second
        self._taps: dict[str, set[Tap]] = {network: set() for network in NETWORKS}
        self._flowing = False

    def open(self, network: str) -> Tap:
        """Return a tap that gets every row of ``network`` numbered from now on."""
        tap = Tap(self)
        self._taps[network].add(tap)
        return tap

    def close(self, tap: Tap) -> None:
        """Give ``tap`` no more rows; those that it never wrote stay unwritten."""
        for taps in self._taps.values():
            taps.discard(tap)

    @property
    def has_all_listeners(self) -> bool:
        """Whether every network has an open operation."""
        return all(self._taps.values())

    def stop(self) -> None:
        """Number no further row."""
        self._flowing = False

    async def run(self) -> None:
        """Number rows at the steady rate until stopped."""
        self._flowing = True
        started_at, already = time.monotonic(), self.numbered
        while self._flowing:
            self.number_up_to(already + int((time.monotonic() - started_at) * self._rate))
            await anyio.sleep(TICK)

    def number_up_to(self, count: int) -> None:
        """Number rows until there are ``count``, and offer each to its network's taps."""
        numbers = range(self.numbered, count)
        self.numbered = max(count, self.numbered)
        for network, taps in self._taps.items():
            mine = [number for number in numbers if network_of(number) == network]
            if mine:
                for tap in taps:
                    tap.offer(mine)

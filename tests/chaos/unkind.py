"""What the upstream does all the time and no client likes: nothing of it may cost a row."""

from __future__ import annotations

import random
from collections.abc import Sequence

import anyio

from tests.standins.behaviour import (
    Close,
    ErrorOnConnection,
    HttpRefusal,
    InBandError,
    Trouble,
)
from tests.standins.feed import FrameStyle
from tests.standins.upstream import StandInUpstream

FULL_MESSAGE, LARGE_MESSAGE = 800, 1500
"""Rows: as many as the upstream's limit, which may hide more; and more than 1 MiB of them."""

REFUSALS: Sequence[Trouble] = (
    HttpRefusal(status=401),
    HttpRefusal.html(403),
    HttpRefusal.json(401, "Unauthorized"),
    Close(4401, "Unauthorized"),
    Close(4403, "Forbidden"),
    Close(1008, "Unauthorized"),
    ErrorOnConnection(),
    InBandError(form="frame"),
    InBandError(form="errors"),
    InBandError(form="data"),
)
"""The ways in which a stale token is refused."""


async def be_unkind(upstream: StandInUpstream, *, seed: int, repeats: bool = False) -> None:
    """
    Change the upstream's ways every second or two, until cancelled.

    Rows come in any order and in messages of any size; what is said before the ack, how long that takes,
    and how a stale token is refused are drawn anew. ``repeats``: some rows come twice.
    """
    rng = random.Random(seed)
    while True:
        upstream.behave(
            refusal=rng.choice(REFUSALS),
            before_ack=rng.choice(((), ("ka",), ("pong", "ka"))),
            upgrade_delay=rng.choice((0.0, 0.0, 0.3)),
            ack_delay=rng.choice((0.0, 0.0, 0.4)),
            keepalive=rng.choice(("usual", "usual", "websocket ping")),
            on_stop=rng.choice(("ignored", "ends", "completes")),
            payload_first=rng.random() < 0.3,
            spaced=rng.random() < 0.3,
        )
        for feed in upstream.feeds.values():
            feed.frame_style = FrameStyle(
                shuffled=rng.random() < 0.5, repeat_every=rng.choice((None, 7)) if repeats else None
            )
            feed.rows_per_frame = rng.choice((1, 5, 10, 40))
        if rng.random() < 0.1:
            feed = rng.choice(list(upstream.feeds.values()))
            feed.emit(rng.choice((FULL_MESSAGE, LARGE_MESSAGE)))
        await anyio.sleep(rng.uniform(1.0, 2.0))

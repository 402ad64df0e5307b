"""What goes on beside an attempt's reading: looking for silence, pinging, minding the token's end."""

from __future__ import annotations

from collections.abc import Callable

import anyio

from connector.auth import Token
from connector.subscription import Silent
from connector.task import succession
from connector.task.connection import Connection
from connector.task.keep_alive import KeepAliveAction, KeepAliveMonitor, KeepAlivePolicy
from connector.task.token_keeper import TokenKeeper

LATE_WAKE = 0.5
"""Seconds: having slept so much longer than asked, what came meanwhile is still unread."""


async def abort_when_silent(
    connection: Connection,
    policy: KeepAlivePolicy,
    is_closing: Callable[[], bool],
    clock: Callable[[], float],
) -> None:
    """Abort ``connection`` with `Silent` where ``policy`` says so; return then, or once ``is_closing``."""
    monitor = KeepAliveMonitor(policy)
    while not is_closing():
        now = clock()
        action, wait = monitor.look(now, connection.last_heard_at)
        if action is KeepAliveAction.GIVE_UP:
            connection.abort(Silent(now - connection.last_heard_at))
            return
        if action is KeepAliveAction.PROBE:
            # A peer that takes nothing may hold the ping up; the span counts from its beginning.
            with anyio.move_on_after(wait):
                await connection.probe()
            continue
        fell_asleep_at = clock()
        await anyio.sleep(wait)
        if clock() - fell_asleep_at > wait + LATE_WAKE:
            await anyio.sleep(LATE_WAKE)


async def keep_pinging(
    connection: Connection, interval: float | None, is_closing: Callable[[], bool]
) -> None:
    """Ping every ``interval`` seconds (``None``: never). Some endpoints end a session that does not."""
    while interval is not None:
        await anyio.sleep(interval)
        if is_closing():
            return  # nothing is said after the operation's end
        with anyio.move_on_after(interval):
            await connection.ping()


async def until_due_for_renewal(
    keeper: TokenKeeper, token: Token, clock: Callable[[], float], rng: Callable[[], float]
) -> None:
    """Return in time before ``token`` expires, once there is a newer one to go on with; or never."""
    if token.expires_at is None:
        await anyio.sleep_forever()
        return
    left = max(0.0, token.expires_at - clock())
    await anyio.sleep(left - succession.lead(left))
    await keeper.newer_than(token.generation)
    await anyio.sleep(rng() * succession.spread(left, token.expires_at - clock()))

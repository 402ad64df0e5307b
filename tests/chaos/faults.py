"""The faults, done to the stage: each waits until its part of that is free, and is noted when it is over."""

from __future__ import annotations

import contextlib
import random
import signal
import time
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace

import anyio

from tests.chaos.connector import RestartedConnector
from tests.chaos.kinds import KINDS
from tests.chaos.schedule import Fault
from tests.e2e.stage import Stage
from tests.standins.behaviour import (
    SLOW_CONSUMER,
    Close,
    Fin,
    HttpRefusal,
    InBandError,
    InConnection,
    Rst,
    Silence,
)
from tests.standins.feed import Feed
from tests.standins.oauth import TokenAnswer
from tests.standins.proxy import FaultProxy
from tests.standins.session import Session

SESSION_WITHIN, CALM_WITHIN = 15.0, 60.0
"""Seconds that a fault waits for a session to harm, and for the calm that it asks for."""
ON_ITS_WAY = 20.0
"""Seconds in which all has come through that was sent before the end of a connection."""

_REFUSED_UPGRADES: Sequence[HttpRefusal | Fin | Rst] = (
    HttpRefusal.html(503),
    HttpRefusal.json(502, "bad gateway"),
    HttpRefusal(status=500, body=""),
    Fin(),
    Rst(),
)
_NO_TOKENS = (
    TokenAnswer(status=503, retry_after="1"),
    TokenAnswer.html(502),
    TokenAnswer(status=500, body="", content_type="text/plain"),
    TokenAnswer(drop=True),
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Happened:
    """A fault that was done, and from when to when (unix seconds)."""

    kind: str
    subscription: str
    began: float
    ended: float


class LeftOut(Exception):
    """What the fault needs to find was not to be had."""


class Faults:
    """
    Does them. ``happened`` is in the order of their ends. ``harmed`` are the numbers of connections that the
    network or the process's death broke, so that what was written to them may not have come through;
    ``disturbed`` those that did not end of their own accord.

    ``waits_for_calm``: a process is ended only while nothing else is amiss, since its absence is then all
    that it could not declare.
    """

    def __init__(
        self,
        stage: Stage,
        proxy: FaultProxy,
        connector: RestartedConnector,
        *,
        waits_for_calm: bool,
        say: Callable[[str], None],
    ) -> None:
        self._stage = stage
        self.upstream = stage.upstream
        self._feeds: Sequence[Feed] = list(stage.upstream.feeds.values())
        self._proxy = proxy
        self._connector = connector
        self._waits_for_calm = waits_for_calm
        self._say = say
        self._parts = {kind.part: anyio.Lock() for kind in KINDS.values()}
        self.happened: list[Happened] = []
        self.harmed: set[int] = set()
        self.disturbed: set[int] = set()

    async def do(self, fault: Fault) -> None:
        """Do one, from its beginning to its end."""
        feed = self._feeds[fault.subscription]
        async with self._parts[KINDS[fault.kind].part]:
            began = time.time()
            way: Callable[[Fault, Feed], Awaitable[None]] = getattr(self, f"_{fault.kind}")
            try:
                await way(fault, feed)
            except LeftOut:
                return
            ended = time.time()
        self.happened.append(Happened(kind=fault.kind, subscription=feed.name, began=began, ended=ended))

    # What they have in common

    def _tell(self, fault: Fault, whom: Feed | None = None, more: str = "") -> None:
        lasts = f" for {fault.seconds:g} s" if fault.seconds else ""
        self._say(f"{fault.kind}{lasts}{f' ({whom.name})' if whom else ''}{f': {more}' if more else ''}")

    def _harm(self) -> None:
        """What is open, or ended so lately that the last of it may still be on its way."""
        lately = time.monotonic() - ON_ITS_WAY
        ends = ((session.number, session.record.ended_at) for session in self.upstream.sessions)
        self.harmed |= {number for number, ended_at in ends if ended_at is None or ended_at > lately}

    async def _sessions_of(self, feed: Feed) -> Sequence[Session]:
        """The feed's sessions that deliver, once there is one."""
        with contextlib.suppress(TimeoutError):
            await self.upstream.until(lambda: self.delivering(feed), within=SESSION_WITHIN)
        return self.delivering(feed)

    def delivering(self, feed: Feed) -> Sequence[Session]:
        """The feed's sessions that rows would be written to now."""
        return [s for s in self.upstream.open_sessions if s.feed is feed and s.is_delivering]

    async def _begin(self, fault: Fault, feed: Feed, *troubles: InConnection) -> None:
        sessions = await self._sessions_of(feed)
        self._tell(fault, feed, "" if sessions else "it has no session")
        for session in sessions:
            self.disturbed.add(session.number)
            for trouble in troubles:
                session.begin(trouble)

    # The network

    async def _fin(self, fault: Fault, _: Feed) -> None:
        self._tell(fault)
        self._harm()
        self._proxy.fin()

    async def _rst(self, fault: Fault, _: Feed) -> None:
        self._tell(fault)
        self._harm()
        self._proxy.rst()

    async def _stall(self, fault: Fault, _: Feed) -> None:
        self._tell(fault)
        self._harm()
        self._proxy.stall()
        try:
            await anyio.sleep(fault.seconds)
        finally:
            self._harm()
            self._proxy.resume()

    async def _lag(self, fault: Fault, _: Feed) -> None:
        self._tell(fault)
        self._harm()  # a Close may come through too late for who waits for it
        self._proxy.lag(fault.seconds)

    # Sockets

    async def _close_1013(self, fault: Fault, feed: Feed) -> None:
        await self._begin(fault, feed, SLOW_CONSUMER)

    async def _mute(self, fault: Fault, feed: Feed) -> None:
        await self._begin(fault, feed, Silence(keepalive=False))

    async def _silence(self, fault: Fault, feed: Feed) -> None:
        await self._begin(fault, feed, Silence(keepalive=True))

    async def _errors(self, fault: Fault, feed: Feed) -> None:
        error = InBandError(form="errors", message="the database is being restarted")
        await self._begin(fault, feed, error, Silence(keepalive=True))

    # The endpoint

    async def _refused_upgrade(self, fault: Fault, feed: Feed) -> None:
        refusal = random.Random(fault.seed).choice(_REFUSED_UPGRADES)
        self.upstream.behave(at_upgrade=refusal)
        try:
            await self._begin(fault, feed, Fin())
            await anyio.sleep(fault.seconds)
        finally:
            self.upstream.behave(at_upgrade=None)

    async def _cap(self, fault: Fault, _: Feed) -> None:
        self._tell(fault)
        await self._capped(len(self._feeds), fault.seconds)

    async def _crowded(self, fault: Fault, feed: Feed) -> None:
        self.upstream.stream_cap = len(self._feeds) - 1
        await self._begin(fault, feed, Fin())
        await self._capped(len(self._feeds) - 1, fault.seconds)

    async def _capped(self, cap: int, seconds: float) -> None:
        self.upstream.stream_cap = cap
        try:
            await anyio.sleep(seconds)
        finally:
            self.upstream.stream_cap = None

    # Tokens

    async def _expiry(self, fault: Fault, _: Feed) -> None:
        self._tell(fault)
        for session in self.upstream.open_sessions:
            self.disturbed.add(session.number)
            session.behaviour = replace(session.behaviour, closes_at_expiry=True)
        for token in self._stage.authority.values:
            self._stage.authority.expire(token)

    async def _revocation(self, fault: Fault, feed: Feed) -> None:
        self._stage.authority.revoke_all()
        await self._begin(fault, feed, random.Random(fault.seed).choice((Fin(), Close(1012), Close(1001))))

    async def _token_endpoint_down(self, fault: Fault, _: Feed) -> None:
        self._tell(fault)
        self._stage.oauth.behave(random.Random(fault.seed).choice(_NO_TOKENS))
        try:
            await anyio.sleep(fault.seconds)
        finally:
            self._stage.oauth.behave()

    # Kafka

    async def _broker_freeze(self, fault: Fault, _: Feed) -> None:
        self._tell(fault)
        broker = self._stage.kafka.broker(1)
        broker.freeze()
        try:
            await anyio.sleep(fault.seconds)
        finally:
            broker.thaw()

    async def _broker_restart(self, fault: Fault, _: Feed) -> None:
        self._tell(fault)
        broker = self._stage.kafka.broker(1)
        await anyio.to_thread.run_sync(broker.kill)
        await anyio.to_thread.run_sync(broker.restart)

    # The connector

    async def _sigterm(self, fault: Fault, _: Feed) -> None:
        await self._end(fault, signal.SIGTERM)

    async def _kill(self, fault: Fault, _: Feed) -> None:
        await self._end(fault, signal.SIGKILL)

    async def _end(self, fault: Fault, number: signal.Signals) -> None:
        async with AsyncExitStack() as held:
            if self._waits_for_calm:
                for part, lock in self._parts.items():
                    if part != "process":
                        await held.enter_async_context(lock)
                if not await self.until_calm(CALM_WITHIN):
                    self._tell(fault, more="left out, it was never calm")
                    raise LeftOut
            self._tell(fault)
            if number is signal.SIGKILL:
                self._harm()
            self.disturbed |= {session.number for session in self.upstream.open_sessions}
            await self._connector.end(number)
        await anyio.sleep(random.Random(fault.seed).uniform(0.0, 2.0))
        self._connector.start()

    async def until_calm(self, within: float) -> bool:
        """
        Wait until every feed is delivered, the connector knows that, and Kafka has taken what came; return
        whether it came to that.
        """
        names = [feed.name for feed in self._feeds]
        deadline = anyio.current_time() + within
        while not (all(map(self.delivering, self._feeds)) and await self._connector.is_calm(names)):
            if anyio.current_time() > deadline:
                return False
            await anyio.sleep(0.1)
        return True

"""All the parts of the demo, and the order in which they come and go."""

from __future__ import annotations

import random
import signal
import time
from collections import deque
from collections.abc import Awaitable, Callable
from pathlib import Path

import anyio
import anyio.abc
import anyio.to_thread

from connector.demo.account import Account, settle
from connector.demo.broker import Broker
from connector.demo.child import TOPIC_PREFIX, Child, write_config
from connector.demo.consumer import CountingConsumer
from connector.demo.errors import AccountingError, DemoError, Interrupted
from connector.demo.feed import NETWORKS, Feed
from connector.demo.oauth import TOKEN_LIFE, Issuer
from connector.demo.server import LoopbackServer
from connector.demo.sockets import SUBPROTOCOLS, Sockets
from connector.demo.table import Display, Result, View
from connector.demo.upstream import graphql_app
from connector.demo.watch import Glance, look

START_TIMEOUT = 30.0
"""Seconds that the connector has to open its subscriptions."""
READ_TIMEOUT = 20.0
"""Seconds that the consumer has to read to the end."""
SETTLE_TIMEOUT = 5.0
"""Seconds in which the upstream must have seen its sockets end once the connector has."""
TROUBLE_EVERY = 5.0
"""Seconds between two dropped sockets, on average."""
AT_LEAST = 3
"""Tokens and sessions that a run long enough for them must have seen."""
LONG_ENOUGH = AT_LEAST * TOKEN_LIFE
REFRESH = 0.5
"""Seconds between two looks at everything."""
RATE_WINDOW = 6
"""Looks over which rows per second are averaged."""


class Stage:
    """
    One run of the demo: ``seconds`` of streaming, files in ``directory``, progress on ``display``.

    The feed starts to number rows once both subscriptions are open, and goes on until the connector
    has ended, so that it is stopped under load.
    """

    def __init__(self, *, seconds: float, directory: Path, display: Display) -> None:
        self._seconds = seconds
        self._directory = directory
        self._display = display
        self._issuer = Issuer()
        self._feed = Feed()
        self._sockets = Sockets(graphql_app(), feed=self._feed, issuer=self._issuer)
        self._server = LoopbackServer(self._issuer, self._sockets)
        self._broker = Broker()
        topics = {name: self._broker.create_topic(name) for name in (TOPIC_PREFIX + n for n in NETWORKS)}
        self._consumer = CountingConsumer(self._broker.bootstrap_servers, topics)
        self._child: Child | None = None
        self._glance: Glance | None = None
        self._phase = "starting"
        self._streaming_since: float | None = None
        self._asked_to_stop = anyio.Event()
        self._interrupted = False

    async def perform(self) -> Result:
        """
        Run it all and account for the rows. No process, thread or socket is left afterwards.

        Raises:
            DemoError: It could not be carried out.
            AccountingError: The books contradict each other.
            Interrupted: A second signal came, or one before rows flowed.
        """
        outcome: Result | Exception | None = None
        try:
            async with anyio.create_task_group() as group:
                try:
                    await group.start(self._obey_signals, group.cancel_scope)
                    group.start_soon(self._server.run)
                    outcome = await self._play(group)
                except (DemoError, Interrupted) as failure:
                    outcome = failure
                finally:
                    await self._end_child()
                    self._server.stop()
                    group.cancel_scope.cancel()
        finally:
            self._consumer.abandon()
            self._broker.close()
        if self._interrupted or outcome is None:
            raise Interrupted
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    async def _play(self, group: anyio.abc.TaskGroup) -> Result:
        config = write_config(
            self._directory,
            server_port=self._server.port,
            bootstrap_servers=self._broker.bootstrap_servers,
        )
        self._consumer.start()
        self._child = child = await Child.start(
            config, client_secret=self._issuer.client_secret, log=self._directory / "connector.log"
        )
        group.start_soon(self._report, child)
        await self._until_open(child)
        group.start_soon(self._feed.run)
        complaints = await self._stream(child)
        self._phase = "draining"
        code = await child.stop()
        if code != 0:
            complaints.append(f"the connector exited with {code}")
        account = await self._settle()
        return self._result(account, complaints)

    async def _until_open(self, child: Child) -> None:
        with anyio.move_on_after(START_TIMEOUT):
            while not self._feed.has_all_listeners:
                if child.exit_code is not None:
                    raise DemoError(f"the connector exited with {child.exit_code} before it subscribed")
                if self._asked_to_stop.is_set():
                    raise Interrupted
                await anyio.sleep(0.05)
            return
        raise DemoError(f"the connector did not subscribe within {START_TIMEOUT:.0f} s")

    async def _stream(self, child: Child) -> list[str]:
        """Let rows flow for the time asked for, less if the user or the connector ends it."""
        self._phase = "streaming"
        self._streaming_since = time.monotonic()
        with anyio.move_on_after(self._seconds):
            async with anyio.create_task_group() as group:
                group.start_soon(self._make_trouble)
                group.start_soon(_cancel_after, child.wait, group.cancel_scope)
                group.start_soon(_cancel_after, self._asked_to_stop.wait, group.cancel_scope)
        self._seconds = min(self._seconds, time.monotonic() - self._streaming_since)
        return [] if child.exit_code is None else ["the connector ended before it was asked to"]

    async def _make_trouble(self) -> None:
        every = min(TROUBLE_EVERY, max(1.0, self._seconds / 4))
        while True:
            await anyio.sleep(every * random.uniform(0.5, 1.5))
            await self._sockets.drop_one()

    async def _settle(self) -> Account:
        """Let everything come to rest, then compare what was written with what was read."""
        self._phase = "reading to the end"
        self._feed.stop()
        with anyio.move_on_after(SETTLE_TIMEOUT) as deadline:
            await self._sockets.all_closed()
        if deadline.cancelled_caught:
            raise DemoError("the upstream still has a socket open although the connector has ended")
        await anyio.to_thread.run_sync(self._consumer.finish, READ_TIMEOUT)
        if self._feed.out_of_turn:
            raise AccountingError(f"{self._feed.out_of_turn} rows were written out of turn")
        return settle(
            numbered=self._feed.numbered, written=self._feed.written, consumed=self._consumer.counts
        )

    def _result(self, account: Account, complaints: list[str]) -> Result:
        sessions = self._sockets.opened
        if account.missing:
            complaints.append(f"{account.missing} rows that were written to a socket are not in Kafka")
        if self._seconds >= LONG_ENOUGH:
            if self._issuer.issued < AT_LEAST:
                complaints.append(f"only {self._issuer.issued} tokens were handed out")
            if sessions.total() < AT_LEAST:
                complaints.append(f"only {sessions.total()} sessions were opened")
            complaints += [f"{name} was never spoken" for name in SUBPROTOCOLS if not sessions[name]]
        return Result(
            account=account,
            tokens=self._issuer.issued,
            sessions=sessions,
            refused=self._sockets.refused,
            dropped=self._sockets.dropped,
            reconnects=self._glance.reconnects if self._glance else {},
            seconds=self._seconds,
            complaints=tuple(complaints),
        )

    async def _report(self, child: Child) -> None:
        """Ask the connector how it is and show it, for ever."""
        port: int | None = None
        history = deque([(time.monotonic(), 0)], maxlen=RATE_WINDOW)
        while True:
            port = port or child.api_port()
            if port is not None:
                self._glance = await look(port) or self._glance
            history.append((time.monotonic(), self._consumer.total))
            (then, before), (now, consumed) = history[0], history[-1]
            self._display.show(self._view(consumed, (consumed - before) / max(now - then, 1e-9)))
            await anyio.sleep(REFRESH)

    def _view(self, consumed: int, rows_per_second: float) -> View:
        since = self._streaming_since
        return View(
            phase=self._phase,
            elapsed=0.0 if since is None else min(time.monotonic() - since, self._seconds),
            seconds=self._seconds,
            numbered=self._feed.numbered,
            consumed=consumed,
            rows_per_second=rows_per_second,
            tokens=self._issuer.issued,
            sessions=self._sockets.opened,
            refused=self._sockets.refused,
            dropped=self._sockets.dropped,
            glance=self._glance,
        )

    async def _obey_signals(
        self, everything: anyio.CancelScope, *, task_status: anyio.abc.TaskStatus[None]
    ) -> None:
        """The first signal ends the streaming early, the second ends everything at once."""
        with anyio.open_signal_receiver(signal.SIGINT, signal.SIGTERM, signal.SIGHUP) as signals:
            task_status.started()
            async for _ in signals:
                if self._asked_to_stop.is_set():
                    self._interrupted = True
                    everything.cancel()
                self._asked_to_stop.set()

    async def _end_child(self) -> None:
        if self._child is not None:
            await self._child.kill()


async def _cancel_after(wait: Callable[[], Awaitable[object]], scope: anyio.CancelScope) -> None:
    """Cancel ``scope`` once ``wait`` returns."""
    await wait()
    scope.cancel()

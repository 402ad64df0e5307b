"""Follow subscriptions, and print what comes, until there is enough of it."""

from __future__ import annotations

import signal
from collections.abc import Callable, Sequence

import anyio
import structlog
from anyio.abc import TaskStatus

from connector.auth import Keeper
from connector.errors import FatalError
from connector.signals import STOPPING, heard
from connector.tail.printer import Printer
from connector.task import SubscriptionRunner

log = structlog.get_logger(__name__)


class NothingLive(FatalError):
    """The time was over before any session came about."""

    def __init__(self, reason: str | None) -> None:
        super().__init__(f"no session came about in time: {reason or 'nobody has answered yet'}")


class Tail:
    """
    Used once. ``seconds`` of ``None``: until stopped. ``enough`` is set when there is nothing more to print;
    then sessions have ``grace`` seconds to close, and their last rows to be printed. ``was_live`` says
    whether any session came about.
    """

    def __init__(
        self,
        runners: Sequence[SubscriptionRunner],
        *,
        printer: Printer,
        keeper: Keeper | None,
        seconds: float | None,
        grace: float,
        enough: anyio.Event,
        was_live: Callable[[], bool],
    ) -> None:
        self._runners = runners
        self._printer = printer
        self._keeper = keeper
        self._seconds = seconds
        self._grace = grace
        self._enough = enough
        self._was_live = was_live
        self._reason: str | None = None
        self._is_in_vain = False

    async def run(self) -> None:
        """
        Return after a signal, the limit, the time, or the end of the output's reader.

        Raises:
            NothingLive: The time is over, and no session ever came about.
            CannotPrint: The output takes no more.
        """
        async with anyio.create_task_group() as outer:
            with anyio.CancelScope() as following:
                await outer.start(self._stop_on_signal, following)
                outer.start_soon(self._printer.run)
                if self._keeper is not None:
                    outer.start_soon(self._keeper.run)
                if self._seconds is not None:
                    outer.start_soon(self._stop_in_time, self._seconds)
                async with anyio.create_task_group() as runners:
                    for runner in self._runners:
                        runners.start_soon(runner.run)
                    await self._enough.wait()
                    following.deadline = anyio.current_time() + self._grace
                    for runner in self._runners:
                        runner.stop()
            outer.cancel_scope.cancel()
        self._account()

    async def _stop_on_signal(self, following: anyio.CancelScope, *, task_status: TaskStatus[None]) -> None:
        with anyio.open_signal_receiver(*STOPPING) as signals, heard():
            task_status.started()
            async for number in signals:
                if self._enough.is_set():
                    following.cancel()
                    return
                log.info("tail is stopping", signal=signal.Signals(number).name)
                self._enough.set()

    async def _stop_in_time(self, seconds: float) -> None:
        await anyio.sleep(seconds)
        if not self._enough.is_set() and not self._was_live():
            self._is_in_vain = True
            self._reason = self._last_error()
        self._enough.set()

    def _last_error(self) -> str | None:
        of_token = self._keeper.status.last_error if self._keeper is not None else None
        found = [runner.status.last_error for runner in self._runners if runner.status.last_error]
        return found[0] if found else of_token

    def _account(self) -> None:
        log.info("stopped", rows=self._printer.printed)
        if self._printer.failure is not None:
            raise self._printer.failure
        if self._is_in_vain:
            raise NothingLive(self._reason)

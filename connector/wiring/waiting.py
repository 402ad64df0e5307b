"""
A process whose configuration cannot be used, and that waits until its files say something else.

It is alive and not ready, and tells why: an orchestrator that started it anew would learn no more.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import get_args

import anyio
import anyio.to_thread
import structlog
from anyio.abc import TaskGroup, TaskStatus

from connector import __version__
from connector.api import ApiServer, ConfigBody, KafkaBody, ReadyBody, TokenBody
from connector.config import LoadedConfig, Watch
from connector.errors import ConfigError
from connector.reload import POLL, Outcome
from connector.signals import STOPPING, heard
from connector.telemetry import Metrics, ReloadMetrics

log = structlog.get_logger(__name__)


@dataclass(frozen=True, kw_only=True, slots=True)
class Listen:
    """Where the API listens while there is no configuration that says so."""

    host: str
    port: int

    @classmethod
    def at(cls, place: str) -> Listen:
        """Return what ``host:port`` means; the host may stand in brackets."""
        host, _, port = place.rpartition(":")
        return cls(host=host.strip("[]"), port=int(port))


class Refused:
    """What ``/readyz`` tells of a configuration that was refused with ``error``."""

    def __init__(self, error: str) -> None:
        self.error = error

    def ready(self) -> bool:
        """Return that it is not."""
        return False

    def body(self) -> ReadyBody:
        """Return that nothing runs, and why."""
        return ReadyBody(
            ready=False,
            token=TokenBody(state="none", expires_in_seconds=None, last_error=None),
            kafka=KafkaBody(state="connecting"),
            config=ConfigBody(state="rejected", last_error=self.error, loaded_at=None),
            subscriptions={},
        )


async def wait_for_config(
    error: ConfigError, watch: Watch, listen: Listen, *, poll: float = POLL
) -> LoadedConfig | None:
    """
    Serve the API at ``listen``; return what ``watch`` finds once that can be used, ``None`` after a signal.

    ``error`` is why it cannot be used now; the files are looked at every ``poll`` seconds.

    Raises:
        CannotListen: The address is taken or not ours.
    """
    metrics = Metrics(version=__version__)
    outcomes = ReloadMetrics(metrics, get_args(Outcome))
    health = Refused("")

    def refuse(refusal: ConfigError) -> None:
        problems = [str(problem) for problem in refusal.problems]
        health.error = "; ".join(problems)
        outcomes.reloaded("invalid")
        outcomes.rejected(True)
        log.error(
            "the configuration cannot be used: waiting until its files say something else",
            problems=problems,
            remedy="correct the files; what comes from the environment needs a restart",
        )

    refuse(error)
    found: LoadedConfig | None = None
    async with anyio.create_task_group() as group:
        await group.start(ApiServer(listen.host, listen.port, health, metrics.render).serve)
        await group.start(_end_on_signal, group)
        found = await _until_usable(watch, refuse, poll)
        log.info("the configuration can be used")
        group.cancel_scope.cancel()
    return found


async def _until_usable(watch: Watch, refuse: Callable[[ConfigError], None], poll: float) -> LoadedConfig:
    while True:
        await anyio.sleep(poll)
        try:
            # In a thread that may be left behind: a file on a dead network mount blocks for ever.
            outcome = await anyio.to_thread.run_sync(watch.look, abandon_on_cancel=True)
        except Exception:
            log.exception("configuration not read: a fault of the connector")
            continue
        if isinstance(outcome, ConfigError):
            refuse(outcome)
        elif outcome is not None:
            return outcome


async def _end_on_signal(group: TaskGroup, *, task_status: TaskStatus[None]) -> None:
    with anyio.open_signal_receiver(*STOPPING) as signals, heard():
        task_status.started()
        async for _ in signals:
            log.info("stopped", seconds=0.0)
            group.cancel_scope.cancel()
            return

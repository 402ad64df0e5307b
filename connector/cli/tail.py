"""``connector tail``."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Sequence
from pathlib import Path

import anyio
import structlog

from connector.cli.exit_codes import CLEAN, CONFIGURATION, FAILED
from connector.cli.loop import loop_factory
from connector.cli.problems import show
from connector.cli.process import hold_signals, leave_hung_threads
from connector.config import LoadedConfig, read_config
from connector.errors import ConfigError, FatalError, Problem
from connector.records.plan import SubscriptionPlan
from connector.telemetry import Redactor, configure_logs, install_loop_handler
from connector.wiring.tail import run_tail

log = structlog.get_logger(__name__)

STDOUT = 1


def tail(path: Path, *, names: Sequence[str], seconds: float | None, limit: int | None) -> int:
    """Print rows of the subscriptions ``names`` (none: all) until stopped; return the exit code."""
    try:
        loaded = read_config(path, env=os.environ, brokers=False)
        plans = _chosen(loaded.plans, names)
    except ConfigError as error:
        show(error.problems)
        return CONFIGURATION
    redactor = Redactor()
    for secret in loaded.secrets:
        redactor.add(secret)
    configure_logs(loaded.config.log.level, loaded.config.log.format, redactor)
    for warning in loaded.warnings:
        log.warning("configuration", warning=warning)
    for plan in plans:
        for warning in plan.warnings:
            log.warning("document", subscription=plan.name, warning=warning)
    sys.stdout.flush()
    hold_signals()  # the tail takes them
    code = _follow(loaded, plans, redactor, seconds, limit)
    leave_hung_threads(code)
    return code


def _follow(
    loaded: LoadedConfig,
    plans: Sequence[SubscriptionPlan],
    redactor: Redactor,
    seconds: float | None,
    limit: int | None,
) -> int:
    async def main() -> None:
        install_loop_handler(asyncio.get_running_loop())
        await run_tail(loaded, plans, redactor, descriptor=STDOUT, seconds=seconds, limit=limit)

    failed: BaseException | None = None
    try:
        anyio.run(main, backend_options={"loop_factory": loop_factory()})
    except* Exception as group:
        failed = group
    while isinstance(failed, BaseExceptionGroup):
        failed = failed.exceptions[0]
    if failed is None:
        return CLEAN
    if isinstance(failed, FatalError):
        log.error("tail ended", error=str(failed))
    else:
        log.error("unexpected failure", error=str(failed), exc_info=failed)
    return FAILED


def _chosen(plans: Sequence[SubscriptionPlan], names: Sequence[str]) -> list[SubscriptionPlan]:
    known = {plan.name: plan for plan in plans}
    problems = [
        Problem(
            where="--subscription",
            path=None,
            message=f"there is no subscription called {name!r}",
            remedy=f"name one of: {', '.join(known)}",
        )
        for name in dict.fromkeys(names)
        if name not in known
    ]
    if problems:
        raise ConfigError(problems)
    return [known[name] for name in dict.fromkeys(names)] if names else list(plans)
